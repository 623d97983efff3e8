"""Requests on disk until their receiver has them for certain: a spool that is bounded in bytes.

A receiver acknowledges before what it took is on its disk (VictoriaMetrics keeps up to five seconds in memory), so
requests stay for a while after they were acknowledged, and are sent again when the receiver may have died meanwhile.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.clock import SECOND, Clock
from core.errors import HaidangError, IntegrityError, UnavailableError
from core.files import remove_file, replace_file
from core.remote_write_wire import Request
from core.stores.spool import Position, Spool, read_segment, segment_number, segments
from core.versioned import Versioned, load_versioned

SETTLED = 30 * SECOND
"""How long after it was acknowledged a request is held for sure to be on the receiver's disk."""

SEGMENT_BYTES = 4 << 20
NOTE_EACH = SECOND
"""How often at most the position is written; after a crash what was sent since is sent again."""

_HEAD = b"remote-write 1"
_SAMPLES = struct.Struct("<I")
_NAME = "position.json"


class _Noted(Versioned, frozen=True, kw_only=True):
    """Where sending goes on after a restart (``settled``), and up to where all was acknowledged once."""

    settled: Position = Position(0, 0)
    acknowledged: Position = Position(0, 0)


class Waiting(NamedTuple):
    """The next request to be sent, and whether the receiver has acknowledged it once already."""

    request: Request
    again: bool


