r"""CEF, the Common Event Format of ArcSight: ``CEF:0|vendor|product|version|signature|name|severity|name=value ...``.

In the head ``\|`` and ``\\`` are escaped, in the extension ``\=``, ``\\``, ``\n`` and ``\r``; so what a user
wrote cannot end a value, and of a name that comes twice the first counts. Source: "ArcSight Common Event Format (CEF)
Implementation Standard", version 26, "Header" and "Extension Dictionary".
"""

from __future__ import annotations

import re
from itertools import islice

from collectors.logs.dialects.firewalls import verdict
from collectors.logs.dialects.pattern import Said
from collectors.logs.dialects.web import url_fields
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_HEAD = re.compile(r"CEF: ?\d{1,2}\|" + r"((?:[^|\\]|\\.){0,1024}+)\|" * 6, re.DOTALL)
_KEY = re.compile(r"(?<!\S)([A-Za-z][\w.-]{0,63}+)(?:\[\d{1,4}\])?=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r"}
_MOST_PAIRS = 256
"""The dictionary has some hundred and forty names."""

HEAD = ("observer.vendor", "observer.product", "observer.version", "event.code", "rule.name", "event.severity")
"""The head's values, in order; the severity stays as the device writes it: 0 to 10, or a word."""

PRODUCTS = {
    "check point": "checkpoint",
    "cisco": "cisco",
    "citrix": "citrix",
    "f5": "f5",
    "fortinet": "fortigate",
    "imperva inc.": "imperva",
    "juniper networks": "juniper",
    "kaspersky": "kaspersky",
    "kasperskylab": "kaspersky",
    "mcafee": "trellix",
    "microsoft": "microsoft",
    "palo alto networks": "paloalto",
    "symantec": "symantec",
    "sophos": "sophos",
    "trellix": "trellix",
    "trend micro": "trendmicro",
    "zscaler": "zscaler",
}
"""What rules call a vendor's product, by the vendor in lower case; one that is not here is of no product."""

ECS = {
    "src": "source.ip",
    "c6a2": "source.ip",
    "dst": "destination.ip",
    "c6a3": "destination.ip",
    "spt": "source.port",
    "dpt": "destination.port",
    "shost": "source.domain",
    "dhost": "destination.domain",
    "smac": "source.mac",
    "dmac": "destination.mac",
    "in": "source.bytes",
    "out": "destination.bytes",
    "sourceTranslatedAddress": "source.nat.ip",
    "sourceTranslatedPort": "source.nat.port",
    "destinationTranslatedAddress": "destination.nat.ip",
    "destinationTranslatedPort": "destination.nat.port",
    "suser": "user.name",
    "suid": "user.id",
    "sntdom": "user.domain",
    "spriv": "user.roles",
    "duser": "user.target.name",
    "duid": "user.target.id",
    "dntdom": "user.target.domain",
    "act": "event.action",
    "reason": "event.reason",
    "msg": "event.message",
    "externalId": "event.id",
    "cat": "cef.category",
    "app": "network.protocol",
    "proto": "network.iana_transport",
    "deviceDirection": "cef.direction",
    "deviceInboundInterface": "observer.ingress.interface.name",
    "deviceOutboundInterface": "observer.egress.interface.name",
    "dvchost": "host.name",
    "dvc": "host.ip",
    "request": "url.original",
    "requestMethod": "http.request.method",
    "requestClientApplication": "user_agent.original",
    "requestContext": "http.request.referrer",
    "fname": "file.name",
    "filePath": "file.path",
    "fileType": "file.type",
    "fsize": "file.size",
    "fileHash": "file.hash",
    "sproc": "process.name",
    "dproc": "process.name",
    "spid": "process.pid",
    "dpid": "process.pid",
    "cnt": "event.count",
}
"""Names of the extension in ECS; of two that mean one, the first in this table goes first. Others stay in the text."""

OUTCOMES = {
    **dict.fromkeys(("success", "successful", "succeeded", "ok", "passed"), "success"),
    **dict.fromkeys(("failure", "fail", "failed", "unsuccessful", "error"), "failure"),
}
"""What vendors write as an outcome, in lower case; anything else is none of ECS's."""

_HASHES = {32: "file.hash.md5", 40: "file.hash.sha1", 64: "file.hash.sha256"}
_CUSTOM = tuple(f"{kind}{number}" for kind in ("cs", "cn", "cfp", "c6a") for number in range(1, 7))
_LABEL = re.compile(r"\W+")


def understand(message: Message) -> Said | None:
    """What a message in CEF says; None of any other."""
    whole = body_of(message, "CEF")
    head = _HEAD.match(whole)
    if head is None:
        return None
    values = (_ESCAPED.sub(r"\1", value) for value in head.groups())
    fields: Fields = {name: value for name, value in zip(HEAD, values, strict=True) if value}
    return source_of(fields, "cef"), {**fields, **_extension(_pairs(whole[head.end() :]))}


def body_of(message: Message, form: str) -> str:
    """The message from ``form:`` on, which the syslog reader may have taken for a program's name; else its text."""
    taken = message.program == form and not message.text.startswith(form)
    return f"{form}:{message.text}" if taken else message.text


def source_of(head: Fields, service: str) -> Logsource:
    """The log source of a message in one of the formats that all vendors share."""
    vendor = str(head.get("observer.vendor", "")).lower()
    return Logsource(product=PRODUCTS.get(vendor, ""), service=service)


def _pairs(extension: str) -> dict[str, str]:
    """The extension's values by their names; a value ends where the next name begins."""
    keys = list(islice(_KEY.finditer(extension), _MOST_PAIRS))
    ends = [key.start() for key in keys[1:]] + [len(extension)]
    pairs: dict[str, str] = {}
    for key, end in zip(keys, ends, strict=False):
        pairs.setdefault(key[1], _plain(extension[key.end() : end].strip()))
    return {name: value for name, value in pairs.items() if value}


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), value) if "\\" in value else value


def _extension(pairs: dict[str, str]) -> Fields:
    fields = named(pairs, ECS)
    if "user.target.name" in fields:
        fields.setdefault("user.name", fields["user.target.name"])
    return {**fields, **_labelled(pairs)}


def named(pairs: dict[str, str], table: dict[str, str]) -> Fields:
    """The pairs under their names in the table, with what follows from them: outcome, verdict, hash, parts of a URL."""
    fields: Fields = {}
    for name, ecs in table.items():
        if name in pairs:
            fields.setdefault(ecs, pairs[name])
    fields.update(_judged(fields, pairs.get("outcome", "")))
    checksum = str(fields.pop("file.hash", ""))
    if len(checksum) in _HASHES:
        fields[_HASHES[len(checksum)]] = checksum.lower()
    return {**fields, **url_fields(str(fields["url.original"]))} if "url.original" in fields else fields


def _judged(fields: Fields, outcome: str) -> Fields:
    known = OUTCOMES.get(outcome.lower())
    return {**verdict(str(fields.get("event.action", ""))), **({"event.outcome": known} if known else {})}


def _labelled(pairs: dict[str, str]) -> Fields:
    """Custom fields, ``cs1`` with ``cs1Label``, under their labels: ``cef.rule_id``."""
    fields: Fields = {}
    for name in _CUSTOM:
        label = _LABEL.sub("_", pairs.get(f"{name}Label", "")[:64].lower()).strip("_")
        if label and name in pairs:
            fields.setdefault(f"cef.{label}", pairs[name])
    return fields
