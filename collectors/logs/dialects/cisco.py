"""Cisco IOS, IOS-XE and NX-OS, by mnemonic: facility, severity, name.

Sources: Cisco's "System Message Guide" of IOS and IOS XE; "Cisco IOS Login Enhancements" for SEC_LOGIN; "Configuration
Change Notification and Logging" for CFGLOG_LOGGEDCMD, which IOS sends after ``archive``, ``log config``,
``notify syslog``.
"""

from __future__ import annotations

import re

from collectors.logs.dialects import nexus
from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.firewalls import firewall
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
    r"^Process \d+, (?:IPv[46], )?Nbr (\S+) on (\S+) from \S+ to DOWN",
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

_BGP_FOUND = pattern(
    "Up", r"^neighbor (\S+) (?:vpn vrf \S+ )?Up", "haidang.neighbour", event_action="routing_neighbour_found"
)

_OSPF_FOUND = pattern(
    "to FULL",
    r"^Process \d+, (?:IPv[46], )?Nbr (\S+) on (\S+) from \S+ to FULL",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_found",
)

_EIGRP_FOUND = pattern(
    "is up",
    r"Neighbor (\S+) \(([^)]+)\) is up",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_found",
)

_HSRP = pattern(
    " state ",
    r"^(\S+) Grp (\d+) state (\S+) -> (\S+)",
    "interface.name",
    "haidang.cluster.unit",
    "haidang.cluster.state.before",
    "haidang.cluster.state",
    event_action="gateway_changed",
)

# IPACCESSLOGP has ports, IPACCESSLOGDP the type and code of ICMP, IPACCESSLOGNP the number of a protocol,
# IPACCESSLOGS the source alone.
_ACL = completed(
    "list ",
    r"^(?:access-)?list (\S+?)(?:/\d+)? (denied|permitted) (?:(\S+) )??([0-9A-Fa-f.:]+)(?:\((\d+)\))?"
    r"(?: \([^)]{1,64}\))?(?: ?-> ?([0-9A-Fa-f.:]+)(?:\((\d+)\))?)?(?: ?\(\d+/\d+\))?,? (\d+) packets?",
    firewall,
    "rule.name",
    "event.action",
    "network.iana_transport",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "source.packets",
)

_TUNNEL = pattern(
    "is DOWN",
    r"^Crypto tunnel (?:v2 )?is DOWN\s*\.\s+Peer ([0-9A-Fa-f.:]+?):\d+(?:\s|$)",
    "source.ip",
    event_action="vpn_tunnel_down",
)

_TUNNEL_UP = pattern(
    "is UP",
    r"^Crypto tunnel (?:v2 )?is UP\s*\.\s+Peer ([0-9A-Fa-f.:]+?):\d+(?:\s|$)",
    "source.ip",
    event_action="vpn_tunnel_up",
)

_SSH_FAILED = pattern(
    "authentication for SSH2",
    r"^User '(.*)' authentication for SSH2 Session from ([0-9A-Fa-f.:]+) \(tty = \d+\).* Failed$",
    "user.name",
    "source.ip",
    event_action="ssh_refused",
    event_outcome="failure",
)

_LOGOUT = pattern(
    "has exited tty session",
    r"^User (.*) has exited tty session \d+\(([0-9A-Fa-f.:]*)\)",
    "user.name",
    "source.ip",
    event_action="device_logout",
)

_RELOAD = pattern(
    "Reload requested",
    r"^Reload requested (?:by (\S+) on (\w+)(?: \(([0-9A-Fa-f.:]+)\))?|.*?)\. *Reload [Rr]eason: *(.*?)\.?$",
    "user.name",
    "haidang.config.line",
    "source.ip",
    "event.reason",
    event_action="device_reload_requested",
)

_STATION_REFUSED = pattern(
    "for client (",
    r"for client \(([0-9A-Fa-f.:-]+)\)(?: with reason \(([^)]*)\))? on Interface (\S+)",
    "source.mac",
    "event.reason",
    "interface.name",
    event_action="station_refused",
    event_outcome="failure",
)

_ARP_DENIED = pattern(
    "Invalid ARPs",
    r"^\d+ Invalid ARPs \(\w+\) on (\S+), vlan (\d+)\.\(\[([0-9a-f.]+)/([0-9.]+)/",
    "interface.name",
    "network.vlan.id",
    "source.mac",
    "source.ip",
    event_action="address_spoofed",
)

_ROGUE_DHCP = pattern(
    "on untrusted port",
    r"drop message on untrusted port, message type: (\w+), MAC sa: ([0-9a-f.]+)",
    "event.reason",
    "source.mac",
    event_action="dhcp_rogue",
)

_CLOCK = pattern("sync is lost", r"sync is lost", event_action="clock_unsynchronised")

MNEMONICS: dict[str, tuple[Pattern, ...]] = {
    "SYS-5-CONFIG_I": (_CONFIGURED,),
    "SYS-5-RESTART": (_RESTARTED,),
    "SYS-5-RELOAD": (_RELOAD,),
    "SYS-6-LOGOUT": (_LOGOUT,),
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
    "BGP-5-ADJCHANGE": (_BGP_LOST, _BGP_FOUND),
    "OSPF-5-ADJCHG": (_OSPF_LOST, _OSPF_FOUND),
    "OSPFV3-5-ADJCHG": (_OSPF_LOST, _OSPF_FOUND),
    "DUAL-5-NBRCHANGE": (_EIGRP_LOST, _EIGRP_FOUND),
    "HSRP-5-STATECHANGE": (_HSRP,),
    **dict.fromkeys(
        (f"SEC-6-IPACCESSLOG{kind}" for kind in ("P", "DP", "NP", "S", "RP")),
        (_ACL,),
    ),
    "IPV6_ACL-6-ACCESSLOGP": (_ACL,),
    "IPV6_ACL-6-ACCESSLOGDP": (_ACL,),
    "CRYPTO-5-SESSION_STATUS": (_TUNNEL, _TUNNEL_UP),
    "CRYPTO-5-IKEV2_SESSION_STATUS": (_TUNNEL, _TUNNEL_UP),
    "SSH-5-SSH2_USERAUTH": (_SSH_FAILED,),
    "AUTHMGR-5-FAIL": (_STATION_REFUSED,),
    "DOT1X-5-FAIL": (_STATION_REFUSED,),
    "MAB-5-FAIL": (_STATION_REFUSED,),
    "SW_DAI-4-DHCP_SNOOPING_DENY": (_ARP_DENIED,),
    "DHCP_SNOOPING-5-DHCP_SNOOPING_UNTRUSTED_PORT": (_ROGUE_DHCP,),
    **nexus.MNEMONICS,
    "NTP-4-UNSYNC": (_CLOCK,),
}


def understand(message: Message) -> Said | None:
    """What a message with a mnemonic and no program's name says; None of any other."""
    if message.program or not _MNEMONIC.fullmatch(message.code):
        return None
    return LOGSOURCE, first(MNEMONICS.get(message.code, ()), message.text)
