"""The ledger of connections without acknowledgement: what is known of them when this process dies.

A memory-mapped file of fixed slots, one an open connection: the kernel keeps what was written to it also at
kill -9. A slot still in use at the next start is a connection that broke off or that we ended ourselves; messages
received from it and not stored are lost for certain, and what the kernel had taken besides is lost as well and cannot
be counted by anyone. How many were stored the spool says itself, by the connection's mark: this process may have died
after they were on disk and before it could note so here.
"""

from __future__ import annotations

import mmap
import secrets
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_SLOT = struct.Struct("<B47xQQQ")  # length of the source's name, the name, received, stored, the connection's number
_NAME, _RECEIVED, _STORED, _NUMBER = 47, 48, 56, 64  # the name's longest, and where the numbers lie
SLOTS = 16_384
"""More than connections that can be open: one that has ended keeps its row until all it brought is on disk."""
KIND = "tcp"
"""Of connections' streams among all that have marks."""
_MAGIC = b"HDLEDGER2".ljust(64, b"\0")


class Interrupted(NamedTuple):
    """A connection that was open when the last process ended."""

    source: str
    received: int
    stored: int
    stream: str = ""


class Entry:
    """One connection's row; given back when the connection has ended and all it brought is on disk.

    Attributes:
        stream: names the connection in the spool's marks.
    """

    def __init__(self, ledger: Ledger, slot: int, stream: str) -> None:
        self.stream = stream
        self._ledger = ledger
        self._slot = slot
        self._waiting = 0
        self._ended = False

    def received(self) -> int:
        """One more message was read: how many these are, which is its mark."""
        self._waiting += 1
        return self._ledger.add(self._slot, _RECEIVED)

    def stored(self) -> None:
        """One more of them is on disk."""
        self._ledger.add(self._slot, _STORED)
        self._waiting -= 1
        self._give_back()

    def close(self) -> None:
        """The connection has ended, in good order or told otherwise."""
        self._ended = True
        self._give_back()

    def _give_back(self) -> None:
        if self._ended and not self._waiting:
            self._ledger.free(self._slot, self.stream)


class Ledger:
    """All rows. One process owns the file.

    Args:
        path: the file.
        forget: told the stream of each connection whose row is given back: its mark is not needed any more.
    """

    def __init__(self, path: Path, forget: Callable[[str], None] = lambda _: None) -> None:
        self._forget = forget
        size = len(_MAGIC) + SLOTS * _SLOT.size
        if not _is_ledger(path, size):
            path.write_bytes(_MAGIC.ljust(size, b"\0"))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self.interrupted = self._read_interrupted()
        self._free = list(range(SLOTS - 1, -1, -1))

    def open(self, source: str) -> Entry | None:
        """A row for a new connection; None when all are taken, by connections that ended while the disk was slow."""
        if not self._free:
            return None
        slot = self._free.pop()
        name = source.encode()[:_NAME]
        start = self._start(slot)
        self._map[start : start + _SLOT.size] = bytes(_SLOT.size)
        self._map[start + 1 : start + 1 + len(name)] = name
        number = secrets.randbits(63)
        struct.pack_into("<Q", self._map, start + _NUMBER, number)
        self._map[start] = len(name)
        return Entry(self, slot, _stream(number))

    def add(self, slot: int, offset: int) -> int:
        """Adds one to a counter of the row; returns what it then is."""
        at = self._start(slot) + offset
        count: int = struct.unpack_from("<Q", self._map, at)[0] + 1
        struct.pack_into("<Q", self._map, at, count)
        return count

    def free(self, slot: int, stream: str) -> None:
        """Gives the row back, and has the connection's mark forgotten."""
        self._forget(stream)
        self._map[self._start(slot)] = 0
        self._free.append(slot)

    def close(self) -> None:
        """Leaves the file; rows still open count as interrupted at the next start."""
        self._map.close()

    def _read_interrupted(self) -> list[Interrupted]:
        found = []
        for slot in range(SLOTS):
            start = self._start(slot)
            if length := self._map[start]:
                source = self._map[start + 1 : start + 1 + length].decode("utf-8", "replace")
                received, stored, number = struct.unpack_from("<QQQ", self._map, start + _RECEIVED)
                found.append(Interrupted(source, received, stored, _stream(number)))
                self._map[start] = 0
        return found

    def _start(self, slot: int) -> int:
        return len(_MAGIC) + slot * _SLOT.size


def _stream(number: int) -> str:
    return f"{KIND}/{number:x}"


def _is_ledger(path: Path, size: int) -> bool:
    """Whether the file is a ledger of this format."""
    if not path.exists() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
