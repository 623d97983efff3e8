"""Palo Alto PAN-OS: comma-separated values whose places depend on the type of log.

Source: PAN-OS "Syslog Field Descriptions" (11.1): places are counted from 0; those later than a type's table are left
in the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from collectors.logs.dialects.firewalls import verdict
from collectors.logs.dialects.pattern import Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_HEAD = re.compile(r"\d{0,2},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?,\w{0,32},([A-Z][A-Z-]{2,20}),", re.ASCII)
_VALUE = re.compile(r'(?:"((?:[^"]|"")*+)"|([^,]*+))(?:,|$)')
_MOST_VALUES = 64
"""Enough for every place that a table names."""

TYPES = frozenset(
    (
        *("authentication", "config", "correlation", "decryption", "globalprotect", "hip-match", "sctp", "system"),
        *("threat", "traffic", "tunnel", "userid"),
    )
)
"""PAN-OS's log types, which are the services; USER-ID and HIPMATCH are written in two ways."""

_SPELT = {"hipmatch": "hip-match", "user-id": "userid"}

_SESSION = {
    4: "paloalto.subtype",
    7: "source.ip",
    8: "destination.ip",
    11: "rule.name",
    12: "user.name",
    14: "network.application",
    16: "observer.ingress.zone",
    17: "observer.egress.zone",
    24: "source.port",
    25: "destination.port",
    29: "network.iana_transport",
    30: "paloalto.action",
}

PLACES: dict[str, dict[int, str]] = {
    "traffic": _SESSION,
    "threat": {**_SESSION, 31: "url.original", 32: "paloalto.threat", 33: "paloalto.category", 34: "paloalto.severity"},
    "config": {
        7: "source.ip",
        9: "paloalto.command",
        10: "user.name",
        11: "paloalto.client",
        12: "paloalto.result",
        13: "haidang.config.path",
    },
    "system": {
        4: "paloalto.subtype",
        8: "event.code",
        9: "paloalto.object",
        12: "paloalto.module",
        13: "paloalto.severity",
        14: "event.message",
    },
    "globalprotect": {
        8: "event.code",
        9: "paloalto.stage",
        12: "user.name",
        13: "source.geo.name",
        14: "source.domain",
        15: "source.ip",
        25: "event.reason",
        28: "paloalto.status",
    },
}

# The last quote and address of the text are the firewall's own: a user's name can hold them as well.
_SYSTEM = (
    pattern(
        "failed authentication",
        r"(?s)^failed authentication for user '(?>(.*)'\.)(?:.* From: ([0-9A-Fa-f.:]*[0-9A-Fa-f]))?",
        "user.name",
        "source.ip",
        event_action="device_login",
        event_outcome="failure",
    ),
    pattern(
        "logged in via",
        r"^User (.*) logged in via (\w+) from ([0-9A-Fa-f.:]+) using",
        "user.name",
        "paloalto.client",
        "source.ip",
        event_action="device_login",
        event_outcome="success",
    ),
    pattern(
        "Moved from state",
        r"^HA Group \d+: Moved from state (\S+) to state (\S+)",
        "haidang.cluster.state.before",
        "haidang.cluster.state",
        event_action="cluster_failover",
    ),
    pattern("Port ", r"^Port (\S+): Down ", "interface.name", event_action="link_down"),
    pattern("Port ", r"^Port (\S+): Up ", "interface.name", event_action="link_up"),
    pattern(
        "left established state",
        r"^BGP peer session left established state(?>.{0,256}?peer IP:? )([0-9A-Fa-f.:]*[0-9A-Fa-f])",
        "haidang.neighbour",
        event_action="routing_neighbour_lost",
    ),
    pattern(
        "entered established state",
        r"^BGP peer session entered established state(?>.{0,256}?peer IP:? )([0-9A-Fa-f.:]*[0-9A-Fa-f])",
        "haidang.neighbour",
        event_action="routing_neighbour_found",
    ),
    pattern(
        "OSPF full adjacency",
        r"^OSPF full adjacency (?>.{0,128}?lost)(?>.{0,256}?neighbor IP address )([0-9A-Fa-f.:]*[0-9A-Fa-f])",
        "haidang.neighbour",
        event_action="routing_neighbour_lost",
    ),
    pattern("Tunnel ", r"^Tunnel (\S+) is down", "haidang.tunnel", event_action="vpn_tunnel_down"),
    pattern("Tunnel ", r"^Tunnel (\S+) is up", "haidang.tunnel", event_action="vpn_tunnel_up"),
    pattern(
        "logged out via",
        r"^User (.*) logged out via (\w+) from ([0-9A-Fa-f.:]+)",
        "user.name",
        "paloalto.client",
        "source.ip",
        event_action="device_logout",
    ),
    pattern(
        "negotiation is failed",
        r"^IKE(?:v2)? (?:phase-[12]|IKE SA|child SA)? ?negotiation is failed",
        event_action="vpn_negotiation",
        event_outcome="failure",
    ),
)

_CHANGES = frozenset(("clone", "commit", "commit-all", "delete", "edit", "load", "move", "multi-move", "rename", "set"))
_OUTCOMES = {"success": "success", "failure": "failure"}


def understand(message: Message) -> Said | None:
    """What a line of PAN-OS's default format says; None of any other."""
    head = None if message.program or message.code else _HEAD.match(message.text)
    if head is None:
        return None
    said = _SPELT.get(head[1].lower(), head[1].lower())
    fields = _placed(PLACES.get(said, {}), message.text)
    logsource = Logsource(product="paloalto", service=said if said in TYPES else "")
    return logsource, {**fields, **_MEANINGS.get(said, _nothing)(fields)}


def _placed(places: dict[int, str], text: str) -> Fields:
    """The values at these places, as they are; those that are empty are left out."""
    values = [found[2] if found[1] is None else found[1].replace('""', '"') for found in _values(text)]
    return {name: values[place] for place, name in places.items() if place < len(values) and values[place]}


def _values(text: str) -> list[re.Match[str]]:
    return list(islice(_VALUE.finditer(text), _MOST_VALUES))


def _system(fields: Fields) -> Fields:
    return first(_SYSTEM, str(fields.get("event.message", "")))


def _config(fields: Fields) -> Fields:
    done = str(fields.get("paloalto.result", "")) in ("Succeeded", "Submitted")
    changed = done and str(fields.get("paloalto.command", "")) in _CHANGES
    return {"event.action": "configuration_changed"} if changed else {}


def _globalprotect(fields: Fields) -> Fields:
    outcome = _OUTCOMES.get(str(fields.get("paloalto.status", "")))
    login = {"event.action": "vpn_login"} if fields.get("paloalto.stage") == "login" else {}
    return {**login, **({"event.outcome": outcome} if outcome else {})}


def _session(fields: Fields) -> Fields:
    return verdict(str(fields.get("paloalto.action", "")))


def _nothing(_: Fields) -> Fields:
    return {}


_MEANINGS: dict[str, Callable[[Fields], Fields]] = {
    "system": _system,
    "config": _config,
    "globalprotect": _globalprotect,
    "traffic": _session,
    "threat": _session,
}
