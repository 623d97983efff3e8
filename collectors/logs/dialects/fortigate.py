"""FortiGate's key=value lines (FortiOS Log Message Reference)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from collectors.logs.dialects.firewalls import verdict
from collectors.logs.dialects.pattern import Said, first, pattern
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
    "srcintf": "observer.ingress.interface.name",
    "dstintf": "observer.egress.interface.name",
    "policyid": "rule.id",
    "proto": "network.iana_number",
    "service": "network.protocol",
    "app": "network.application",
    "sentbyte": "source.bytes",
    "rcvdbyte": "destination.bytes",
    "hostname": "url.domain",
    "url": "url.original",
}
"""Their names in ECS, or under ``fortinet.``; what is not here stays in the message."""

_OLDER_TYPES = "virus webfilter ips emailfilter anomaly voip dlp app-ctrl waf gtp dns ssh ssl cifs file-filter"
_TYPES = frozenset(("traffic", "event", "utm", *_OLDER_TYPES.split()))
"""FortiOS's log types; the older ones have become subtypes of ``utm``."""

_FIREWALL_PATHS = ("firewall.policy", "firewall.policy6", "firewall.address", "firewall.addrgrp")


_HEAD = re.compile(r" ?\w{1,32}=")

_DONE = {"ssl-login-fail": "failure", "tunnel-up": "success"}
"""Outcomes of actions that have no status."""

_OUTCOMES = {"success": "success", "failed": "failure", "failure": "failure"}

_MEMBER_MOVED = "37892"
"""The end of the id of "Virtual cluster member state moved"."""


_ACTIONS: dict[tuple[str, ...], str] = {
    ("system", "login"): "device_login",
    ("system", "logout"): "device_logout",
    ("vpn", "ssl-login-fail"): "vpn_login",
    ("vpn", "tunnel-down", "ipsec"): "vpn_tunnel_down",
    ("vpn", "tunnel-up", "ipsec"): "vpn_tunnel_up",
    ("vpn", "tunnel-down", "user"): "vpn_logout",
    ("vpn", "tunnel-up", "user"): "vpn_login",
    ("vpn", "negotiate"): "vpn_negotiation",
    ("user", "authentication"): "aaa_login",
    ("user", "auth-logon"): "aaa_login",
}
"""By subtype and action and, of a tunnel, whether it is one between sites or a person's."""

_SENTENCES = (
    pattern("turned down", r"Interface (\S+) was turned down", "interface.name", event_action="link_down"),
    pattern("turned up", r"Interface (\S+) was turned up", "interface.name", event_action="link_up"),
    pattern(
        "%BGP-5-ADJCHANGE",
        r"neighbor ([0-9A-Fa-f.:]+) Down",
        "haidang.neighbour",
        event_action="routing_neighbour_lost",
    ),
    pattern(
        "%BGP-5-ADJCHANGE", r"neighbor ([0-9A-Fa-f.:]+) Up", "haidang.neighbour", event_action="routing_neighbour_found"
    ),
    pattern(
        "%OSPF-5-ADJCHANGE",
        r"neighbor ([^\s:]+):[0-9.]+-([0-9.]+) Down",
        "interface.name",
        "haidang.neighbour",
        event_action="routing_neighbour_lost",
    ),
    pattern(
        "%OSPF-5-ADJCHANGE",
        r"neighbor ([^\s:]+):[0-9.]+-([0-9.]+) (?:Full|Up)",
        "interface.name",
        "haidang.neighbour",
        event_action="routing_neighbour_found",
    ),
)

_ENDED: Fields = {"event.type": "allowed"}
_TRAFFIC = dict.fromkeys(("close", "client-rst", "server-rst", "timeout", "ip-conn", "start", "passthrough"), _ENDED)
"""Ends of sessions that a policy had let through; other actions are words that all firewalls share."""


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
    fields |= _network(pairs)
    if fields.get("fortinet.type") in _TYPES and fields["fortinet.type"] != "event":
        fields |= _TRAFFIC.get(pairs.get("action", ""), verdict(pairs.get("action", "")))
    outcome = _DONE.get(pairs.get("action", "")) or _OUTCOMES.get(pairs.get("status", ""))
    if outcome:
        fields["event.outcome"] = outcome
    return fields


def _action(pairs: Mapping[str, str]) -> str:
    """What happened, in the words that all devices' events share; empty where they have none."""
    if pairs.get("cfgpath", "") in _FIREWALL_PATHS:
        return "firewall_rule_changed"
    if "cfgpath" in pairs:
        return "configuration_changed"
    if pairs.get("subtype") == "ha" and pairs.get("logid", "").endswith(_MEMBER_MOVED):
        return "cluster_failover"
    tunnel = "ipsec" if pairs.get("tunneltype") == "ipsec" else "user"
    done = (pairs.get("subtype", ""), pairs.get("action", ""))
    return _ACTIONS.get(done) or _ACTIONS.get((*done, tunnel), "")


def _network(pairs: Mapping[str, str]) -> Fields:
    """What a link's or a neighbour's change says in its sentence alone."""
    return first(_SENTENCES, pairs.get("msg", "")) if pairs.get("subtype") in ("system", "router") else {}
