"""Units, the sector's legal bodies: dated, with predecessors and successors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias

import msgspec

from core.records import Record

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Day: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
"""A date (ISO 8601) or nothing, which leaves that end of a period open."""

UnitType: TypeAlias = Literal["supreme", "high", "province", "area", "inner", "district"]
FactKind: TypeAlias = Literal["name", "short", "alias", "parent", "status", "code.gso", "code.ma_dinh_danh", "domain"]
CodeScheme: TypeAlias = Literal["gso", "ma_dinh_danh"]

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
"""The ends of an open period."""


class Unit(Record, frozen=True, kw_only=True):
    """A legal body: the supreme procuracy, one of its inner units, a high, provincial or area (khu vực) one.

    Attributes:
        name: the official name at the end of its life, or today's; names it had before are facts.
        parent: id of the unit above; empty for the supreme one alone.
        valid_from: the first day; empty if it began before all that is recorded.
        valid_to: the last day; empty while it exists.

    Source: Luật 82/2025/QH15, three levels since 1 July 2025; Luật 63/2014/QH13 before.
    """

    id: Text
    name: Text
    type: UnitType
    parent: str = ""
    valid_from: Day = ""
    valid_to: Day = ""


class UnitFact(Record, frozen=True, kw_only=True):
    """What held of a unit during a time: a name, an alias, a code, a domain, its parent or its rank.

    Attributes:
        what: ``status`` says of what the unit is the procuracy: ``tỉnh`` or ``thành phố``.
        valid_from: the first day; empty for as long as the unit.
        valid_to: the last day, likewise.
        source: where it is written.
    """

    unit: Text
    what: FactKind
    value: Text
    valid_from: Day = ""
    valid_to: Day = ""
    source: str = ""


class Succession(Record, frozen=True, kw_only=True):
    """``successor`` took over from ``predecessor`` on a day.

    The predecessor has ended before that day and the successor exists on it. A unit that only gives away a part of its
    work goes on and has no succession; two successors mean that it was split.
    """

    predecessor: Text
    successor: Text
    day: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    source: str = ""


def period(record: Unit | UnitFact) -> tuple[str, str]:
    """The first and the last day, an open end being as far away as a date can be."""
    return record.valid_from or FIRST_DAY, record.valid_to or LAST_DAY


def holds(record: Unit | UnitFact, day: str) -> bool:
    """Whether the unit exists, or the fact holds, on this day."""
    first, last = period(record)
    return first <= day <= last


def day_after(day: str) -> str:
    """The day that follows; the last day of all is followed by itself."""
    return day if day == LAST_DAY else (date.fromisoformat(day) + timedelta(days=1)).isoformat()
