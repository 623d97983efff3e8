"""What Cisco devices say: samples of every form and near misses. The rules' own events hold the others."""

from __future__ import annotations

import pytest
from speakers import message, said

from collectors.logs.dialects import understand
from core.records import Fields, Logsource

IOS = Logsource(product="cisco", service="ios")
ASA = Logsource(product="cisco", service="asa")


def login(outcome: str, user: str, address: str) -> Fields:
    return {
        "event.action": "device_login",
        "event.outcome": outcome,
        "user.name": user,
        "source.ip": address,
        "destination.port": "22",
    }


@pytest.mark.parametrize(
    ("code", "text", "fields"),
    [
        (
            "SYS-5-CONFIG_I",
            "Configured from console by admin on vty0 (10.0.0.5)",
            {
                "event.action": "configuration_changed",
                "haidang.config.source": "console",
                "user.name": "admin",
                "haidang.config.line": "vty0",
                "source.ip": "10.0.0.5",
            },
        ),
        (
            "SYS-5-CONFIG_I",
            "Configured from console by console",
            {"event.action": "configuration_changed", "haidang.config.source": "console", "user.name": "console"},
        ),
        ("SYS-5-CONFIG_I", "Configuration read", {}),
        ("SYS-5-RESTART", "System restarted --", {"event.action": "device_restarted"}),
        ("SYS-5-RELOAD", "System restarted --", {}),
        (
            "LINK-3-UPDOWN",
            "Interface GigabitEthernet0/0/1, changed state to down",
            {"event.action": "link_down", "interface.name": "GigabitEthernet0/0/1"},
        ),
        (
            "LINK-3-UPDOWN",
            "Interface GigabitEthernet0/0/1, changed state to up",
            {"event.action": "link_up", "interface.name": "GigabitEthernet0/0/1"},
        ),
        (
            "LINK-5-CHANGED",
            "Interface Vlan10, changed state to administratively down",
            {"event.action": "link_disabled", "interface.name": "Vlan10"},
        ),
        (
            "LINEPROTO-5-UPDOWN",
            "Line protocol on Interface Serial0/1, changed state to down",
            {"event.action": "link_down", "interface.name": "Serial0/1"},
        ),
        ("LINK-3-UPDOWN", "Interface Vlan10, changed state to reset", {}),
        (
            "SEC_LOGIN-5-LOGIN_SUCCESS",
            "Login Success [user: admin] [Source: 10.0.0.5] [localport: 22] at 06:46:02 ICT Tue Nov 24 2026",
            login("success", "admin", "10.0.0.5"),
        ),
        (
            "SEC_LOGIN-4-LOGIN_FAILED",
            "Login failed [user: a] [Source: 1.1.1.1] [localport: 1] [Source: 10.3.7.66] [localport: 22] [Reason: x]",
            login("failure", "a] [Source: 1.1.1.1] [localport: 1", "10.3.7.66"),
        ),
        (
            "PARSER-5-CFGLOG_LOGGEDCMD",
            "User:van_a  logged command:no logging host 10.0.0.9",
            {
                "event.action": "command_executed",
                "user.name": "van_a",
                "process.command_line": "no logging host 10.0.0.9",
            },
        ),
        ("PARSER-5-CFGLOG_LOGGEDCMD", "User:van_a  left", {}),
        (
            "BGP-5-ADJCHANGE",
            "neighbor 10.99.0.1 vpn vrf WAN Down Interface flap",
            {"event.action": "routing_neighbour_lost", "haidang.neighbour": "10.99.0.1"},
        ),
        (
            "BGP-5-ADJCHANGE",
            "neighbor 10.99.0.1 Up",
            {"event.action": "routing_neighbour_found", "haidang.neighbour": "10.99.0.1"},
        ),
        ("BGP-5-ADJCHANGE", "neighbor 10.99.0.1 passed", {}),
    ],
)
def test_a_cisco_message_is_understood_by_its_mnemonic(code, text, fields):
    assert understand(message(text, code=code)) == (IOS, fields)


@pytest.mark.parametrize("code", ["ASA-6-605005", "ASA-2-605005", "FTD-6-605005"])
def test_an_asa_message_is_known_by_its_number_at_any_severity(code):
    text = 'Login permitted from 10.0.0.5/51234 to inside:10.36.0.1/ssh for user "admin"'
    assert understand(message(text, code=code)) == (
        ASA,
        {
            "event.action": "device_login",
            "event.outcome": "success",
            "source.ip": "10.0.0.5",
            "source.port": "51234",
            "destination.ip": "10.36.0.1",
            "network.protocol": "ssh",
            "user.name": "admin",
        },
    )


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("ASA-6-302013", ASA),
        ("FTD-1-430002", ASA),
        ("ASA-SESSION-6-302013", IOS),
        ("SYS-5-CONFIG_I", IOS),
    ],
)
def test_the_mnemonic_tells_an_asa_from_a_router(code, source):
    assert understand(message("anything", code=code)) == (source, {})


def test_an_asa_users_name_cannot_put_another_address_in_its_place():
    text = 'Login denied from 203.0.113.45/1 to outside:198.51.100.2/ssh for user "x" from 10.0.0.1/2 to a:10.0.0.2/s"'
    assert said(text, code="ASA-6-605004")["source.ip"] == "203.0.113.45"
    rejected = "AAA user authentication Rejected : reason = x : local database : user = a : user IP = 10.0.0.1"
    assert said(f"{rejected} : user IP = 203.0.113.45", code="ASA-6-113015")["source.ip"] == "203.0.113.45"


def test_a_code_that_is_no_mnemonic_is_not_ciscos():
    assert understand(message("hello", code="UI_COMMIT")) == (Logsource(product="", service="syslog"), {})
