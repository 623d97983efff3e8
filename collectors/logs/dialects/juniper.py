"""Juniper Junos: daemons whose messages begin with a tag, as ``UI_COMMIT:``, or have it as the id of RFC 5424.

What sshd says in OpenSSH's own words is the same on any server and is left to it. Source: Juniper "System Log Explorer"
and "Interpret Messages Generated in Standard Format".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.firewalls import firewall
from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

LOGSOURCE = Logsource(product="juniper", service="junos")

DAEMONS = frozenset(
    (
        *("alarmd", "bfdd", "chassisd", "cosd", "dcd", "iked", "jsrpd", "kmd", "l2ald", "lacpd", "mgd", "mib2d", "rpd"),
        *("RT_FLOW", "RT_IDP", "RT_IDS", "RT_UTM", "/kernel"),
        *("pfed", "fpc0", "fpc1", "feb", "tfeb0", "PFE_FW_SYSLOG_IP"),
    )
)
"""These are found on Junos only."""

SHARED = frozenset(("cli", "eventd", "init", "login", "snmpd", "sshd"))
"""These are found elsewhere too: here they speak only where they use a tag that is known."""

_TAG = re.compile(r"(?:%[A-Z0-9]{1,16}-[0-7]-)?([A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{2,64}): ")

_LOGIN_FAILED = pattern(
    "Login failed",
    r"^Login failed for user '?(.*?)'? from host '?([0-9A-Fa-f.:]+)'?$",
    "user.name",
    "source.ip",
    event_action="device_login",
    event_outcome="failure",
)

_LOGIN = pattern(
    "ssh-connection",
    r"^User '(.*)' login, class '[^']*'[^']*ssh-connection '([0-9A-Fa-f.:]+) \d+ ",
    "user.name",
    "source.ip",
    event_action="device_login",
    event_outcome="success",
)

_COMMIT = pattern(
    "requested",
    r"^User '([^']*)' requested '(commit[^']*)' operation",
    "user.name",
    "process.command_line",
    event_action="configuration_changed",
)

_EDIT = pattern(
    "User '",
    r"^User '([^']*)' (set|delete|deactivate|activate|rename|replace|insert): \[([^\]]+)\]",
    "user.name",
    "haidang.config.verb",
    "haidang.config.path",
    event_action="configuration_edited",
)

_BGP_LOST = pattern(
    "from Established",
    r"^BGP peer (\S+) .{0,64}changed state from Established to",
    "haidang.neighbour",
    event_action="routing_neighbour_lost",
)

_OSPF_LOST = pattern(
    "to Down",
    r"^OSPF neighbor (\S+) .{0,96}state changed from \S+ to Down",
    "haidang.neighbour",
    event_action="routing_neighbour_lost",
)

_DOWN = pattern("ifName", r"ifOperStatus down[^,]*, ifName (\S+)", "interface.name", event_action="link_down")

_VPN_DOWN = pattern(
    "is down",
    r"^VPN (\S+) from ([0-9A-Fa-f.:]+) is down",
    "haidang.tunnel",
    "source.ip",
    event_action="vpn_tunnel_down",
)

_UP = pattern("ifName", r"ifOperStatus up[^,]*, ifName (\S+)", "interface.name", event_action="link_up")

_BGP_FOUND = pattern(
    "to Established",
    r"^BGP peer (\S+) .{0,64}changed state from \S+ to Established",
    "haidang.neighbour",
    event_action="routing_neighbour_found",
)

_OSPF_FOUND = pattern(
    "to Full",
    r"^OSPF neighbor (\S+) .{0,96}state changed from \S+ to Full",
    "haidang.neighbour",
    event_action="routing_neighbour_found",
)

_VPN_UP = pattern(
    "is up", r"^VPN (\S+) from ([0-9A-Fa-f.:]+) is up", "haidang.tunnel", "source.ip", event_action="vpn_tunnel_up"
)

_LOGOUT = pattern("logout", r"^User '(.*)' logout$", "user.name", event_action="device_logout")

_CONSOLE = pattern(
    "logged in from host",
    r"^User (.*) logged in from host (\S+) on device (\S+)$",
    "user.name",
    "source.address",
    "haidang.terminal",
    event_action="console_login",
    event_outcome="success",
)

_COMMAND = pattern(
    ", command '",
    r"^User '([^']*)', command '(.*?) ?'$",
    "user.name",
    "process.command_line",
    event_action="command_entered",
)

_SESSION = completed(
    "session ",
    r"^session (denied|created) ([0-9A-Fa-f.:]+)/(\d+)->([0-9A-Fa-f.:]+)/(\d+) (?:0x[0-9a-f]+ )?(\S+)"
    r"(?: (\d+)\(\d+\) (\S+) (\S+) (\S+))?",
    firewall,
    "event.action",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "network.protocol",
    "network.iana_number",
    "rule.name",
    "observer.ingress.zone",
    "observer.egress.zone",
)

_CLOSED = pattern(
    "session closed",
    r"^session closed ([^:]{1,64}): ([0-9A-Fa-f.:]+)/(\d+)->([0-9A-Fa-f.:]+)/(\d+) (?:0x[0-9a-f]+ )?(\S+)",
    "event.reason",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "network.protocol",
    event_action="closed",
)

_SCREEN = completed(
    "! source: ",
    r"^([^!]{1,64})! source: ([0-9.]+|[0-9A-Fa-f:]+?)(?::(\d+))?, destination: ([0-9.]+|[0-9A-Fa-f:]+?)(?::(\d+))?, "
    r"(?:protocol-id: \d+, )?zone name: ([^,]*), interface name: ([^,]*), action: (\S+)",
    firewall,
    "rule.name",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "observer.ingress.zone",
    "observer.ingress.interface.name",
    "event.action",
)

_LETTERS = {"A": "accept", "D": "discard", "R": "reject"}
"""A filter's verdict is one letter."""

