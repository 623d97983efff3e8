"""Juniper Junos: daemons whose messages begin with a tag, as ``UI_COMMIT:``, or have it as the id of RFC 5424.

What sshd says in OpenSSH's own words is the same on any server and is left to it. Source: Juniper "System Log Explorer"
and "Interpret Messages Generated in Standard Format".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Logsource

LOGSOURCE = Logsource(product="juniper", service="junos")

DAEMONS = frozenset(
    (
        *("alarmd", "bfdd", "chassisd", "cosd", "dcd", "iked", "jsrpd", "kmd", "l2ald", "lacpd", "mgd", "mib2d", "rpd"),
        *("RT_FLOW", "RT_IDP", "RT_IDS", "RT_UTM", "/kernel"),
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

TAGS: dict[str, tuple[Pattern, ...]] = {
    "SSHD_LOGIN_FAILED": (_LOGIN_FAILED,),
    "LOGIN_FAILED": (_LOGIN_FAILED,),
    "UI_LOGIN_EVENT": (_LOGIN,),
    "UI_COMMIT": (_COMMIT,),
    "UI_CFG_AUDIT_SET": (_EDIT,),
    "UI_CFG_AUDIT_SET_SECRET": (_EDIT,),
    "UI_CFG_AUDIT_OTHER": (_EDIT,),
    "RPD_BGP_NEIGHBOR_STATE_CHANGED": (_BGP_LOST,),
    "RPD_OSPF_NBRDOWN": (_OSPF_LOST,),
    "SNMP_TRAP_LINK_DOWN": (_DOWN,),
    "KMD_VPN_DOWN_ALARM_USER": (_VPN_DOWN,),
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
    return LOGSOURCE, {**named, **first(TAGS.get(tag, ()), body)}
