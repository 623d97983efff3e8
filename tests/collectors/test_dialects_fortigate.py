"""What FortiGate says: pairs, types, and what cannot pass for them."""

from __future__ import annotations

import pytest
from speakers import message, said

from collectors.logs.dialects import understand
from collectors.logs.syslog import parse
from core.clock import VIETNAM
from core.records import Logsource


def test_a_fortigate_line_has_its_pairs_under_ecs_names():
    text = 'date=2026-11-22 devname="fw-dni" logid="0100044547" type="event" user="a \\"b\\" c" srcport=1 unknown=2'
    assert understand(message(text)) == (
        Logsource(product="fortigate", service="event"),
        {
            "host.name": "fw-dni",
            "event.code": "0100044547",
            "fortinet.type": "event",
            "user.name": 'a \\"b\\" c',
            "source.port": "1",
        },
    )


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("firewall.policy", True),
        ("firewall.policy6", True),
        ("firewall.address", True),
        ("firewall.addrgrp", True),
        ("firewall.policyx", False),
        ("system.admin", False),
    ],
)
def test_a_firewall_rule_is_told_from_other_settings(path, changed):
    fields = said(f'devname="f" logid="1" type="event" cfgpath="{path}"')
    assert (fields.get("event.action") == "firewall_rule_changed") == changed


def test_a_pair_inside_a_quoted_value_is_no_pair():
    fields = said('devname="f" logid="1" msg="srcip=10.0.0.1 user=root" user="admin"')
    assert fields["user.name"] == "admin"
    assert "source.ip" not in fields


def test_a_fortigate_line_whose_first_pair_looks_like_a_tag_is_whole():
    taken = parse('<189>time=06:43:10 devname="fw" logid="1" type="event"', 0, VIETNAM)
    assert taken.program == "time=06"
    assert understand(taken)[0].product == "fortigate"
    assert understand(taken)[1]["host.name"] == "fw"


@pytest.mark.parametrize("said_type", ["traffic", "event", "utm", "virus", "ips", "app-ctrl", "file-filter", "gtp"])
def test_a_log_type_of_fortios_is_the_service(said_type):
    taken = message(f'devname="fw" logid="1" type="{said_type}"')
    assert understand(taken)[0] == Logsource(product="fortigate", service=said_type)


@pytest.mark.parametrize("said_type", ["quarantine", "source", "sshd", "EVENT", "event ", "x" * 1000, ""])
def test_a_log_type_that_fortios_does_not_have_is_no_service(said_type):
    logsource, fields = understand(message(f'devname="fw" logid="1" type="{said_type}"'))
    assert logsource == Logsource(product="fortigate", service="")
    assert fields["fortinet.type"] == said_type


@pytest.mark.parametrize(
    ("pairs", "action", "outcome"),
    [
        ('subtype="system" action="login" status="failed"', "device_login", "failure"),
        ('subtype="system" action="login" status="success"', "device_login", "success"),
        ('subtype="system" action="logout" status="success"', "device_logout", "success"),
        ('subtype="vpn" action="ssl-login-fail"', "vpn_login", "failure"),
        ('subtype="vpn" action="tunnel-down" tunneltype="ipsec"', "vpn_tunnel_down", None),
        ('subtype="vpn" action="tunnel-down" tunneltype="ssl-tunnel"', "vpn_logout", None),
        ('subtype="vpn" action="tunnel-up" tunneltype="ssl-tunnel"', "vpn_login", "success"),
        ('subtype="vpn" action="phase2-up"', None, None),
        ('subtype="ha" logid="0108037892"', "cluster_failover", None),
        ('subtype="ha" logid="0108037894"', None, None),
    ],
)
def test_what_happened_is_said_in_the_words_of_all_devices(pairs, action, outcome):
    fields = said(f'devname="f" logid="1" type="event" {pairs}')
    assert fields.get("event.action") == action
    assert fields.get("event.outcome") == outcome
