"""The spool: an append-only file that is on disk before anything is acknowledged.

A segment is ``NUMBER.spool``: a magic word with the format version, then frames of length, CRC-32 and payload.
Frame 0 is the head, given by the owner when the segment is opened. Numbers are the clock's nanoseconds and only
ever grow, also across a restore from a backup, so (segment, offset) names a record for good.
A broken last frame was never acknowledged and is not read.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from core.clock import Clock
from core.errors import IntegrityError, UnavailableError
from core.files import make_folder, sync_folder

MAGIC = b"HDSPOOL1"
_FRAME = struct.Struct("<II")


class Position(NamedTuple):
    """Names one record: the segment's number and the record's ordinal in it, from 0."""

    segment: int
    offset: int


class Segment(NamedTuple):
    """What a segment holds: its number, head, payloads, and how many bytes at its end are broken."""

    number: int
    head: bytes
    payloads: list[bytes]
    torn: int


class Spool:
    """The writing end; one process owns it.

    ``floor`` is the highest number that was ever given, where no segment is left to tell: the manifest's ``through``.
    """

    def __init__(self, folder: Path, clock: Clock, floor: int = 0) -> None:
        self._folder = make_folder(folder)
        self._floor = floor
        self._clock = clock
        self._file: FileIO | None = None
        self._next = Position(0, 0)
        self.opened = 0

    @property
    def next(self) -> Position:
        """Where the next record will lie."""
        return self._next

    def open(self, head: bytes) -> None:
        """Closes the present segment, if any, and starts a new one."""
        self.close()
        newest = max([self._floor, *map(segment_number, segments(self._folder))])
        self.opened = self._clock.now()
        number = max(self.opened, newest + 1)
        path = self._folder / f"{number:020d}.spool"
        temporary = path.with_suffix(".new")
        self._file = temporary.open("wb", buffering=0)
        self._write(MAGIC + _frame(head))
        temporary.rename(path)
        sync_folder(self._folder)
        self._next = Position(number, 0)

    def append(self, payloads: Sequence[bytes]) -> None:
        """Writes the records and returns when they are on disk.

        Raises:
            UnavailableError: the disk is full or failing; nothing may be acknowledged, and the segment is closed.
            IntegrityError: no segment is open.
        """
        self._write(b"".join(map(_frame, payloads)))
        self._next = Position(self._next.segment, self._next.offset + len(payloads))

    def closed(self) -> list[Path]:
        """The segments that will not grow any more, oldest first."""
        return [path for path in segments(self._folder) if segment_number(path) != self._next.segment]

    def close(self) -> None:
        """Closes the present segment."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise IntegrityError("the spool is not open")
        try:
            _write_all(self._file, content)
            os.fsync(self._file.fileno())
        except OSError as error:
            # What follows a torn frame would never be read, so nothing may follow: the owner opens a new segment.
            self.close()
            raise UnavailableError(f"cannot write the spool in {self._folder}: {error.strerror}") from error


def segments(folder: Path) -> list[Path]:
    """All segments in the folder, oldest first."""
    return sorted(folder.glob("*.spool"))


def segment_number(path: Path) -> int:
    """The number in a segment's name."""
    return int(path.stem)


def read_segment(path: Path) -> Segment:
    """Reads a segment up to its first broken frame; the owner may be writing it meanwhile.

    Raises:
        IntegrityError: the file is not a spool segment of this format.
        FileNotFoundError: the segment has been turned into a partition meanwhile.
    """
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        raise IntegrityError(f"{path} is not a spool segment of format {MAGIC.decode()}")
    payloads: list[bytes] = []
    start = len(MAGIC)
    while (payload := _payload_at(content, start)) is not None:
        payloads.append(payload)
        start += _FRAME.size + len(payload)
    if not payloads:
        raise IntegrityError(f"{path} has no head: restore it from a backup")
    return Segment(segment_number(path), payloads[0], payloads[1:], len(content) - start)


def _write_all(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _frame(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _payload_at(content: bytes, start: int) -> bytes | None:
    if start + _FRAME.size > len(content):
        return None
    length, checksum = _FRAME.unpack_from(content, start)
    payload = content[start + _FRAME.size : start + _FRAME.size + length]
    whole = len(payload) == length and zlib.crc32(payload) == checksum
    return payload if whole else None
