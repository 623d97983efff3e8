"""How the lines of a followed file are read, by the file's format."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from collectors.files import eve, evtx, jsonl, zeek
from collectors.files.linetimes import line_time
from collectors.files.times import time_of
from collectors.logs.dialects import understand
from collectors.logs.following import LineForms
from collectors.logs.frames import Form
from collectors.logs.syslog import Message
from core.changes import change_event
from core.errors import ContentError
from core.records import Event, Fields


class EachLine:
    """Each line is a message of one form; None is syslog."""

    records: Callable[[Path], Iterator[bytes]] | None = None

    def __init__(self, form: Form | None) -> None:
        self.form = form

    def takes(self, line: bytes) -> bool:
        """Whether the line is a message."""
        return bool(line.strip())


class ZeekLines:
    """Rows of Zeek's tables, read as the lines with ``#`` before them say; or JSON lines.

    Args:
        path: the log's path, such as ``conn``, where nothing in the file says it.
    """

    records: Callable[[Path], Iterator[bytes]] | None = None

    def __init__(self, path: str) -> None:
        self._path = path
        self._in_head = False
        self._begin()

    def takes(self, line: bytes) -> bool:
        """Whether the line is a row; what a head says is learnt, by a new reader, for rows may be on their way."""
        head = line.startswith(b"#")
        if head and not self._in_head:
            self._begin()
        self._in_head = head
        if head:
            self._decoder.decode(line, "")
        return not head and bool(line.strip())

    def _begin(self) -> None:
        self._decoder = zeek.Decoder(self._path)
        self.form: Form | None = _certain(self._decoder)


class EvtxRecords:
    """Records of Windows' event log, each as JSON."""

    def __init__(self) -> None:
        self.form: Form | None = jsonl.decode_json
        self.records: Callable[[Path], Iterator[bytes]] | None = evtx.records

    def takes(self, line: bytes) -> bool:
        """Whether the record is a message; all are."""
        return bool(line)


def _certain(decoder: zeek.Decoder) -> Form:
    def form(line: bytes, identity: str) -> Event:
        event = decoder.decode(line, identity)
        if event is None:
            raise ContentError("the line is no row of the table")
        return event

    return form


def program_line(program: str) -> Form:
    """The form of lines that a program writes without a head: read as what it would say by syslog."""

    def form(raw: bytes, identity: str) -> Event:
        text = unicodedata.normalize("NFC", raw.decode("utf-8", "replace"))
        logsource, said = understand(Message(0, 0, None, "", program, "", "", "", text))
        fields: Fields = {"process.name": program, "message": text, **said}
        time = time_of(fields) or line_time(text) or 0
        return Event(id=identity, time=time, seen=time, logsource=logsource, fields=fields, raw=raw)

    return form


def change_lines(_: Path) -> LineForms:
    """How the lines are read in which another lane tells of changes."""
    return EachLine(change_event)


def line_forms(kind: str, program: str, path: Path) -> LineForms:
    """How a file's lines are read; ``program`` names who wrote them where they have no head of syslog."""
    return FORMS[kind](program, path)


FORMS: Mapping[str, Callable[[str, Path], LineForms]] = {
    "syslog": lambda _, __: EachLine(None),
    "json": lambda _, __: EachLine(jsonl.decode_json),
    "eve": lambda _, __: EachLine(eve.decode),
    "zeek": lambda _, path: ZeekLines(path.name.partition(".")[0]),
    "evtx": lambda _, __: EvtxRecords(),
    "program": lambda program, _: EachLine(program_line(program)),
}
"""Every format of a followed file by its name in the settings."""
