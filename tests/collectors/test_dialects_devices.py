"""What Huawei, Juniper, Palo Alto and MikroTik say: forms that the rules' own events do not hold, and near misses."""

from __future__ import annotations

import pytest
from speakers import message, said

from collectors.logs.dialects import understand
from collectors.logs.syslog import parse
from core.clock import VIETNAM
from core.records import Fields, Logsource

VRP = Logsource(product="huawei", service="vrp")
JUNOS = Logsource(product="juniper", service="junos")
ROUTEROS = Logsource(product="mikrotik", service="routeros")
CONFIG = "1,2026/11/24 07:01:07,013201,CONFIG,0,2561,2026/11/24 07:01:07,10.0.0.5,,{},van_a,Web,{}, vsys  vsys1,72,0x0"


def line(text: str) -> Fields:
    """What comes of a whole line after the priority."""
    return understand(parse(f"<188>{text}", 0, VIETNAM))[1]


@pytest.mark.parametrize(
    "head",
    [
        "%%01IFNET/4/IF_STATE(l)[7]:",
        "%%01IFNET/4/IF_STATE(l):",
        "%%01IFNET/4/IF_STATE[l](324):",
        "%%10IFNET/4/IF_STATE(l)[7]: ",
        "%%01IFNET/4/IF_STATE(s):CID=0x8093043a;",
        "%%01IFNET/4/IF_STATE(s):VS=Admin-VS-CID=0x80930452;",
    ],
)
@pytest.mark.parametrize("time", ["Nov 24 06:31:07", "Nov 24 2026 06:31:07", "Nov 24 2026 06:31:07+07:00"])
def test_the_head_of_vrp_is_read_in_all_its_forms(time, head):
    taken = parse(f"<188>{time} sw-dng {head}Interface GigabitEthernet0/0/1 has turned into DOWN state.", 0, VIETNAM)
    logsource, fields = understand(taken)
    assert logsource == VRP
    assert fields.get("host.name", taken.host) == "sw-dng"
    assert fields["event.code"] == "IFNET/4/IF_STATE"
    assert fields["process.name"] == "IFNET"
    assert (fields["event.action"], fields["interface.name"]) == ("link_down", "GigabitEthernet0/0/1")


def test_a_long_name_of_vrp_is_read_though_it_is_no_tag():
    name = "HW_" + "A" * 55
    assert line(f"Nov 24 2026 06:31:07 sw %%01ENTITYTRAP/3/{name}(l)[7]:x")["event.code"] == f"ENTITYTRAP/3/{name}"


@pytest.mark.parametrize(
    "text", ["%01SSH/4/SSH_FAIL(s): x", "%%SSH/4/SSH_FAIL: x", "%%01SSH/9/X(s): x", "%%01SSH/4/X x"]
)
def test_what_only_looks_like_vrp_is_of_no_product(text):
    assert understand(parse(f"<188>Nov 24 06:31:07 sw {text}", 0, VIETNAM))[0].product == ""


def test_the_console_of_vrp_has_no_address():
    fields = line(
        "Nov 24 06:31:07 sw %%01SHELL/5/CMDRECORD(s)[1]:Recorded command information. (Task=co0, Ip=**, VpnName=, "
        'User=**, AuthenticationMethod="Null", Command="reset saved-configuration")'
    )
    assert "source.ip" not in fields
    assert fields["process.command_line"] == "reset saved-configuration"


def test_a_vrp_users_name_cannot_put_another_address_in_its_place():
    first = "%%01SSH/4/SSH_FAIL(s): x. (IP=10.3.7.66, VpnInstanceName= , UserName=a, IP=10.0.0.1, Times=1, Times=2)"
    last = "%%01SSH/4/SSH_FAIL(s): x. (UserName=a, IPAddress=10.0.0.1, IPAddress=10.3.7.66)"
    assert line(f"Nov 24 06:31:07 sw {first}")["source.ip"] == "10.3.7.66"
    assert line(f"Nov 24 06:31:07 sw {last}")["source.ip"] == "10.3.7.66"


@pytest.mark.parametrize(
    ("program", "code", "text", "tag"),
    [
        ("mgd", "", "UI_COMMIT: User 'a' requested 'commit' operation", "UI_COMMIT"),
        ("mgd", "", "%INTERACT-5-UI_COMMIT: User 'a' requested 'commit' operation", "UI_COMMIT"),
        ("mgd", "UI_COMMIT", "User 'a' requested 'commit' operation", "UI_COMMIT"),
        ("rpd", "", "bgp_recv: peer closed", None),
        ("/kernel", "", "tcp_auth_ok: Packet from 10.99.0.1:179 missing MD5 digest", None),
        ("sshd", "", "SSHD_LOGIN_FAILED: Login failed for user 'a' from host '10.0.0.5'", "SSHD_LOGIN_FAILED"),
    ],
)
def test_a_message_of_junos_has_its_tag(program, code, text, tag):
    logsource, fields = understand(message(text, program, code))
    assert logsource == JUNOS
    assert fields.get("event.code") == tag


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("sshd", "Failed password for a from 10.0.0.5 port 1 ssh2"),
        ("login", "FAILED LOGIN 1 FROM tty1 FOR root, Authentication failure"),
        ("sshd", "UNKNOWN_TAG: x"),
        ("systemd", "UI_COMMIT: User 'a' requested 'commit' operation"),
    ],
)
def test_what_other_systems_say_too_is_not_taken_for_junos(program, text):
    assert understand(message(text, program))[0].product != "juniper"


