"""From the hits of an episode to the alert that people read: evidence by value, bounded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from core.records import Alert, Evidence
from correlation.rules import CorrelationRule

Place: TypeAlias = tuple[str, str]
"""The site of a hit, and its unit."""

FIRST = 50
LAST = 50
MOST_BYTES = 256 << 10


def build_alert(
    rule: CorrelationRule, group: Mapping[str, str], hits: Iterable[Alert], left_out: int, also: Iterable[Place] = ()
) -> Alert:
    """The alert of one rule and group whose hits are these; ``left_out`` more took part, at places that ``also`` names.

    Only the first and last hits tell device and evidence: those in the middle may be among the ones left out. All tell
    at which sites it was, for everybody whom it concerns has to see it.
    """
    known = sorted(hits, key=order)
    places = places_of(known) | set(also)
    ordered = known if len(known) <= FIRST + LAST else [*known[:FIRST], *known[-LAST:]]
    objects = tuple((name, _object_value(name, group, ordered)) for name in rule.info.object)
    return Alert(
        id=_identity(rule.info.id, tuple(group.values()), ordered[0].start),
        rule=rule.info.id,
        name=rule.info.name,
        title=rule.info.title,
        cause=rule.info.cause,
        object=objects,
        severity=rule.info.level,
        techniques=rule.info.techniques,
        start=ordered[0].start,
        end=ordered[-1].end,
        count=len(known) + left_out,
        evidence=bounded([item for hit in ordered for item in hit.evidence]),
        unit=_first(hit.unit for hit in ordered),
        site=_first(hit.site for hit in ordered),
        device=_first(hit.device for hit in ordered),
        closes=rule.info.closes,
        sites=tuple(sorted({site for site, _ in places} - {""})),
        units=tuple(sorted({unit for _, unit in places} - {""})),
    )


def places_of(hits: Iterable[Alert]) -> set[Place]:
    """Where these hits were."""
    return {(hit.site, hit.unit) for hit in hits}


def bounded(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The first and last 50, and of these as many as fit in 256 KB, the last ones kept longest."""
    chosen = list(evidence) if len(evidence) <= FIRST + LAST else [*evidence[:FIRST], *evidence[-LAST:]]
    while sum(len(item.raw) for item in chosen) > MOST_BYTES:
        chosen.pop(len(chosen) // 2)
    return tuple(chosen)


def order(hit: Alert) -> tuple[int, str]:
    """The place of a hit among others: by time, then by id."""
    return hit.start, hit.id


def _object_value(name: str, group: Mapping[str, str], hits: Sequence[Alert]) -> str:
    if name in group:
        return group[name]
    return _first(dict(hit.object).get(name, "") for hit in hits)


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _identity(rule: str, group: tuple[str, ...], start: int) -> str:
    return hashlib.sha256(msgspec.json.encode([rule, group, start])).hexdigest()[:32]