_FILTER = completed(
    "FW: ",
    r"^FW: (\S+) +([ADR]) +(\S+) +([0-9A-Fa-f.:]+) +([0-9A-Fa-f.:]+) +(\d+) +(\d+) ",
    lambda found: firewall({**found, "event.action": _LETTERS[found["event.action"]]}),
    "observer.ingress.interface.name",
    "event.action",
    "network.iana_transport",
    "source.ip",
    "destination.ip",
    "source.port",
    "destination.port",
)

_PAIR = re.compile(r' ([a-z][a-z0-9-]{1,48})="((?:[^"\\]|\\.)*+)"')
_PAIRS = {
    "source-address": "source.ip",
    "source-port": "source.port",
    "destination-address": "destination.ip",
    "destination-port": "destination.port",
    "nat-source-address": "source.nat.ip",
    "nat-source-port": "source.nat.port",
    "nat-destination-address": "destination.nat.ip",
    "nat-destination-port": "destination.nat.port",
    "protocol-id": "network.iana_number",
    "service-name": "network.protocol",
    "application": "network.application",
    "policy-name": "rule.name",
    "attack-name": "rule.name",
    "source-zone-name": "observer.ingress.zone",
    "destination-zone-name": "observer.egress.zone",
    "packet-incoming-interface": "observer.ingress.interface.name",
    "reason": "event.reason",
    "bytes-from-client": "source.bytes",
    "bytes-from-server": "destination.bytes",
    "username": "user.name",
    "source-name": "source.domain",
}
"""Parameters of the structured format, and their names in ECS."""

_ACTIONS = {
    "RT_FLOW_SESSION_DENY": "denied",
    "RT_FLOW_SESSION_CREATE": "created",
    "RT_FLOW_SESSION_CLOSE": "closed",
}
"""What became of a session, which the structured format says by its tag alone."""

_MOST_STRUCTURED = 8192
_NOTHING = ("", "N/A", "None", "UNKNOWN")

TAGS: dict[str, tuple[Pattern, ...]] = {
    "SSHD_LOGIN_FAILED": (_LOGIN_FAILED,),
    "LOGIN_FAILED": (_LOGIN_FAILED,),
    "UI_LOGIN_EVENT": (_LOGIN,),
    "UI_COMMIT": (_COMMIT,),
    "UI_CFG_AUDIT_SET": (_EDIT,),
    "UI_CFG_AUDIT_SET_SECRET": (_EDIT,),
    "UI_CFG_AUDIT_OTHER": (_EDIT,),
    "RPD_BGP_NEIGHBOR_STATE_CHANGED": (_BGP_LOST, _BGP_FOUND),
    "RPD_OSPF_NBRDOWN": (_OSPF_LOST,),
    "SNMP_TRAP_LINK_DOWN": (_DOWN,),
    "SNMP_TRAP_LINK_UP": (_UP,),
    "KMD_VPN_DOWN_ALARM_USER": (_VPN_DOWN,),
    "KMD_VPN_UP_ALARM_USER": (_VPN_UP,),
    "UI_LOGOUT_EVENT": (_LOGOUT,),
    "UI_CMDLINE_READ_LINE": (_COMMAND,),
    "LOGIN_INFORMATION": (_CONSOLE,),
    "RPD_OSPF_NBRUP": (_OSPF_FOUND,),
    "RT_FLOW_SESSION_DENY": (_SESSION,),
    "RT_FLOW_SESSION_CREATE": (_SESSION,),
    "RT_FLOW_SESSION_CLOSE": (_CLOSED,),
    **dict.fromkeys(("RT_SCREEN_TCP", "RT_SCREEN_UDP", "RT_SCREEN_ICMP", "RT_SCREEN_IP"), (_SCREEN,)),
    "PFE_FW_SYSLOG_IP": (_FILTER,),
    "PFE_FW_SYSLOG_IP6_GEN": (_FILTER,),
}


def understand(message: Message) -> Said | None:
    """What a daemon of Junos says; None of any other."""
    if message.program not in DAEMONS and message.program not in SHARED:
        return None
    found = None if message.code else _TAG.match(message.text)
    tag = found[1] if found else message.code
    if message.program in SHARED and tag not in TAGS:
        return None
    body = message.text[found.end() :] if found else message.text
    named = {"event.code": tag} if tag else {}
    return LOGSOURCE, {**named, **_structured(tag, message.structured), **first(TAGS.get(tag, ()), body)}


def _structured(tag: str, data: str) -> Fields:
    """The parameters of a session in the structured format."""
    if tag not in _ACTIONS or not data:
        return {}
    found = {name: value for name, value in _PAIR.findall(data[:_MOST_STRUCTURED]) if value not in _NOTHING}
    named = {_PAIRS[name]: found[name] for name in _PAIRS if name in found}
    return firewall({**named, "event.action": _ACTIONS[tag]})
