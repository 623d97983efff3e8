"""What an ASA says of connections, of what its rules refuse and of remote access, by number.

The names in these are the firewall's own, except a user's, which stands in ``<>`` or last. Sources: "Cisco Secure
Firewall ASA Series Syslog Messages"; "Cisco Secure Firewall Threat Defense Syslog Messages", 430001 to 430003.
"""

from __future__ import annotations

import re
from itertools import islice

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.firewalls import firewall
from collectors.logs.dialects.pattern import Pattern, pattern
from core.records import Fields

_IP = r"([0-9A-Fa-f.:]+)"
_END = rf"(?:([^\s:/]{{1,64}}):)?{_IP}(?:/(\d+))?(?: ?\([^)]{{0,128}}\))*"
"""An end of a session: the interface's name, the address, the port, and what is told of it in brackets."""

_ENDS = (
    "observer.ingress.interface.name",
    "source.ip",
    "source.port",
    "observer.egress.interface.name",
    "destination.ip",
    "destination.port",
)

_RULE = completed(
    " by access-group ",
    rf"^(Deny) (?:inbound )?(?:protocol )?(\S+) src {_END} dst {_END}.{{0,128}}? by access-group \"([^\"]*)\"",
    firewall,
    "event.action",
    "network.iana_transport",
    *_ENDS,
    "rule.name",
)

_LIST = completed(
    "access-list ",
    r"^access-list (\S+) (permitted|denied|est-allowed) (\S+) "
    rf"([^\s/]{{1,64}})/{_IP}\((\d+)\)(?: ?\([^)]{{0,128}}\))? -> ([^\s/]{{1,64}})/{_IP}\((\d+)\)",
    firewall,
    "rule.name",
    "event.action",
    "network.iana_transport",
    *_ENDS,
)

_REFUSED = completed(
    "Deny ",
    rf"^(Deny) (?:inbound )?(\w{{1,16}}) (?:\([^)]{{0,64}}\) |spoof |reverse path check )?from \(?{_IP}\)?(?:/(\d+))? "
    rf"to {_IP}(?:/(\d+))?(?:.{{0,96}}? on interface (\w\S*\w))?",
    firewall,
    "event.action",
    "network.iana_transport",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "observer.ingress.interface.name",
)

_INBOUND = completed(
    "connection denied",
    rf"^Inbound (\S+) connection (denied) from {_IP}/(\d+) to {_IP}/(\d+)",
    firewall,
    "network.iana_transport",
    "event.action",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
)

_BUILT = completed(
    "Built inbound",
    rf"^(Built) inbound (\w+) connection \d+ for {_END} to {_END}",
    firewall,
    "event.action",
    "network.iana_transport",
    *_ENDS,
)

# Of an outbound connection the first end is the outer one: it began at the second.
_BUILT_OUTWARD = completed(
    "Built outbound",
    rf"^(Built) outbound (\w+) connection \d+ for {_END} to {_END}",
    firewall,
    "event.action",
    "network.iana_transport",
    *_ENDS[3:],
    *_ENDS[:3],
)

_TORN_DOWN = pattern(
    "Teardown ",
    rf"^Teardown (\w+) connection \d+ for {_END} to {_END} duration ([\d:]+)(?: bytes (\d+))?",
    "network.iana_transport",
    *_ENDS,
    "haidang.duration",
    "network.bytes",
    event_action="teardown",
)

_REMOTE = {"event_action": "remote_access_login", "event_outcome": "success"}
_REMOTE_END = {"event_action": "remote_access_logout"}

_ACCEPTED = pattern(
    "authentication Successful",
    r"^AAA user authentication Successful *: (?:local database|server = +\S+) *: user = (.*)$",
    "user.name",
    event_action="aaa_login",
    event_outcome="success",
)

_ANYCONNECT = pattern(
    "IP <",
    rf"^Group <([^>]*)> User <(.*)> IP <{_IP}> (?:AnyConnect parent session started|WebVPN session started)",
    "group.name",
    "user.name",
    "source.ip",
    **_REMOTE,
)

_WEBVPN_ENDED = pattern(
    "session terminated",
    rf"^Group <([^>]*)> User <(.*)> IP <{_IP}> WebVPN session terminated: (.*)$",
    "group.name",
    "user.name",
    "source.ip",
    "event.reason",
    **_REMOTE_END,
)

_DISCONNECTED = pattern(
    "Session disconnected",
    rf"^Group = (.{{0,128}}?), Username = (.*), IP = {_IP}, Session disconnected\. Session Type: ([^,]*), "
    r"Duration: ([^,]*), Bytes xmt: (\d+), Bytes rcv: (\d+), Reason: (.*)$",
    "group.name",
    "user.name",
    "source.ip",
    "network.protocol",
    "haidang.duration",
    "destination.bytes",
    "source.bytes",
    "event.reason",
    **_REMOTE_END,
)

_ASSIGNED = pattern(
    "> assigned to session",
    rf"^Group <([^>]*)> User <(.*)> IP <{_IP}> (?:IPv4 )?Address <{_IP}> .{{0,64}}assigned to session",
    "group.name",
    "user.name",
    "source.ip",
    "client.ip",
    event_action="remote_access_address",
)