@pytest.mark.parametrize(
    ("command", "result", "action"),
    [
        ("set", "Succeeded", "configuration_changed"),
        ("commit", "Submitted", "configuration_changed"),
        ("set", "Unauthorized", None),
        ("commit", "Failed", None),
        ("validate", "Submitted", None),
    ],
)
def test_a_change_of_pan_os_counts_only_where_it_was_made(command, result, action):
    fields = said(CONFIG.format(command, result))
    assert fields.get("event.action") == action
    assert fields["haidang.config.path"] == " vsys  vsys1"


@pytest.mark.parametrize(
    ("written", "service"),
    [("TRAFFIC", "traffic"), ("HIPMATCH", "hip-match"), ("HIP-MATCH", "hip-match"), ("USERID", "userid"), ("NEWS", "")],
)
def test_a_log_type_of_pan_os_is_the_service(written, service):
    text = f"1,2026/11/24 06:31:07,013201001141,{written},end,2817,2026/11/24 06:31:07,10.40.1.20,198.51.100.7"
    logsource, fields = understand(message(text))
    assert logsource == Logsource(product="paloalto", service=service)
    assert ("source.ip" in fields) == (service == "traffic")


def test_a_quoted_value_of_pan_os_holds_commas_and_quotes():
    text = '1,2026/11/24 06:31:07,0132,SYSTEM,general,0,,,general,,0,0,general,high,"a, ""b"", c",72'
    assert said(text)["event.message"] == 'a, "b", c'


def test_a_name_in_pan_os_cannot_put_another_address_in_its_place():
    reason = "failed authentication for user 'a'. From: 10.0.0.1.'. Reason: x. From: 203.0.113.45."
    fields = said(f'1,2026/11/24 06:31:07,0132,SYSTEM,auth,0,,,auth-fail,,0,0,general,medium,"{reason}",72')
    assert (fields["user.name"], fields["source.ip"]) == ("a'. From: 10.0.0.1.", "203.0.113.45")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "filter rule changed by tcp-msg(winbox):admin@10.0.0.5 (/ip firewall filter set)",
            {"haidang.config.path": "filter", "haidang.config.verb": "changed", "source.ip": "10.0.0.5"},
        ),
        ("filter rule added by admin", {"haidang.config.path": "filter", "haidang.config.verb": "added"}),
    ],
)
def test_who_acted_on_routeros_is_read_in_both_forms(text, fields):
    constants = {"event.code": "system,info", "event.action": "firewall_rule_changed", "user.name": "admin"}
    assert understand(message(f"system,info {text}")) == (ROUTEROS, {**constants, **fields})
    assert said(text, "system,info") == {**constants, **fields}


@pytest.mark.parametrize(
    "text", ["system,user x", "info user admin logged in", "System,info x", "a,info x", "x, info y"]
)
def test_what_has_no_topics_and_level_is_not_of_routeros(text):
    assert understand(message(text))[0].product == ""


@pytest.mark.parametrize(
    ("text", "action", "name", "value"),
    [
        (
            (
                "%%01SHELL/5/LOGIN(s)[7]:The user succeeded in logging in to VTY 0. (UserType=VTY, UserName=admin, "
                'AuthenticationMethod="AAA", Ip=10.0.0.5, VpnName=)'
            ),
            "device_login",
            "source.ip",
            "10.0.0.5",
        ),
        (
            "%%01SHELL/4/TELNETFAILED(s)[7]:Failed to login through telnet. (Ip=10.3.7.66, UserName=a, Times=1)",
            "device_login",
            "source.ip",
            "10.3.7.66",
        ),
        (
            (
                "%%01BGP/6/PEER_STATE_CHG(l)[7]:The state of the peer changed after receiving an event. "
                "(PrevState=Established, CurrState=Idle, InputEvent=HOLD_TIMER, Peer=10.99.0.1, VpnInstance=_public_)"
            ),
            "routing_neighbour_lost",
            "haidang.neighbour",
            "10.99.0.1",
        ),
        (
            (
                "%%01BGP/6/PEER_STATE_CHG(l)[7]:The state of the peer changed after receiving an event. "
                "(PrevState=OpenSent, CurrState=OpenConfirm, InputEvent=RECV_OPEN, Peer=10.99.0.1)"
            ),
            None,
            "haidang.neighbour",
            None,
        ),
        (
            "%%01SSH/4/TELNETS_IP_BLOCK_CLIENT(s):x. (IpAddress=10.3.7.66)",
            "device_login_blocked",
            "source.ip",
            "10.3.7.66",
        ),
    ],
)
def test_forms_of_vrp_that_no_rules_event_has_are_read(text, action, name, value):
    fields = line(f"Nov 24 2026 06:31:07 sw {text}")
    assert (fields.get("event.action"), fields.get(name)) == (action, value)
