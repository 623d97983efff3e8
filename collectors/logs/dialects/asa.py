"""Cisco ASA and the ASA engine of Firepower Threat Defense, by the number of the message.

The severity in the mnemonic is what the administrator made it, so it is not looked at. Source: "Cisco Secure Firewall
ASA Series Syslog Messages".
"""

from __future__ import annotations

import re

from collectors.logs.dialects import asa_sessions
from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Logsource

LOGSOURCE = Logsource(product="cisco", service="asa")

_MNEMONIC = re.compile(r"(?:ASA|FTD)-[0-7]-(\d{6})")

# A user's name stands last in these: what comes before it is the firewall's own.
_ENDPOINTS = r'from ([0-9A-Fa-f.:]+)/(\d+) to [^:]+:([0-9A-Fa-f.:]+)/(\S+) for user "(.*)"'
_ENDPOINT_NAMES = ("source.ip", "source.port", "destination.ip", "network.protocol", "user.name")

_LOGIN = pattern(
    "Login permitted",
    rf"^Login permitted {_ENDPOINTS}",
    *_ENDPOINT_NAMES,
    event_action="device_login",
    event_outcome="success",
)

_LOGIN_DENIED = pattern(
    "Login denied",
    rf"^Login denied {_ENDPOINTS}",
    *_ENDPOINT_NAMES,
    event_action="device_login",
    event_outcome="failure",
)

_REJECTED = pattern(
    "Rejected",
    r"^AAA user authentication Rejected *: reason = ([^:]*[^: ]) *: (?:local database|server = +\S+) *"
    r": user = (.*) : user IP = ([0-9A-Fa-f.:]+)",
    "event.reason",
    "user.name",
    "source.ip",
    event_action="remote_access_login",
    event_outcome="failure",
)

_COMMAND = pattern(
    "executed",
    r"^User '([^']*)', running '([^']*)' from IP ([0-9A-Fa-f.:]+), executed '(.*)'",
    "user.name",
    "haidang.config.source",
    "source.ip",
    "process.command_line",
    event_action="command_executed",
)

_ERASED = pattern(
    "Erase configuration", r"^(\S+) Erase configuration", "haidang.config.source", event_action="configuration_erased"
)

_USER = pattern(
    "New user added",
    r"^New user added to local dbase: Uname: (\S+) Priv: (\d+)",
    "user.target.name",
    "haidang.privilege",
    event_action="user_created",
)

_PRIVILEGE = pattern(
    "priv level changed",
    r"^User priv level changed: Uname: (\S+) From: (\d+) To: (\d+)",
    "user.name",
    "haidang.privilege.before",
    "haidang.privilege",
    event_action="privilege_changed",
)

_FAILOVER = pattern(
    "Switching to",
    r"^\((Primary|Secondary)\) Switching to (ACTIVE|STANDBY|FAILED)(?: - (.*))?",
    "haidang.cluster.unit",
    "haidang.cluster.state",
    "event.reason",
    event_action="cluster_failover",
)

_DOWN = pattern("to down", r"Interface (\S+), changed state to down", "interface.name", event_action="link_down")

_UP = pattern("to up", r"Interface (\S+), changed state to up", "interface.name", event_action="link_up")

_DISABLED = pattern(
    "administratively down",
    r"Interface (\S+), changed state to administratively down",
    "interface.name",
    event_action="link_disabled",
)

_ENTERED = pattern(
    "executed the '",
    r"^User '([^']*)' executed the '(.*)' command",
    "user.name",
    "process.command_line",
    event_action="command_entered",
)

_USER_REMOVED = pattern(
    "User deleted",
    r"^User deleted from local dbase: Uname: (\S+)",
    "user.target.name",
    event_action="user_deleted",
)

_LOCKED = pattern(
    "locked out",
    r"^User (.*) locked out on exceeding (\d+) successive failed authentication attempts",
    "user.name",
    "haidang.attempts",
    event_action="account_locked",
)

_RELOAD = pattern("reload", r"^(?:Reload|.{0,64}reload)", event_action="device_reload_requested")

_EIGRP = pattern(
    "Neighbor ",
    r"Neighbor (\S+) \(([^)]+)\) is down",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_lost",
)

_OSPF = pattern(
    "to DOWN",
    r"^Process \S+, Nbr (\S+) on (\S+) from \S+ to DOWN",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_lost",
)

_OSPF_FULL = pattern(
    "to FULL",
    r"^Process \S+, Nbr (\S+) on (\S+) from \S+ to FULL",
    "haidang.neighbour",
    "interface.name",
    event_action="routing_neighbour_found",
)

_BGP = pattern("Down", r"^neighbor (\S+) .{0,64}?Down", "haidang.neighbour", event_action="routing_neighbour_lost")
_BGP_UP = pattern("Up", r"^neighbor (\S+) .{0,64}?Up", "haidang.neighbour", event_action="routing_neighbour_found")

NUMBERS: dict[str, tuple[Pattern, ...]] = {
    "104001": (_FAILOVER,),
    "104002": (_FAILOVER,),
    "104003": (_FAILOVER,),
    "111003": (_ERASED,),
    "111008": (_ENTERED,),
    "111010": (_COMMAND,),
    "113006": (_LOCKED,),
    "199001": (_RELOAD,),
    "318107": (_OSPF, _OSPF_FULL),
    "336010": (_EIGRP,),
    "418018": (_BGP, _BGP_UP),
    "411001": (_UP,),
    "411003": (_UP,),
    "411004": (_DISABLED,),
    "113005": (_REJECTED,),
    "113015": (_REJECTED,),
    "411002": (_DOWN,),
    "502101": (_USER,),
    "502102": (_USER_REMOVED,),
    "502103": (_PRIVILEGE,),
    "605004": (_LOGIN_DENIED,),
    "605005": (_LOGIN,),
    **asa_sessions.NUMBERS,
}


def understand(message: Message) -> Said | None:
    """What a message with an ASA mnemonic and no program's name says; None of any other."""
    found = None if message.program else _MNEMONIC.fullmatch(message.code)
    return (LOGSOURCE, first(NUMBERS.get(found[1], ()), message.text)) if found else None
