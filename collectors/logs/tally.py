"""What the lane counts, in its figures and in the book of its sources alike: by batch and source, not by message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Lock
from typing import Any

from prometheus_client import Counter

from collectors.logs.book import Book, Heard, Told
from collectors.logs.decode import OURSELVES, Decoded
from collectors.logs.frames import Frame
from collectors.logs.learning import Habit
from collectors.logs.sources import SourceNames
from core.clock import Clock
from core.metrics import LaneMetrics
from core.records import Event
from core.sources import Sources

OWN = "own"
"""How the lane's own words come, which are of no source."""


class Tally:
    """Counts; for several threads.

    Args:
        metrics: the lane's figures.
        book: of its sources.
        clock: tells when something was counted.
    """

    def __init__(self, metrics: LaneMetrics, book: Book, clock: Clock) -> None:
        self._counters = {
            "received": metrics.received,
            "stored": metrics.stored,
            "duplicates": metrics.duplicates,
            "quarantined": metrics.quarantined,
            "dropped": metrics.dropped,
            "untrusted": metrics.untrusted_time,
        }
        self._children: dict[tuple[str, str], Counter] = {}
        self._book = book
        self._clock = clock
        self._names = SourceNames()
        self._lock = Lock()

    def label(self, source: str) -> str:
        """The metric label for this source: one of a bounded number."""
        return self._names.label(source)

    def count(self, what: str, by_source: Mapping[str, int]) -> None:
        """So many messages of each source were ``received``, ``stored``, ``dropped`` and so on."""
        if not by_source:
            return
        with self._lock:
            if what in self._counters:
                for source, count in by_source.items():
                    self._child(what, source).inc(count)
            others = {source: count for source, count in by_source.items() if source != OURSELVES}
            self._book.count(what, others, self._clock.now())

    def hear(self, heard: Iterable[tuple[Frame, Event, int]]) -> None:
        """The latest message of each source in a batch, and how many of the source's were in it."""
        with self._lock:
            for frame, event, count in heard:
                if frame.transport != OWN:
                    self._book.hear(frame.source, frame.seen, count, partial(_heard, frame, event))

    def _child(self, what: str, source: str) -> Counter:
        """The figure of this kind and source; the library's own way to it takes a lock each time."""
        key = (what, self._names.label(source))
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._counters[what].labels(key[1])
        return child

    def changes(self) -> list[Told]:
        """What has changed of the sources."""
        with self._lock:
            return list(self._book.changes(self._clock.now()))

    def sources(self, zone_of: Callable[[str], tuple[str, str]]) -> Sources:
        """All sources as they are shown."""
        with self._lock:
            return self._book.content(self._clock.now(), zone_of)

    def habits(self) -> dict[str, Habit]:
        """A copy of all that was learnt of them."""
        with self._lock:
            return dict(self._book.habits())


class Batch:
    """What is counted of one batch on its way to the disk."""

    def __init__(self) -> None:
        self._duplicates: dict[str, int] = {}
        self._rows: dict[str, _Row] = {}

    def resent(self, source: str) -> None:
        """One message was on disk already."""
        self._duplicates[source] = self._duplicates.get(source, 0) + 1

    def stored(self, frame: Frame, decoded: Decoded, event: Event) -> None:
        """One message is stored, or kept aside."""
        row = self._rows.get(frame.source)
        if row is None:
            row = self._rows[frame.source] = _Row()
        if decoded.quarantined:
            row.quarantined += 1
            return
        row.stored += 1
        row.frame, row.event = frame, event
        if event.logsource.product:
            row.understood += 1
        if decoded.untrusted_time:
            row.untrusted += 1

    def tell(self, tally: Tally) -> None:
        """Counts all of it."""
        tally.count("duplicates", self._duplicates)
        for what in ("stored", "quarantined", "understood", "untrusted"):
            tally.count(what, {source: n for source, row in self._rows.items() if (n := getattr(row, what))})
        rows = self._rows.values()
        tally.hear(
            (row.frame, row.event, row.stored) for row in rows if row.frame is not None and row.event is not None
        )


class _Row:
    """What a batch holds of one source, and its latest message."""

    __slots__ = ("event", "frame", "quarantined", "stored", "understood", "untrusted")

    def __init__(self) -> None:
        self.stored = self.quarantined = self.understood = self.untrusted = 0
        self.frame: Frame | None = None
        self.event: Event | None = None


def _heard(frame: Frame, event: Event) -> Heard:
    kind = event.logsource
    name = event.device or _text(event.fields.get("host.name"))
    return Heard(
        way=frame.transport,
        kind="/".join(filter(None, (kind.product, kind.category, kind.service))) if kind.product else "",
        seen=frame.seen,
        told=event.time if event.time != frame.seen else None,
        device=name,
        site=event.site,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
