"""Suricata's EVE: JSON lines whose ``event_type`` says what they are about (Suricata user guide, "EVE JSON Format")."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collectors.files.flat import flattened
from collectors.files.found import Found
from collectors.files.jsonl import event_of, json_object
from collectors.files.lines import events
from core.errors import ContentError
from core.records import Event, Logsource


def read(path: Path) -> Iterator[Found]:
    """The events of a file."""
    return events(path, decode)


def decode(line: bytes, identity: str) -> Event:
    """The event in a line; its type is its service.

    Raises:
        ContentError: the line is no object with an ``event_type``, or nested too deep.
    """
    fields = flattened(json_object(line))
    kind = fields.get("event_type")
    if not isinstance(kind, str):
        raise ContentError("the object has no event_type: it is not Suricata's")
    return event_of(fields, Logsource(product="suricata", service=kind), line, identity)