class RequestQueue:
    """Requests in order; one process owns it. Not for several threads at once.

    ``overflowed`` counts samples that were never sent because the disk's bound was reached, the oldest of them first,
    or because what they lay in is damaged; of what an earlier process left, as far as it can still be read.

    Raises:
        UnavailableError: the folder cannot be written.
        IntegrityError: the position cannot be read.
    """

    def __init__(self, folder: Path, clock: Clock, most_bytes: int) -> None:
        self._folder = folder
        self._clock = clock
        self._most = most_bytes
        noted = load_versioned(folder / _NAME, _Noted, "remove it, and all that is kept is sent again")
        self._settled = self._next = noted.settled
        self._acknowledged = noted.acknowledged
        self._unsettled: deque[tuple[int, Position]] = deque()
        self._noted = 0
        self._broken = False
        self._left: dict[int, int] = {}
        self._given = self._let_go = 0
        self._damaged: set[int] = set()
        self._spool = Spool(folder, clock, floor=max(noted.settled.segment, noted.acknowledged.segment))
        self._loaded = Position(0, 0).segment, list[bytes]()
        self._open_segment()
        self.overflowed = 0

    def append(self, request: Request) -> None:
        """Takes a request; it is on disk when this returns.

        Raises:
            UnavailableError: the disk is full or failing.
        """
        payload = _SAMPLES.pack(request.samples) + request.body
        if self._broken or (self._present and self._bytes + len(payload) > SEGMENT_BYTES):
            self._open_segment()
        number = self._spool.next.segment
        left, self._broken = self._left.pop(number), True  # what a write that fails leaves there is counted anew
        self._spool.append([payload])
        self._left[number], self._broken = left + request.samples, False
        self._present.append(payload)
        self._bytes += len(payload)
        self._bound()

    def next(self) -> Waiting | None:
        """The request to be sent now; None if there is none.

        Raises:
            IntegrityError: a segment is damaged; it is passed over from now on.
            UnavailableError: the disk is failing.
        """
        self._given = self._let_go = 0
        for number in self._numbers():
            if number < self._next.segment or number in self._damaged:
                continue
            offset = self._next.offset if number == self._next.segment else 0
            payloads = self._readable(number)
            if offset < len(payloads):
                self._next = Position(number, offset)
                (self._given,) = _SAMPLES.unpack_from(payloads[offset])
                request = Request(payloads[offset][_SAMPLES.size :], self._given)
                return Waiting(request, again=self._next < self._acknowledged)
            if number != self._spool.next.segment:
                self._lose(number)  # what lies behind a broken frame
        return None

    def done(self) -> None:
        """The request last given needs not be sent again, unless the receiver dies soon.

        Raises:
            UnavailableError: the disk is full or failing; after a crash it is sent again.
        """
        now = self._clock.now()
        self.overflowed -= self._let_go
        self._let_go = 0
        self._next = Position(self._next.segment, self._next.offset + 1)
        if self._next > self._acknowledged:
            self._acknowledged = self._next
            if self._next.segment in self._left:
                self._left[self._next.segment] -= self._given
        self._unsettled.append((now, self._next))
        while self._unsettled and self._unsettled[0][0] <= now - SETTLED:
            self._settled = max(self._settled, self._unsettled.popleft()[1])
        if now - self._noted >= NOTE_EACH:
            self._note()

    def rewind(self) -> None:
        """The receiver may have died: what it may not have written yet is to be sent again."""
        self._unsettled.clear()
        self._next = self._settled

    def waiting(self) -> int:
        """How many samples were never acknowledged; what an earlier process left is read for it, once."""
        return sum(self._unsent(number) for number in self._numbers())

    def close(self) -> None:
        """Notes the position and closes the files.

        Raises:
            UnavailableError: the disk is full or failing; what was sent since the last note is sent again.
        """
        try:
            self._note()
        finally:
            self._spool.close()

    def _open_segment(self) -> None:
        self._broken = True
        with _disk(self._folder):
            self._spool.open(_HEAD)
        self._present: list[bytes] = []
        self._left[self._spool.next.segment] = 0
        self._bytes = 0
        self._broken = False

    def _numbers(self) -> list[int]:
        return [segment_number(path) for path in segments(self._folder)]

    def _payloads(self, number: int) -> list[bytes]:
        if number == self._spool.next.segment and not self._broken:
            return self._present
        if self._loaded[0] != number:
            with _disk(self._folder):
                self._loaded = number, read_segment(self._path(number)).payloads
        return self._loaded[1]

    def _readable(self, number: int) -> list[bytes]:
        """The same; of a damaged segment it is told once that it is."""
        try:
            return self._payloads(number)
        except IntegrityError:
            self._lose(number)
            self._damaged.add(number)
            raise

    def _lose(self, number: int) -> None:
        """Counts what was never sent of a segment and cannot be read any more."""
        if self._left.get(number):
            self.overflowed += self._left[number]
            self._left[number] = 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:020d}.spool"

    def _unsent(self, number: int) -> int:
        """How many samples of a segment were never acknowledged."""
        if number in self._damaged:
            return 0
        if number not in self._left:
            try:
                self._left[number] = self._counted(number)
            except HaidangError:  # ``next`` tells of it
                return 0
        return self._left[number]

    def _counted(self, number: int) -> int:
        return sum(
            _SAMPLES.unpack_from(payload)[0]
            for offset, payload in enumerate(self._payloads(number))
            if Position(number, offset) >= self._acknowledged
        )

    def _bound(self) -> None:
        """Lets the oldest segments go while there are too many bytes; the present one stays."""
        with _disk(self._folder):
            paths = segments(self._folder)
            sizes = [path.stat().st_size for path in paths]
            while len(paths) > 1 and sum(sizes) > self._most:
                number = segment_number(paths.pop(0))
                sizes.pop(0)
                if number == self._next.segment and self._next >= self._acknowledged:
                    self._let_go = self._given  # it is on its way, and no loss if it arrives
                self.overflowed += self._unsent(number)
                self._remove(number)

    def _note(self) -> None:
        self._noted = self._clock.now()
        noted = _Noted(settled=self._settled, acknowledged=self._acknowledged)
        with _disk(self._folder):
            replace_file(self._folder / _NAME, msgspec.json.encode(noted))
            for number in self._numbers():
                if number < self._settled.segment and number != self._spool.next.segment:
                    self._remove(number)

    def _remove(self, number: int) -> None:
        remove_file(self._path(number))
        self._left.pop(number, None)
        self._damaged.discard(number)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """What the disk refuses is told as something that is away for now."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"{folder}: what waits for the receiver cannot be kept: {error.strerror}") from error
