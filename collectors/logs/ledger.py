"""The ledger of connections without acknowledgement: what is known of them when this process dies.

A memory-mapped file of fixed slots, one an open connection: the kernel keeps what was written to it also at
kill -9. A slot still in use at the next start is a connection that broke off or that we ended ourselves; messages
received from it and not stored are lost for certain, and what the kernel had taken besides is lost as well and cannot
be counted by anyone.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

_SLOT = struct.Struct("<B47xQQ")  # length of the source's name, the name, received, stored
_NAME, _RECEIVED, _STORED = 47, 48, 56  # the name's longest, and where the counts lie
SLOTS = 16_384
"""More than connections that can be open: one that has ended keeps its row until all it brought is on disk."""
_MAGIC = b"HDLEDGER1".ljust(64, b"\0")


class Interrupted(NamedTuple):
    """A connection that was open when the last process ended."""

    source: str
    received: int
    stored: int


class Entry:
    """One connection's row; given back when the connection has ended and all it brought is on disk."""

    def __init__(self, ledger: Ledger, slot: int) -> None:
        self._ledger = ledger
        self._slot = slot
        self._waiting = 0
        self._ended = False

    def received(self) -> None:
        """One more message was read."""
        self._ledger.add(self._slot, _RECEIVED)
        self._waiting += 1

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
            self._ledger.free(self._slot)


class Ledger:
    """All rows. One process owns the file."""

    def __init__(self, path: Path) -> None:
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
        self._map[start] = len(name)
        return Entry(self, slot)

    def add(self, slot: int, offset: int) -> None:
        """Adds one to a counter of the row."""
        at = self._start(slot) + offset
        struct.pack_into("<Q", self._map, at, struct.unpack_from("<Q", self._map, at)[0] + 1)

    def free(self, slot: int) -> None:
        """Gives the row back."""
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
                found.append(Interrupted(source, *struct.unpack_from("<QQ", self._map, start + _RECEIVED)))
                self._map[start] = 0
        return found

    def _start(self, slot: int) -> int:
        return len(_MAGIC) + slot * _SLOT.size


def _is_ledger(path: Path, size: int) -> bool:
    """Whether the file is a ledger of this format."""
    if not path.exists() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
