"""JSON lines: an object a line, flat or nested, of any source, Windows' own form or ours.

Our own form is an object with ``logsource`` and ``fields`` and, as it has them, ``raw``, ``time``, ``unit``, ``site``
and ``device``: what ``haidang events search --json`` prints.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from collectors.files import windows
from collectors.files.flat import bounded, flattened
from collectors.files.found import Found
from collectors.files.lines import events
from collectors.files.times import LAST, time_of
from collectors.logs.dialects import audits
from core.errors import ContentError
from core.logsources import source_of
from core.records import Event, Fields, Logsource

BOM = b"\xef\xbb\xbf"
"""What Windows programs write before the first line of a file."""

_MOST_DIGITS = 40
"""Of a whole number; one with more stays text."""


class _Own(msgspec.Struct, frozen=True):
    logsource: Logsource
    fields: Fields
    raw: str | None = None
    time: int = 0
    unit: str = ""
    site: str = ""
    device: str = ""


def decode_json(line: bytes, identity: str) -> Event:
    """The event in a line of JSON; pure.

    Bytes that are no UTF-8 and halves of surrogate pairs become replacement characters: who writes them into a name
    does not thereby escape detection. ``seen`` is the event's own time, for nobody received it; 0 if it has none.

    Raises:
        ContentError: it is no object, or is nested beyond `collectors.files.flat`'s bounds.
    """
    document = json_object(line.removeprefix(BOM))
    if isinstance(document.get("logsource"), dict) and isinstance(document.get("fields"), dict):
        return _own(document, line, identity)
    fields = fields_of(document)
    source = source_of(fields)
    if source.category == "database":
        fields = {**fields, **_audited(document)}
    return event_of(fields, source, line, identity)


def _audited(document: Mapping[str, Any]) -> Fields:
    """What a database's object says in ECS's words, as it would by syslog."""
    said = audits.said_by(document)
    return said[1] if said else {}


def event_of(fields: Fields, source: Logsource, raw: bytes, identity: str) -> Event:
    """The event with these fields, at the time that they tell."""
    time = time_of(fields) or 0
    return Event(id=identity, time=time, seen=time, logsource=source, fields=bounded(fields), raw=raw.strip())


def json_object(line: bytes) -> dict[str, Any]:
    """The object in a line.

    Raises:
        ContentError: there is none.
    """
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _mended(line)
    if not isinstance(found, dict):
        raise ContentError("the line is no JSON object")
    return found


def _mended(line: bytes) -> Any:
    """Read by the more lenient reader of the standard library, and then made clean text."""
    try:
        lenient = json.loads(
            line.decode("utf-8", "replace"), parse_int=_whole, parse_float=_fraction, parse_constant=str
        )
        return msgspec.json.decode(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise ContentError(f"the line is no JSON: {error}") from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _fraction(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def fields_of(document: Mapping[str, Any]) -> Fields:
    """The object's fields; an event as Windows prints it comes as the EVTX reader gives it.

    Raises:
        ContentError: as `collectors.files.flat.flattened`.
    """
    if windows.is_record(document):
        return windows.record_fields(document)
    fields = flattened(document)
    return windows.shipped_fields(fields) if isinstance(document.get("winlog"), dict) else fields


def _own(document: Mapping[str, Any], line: bytes, identity: str) -> Event:
    try:
        own = msgspec.convert({**document, "fields": flattened(document["fields"])}, _Own)
    except msgspec.ValidationError as error:
        raise ContentError(f"not an event with logsource, fields and raw: {error}") from error
    raw = line.strip() if own.raw is None else own.raw.encode()
    time = (own.time if 0 < own.time < LAST else 0) or time_of(own.fields) or 0
    return Event(
        id=identity,
        time=time,
        seen=time,
        logsource=own.logsource,
        fields=bounded(own.fields),
        raw=raw,
        unit=own.unit,
        site=own.site,
        device=own.device,
    )


def read(path: Path) -> Iterator[Found]:
    """The events of a file of JSON lines."""
    return events(path, decode_json)
