"""Rules over stored events: what `haidang hunt` does, by the engine that judges them as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.clock import iso
from core.records import Event, Record
from core.sigma import RuleInfo
from detections.engine import Matcher


class Sighting(Record, frozen=True, kw_only=True):
    """A rule and the stored event that meets it."""

    rule: str
    event: str
    time: str
    title: str
    site: str
    device: str


def sightings(matcher: Matcher, batches: Iterable[Sequence[Event]]) -> Iterator[tuple[int, list[Sighting]]]:
    """For each batch how many events it has, and what was met in it."""
    for events in batches:
        yield len(events), [_sighting(rule, event) for event in events for rule in matcher.match(event)]


def _sighting(rule: RuleInfo, event: Event) -> Sighting:
    return Sighting(
        rule=rule.id,
        event=event.id,
        time=iso(event.time),
        title=rule.title["vi"],
        site=event.site,
        device=event.device,
    )
