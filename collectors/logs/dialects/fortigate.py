"""FortiGate's key=value lines (FortiOS Log Message Reference)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from collectors.logs.dialects.pattern import Said
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_PAIR = re.compile(r'(?<!\w)(\w++)=(?:"((?:[^"\\]|\\.)*+)"|(\S*))')
_MOST_PAIRS = 256
"""FortiOS writes up to some eighty."""

ECS = {
    "devname": "host.name",
    "user": "user.name",
    "srcip": "source.ip",
    "remip": "source.ip",
    "dstip": "destination.ip",
    "srcport": "source.port",
    "dstport": "destination.port",
    "logid": "event.code",
    "logdesc": "event.reason",
    "cfgpath": "fortinet.cfgpath",
    "cfgobj": "fortinet.cfgobj",
    "cfgattr": "fortinet.cfgattr",
    "action": "fortinet.action",
    "type": "fortinet.type",
    "subtype": "fortinet.subtype",
    "msg": "event.message",
    "status": "fortinet.status",
    "reason": "fortinet.reason",
    "severity": "fortinet.severity",
    "attack": "rule.name",
    "virus": "fortinet.virus",
    "filename": "file.name",
    "tunneltype": "fortinet.tunneltype",
    "vpntunnel": "haidang.tunnel",
    "vcluster_state": "haidang.cluster.state",
}
"""Their names in ECS, or under ``fortinet.``; what is not here stays in the message."""

_OLDER_TYPES = "virus webfilter ips emailfilter anomaly voip dlp app-ctrl waf gtp dns ssh ssl cifs file-filter"
_TYPES = frozenset(("traffic", "event", "utm", *_OLDER_TYPES.split()))
"""FortiOS's log types; the older ones have become subtypes of ``utm``."""

_FIREWALL_PATHS = ("firewall.policy", "firewall.policy6", "firewall.address", "firewall.addrgrp")


_HEAD = re.compile(r" ?\w{1,32}=")

_OUTCOMES = {"success": "success", "failed": "failure", "failure": "failure"}

_MEMBER_MOVED = "37892"
"""The end of the id of "Virtual cluster member state moved"."""


def understand(message: Message) -> Said | None:
    """What a message of FortiGate's says; None of any other.

    FortiGate sends no program name; its first pair may have been taken for one. What a program says in its own name is
    never FortiGate's.
    """
    if message.code or (message.program and "=" not in message.program):
        return None
    whole = f"{message.program}:{message.text}" if message.program else message.text
    if not _HEAD.match(whole) or "devname=" not in whole or "logid=" not in whole:
        return None
    fields = fields_of(whole)
    return logsource(fields), fields


def logsource(fields: Fields) -> Logsource:
    """FortiGate's log types are Sigma's services: event, traffic, utm; a type that FortiOS does not have is none."""
    said = str(fields.get("fortinet.type", ""))
    return Logsource(product="fortigate", service=said if said in _TYPES else "")


def fields_of(text: str) -> Fields:
    """The line's pairs under their ECS names."""
    pairs = {found[1]: found[2] or found[3] or "" for found in islice(_PAIR.finditer(text), _MOST_PAIRS)}
    fields: Fields = {ECS[name]: value for name, value in pairs.items() if name in ECS}
    action = _action(pairs)
    if action:
        fields["event.action"] = action
    outcome = "failure" if pairs.get("action") == "ssl-login-fail" else _OUTCOMES.get(pairs.get("status", ""))
    if outcome:
        fields["event.outcome"] = outcome
    return fields


def _action(pairs: Mapping[str, str]) -> str:
    """What happened, in the words that all devices' events share; empty where they have none."""
    if pairs.get("cfgpath", "") in _FIREWALL_PATHS:
        return "firewall_rule_changed"
    match pairs.get("subtype"), pairs.get("action"):
        case "system", "login":
            return "device_login"
        case "vpn", "ssl-login-fail":
            return "vpn_login"
        case "vpn", "tunnel-down" if pairs.get("tunneltype") == "ipsec":
            return "vpn_tunnel_down"
        case "ha", _ if pairs.get("logid", "").endswith(_MEMBER_MOVED):
            return "cluster_failover"
        case _:
            return ""
