"""LEEF, the Log Event Extended Format of IBM QRadar: ``LEEF:1.0|vendor|product|version|event|name=value<tab>...``.

LEEF 2.0 has one more place in its head, the separator: a character, or its code as ``x5E`` or ``0x5E``; a tab where it
is empty. Syslog relays write a tab as ``#011`` or ``<009>``. Source: IBM "QRadar Log Event Extended Format (LEEF)
Guide", "LEEF event components" and "Predefined LEEF event attributes".
"""

from __future__ import annotations

import re

from collectors.logs.dialects import cef
from collectors.logs.dialects.pattern import Said
from collectors.logs.syslog import Message
from core.records import Fields

_HEAD = re.compile(r"LEEF: ?(\d)\.\d\|([^|]{0,256}+)\|([^|]{0,256}+)\|([^|]{0,256}+)\|([^|]{0,256}+)\|")
_SEPARATOR = re.compile(r"(?:(?:0?x([0-9A-Fa-f]{1,4}))|([^|\w\s]|\t)|)\|")
_RELAYED = ("#011", "<009>", "\\0x09", "\\t")
"""How a tab may arrive that a relay or the sender wrote as text."""

_KEY = re.compile(r"\s?([A-Za-z_][\w.-]{0,63}+)=(.*)", re.DOTALL)
_SPACED = re.compile(r"(?<!\S)(?=[A-Za-z_][\w.-]{0,63}+=)")
_MOST_PAIRS = 256

HEAD = ("observer.vendor", "observer.product", "observer.version", "event.code")
"""The head's values after the version, in order."""

ECS = {
    "src": "source.ip",
    "identSrc": "source.ip",
    "dst": "destination.ip",
    "srcPort": "source.port",
    "spt": "source.port",
    "dstPort": "destination.port",
    "dpt": "destination.port",
    "srcMAC": "source.mac",
    "dstMAC": "destination.mac",
    "srcBytes": "source.bytes",
    "dstBytes": "destination.bytes",
    "srcPackets": "source.packets",
    "dstPackets": "destination.packets",
    "srcPreNAT": "source.ip",
    "srcPostNAT": "source.nat.ip",
    "dstPostNAT": "destination.nat.ip",
    "srcPostNATPort": "source.nat.port",
    "dstPostNATPort": "destination.nat.port",
    "usrName": "user.name",
    "suser": "user.name",
    "accountName": "user.target.name",
    "duser": "user.target.name",
    "domain": "user.domain",
    "role": "user.roles",
    "groupID": "group.id",
    "identHostName": "source.domain",
    "sev": "event.severity",
    "cat": "leef.category",
    "action": "event.action",
    "act": "event.action",
    "reason": "event.reason",
    "msg": "event.message",
    "name": "rule.name",
    "policy": "rule.ruleset",
    "proto": "network.iana_transport",
    "resource": "leef.resource",
    "url": "url.original",
    "request": "url.original",
    "fname": "file.name",
    "fileName": "file.name",
    "filePath": "file.path",
    "fileHash": "file.hash",
    "dvchost": "host.name",
    "dvc": "host.ip",
}
"""Names of attributes in ECS; of two that mean one, the first in this table goes first. Others stay in the text."""


def understand(message: Message) -> Said | None:
    """What a message in LEEF says; None of any other."""
    whole = cef.body_of(message, "LEEF")
    head = _HEAD.match(whole)
    if head is None:
        return None
    separator, start = _separator(whole, head)
    fields: Fields = {name: value for name, value in zip(HEAD, head.groups()[1:], strict=True) if value}
    pairs = _pairs(whole[start:], separator)
    return cef.source_of(fields, "leef"), {**fields, **cef.named(pairs, ECS)}


def _separator(whole: str, head: re.Match[str]) -> tuple[str, int]:
    """What parts the attributes, and where they begin."""
    found = None if head[1] == "1" else _SEPARATOR.match(whole, head.end())
    if found is None:
        return "\t", head.end()
    return chr(int(found[1], 16)) if found[1] else found[2] or "\t", found.end()


def _pairs(attributes: str, separator: str) -> dict[str, str]:
    """The attributes' values by their names; the first of a name counts."""
    pairs: dict[str, str] = {}
    for part in _parts(attributes, separator):
        found = _KEY.match(part)
        if found and found[2].strip():
            pairs.setdefault(found[1], found[2].strip())
    return pairs


def _parts(attributes: str, separator: str) -> list[str]:
    """Where a tab is meant and none came, what stands for it; at last, blanks before a name."""
    candidates = (separator, *_RELAYED) if separator == "\t" else (separator,)
    for candidate in candidates:
        if candidate in attributes:
            return attributes.split(candidate, _MOST_PAIRS)
    return _SPACED.split(attributes, _MOST_PAIRS) if separator == "\t" else [attributes]
