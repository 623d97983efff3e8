"""Cisco IOS and IOS-XE, by mnemonic: facility, severity, name.

Sources: Cisco's "System Message Guide" of IOS and IOS XE; "Cisco IOS Login Enhancements" for SEC_LOGIN; "Configuration
Change Notification and Logging" for CFGLOG_LOGGEDCMD, which IOS sends after ``archive``, ``log config``,
``notify syslog``.
"""

from __future__ import annotations

import re

from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Logsource

LOGSOURCE = Logsource(product="cisco", service="ios")

_MNEMONIC = re.compile(r"[A-Z0-9_-]+-[0-7]-[A-Z0-9_]+")

_CONFIGURED = pattern(
    "Configured from",
    r"Configured from (\S+) by (\S+)(?: on (\S+))?(?: \(([0-9A-Fa-f.:]+)\))?",
    "haidang.config.source",
    "user.name",
    "haidang.config.line",
    "source.ip",
    event_action="configuration_changed",
)

_COMMAND = pattern(
    "logged command:",
    r"^User:(\S+) {1,4}logged command:(.*)",
    "user.name",
    "process.command_line",
    event_action="command_executed",
)

_ERASED = pattern("geometry of nvram", r"^Initialized the geometry of nvram", event_action="configuration_erased")

# The last ``[Source:`` of the line is the device's own: a user's name can hold one as well.
_FROM = r"\[user: (.*)\] \[Source: ([^\]]+)\] \[localport: (\d+)\]"

_LOGIN_FAILED = pattern(
    "Login failed",
    rf"^Login failed {_FROM}",
    "user.name",
    "source.ip",
    "destination.port",
    event_action="device_login",
    event_outcome="failure",
)

_LOGIN = pattern(
    "Login Success",
    rf"^Login Success {_FROM}",
    "user.name",
    "source.ip",
    "destination.port",
    event_action="device_login",
    event_outcome="success",
)

_QUIET = pattern(
    "watching failures",
    rf"^Still timeleft for watching failures is \d+ sec\w*, {_FROM}",
    "user.name",
    "source.ip",
    "destination.port",
    event_action="device_login_blocked",
)

_SNMP = pattern(
    "Authentication failure for SNMP",
    r"^Authentication failure for SNMP req(?:uest)? from host ([0-9A-Fa-f.:]+)",
    "source.ip",
    event_action="snmp_authentication",
    event_outcome="failure",
)

_DOWN = pattern("to down", r"Interface (\S+), changed state to down", "interface.name", event_action="link_down")

_DISABLED = pattern(
    "administratively down",
    r"Interface (\S+), changed state to administratively down",
    "interface.name",
    event_action="link_disabled",
)

_UP = pattern("to up", r"Interface (\S+), changed state to up", "interface.name", event_action="link_up")

_RESTARTED = pattern("restarted", r"System restarted", event_action="device_restarted")

_FOREIGN_STATION = pattern(
    "Security violation",
    r"^Security violation occurred, caused by MAC address (\S+) on port (\S+?)\.?$",
    "source.mac",
    "interface.name",
    event_action="port_security_violation",
)

_BPDU_GUARD = pattern(
    "BPDU", r"^Received BPDU on port (\S+) with BPDU Guard", "interface.name", event_action="bpdu_guard"
)

_ROOT_GUARD = pattern("Root guard", r"^Root guard blocking port (\S+) on", "interface.name", event_action="root_guard")

_PORT_DISABLED = pattern(
    "err-disable",
    r"^(\S+) error detected on (\S+), putting \S+ in err-disable state",
    "event.reason",
    "interface.name",
    event_action="port_error_disabled",
)

_MAC_FLAP = pattern(
    "is flapping",
    r"^Host (\S+) in vlan (\d+) is flapping between port (\S+) and port (\S+)",
    "source.mac",
    "network.vlan.id",
    "interface.name",
    "haidang.interface.other",
    event_action="address_flapping",
)

_DUPLICATE = pattern(
    "Duplicate address",
    r"^Duplicate address ([0-9A-Fa-f.:]+) on (\S+), sourced by (\S+)",
    "source.ip",
    "interface.name",
    "source.mac",
    event_action="address_duplicated",
)

_BGP_LOST = pattern(
    "Down", r"^neighbor (\S+) (?:vpn vrf \S+ )?Down", "haidang.neighbour", event_action="routing_neighbour_lost"
)

_OSPF_LOST = pattern(
    "to DOWN",
    r"^Process \d+, Nbr (\S+) on (\S+) from \S+ to DOWN",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_lost",
)

_EIGRP_LOST = pattern(
    "is down",
    r"Neighbor (\S+) \(([^)]+)\) is down",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_lost",
)

_CLOCK = pattern("sync is lost", r"sync is lost", event_action="clock_unsynchronised")

MNEMONICS: dict[str, tuple[Pattern, ...]] = {
    "SYS-5-CONFIG_I": (_CONFIGURED,),
    "SYS-5-RESTART": (_RESTARTED,),
    "SYS-7-NV_BLOCK_INIT": (_ERASED,),
    "PARSER-5-CFGLOG_LOGGEDCMD": (_COMMAND,),
    "SEC_LOGIN-5-LOGIN_SUCCESS": (_LOGIN,),
    "SEC_LOGIN-4-LOGIN_FAILED": (_LOGIN_FAILED,),
    "SEC_LOGIN-1-QUIET_MODE_ON": (_QUIET,),
    "SNMP-3-AUTHFAIL": (_SNMP,),
    "LINK-3-UPDOWN": (_DOWN, _UP),
    "LINK-5-CHANGED": (_DOWN, _DISABLED, _UP),
    "LINEPROTO-5-UPDOWN": (_DOWN, _UP),
    "PORT_SECURITY-2-PSECURE_VIOLATION": (_FOREIGN_STATION,),
    "SPANTREE-2-BLOCK_BPDUGUARD": (_BPDU_GUARD,),
    "SPANTREE-2-ROOTGUARD_BLOCK": (_ROOT_GUARD,),
    "PM-4-ERR_DISABLE": (_PORT_DISABLED,),
    "SW_MATM-4-MACFLAP_NOTIF": (_MAC_FLAP,),
    "IP-4-DUPADDR": (_DUPLICATE,),
    "BGP-5-ADJCHANGE": (_BGP_LOST,),
    "OSPF-5-ADJCHG": (_OSPF_LOST,),
    "DUAL-5-NBRCHANGE": (_EIGRP_LOST,),
    "NTP-4-UNSYNC": (_CLOCK,),
}


def understand(message: Message) -> Said | None:
    """What a message with a mnemonic and no program's name says; None of any other."""
    if message.program or not _MNEMONIC.fullmatch(message.code):
        return None
    return LOGSOURCE, first(MNEMONICS.get(message.code, ()), message.text)
