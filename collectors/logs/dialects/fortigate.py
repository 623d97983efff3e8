"""FortiGate's key=value lines (FortiOS Log Message Reference)."""

from __future__ import annotations

import re
from itertools import islice

from core.records import Fields, Logsource

_PAIR = re.compile(r'(?<!\w)(\w++)=(?:"((?:[^"\\]|\\.)*+)"|(\S*))')
_MOST_PAIRS = 256
"""FortiOS writes up to some eighty."""

ECS = {
    "devname": "host.name",
    "user": "user.name",
    "srcip": "source.ip",
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
}
"""Their names in ECS, or under ``fortinet.``; what is not here stays in the message."""

_OLDER_TYPES = "virus webfilter ips emailfilter anomaly voip dlp app-ctrl waf gtp dns ssh ssl cifs file-filter"
_TYPES = frozenset(("traffic", "event", "utm", *_OLDER_TYPES.split()))
"""FortiOS's log types; the older ones have become subtypes of ``utm``."""

_FIREWALL_PATHS = ("firewall.policy", "firewall.policy6", "firewall.address", "firewall.addrgrp")


def is_fortigate(text: str) -> bool:
    """Whether a message without program name is one of FortiGate's."""
    return "devname=" in text and "logid=" in text


def logsource(fields: Fields) -> Logsource:
    """FortiGate's log types are Sigma's services: event, traffic, utm; a type that FortiOS does not have is none."""
    said = str(fields.get("fortinet.type", ""))
    return Logsource(product="fortigate", service=said if said in _TYPES else "")


def fields_of(text: str) -> Fields:
    """The line's pairs under their ECS names."""
    pairs = {found[1]: found[2] or found[3] or "" for found in islice(_PAIR.finditer(text), _MOST_PAIRS)}
    fields: Fields = {ECS[name]: value for name, value in pairs.items() if name in ECS}
    if pairs.get("cfgpath", "") in _FIREWALL_PATHS:
        fields["event.action"] = "firewall_rule_changed"
    return fields
