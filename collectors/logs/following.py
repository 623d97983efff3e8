"""Files that grow, followed across rotation; each line once, also after a kill.

A file is known by its device, inode and first bytes, so it is the same one after it was renamed, and another one after
it was truncated and begun anew. How far it was stored lies in the spool beside the lines themselves. A pattern should
hold the rotated names too (``eve.json*``): what was rotated while nobody looked is read to its end then.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Protocol, TypeAlias

from collectors.logs.frames import Form, Frame, Inlet
from collectors.logs.marks import Marks
from core.clock import Clock
from core.errors import UnavailableError
from core.terminal import say

_CHUNK = 256 << 10
_KEPT = 64 << 10
"""Bytes read at a time, which is the longest line; of a longer one so much goes to quarantine."""

_RECORDS = 500
"""Records read at a time from a file that is no lines."""

_KNOWN_BY = 256
"""Bytes at the beginning by which a file is known."""

_MOST_FILES = 1024
_PACKED = (".gz", ".xz", ".bz2", ".zst")


Key: TypeAlias = tuple[int, int]
"""A file's device and inode."""


class Line(NamedTuple):
    """A line of a file, where the next one begins, and why it is none if so."""

    raw: bytes
    end: int
    fault: str = ""


class LineForms(Protocol):
    """How one file's lines are to be read.

    Attributes:
        form: reads the next line; None where it is syslog.
        records: reads a file that is no lines, from its beginning; None where it is lines.
    """

    form: Form | None
    records: Callable[[Path], Iterator[bytes]] | None

    def takes(self, line: bytes) -> bool:
        """Whether the line is a message; one that is none may say how those after it are to be read."""
        ...


class Watched(NamedTuple):
    """Files to follow.

    Attributes:
        folder: where they are.
        name: their names, as a shell has them.
        source: the address of the machine that their lines are of.
        forms: makes the readers for one file, by its name.
        transport: ``own`` where the platform itself wrote them, so that they are believed.
    """

    folder: Path
    name: str
    source: str
    forms: Callable[[Path], LineForms]
    transport: Literal["file", "own"] = "file"


class OpenFile:
    """One file being read.

    Args:
        path: where it was found.
        handle: the open file, which stays the same one when it is renamed.
        watched: what is known of it.
    """

    def __init__(self, path: Path, handle: BinaryIO, watched: Watched) -> None:
        self.path = path
        self.source = watched.source
        self.transport: Literal["file", "own"] = watched.transport
        self.forms = watched.forms(path)
        self._handle = handle
        self.stream = ""
        self.position = 0
        self._skipping = False
        self._looked: tuple[int, int] = (-1, 0)
        self._read_at: tuple[int, int] = (-1, 0)

    def has_settled(self) -> bool:
        """Whether the file has changed since its records were read, and has been at rest since the last look."""
        state = os.fstat(self._handle.fileno())
        now, before = (state.st_size, state.st_mtime_ns), self._looked
        self._looked = now
        if now != before or now == self._read_at:
            return False
        self._read_at = now
        return True

    def recognise_whole(self, marks: Marks) -> None:
        """As `recognise`, for a file whose first bytes change."""
        state = os.fstat(self._handle.fileno())
        self.stream = f"file/{state.st_dev}:{state.st_ino}:whole"
        self.position = marks.get(self.stream)

    def recognise(self, marks: Marks) -> bool:
        """Finds out which file it is and how far it was stored; False while too little of it is there to know.

        Lines at the beginning that only say how others are to be read are told to ``forms`` again.
        """
        self._handle.seek(0)
        start = self._handle.read(_CHUNK)
        if b"\n" not in start[:_KNOWN_BY] and len(start) < _KNOWN_BY:
            return False
        first = start[:_KNOWN_BY].partition(b"\n")[0]
        state = os.fstat(self._handle.fileno())
        digest = hashlib.sha256(first).hexdigest()[:16]
        self.stream = f"file/{state.st_dev}:{state.st_ino}:{digest}"
        self.position = marks.get(self.stream)
        if self.position > state.st_size:  # begun anew with the same first line, or another file of this inode
            self.position = 0
        for line in start.splitlines():
            if self.forms.takes(line):
                break
        return True

    @property
    def was_truncated(self) -> bool:
        """Whether less is there than was read: it was begun anew."""
        return os.fstat(self._handle.fileno()).st_size < self.position

    def begin_anew(self) -> None:
        """The file was truncated: what stands in it now was never read."""
        self.stream, self.position, self._skipping = "", 0, False

    def lines(self) -> Iterator[Line]:
        """The lines that are whole now, from the present position on; each moves it."""
        self._handle.seek(self.position)
        while chunk := self._handle.read(_CHUNK):
            taken = 0
            for found in _lines(chunk, self.position, skipping=self._skipping):
                self._skipping = False
                self.position = found.end
                taken = found.end
                if found.raw or found.fault:
                    yield found
            if not taken:
                if len(chunk) < _CHUNK:
                    return  # the last line is not whole yet
                yield from self._overlong(chunk)
            self._handle.seek(self.position)

    def _overlong(self, chunk: bytes) -> Iterator[Line]:
        """A line that does not fit: its beginning, once; the rest is passed over."""
        self.position += len(chunk)
        if not self._skipping:
            yield Line(chunk[:_KEPT], self.position, f"oversized: at most {_CHUNK} bytes are taken")
        self._skipping = True

    def close(self) -> None:
        """Ends the reading."""
        self._handle.close()