_SESSION_USER = (
    pattern(
        "authentication succeeded",
        rf"^User authentication succeeded: (?:IP address: {_IP}, )?Uname: (.*)$",
        "source.ip",
        "user.name",
        event_action="aaa_login",
        event_outcome="success",
    ),
    pattern(
        "authentication failed",
        rf"^User authentication failed: (?:IP address: {_IP}, )?Uname: (.*)$",
        "source.ip",
        "user.name",
        event_action="aaa_login",
        event_outcome="failure",
    ),
)

_TUNNEL_UP = pattern(
    " SA UP",
    rf"^Local:{_IP}:\d+ Remote:{_IP}:\d+ Username:(\S*) .{{0,64}}SA UP",
    "destination.ip",
    "source.ip",
    "haidang.tunnel",
    event_action="vpn_tunnel_up",
)

_TUNNEL_DOWN = pattern(
    " SA DOWN",
    rf"^Local:{_IP}:\d+ Remote:{_IP}:\d+ Username:(\S*) .{{0,64}}SA DOWN\. Reason: (.*)$",
    "destination.ip",
    "source.ip",
    "haidang.tunnel",
    "event.reason",
    event_action="vpn_tunnel_down",
)

_IPSEC = {
    "created": "vpn_sa_created",
    "deleted": "vpn_sa_deleted",
}


def _association(found: dict[str, str]) -> Fields:
    return {"event.action": _IPSEC[found["done"]], "source.ip": found["one"], "destination.ip": found["other"]}


_SA = completed(
    "IPSEC: ",
    rf"^IPSEC: An? \S+ (?:LAN-to-LAN|remote access|\S+) SA \(SPI= ?0x[0-9A-Fa-f]+\) between {_IP} and {_IP} "
    r"\(user= .*\) has been (created|deleted)",
    _association,
    "one",
    "other",
    "done",
)

_THREAT = pattern(
    "Scanning",
    r"^\[ ?Scanning\] drop rate-\d+ exceeded",
    event_action="scan_detected",
)

_HOST_SCANS = pattern(
    "is attacking",
    rf"^Host {_IP} is (?:attacking|targeted)",
    "source.ip",
    event_action="scan_detected",
)

_THREAT_DEFENSE = re.compile(r"(?:^|, )([A-Z][A-Za-z0-9]{1,48}): ((?:[^,]|,(?! [A-Z][A-Za-z0-9]{1,48}: ))*+)")
_MOST_PAIRS = 128

_THREAT_DEFENSE_NAMES = {
    "SrcIP": "source.ip",
    "DstIP": "destination.ip",
    "SrcPort": "source.port",
    "DstPort": "destination.port",
    "Protocol": "network.iana_transport",
    "IngressZone": "observer.ingress.zone",
    "EgressZone": "observer.egress.zone",
    "IngressInterface": "observer.ingress.interface.name",
    "EgressInterface": "observer.egress.interface.name",
    "AccessControlRuleAction": "event.action",
    "AccessControlRuleName": "rule.name",
    "ACPolicy": "rule.ruleset",
    "InlineResult": "event.action",
    "Message": "rule.name",
    "SID": "rule.id",
    "Classification": "rule.category",
    "User": "user.name",
    "Client": "network.application",
    "ApplicationProtocol": "network.protocol",
    "InitiatorBytes": "source.bytes",
    "ResponderBytes": "destination.bytes",
    "URL": "url.original",
}


def _pairs(found: dict[str, str]) -> Fields:
    told: dict[str, str] = {}
    for pair in islice(_THREAT_DEFENSE.finditer(found["pairs"]), _MOST_PAIRS):
        if pair[1] in _THREAT_DEFENSE_NAMES:
            told.setdefault(_THREAT_DEFENSE_NAMES[pair[1]], pair[2].strip())
    return firewall(told)


_CONNECTION = completed("SrcIP: ", r"(?s)^(.*)$", _pairs, "pairs")

NUMBERS: dict[str, tuple[Pattern, ...]] = {
    "106001": (_INBOUND,),
    **dict.fromkeys(("106006", "106007", "106015", "106016", "106021"), (_REFUSED,)),
    **dict.fromkeys(("106014", "106023"), (_RULE,)),
    **dict.fromkeys(("106100", "106102"), (_LIST,)),
    **dict.fromkeys(("302013", "302015"), (_BUILT, _BUILT_OUTWARD)),
    **dict.fromkeys(("302014", "302016"), (_TORN_DOWN,)),
    "113004": (_ACCEPTED,),
    "113012": (_ACCEPTED,),
    "113019": (_DISCONNECTED,),
    "113039": (_ANYCONNECT,),
    "430001": (_CONNECTION,),
    "430002": (_CONNECTION,),
    "430003": (_CONNECTION,),
    "602303": (_SA,),
    "602304": (_SA,),
    "611101": _SESSION_USER,
    "611102": _SESSION_USER,
    "716001": (_ANYCONNECT,),
    "716002": (_WEBVPN_ENDED,),
    "722051": (_ASSIGNED,),
    "733100": (_THREAT,),
    "733101": (_HOST_SCANS,),
    "750006": (_TUNNEL_UP,),
    "750007": (_TUNNEL_DOWN,),
}
"""By number; the severity does not matter."""
