"""Refuses units, facts and successions that contradict themselves, each with the place of its row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from core.errors import ContentError
from inventory.units import FIRST_DAY, Succession, Unit, UnitFact, day_after, holds, period

_Units: TypeAlias = list[tuple[str, Unit]]
_Facts: TypeAlias = list[tuple[str, UnitFact]]
_Successions: TypeAlias = list[tuple[str, Succession]]
"""Records with where they stand: ``units.yml, line 4``."""

_MOST_NAMED = 3

_MANY = frozenset({"alias", "domain"})
"""Facts of which several may hold at a time; of the others one."""


def check_units(units: _Units, facts: _Facts, successions: _Successions) -> None:
    """Checks all that one row says against the others; the first item of each pair is its row's place.

    Raises:
        ContentError: an id stands twice or is unknown; a day is none, or a period ends before it begins; a fact holds
            outside its unit's life, or two contradict each other; the parents form a circle on some day; a successor
            takes over from a unit that has not ended, or does not exist itself, or successions form a circle. The text
            begins with the place of the row.
    """
    _refuse_repeats((place, unit.id, f"unit {unit.id!r}") for place, unit in units)
    known = {unit.id: unit for _, unit in units}
    for place, unit in units:
        _check_unit(place, unit, known)
    for place, fact in facts:
        _check_fact(place, fact, known)
    _refuse_contradictions(facts, known)
    _refuse_circles_of_parents(units, facts)
    _check_successions(successions, known)


def check_roots(units: Sequence[Unit], facts: Sequence[UnitFact]) -> None:
    """Checks that on every day on which there are units one stands above all; rights are built on it.

    Raises:
        ContentError: there is none on some day, or there are several.
    """
    moves = [fact for fact in facts if fact.what == "parent"]
    lives: list[Unit | UnitFact] = [*units, *moves]
    days = {FIRST_DAY, *(one.valid_from for one in lives), *(day_after(one.valid_to) for one in lives if one.valid_to)}
    candidates = [unit for unit in units if not unit.parent]
    for day in sorted(days - {""}):
        if not any(holds(unit, day) for unit in units):
            continue
        below = {fact.unit for fact in moves if holds(fact, day)}
        tops = [unit.id for unit in candidates if holds(unit, day) and unit.id not in below]
        if len(tops) != 1:
            found = f"{len(tops)} units without a parent ({', '.join(tops[:_MOST_NAMED])})" if tops else "no such unit"
            raise ContentError(
                f"units: on {day} there would be {found}; expected one supreme unit above all on any day"
            )


def _refuse_repeats(keys: Iterable[tuple[str, Hashable, str]]) -> None:
    """Refuses a key seen before; each item is (place, key, what to call it)."""
    first: dict[Hashable, str] = {}
    for place, key, what in keys:
        if key in first:
            raise ContentError(f"{place}: duplicate {what}, first at {first[key]}; expected each once")
        first[key] = place


def _check_unit(place: str, unit: Unit, known: Mapping[str, Unit]) -> None:
    if unit.parent and unit.parent not in known:
        raise ContentError(f"{place}: unknown unit {unit.parent!r}; expected the parent's id from this file")
    if not unit.parent and unit.type != "supreme":
        raise ContentError(f"{place}: no parent; expected one, since only a supreme unit has none")
    _check_period(place, unit)


def _check_period(place: str, record: Unit | UnitFact) -> None:
    for day in filter(None, (record.valid_from, record.valid_to)):
        _need_day(place, day)
    if record.valid_from and record.valid_to and record.valid_to < record.valid_from:
        raise ContentError(
            f"{place}: ends on {record.valid_to}, before it begins on {record.valid_from}; expected valid_from first"
        )


def _need_day(place: str, day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise ContentError(f"{place}: there is no day {day!r}; expected a date such as 2025-07-01") from error


def _need_unit(place: str, unit: str, known: Mapping[str, Unit]) -> None:
    if unit not in known:
        raise ContentError(f"{place}: unknown unit {unit!r}; expected an id from the units file")


def _check_fact(place: str, fact: UnitFact, known: Mapping[str, Unit]) -> None:
    _need_unit(place, fact.unit, known)
    if fact.what == "parent":
        _need_unit(place, fact.value, known)
    _check_period(place, fact)
    first, last = period(known[fact.unit])
    for day in filter(None, (fact.valid_from, fact.valid_to)):
        if not first <= day <= last:
            life = f"{known[fact.unit].valid_from or '…'} to {known[fact.unit].valid_to or '…'}"
            raise ContentError(f"{place}: {day} is outside the life of {fact.unit!r}; expected a day within {life}")


def _refuse_contradictions(facts: _Facts, known: Mapping[str, Unit]) -> None:
    """Of what a unit has but one at a time there are not two, and no two units have one code."""
    single = [(place, fact) for place, fact in facts if fact.what not in _MANY]
    codes = [(place, fact) for place, fact in facts if fact.what.startswith("code.")]
    _refuse_overlaps(single, lambda fact: (fact.unit, fact.what), known)
    _refuse_overlaps(codes, lambda fact: (fact.what, fact.value), known)


def _refuse_overlaps(facts: _Facts, key: Callable[[UnitFact], Hashable], known: Mapping[str, Unit]) -> None:
    latest: dict[Hashable, tuple[str, str]] = {}
    for place, fact in sorted(facts, key=lambda placed: _span(placed[1], known)):
        first, last = _span(fact, known)
        before, until = latest.get(key(fact), ("", ""))
        if first <= until:
            raise ContentError(
                f"{place}: {fact.what} {fact.value!r} of {fact.unit!r} overlaps the row at {before}; expected one a day"
            )
        latest[key(fact)] = place, last


def _span(fact: UnitFact, known: Mapping[str, Unit]) -> tuple[str, str]:
    (first, last), (begin, end) = period(fact), period(known[fact.unit])
    return max(first, begin), min(last, end)


def _refuse_circles_of_parents(units: _Units, facts: _Facts) -> None:
    moved = [fact for _, fact in facts if fact.what == "parent"]
    days = {FIRST_DAY, *(unit.valid_from for _, unit in units), *(fact.valid_from for fact in moved)} - {""}
    for day in sorted(days | {day_after(fact.valid_to) for fact in moved if fact.valid_to}):
        parents = {unit.id: [unit.parent] for _, unit in units if holds(unit, day) and unit.parent}
        parents |= {fact.unit: [fact.value] for fact in moved if holds(fact, day) and fact.unit in parents}
        circle = _circle(parents)
        for place, unit in units:
            if unit.id in circle:
                raise ContentError(f"{place}: the parents of unit {unit.id!r} form a circle; expected a tree")


def _check_successions(successions: _Successions, known: Mapping[str, Unit]) -> None:
    _refuse_repeats(
        (place, (row.predecessor, row.successor), f"succession of {row.successor!r} to {row.predecessor!r}")
        for place, row in successions
    )
    after: dict[str, list[str]] = {}
    for place, row in successions:
        _need_unit(place, row.predecessor, known)
        _need_unit(place, row.successor, known)
        _need_day(place, row.day)
        after.setdefault(row.predecessor, []).append(row.successor)
    circle = _circle(after)
    for place, row in successions:
        if row.predecessor in circle:
            raise ContentError(f"{place}: {row.predecessor!r} succeeds to itself in a circle; expected it to end")
    for place, row in successions:
        _check_succession(place, row, known)


def _check_succession(place: str, row: Succession, known: Mapping[str, Unit]) -> None:
    _, last = period(known[row.predecessor])
    if last >= row.day:
        raise ContentError(f"{place}: {row.predecessor!r} still exists on {row.day}; expected its valid_to before")
    if not holds(known[row.successor], row.day):
        raise ContentError(f"{place}: {row.successor!r} does not exist on {row.day}; expected a day of its life")


def _circle(graph: Mapping[str, list[str]]) -> frozenset[str]:
    """The members of a circle, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return frozenset(error.args[1])
    return frozenset()
