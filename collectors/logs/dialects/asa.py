"""Cisco ASA and the ASA engine of Firepower Threat Defense, by the number of the message.

The severity in the mnemonic is what the administrator made it, so it is not looked at. Source: "Cisco Secure Firewall
ASA Series Syslog Messages".
"""

from __future__ import annotations

import re

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
    r"^AAA user authentication Rejected *: reason = ([^:]*[^: ]) *: (?:local database|server = \S+) *"
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

NUMBERS: dict[str, tuple[Pattern, ...]] = {
    "104001": (_FAILOVER,),
    "104002": (_FAILOVER,),
    "104003": (_FAILOVER,),
    "111003": (_ERASED,),
    "111010": (_COMMAND,),
    "113005": (_REJECTED,),
    "113015": (_REJECTED,),
    "411002": (_DOWN,),
    "502101": (_USER,),
    "502103": (_PRIVILEGE,),
    "605004": (_LOGIN_DENIED,),
    "605005": (_LOGIN,),
}


def understand(message: Message) -> Said | None:
    """What a message with an ASA mnemonic and no program's name says; None of any other."""
    found = None if message.program else _MNEMONIC.fullmatch(message.code)
    return (LOGSOURCE, first(NUMBERS.get(found[1], ()), message.text)) if found else None
