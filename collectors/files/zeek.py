r"""Zeek's logs, as JSON lines or as tab-separated values (Zeek documentation, "Log Formats").

In tables ``#separator``, ``#fields`` and their like say how the lines below are to be read; a value's own separators
are written as ``\xHH``. Which log it is, its path, is the event's service; JSON lines that do not say it take it from
the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from collectors.files.flat import flattened
from collectors.files.found import Found
from collectors.files.jsonl import event_of, json_object
from collectors.files.lines import events
from core.errors import ContentError
from core.records import Event, Fields, FieldValue, Logsource

MAGIC = b"#separator"
_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")


def read(path: Path) -> Iterator[Found]:
    """The events of a file."""
    return events(path, Decoder(path.name.partition(".")[0]).decode)


def _fraction(value: str) -> FieldValue:
    return float(value)


def _whole(value: str) -> FieldValue:
    return int(value)


TYPES: Mapping[str, Callable[[str], FieldValue]] = {
    "bool": lambda value: value == "T",
    "count": _whole,
    "int": _whole,
    "port": _whole,
    "double": _fraction,
    "interval": _fraction,
    "time": _fraction,
}
"""How values of a type are read; of any other they are text."""


class Decoder:
    """Reads one file's lines in order; what a table says of itself holds until it says otherwise.

    Args:
        path: the log's path where neither the table nor an object says it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._header: dict[str, str] = {}

    def decode(self, line: bytes, identity: str) -> Event | None:
        """The event in a line; None for one that speaks of the table.

        Raises:
            ContentError: the line is neither an object nor a row of the table.
        """
        if line.startswith(b"{"):
            fields = flattened(json_object(line))
        elif line.startswith(b"#"):
            self._learn(line.decode("utf-8", "replace"))
            return None
        else:
            fields = self._row(line.decode("utf-8", "replace"))
        service = str(fields.get("_path") or self._header.get("path", self._path))
        return event_of(fields, Logsource(product="zeek", service=service), line, identity)

    def _learn(self, line: str) -> None:
        if line.startswith("#separator "):
            self._header = {"separator": _unescaped(line.removeprefix("#separator ").strip())}
            return
        name, _, value = line[1:].partition(self._header.get("separator") or "\t")
        self._header[name] = value

    def _row(self, line: str) -> Fields:
        separator = self._header.get("separator", "\t")
        if not separator:
            raise ContentError("#separator before the line names none")
        names, types = (self._header.get(part, "").split(separator) for part in ("fields", "types"))
        values = line.split(separator)
        if not len(names) == len(types) == len(values):
            raise ContentError(f"the line has {len(values)} values, and #fields before it names {len(names)}")
        unset = self._header.get("unset_field", "-")
        rows = zip(names, types, values, strict=True)
        return {name: self._value(kind, value) for name, kind, value in rows if value != unset}

    def _value(self, kind: str, value: str) -> FieldValue:
        if kind.startswith(("set[", "vector[")):
            if value == self._header.get("empty_field", "(empty)"):
                return []
            return [_unescaped(one) for one in value.split(self._header.get("set_separator") or ",")]
        if value == self._header.get("empty_field", "(empty)"):
            return ""
        try:
            return TYPES.get(kind, _unescaped)(value)
        except ValueError as error:
            raise ContentError(f"'{value[:40]}' is no {kind}") from error


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda part: bytes.fromhex(part[1].decode()), text.encode()).decode("utf-8", "replace")
