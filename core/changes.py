"""Changes that one lane tells another: lines of JSON in files that grow, on disk when ``append`` returns.

The SNMP lane writes them, the logs lane follows them as it follows any file and makes events of them, so they are
stored, judged and found like all others, each once. A line also holds what the writer knows after it (``known``): that
is how a writer that was killed finds out what it has told already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

import msgspec

from core.clock import Clock
from core.errors import ContentError, UnavailableError
from core.files import make_folder, remove_file, sync_folder
from core.records import Event, Fields, Logsource, Record

FORMAT = 1
PATTERN = "*.jsonl"
LINK, ENVIRONMENT, DEVICE = "link", "env", "device"
SERVICES = frozenset({LINK, ENVIRONMENT, DEVICE})
"""What such lines may be about: ports and neighbours; sensors and power; whether a device is there."""

FILE_BYTES = 4 << 20
MOST_FILES = 16
"""Files that are kept; a reader that is further behind has lost what was in older ones."""


class Change(Record, frozen=True, kw_only=True):
    """A line.

    Attributes:
        time: when it was seen, nanoseconds UTC.
        known: what the writer needs to go on after it; empty where a later line of the same moment holds it.
    """

    format: int = FORMAT
    time: int
    service: str
    unit: str = ""
    site: str = ""
    device: str = ""
    fields: Fields
    known: msgspec.Raw = msgspec.Raw(b"null")


class Place(Record, frozen=True, kw_only=True):
    """How far files were read: up to this many bytes of this one, and all before it."""

    file: str = ""
    offset: int = 0


_lines = msgspec.json.Decoder(Change)


def decode_change(raw: bytes) -> Change:
    """The change in a line.

    Raises:
        ContentError: the line holds none of this format.
    """
    try:
        found = _lines.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"the line tells of no change: {error}") from error
    if found.format != FORMAT or found.service not in SERVICES:
        raise ContentError(f"the line tells of a change of format {found.format}, service {found.service!r}")
    return found


def change_event(raw: bytes, identity: str) -> Event:
    """The change in a line as an event under this id.

    Raises:
        ContentError: the line holds none of this format.
    """
    change = decode_change(raw)
    return Event(
        id=identity,
        time=change.time,
        seen=change.time,
        logsource=Logsource(product="haidang", service=change.service),
        fields=change.fields,
        raw=msgspec.json.encode(change.fields),
        unit=change.unit,
        site=change.site,
        device=change.device,
    )


class ChangeLog:
    """The writing end; one process owns the folder.

    A new process begins a new file, for the last line of the old one may not be whole.

    Raises:
        UnavailableError: the folder cannot be written.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = make_folder(folder)
        self._clock = clock
        self._file: FileIO | None = None
        self._name = ""
        self._size = 0

    @property
    def place(self) -> Place:
        """The end of what is told."""
        if self._name:
            return Place(file=self._name, offset=self._size)
        last = _last(self._folder)
        return Place(file=last, offset=(self._folder / last).stat().st_size) if last else Place()

    def append(self, changes: Sequence[Change]) -> None:
        """Tells of changes; they are on disk when this returns.

        Raises:
            UnavailableError: the disk is full or failing; nothing of them may be told then.
        """
        if not changes:
            return
        data = msgspec.json.Encoder().encode_lines(changes)
        try:
            file = self._file if self._file is not None and self._size < FILE_BYTES else self._begin()
            written = file.write(data)
            os.fsync(file.fileno())
        except OSError as error:
            self.close()
            raise UnavailableError(f"{self._folder}: changes cannot be written: {error.strerror}") from error
        if written != len(data):
            self.close()
            raise UnavailableError(f"{self._folder}: changes cannot be written: the disk is full")
        self._size += written

    def close(self) -> None:
        """Closes the file; the next line begins a new one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> FileIO:
        self.close()
        number = max(self._clock.now(), int(Path(_last(self._folder) or "0").stem) + 1)
        self._name, self._size = f"{number:020d}.jsonl", 0
        self._file = (self._folder / self._name).open("xb", buffering=0)
        sync_folder(self._folder)
        for path in sorted(self._folder.glob(PATTERN))[:-MOST_FILES]:
            remove_file(path)
        return self._file


def told_since(folder: Path, place: Place) -> Iterator[Change]:
    """The changes that were told after this place, in order; what is no whole line is left out."""
    for path in sorted(folder.glob(PATTERN)):
        if path.name < place.file:
            continue
        start = place.offset if path.name == place.file else 0
        for line in path.read_bytes()[start:].splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield decode_change(line)


def _last(folder: Path) -> str:
    """The name of the newest file; empty if there is none."""
    return max((path.name for path in folder.glob(PATTERN)), default="")
