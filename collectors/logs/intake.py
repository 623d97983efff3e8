"""The lane's one road: frames are decoded, enriched, put on disk, acknowledged, and only then judged."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from collectors.logs.decode import Decoded, Decoder
from collectors.logs.frames import Frame
from collectors.logs.gate import Limits, Shares
from collectors.logs.resend import Streams, digest
from collectors.logs.spooling import Ends, encode_head, encode_record
from collectors.logs.tally import Batch, Tally
from core.clock import MINUTE, Clock, SystemClock
from core.records import Event
from core.stores.spool import Position, Spool

_LARGEST_BATCH = 1000
_FEW = 200
_GATHER = 0.01
"""With fewer frames waiting, the seconds in which more may gather: each batch costs a sync of the disk."""
_QUEUE = 20_000
_LARGEST_SEGMENT = 200_000
"""Records of a segment, which is turned into a minute file in memory."""
_IDLE = 1.0
"""Seconds after which an idle lane looks whether its segment is due."""


class Observer(Protocol):
    """What happens to events that are safely stored."""

    def __call__(self, events: Sequence[Event], position: Position) -> None:
        """Judges the events; ``position`` is where the next event will lie."""
        ...


class Intake:
    """Takes frames from all receivers and carries them, in batches, in the order they came.

    ``ends`` are those of streams, requests and files as they are on disk: what is only on its way there must not be
    taken for a resend after a crash.
    """

    def __init__(
        self,
        spool: Spool,
        ends: Ends,
        enrich: Callable[[Event], Event],
        observe: Observer,
        decoder: Decoder,
        tally: Tally,
    ) -> None:
        self._spool = spool
        self._ends = ends
        self._decoder = decoder
        self._enrich = enrich
        self._observe = observe
        self._tally = tally
        self._received: Counter[str] = Counter()
        self._limits = Limits(0, {})
        self._clock: Clock = SystemClock()
        self._shares = Shares(_QUEUE)
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(_QUEUE)

    def limit(self, limits: Limits, clock: Clock) -> None:
        """Sets how much a source may send from now on."""
        self._limits, self._clock = limits, clock

    async def put(self, frame: Frame) -> None:
        """Waits while the queue is full, or the source over its limit: the sender is slowed down, nothing is lost."""
        source = frame.source
        self._received[source] += 1
        if self._limits.any:
            await self._wait_for_token(source)
        self._shares.enter(source)
        await self._queue.put(frame)

    async def _wait_for_token(self, source: str) -> None:
        while wait := self._limits.delay(source, self._clock.now()):  # noqa: ASYNC110 - time alone brings a token
            await asyncio.sleep(wait)

    def offer(self, frames: Sequence[Frame]) -> None:
        """Drops and counts what there is no room for: UDP cannot be slowed down."""
        dropped: Counter[str] = Counter()
        for frame in frames:
            source = frame.source
            self._received[source] += 1
            if self._admits(source):
                self._shares.enter(source)
                self._queue.put_nowait(frame)
            else:
                dropped[source] += 1
        self._tell_received()
        self._tally.count("dropped", dropped)

    def _tell_received(self) -> None:
        received, self._received = self._received, Counter()
        self._tally.count("received", received)

    def crowded(self) -> bool:
        """Whether so many wait that soon not everyone may come in; for any thread to ask."""
        return self._shares.crowded

    def _admits(self, source: str) -> bool:
        if self._queue.full() or not self._shares.admits(source):
            return False
        return not self._limits.any or not self._limits.delay(source, self._clock.now())

    async def run(self, clock: Clock, streams: Streams, rolled: Callable[[], None]) -> None:
        """Carries frames until cancelled; starts a new segment each minute and tells ``rolled``."""
        while True:
            batch = await self._batch()
            if batch:
                await _to_its_end(self._carry(batch))
            if self._due(clock.now()):
                await _to_its_end(asyncio.to_thread(self._roll, streams.known()))
                rolled()

    async def drain(self) -> None:
        """Carries what has been taken in and not yet carried."""
        while not self._queue.empty():
            await self._carry(await self._batch())

    def _due(self, now: int) -> bool:
        """Whether the segment is old or large enough to become a minute file; an empty one never is."""
        count = self._spool.next.offset
        return count >= _LARGEST_SEGMENT or (count > 0 and now - self._spool.opened > MINUTE)

    async def _batch(self) -> list[Frame]:
        try:
            async with asyncio.timeout(_IDLE):  # asyncio.wait_for may swallow a cancel that comes just as a frame does
                batch = [await self._queue.get()]
        except TimeoutError:
            return []
        if self._queue.qsize() < _FEW:
            await asyncio.sleep(_GATHER)
        while len(batch) < _LARGEST_BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        for frame in batch:
            self._shares.leave(frame.source)
        self._tell_received()
        return batch

    async def _carry(self, batch: list[Frame]) -> None:
        events = await asyncio.to_thread(self._store, batch)
        for frame in batch:
            frame.stored()
        await asyncio.to_thread(self._observe, events, self._spool.next)

    def _store(self, batch: list[Frame]) -> list[Event]:
        start = self._spool.next
        payloads: list[bytes] = []
        events: list[Event] = []
        counted = Batch()
        for frame in batch:
            if frame.resent:
                counted.resent(frame.source)
                continue
            decoded, event, payload = self._read(frame, f"logs/{start.segment}/{start.offset + len(payloads)}")
            payloads.append(payload)
            if frame.stream:
                self._remember(frame)
            counted.stored(frame, decoded, event)
            if not decoded.quarantined:
                events.append(event)
        self._spool.append(payloads)
        counted.tell(self._tally)
        return events

    def _read(self, frame: Frame, identity: str) -> tuple[Decoded, Event, bytes]:
        """The frame's event, whose it is, and its record."""
        try:
            decoded = self._decoder.decode(frame, identity)
            event = self._enrich(decoded.event)
            return decoded, event, encode_record(event, frame.stream, frame.mark)
        except Exception as error:  # noqa: BLE001 - no message, whatever is in it, may stop its neighbours
            decoded = self._decoder.refused(frame, identity, error)
            return decoded, decoded.event, encode_record(decoded.event, frame.stream, frame.mark)

    def _remember(self, frame: Frame) -> None:
        if frame.mark:
            self._ends.marks.set(frame.stream, frame.mark)
        else:
            self._ends.tails.add(frame.stream, digest(frame.raw))

    def _roll(self, known: set[str]) -> None:
        self._observe((), self._spool.next)  # all of the old segment is judged: say so before it may go
        self._ends.tails.keep(known)
        self._spool.open(encode_head(self._ends))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does the work whole, also if cancelled meanwhile: its thread would go on and meet the next one's."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
