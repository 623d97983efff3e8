"""The lane's one road: frames are decoded, enriched, put on disk, acknowledged, and only then judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.resend import Streams, Tails, digest
from collectors.logs.sources import SourceNames
from collectors.logs.spooling import encode_head, encode_record
from core.clock import MINUTE, Clock
from core.metrics import LaneMetrics
from core.records import Event
from core.stores.spool import Position, Spool

_LARGEST_BATCH = 1000
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

    ``tails`` are the streams' ends as they are on disk: what is only on its way there must not be taken for a resend
    after a crash.
    """

    def __init__(
        self,
        spool: Spool,
        tails: Tails,
        enrich: Callable[[Event], Event],
        observe: Observer,
        decoder: Decoder,
        metrics: LaneMetrics,
    ) -> None:
        self._spool = spool
        self._tails = tails
        self._decoder = decoder
        self._enrich = enrich
        self._observe = observe
        self._metrics = metrics
        self._sources = SourceNames()
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(_QUEUE)

    def label(self, source: str) -> str:
        """The metric label for this source: one of a bounded number."""
        return self._sources.label(source)

    async def put(self, frame: Frame) -> None:
        """Waits while the queue is full: the sender is slowed down, nothing is lost."""
        self._metrics.received.labels(self.label(frame.source)).inc()
        await self._queue.put(frame)

    def offer(self, frame: Frame) -> None:
        """Drops and counts the frame if the queue is full: UDP cannot be slowed down."""
        source = self.label(frame.source)
        self._metrics.received.labels(source).inc()
        try:
            self._queue.put_nowait(frame)
        except asyncio.QueueFull:
            self._metrics.dropped.labels(source).inc()

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
        while len(batch) < _LARGEST_BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
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
        for frame in batch:
            if frame.resent:
                self._metrics.duplicates.labels(self.label(frame.source)).inc()
                continue
            event, kept = self._event(frame, f"logs/{start.segment}/{start.offset + len(payloads)}")
            payloads.append(encode_record(event, frame.stream))
            if frame.stream:
                self._tails.add(frame.stream, digest(frame.raw))
            if kept:
                events.append(event)
        self._spool.append(payloads)
        return events

    def _event(self, frame: Frame, identity: str) -> tuple[Event, bool]:
        source = self.label(frame.source)
        decoded = self._decoder.decode(frame, identity)
        if decoded.untrusted_time:
            self._metrics.untrusted_time.labels(source).inc()
        counter = self._metrics.quarantined if decoded.quarantined else self._metrics.stored
        counter.labels(source).inc()
        return self._enrich(decoded.event), not decoded.quarantined

    def _roll(self, known: set[str]) -> None:
        self._observe((), self._spool.next)  # all of the old segment is judged: say so before it may go
        self._tails.keep(known)
        self._spool.open(encode_head(self._tails))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does the work whole, also if cancelled meanwhile: its thread would go on and meet the next one's."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
