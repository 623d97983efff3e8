"""MikroTik RouterOS: lines that begin with their topics, as ``system,info,account``.

Source: MikroTik "RouterOS documentation", "Log", its topics and samples; RouterOS 7 tells who acted as
``ssh:admin@10.0.0.5``, RouterOS 6 as ``admin``.
"""

from __future__ import annotations

import re

from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

LOGSOURCE = Logsource(product="mikrotik", service="routeros")

_TOPICS = re.compile(r"((?:[a-z0-9-]{2,20},){1,6}[a-z0-9-]{2,20}):? ")
_LEVELS = frozenset(("critical", "debug", "error", "info", "warning"))

_BY = r"(?:[^\s:@]{1,64}:)?([^\s@]{1,128})(?:@([0-9A-Fa-f.:]+))?"
"""Who acted: perhaps the way in, the name, perhaps the address."""

_LOGIN = pattern(
    "logged in",
    r"^user (.*) logged in from (\S+) via (\S+)$",
    "user.name",
    "source.ip",
    "network.protocol",
    event_action="device_login",
    event_outcome="success",
)

_LOGIN_FAILED = pattern(
    "login failure",
    r"^login failure for user (?:(.*) )?from (\S+) via (\S+)$",
    "user.name",
    "source.ip",
    "network.protocol",
    event_action="device_login",
    event_outcome="failure",
)

_ACCOUNT = pattern(
    "user ",
    rf"^user (\S+) (added|changed|removed) by {_BY}",
    "user.target.name",
    "haidang.config.verb",
    "user.name",
    "source.ip",
    event_action="account_changed",
)

_RULE = pattern(
    " rule ",
    rf"^(filter|nat|mangle|raw) rule (added|changed|moved|removed) by {_BY}",
    "haidang.config.path",
    "haidang.config.verb",
    "user.name",
    "source.ip",
    event_action="firewall_rule_changed",
)

_LOGOUT = pattern(
    "logged out",
    r"^user (.*) logged out from (\S+) via (\S+)$",
    "user.name",
    "source.ip",
    "network.protocol",
    event_action="device_logout",
)

_CHANGED = pattern(
    " by ",
    rf"^((?!user |filter |nat |mangle |raw )[a-z][a-z0-9 -]{{1,48}}?) (added|changed|moved|removed) by {_BY}",
    "haidang.config.path",
    "haidang.config.verb",
    "user.name",
    "source.ip",
    event_action="configuration_changed",
)

_END = r"\[?([0-9.]+|[0-9A-Fa-f:]+?)\]?(?::(\d+))?"

# The word in front is the chain's or the rule's own prefix.
_PACKET = pattern(
    " proto ",
    r"^(?:(.{1,64}) )?(\w[\w-]{0,32}): in:(\S+) out:(\S+|\([^)]{0,32}\)),(?: connection-state:\S+)?"
    r"(?: src-mac ([0-9A-Fa-f:]{17}),)? "
    rf"proto (\w+)(?: \([^)]{{1,32}}\))?, {_END}->{_END}[, ]",
    "rule.name",
    "mikrotik.chain",
    "observer.ingress.interface.name",
    "observer.egress.interface.name",
    "source.mac",
    "network.iana_transport",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    event_action="packet_logged",
)

_VPN_LOGIN = pattern(
    "logged in",
    r"^(.*) logged in, ([0-9A-Fa-f.:]+)(?: from ([0-9A-Fa-f.:]+))?$",
    "user.name",
    "client.ip",
    "source.ip",
    event_action="vpn_login",
    event_outcome="success",
)

_VPN_LOGOUT = pattern("logged out", r"^(.*) logged out, ", "user.name", event_action="vpn_logout")

_VPN_FAILED = pattern(
    "authentication failed",
    r"^(?:<[^>]{1,64}>: )?user (.*) authentication failed",
    "user.name",
    event_action="vpn_login",
    event_outcome="failure",
)