def _lines(chunk: bytes, start: int, *, skipping: bool) -> Iterator[Line]:
    """The whole lines of a chunk that begins at this offset; the first is the rest of one that was too long."""
    begin = 0
    while (end := chunk.find(b"\n", begin)) >= 0:
        raw = b"" if skipping else chunk[begin:end].rstrip(b"\r")
        skipping = False
        begin = end + 1
        yield Line(raw, start + begin)


class Follower:
    """Follows files until cancelled.

    Args:
        watched: which.
        inlet: where lines go; while it is full, nothing is read.
        clock: tells when they were read.
        marks: how far files are stored.
    """

    def __init__(self, watched: Sequence[Watched], inlet: Inlet, clock: Clock, marks: Marks) -> None:
        self._watched = watched
        self._inlet = inlet
        self._clock = clock
        self._marks = marks
        self._open: dict[Key, OpenFile] = {}
        self._refused: set[str] = set()

    async def run(self, pause: Callable[[], Awaitable[None]]) -> None:
        """Looks at all files again and again, with a pause between."""
        try:
            while True:
                await self.look()
                await pause()
        finally:
            self.close()

    def close(self) -> None:
        """Lets all files go."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    async def look(self) -> None:
        """Reads what has come to the files since the last look; a file that is gone is read to its end and let go."""
        found = await asyncio.to_thread(self._found)
        for key, (path, watched) in found.items():
            if key not in self._open and len(self._open) < _MOST_FILES:
                self._try_to_open(key, path, watched)
        for key, file in list(self._open.items()):
            await self._read(file)
            if key not in found:
                file.close()
                del self._open[key]

    def _found(self) -> dict[Key, tuple[Path, Watched]]:
        found: dict[Key, tuple[Path, Watched]] = {}
        for watched in self._watched:
            for path in sorted(watched.folder.glob(watched.name)):
                with contextlib.suppress(OSError):  # gone between the two looks
                    state = path.stat()
                    if stat.S_ISREG(state.st_mode) and path.suffix not in _PACKED:
                        found.setdefault((state.st_dev, state.st_ino), (path, watched))
        return found

    def _try_to_open(self, key: Key, path: Path, watched: Watched) -> None:
        try:
            self._open[key] = OpenFile(path, path.open("rb"), watched)
        except OSError as error:
            if str(path) not in self._refused:
                self._refused.add(str(path))
                say(f"logs lane: {path} cannot be followed: {error.strerror}")

    async def _read(self, file: OpenFile) -> None:
        if file.forms.records is not None:
            await self._read_records(file, file.forms.records)
            return
        if file.was_truncated:
            self._marks.forget((file.stream,))
            file.begin_anew()
        if not file.stream and not file.recognise(self._marks):
            return
        for raw, end, fault in file.lines():
            if fault or file.forms.takes(raw):
                await self._put(file, raw, end, fault)

    async def _read_records(self, file: OpenFile, read: Callable[[Path], Iterator[bytes]]) -> None:
        """The records behind those that are stored; a mark counts records."""
        if not file.stream:
            file.recognise_whole(self._marks)
        if not file.has_settled():
            return
        records = islice(read(file.path), file.position, None)
        while found := await asyncio.to_thread(_some, records, file.path):
            for raw in found:
                file.position += 1
                await self._put(file, raw, file.position, "")

    async def _put(self, file: OpenFile, raw: bytes, end: int, fault: str) -> None:
        await self._inlet.put(
            Frame(
                file.source,
                file.transport,
                raw,
                self._clock.now(),
                stream=file.stream,
                mark=end,
                fault=fault,
                form=file.forms.form,
            )
        )


def _some(records: Iterator[bytes], path: Path) -> list[bytes]:
    """The next records; none where the file cannot be read, which is said."""
    try:
        return list(islice(records, _RECORDS))
    except UnavailableError as error:
        say(f"logs lane: {path} cannot be followed: {error}")
        return []
