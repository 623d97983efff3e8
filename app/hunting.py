"""Rules over stored events: what `haidang hunt` does, by the engine that judges them as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from core.clock import VIETNAM, to_datetime
from core.records import Event, Record
from core.sigma import RuleInfo
from core.stores.events import Batch
from detections.engine import Matcher

MOST_WAITING = 100_000
"""Hits that wait in memory for earlier ones; beyond, the first half is told although an earlier one may follow."""


class Sighting(Record, frozen=True, kw_only=True):
    """A rule and the stored event that meets it; the time is that of the event, in Vietnam."""

    rule: str
    event: str
    time: str
    title: str
    site: str
    device: str


def sightings(matcher: Matcher, batches: Iterable[Batch]) -> Iterator[tuple[int, list[Sighting]]]:
    """For each batch how many events it has, and which hits can be told by now; all hits come in order of time."""
    waiting: list[tuple[str, int, Sighting]] = []
    number = count()
    for floor, events in batches:
        for event in events:
            for rule in matcher.match(event):
                heappush(waiting, ((one := _sighting(rule, event)).time, next(number), one))
        yield len(events), list(_ready(waiting, _time(floor)))
    yield 0, [heappop(waiting)[2] for _ in range(len(waiting))]


def _ready(waiting: list[tuple[str, int, Sighting]], floor: str) -> Iterator[Sighting]:
    """The earliest hits, before which none can come any more, or for which there is no room."""
    room = MOST_WAITING // 2 if len(waiting) > MOST_WAITING else len(waiting)
    while waiting and (waiting[0][0] < floor or len(waiting) > room):
        yield heappop(waiting)[2]


def _sighting(rule: RuleInfo, event: Event) -> Sighting:
    return Sighting(
        rule=rule.id,
        event=event.id,
        time=_time(event.time),
        title=rule.title["vi"],
        site=event.site,
        device=event.device,
    )


def _time(nanoseconds: int) -> str:
    """ISO 8601 in Vietnam, always as long, so that texts are in order as times are: years have four digits."""
    return to_datetime(nanoseconds).astimezone(VIETNAM).isoformat(timespec="microseconds")