_NEIGHBOUR_LOST = pattern(
    "state change from Full",
    r"[Nn]eighbor (?:\{[^}]{0,128}\} )?([0-9A-Fa-f.:]*[0-9A-Fa-f]):? .{0,64}?state change from Full to",
    "haidang.neighbour",
    event_action="routing_neighbour_lost",
)

_NEIGHBOUR_FOUND = pattern(
    "to Full",
    r"[Nn]eighbor (?:\{[^}]{0,128}\} )?([0-9A-Fa-f.:]*[0-9A-Fa-f]):? .{0,64}?state change from \w+ to Full",
    "haidang.neighbour",
    event_action="routing_neighbour_found",
)

_PEER_LOST = pattern(
    "closed",
    r"[Cc]onnection (?:to|with) (?:peer )?([0-9A-Fa-f.:]*[0-9A-Fa-f]).{0,64}? closed",
    "haidang.neighbour",
    event_action="routing_neighbour_lost",
)

_PEER_FOUND = pattern(
    "established",
    r"[Cc]onnection (?:to|with) (?:peer )?([0-9A-Fa-f.:]*[0-9A-Fa-f]).{0,64}? established",
    "haidang.neighbour",
    event_action="routing_neighbour_found",
)

_LEASE = pattern(
    "assigned ",
    r"^(\S+) assigned ([0-9.]+) (?:to|for) ([0-9A-Fa-f:]{17})(?: (\S+))?",
    "service.name",
    "client.ip",
    "client.mac",
    "client.domain",
    event_action="dhcp_lease",
)

_RELEASED = pattern(
    "deassigned ",
    r"^(\S+) deassigned ([0-9.]+) (?:from|for) ([0-9A-Fa-f:]{17})",
    "service.name",
    "client.ip",
    "client.mac",
    event_action="dhcp_release",
)

_PHASE_ONE = pattern(
    "phase1 negotiation failed",
    r"^([0-9A-Fa-f.:]*[0-9A-Fa-f]) .{0,64}?phase1 negotiation failed",
    "source.ip",
    event_action="vpn_negotiation",
    event_outcome="failure",
)

_REBOOTED = pattern("reboot", r"^router (?:was )?rebooted", event_action="device_restarted")

_DOWN = pattern("link down", r"^(\S+) link down", "interface.name", event_action="link_down")

_UP = pattern("link up", r"^(\S+) link up", "interface.name", event_action="link_up")

_REMOTE = (_VPN_LOGIN, _VPN_LOGOUT, _VPN_FAILED)

TOPICS: dict[str, tuple[Pattern, ...]] = {
    "system": (_LOGIN, _LOGIN_FAILED, _LOGOUT, _ACCOUNT, _RULE, _CHANGED, _REBOOTED),
    "interface": (_DOWN, _UP),
    "firewall": (_PACKET,),
    "dhcp": (_LEASE, _RELEASED),
    "route": (_NEIGHBOUR_LOST, _NEIGHBOUR_FOUND, _PEER_LOST, _PEER_FOUND),
    "ospf": (_NEIGHBOUR_LOST, _NEIGHBOUR_FOUND),
    "bgp": (_PEER_LOST, _PEER_FOUND),
    "ipsec": (_PHASE_ONE,),
    **dict.fromkeys(("l2tp", "ovpn", "ppp", "pppoe", "pptp", "sstp"), _REMOTE),
}
"""By the first topic."""


def understand(message: Message) -> Said | None:
    """What a message that begins with topics and a level says; None of any other."""
    if message.code or message.pid:
        return None
    whole = f"{message.program}: {message.text}" if message.program else message.text
    found = _TOPICS.match(whole)
    topics = found[1].split(",") if found else []
    if not found or _LEVELS.isdisjoint(topics):
        return None
    fields: Fields = {"event.code": found[1]}
    return LOGSOURCE, {**fields, **first(TOPICS.get(topics[0], ()), whole[found.end() :])}
