"""What the units' templates show: the tree of a day within a scope, one unit with its history, and what was found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from console.dates import day_before, shown_day
from console.directory import Directory
from console.health import SHAPES, joint_health
from console.map import TileHealth
from console.overview import SiteState
from core.records import Record
from core.scope import Scope
from inventory.org import Org
from inventory.records import Inventory
from inventory.sorting import matches, vietnamese_key
from inventory.units import FIRST_DAY, LAST_DAY, CodeScheme, Succession, Unit, UnitFact, UnitType, holds, period

MOST_FOUND = 50

_TYPES: tuple[UnitType, ...] = ("supreme", "high", "province", "area", "district", "inner")
"""In this order children stand, those of one type in Vietnamese order."""

_SCHEMES: tuple[CodeScheme, ...] = ("gso", "ma_dinh_danh")
_CALLED = {"name", "short", "alias"}


class UnitLink(Record, frozen=True, kw_only=True):
    """A unit by its name on a day; ``former`` are its predecessors' names, told where one was looked for."""

    id: str
    name: str
    link: str
    type: str
    former: str = ""


class Node(Record, frozen=True, kw_only=True):
    """A unit in the tree; ``sites`` are those of it and below, ``health`` is empty on any day but today."""

    id: str
    name: str
    link: str
    type: str
    sites: int
    health: str
    shape: str
    is_open: bool
    children: tuple[Node, ...]


class Dated(Record, frozen=True, kw_only=True):
    """Something that held of a unit for a time; ends that are open are empty, and links lead to those days."""

    what: str
    value: str
    first: str
    last: str
    first_link: str
    last_link: str
    source: str


class Change(Record, frozen=True, kw_only=True):
    """A succession: the other unit, the day, and the unit's tree before it and on it."""

    unit: UnitLink
    day: str
    before: str
    since: str
    source: str


class UnitView(Record, frozen=True, kw_only=True):
    """The page of a unit on a day; a unit that does not exist then is told as on the nearest day of its life."""

    id: str
    name: str
    short: str
    type: str
    exists: bool
    first: str
    last: str
    status: str
    aliases: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    domains: tuple[str, ...]
    parent: UnitLink | None
    children: tuple[UnitLink, ...]
    origins: tuple[Change, ...]
    heirs: tuple[Change, ...]
    history: tuple[Dated, ...]


class Day(NamedTuple):
    """The day that is looked at, and today."""

    chosen: str
    today: str

    def suffix(self) -> str:
        """What an address of ours ends with, so that the day is kept."""
        return "" if self.chosen == self.today else f"?day={self.chosen}"

    def on(self, chosen: str) -> Day:
        """Another day."""
        return Day(chosen, self.today)


class Below(NamedTuple):
    """The sites of each unit and all below it, by the unit's id; ``apart`` are counted only further up."""

    counts: Mapping[str, int]
    healths: Mapping[str, TileHealth]
    apart: int


def unit_address(unit_id: str, day: Day) -> str:
    """The unit's page on that day."""
    return f"/units/{quote(unit_id, safe='')}{day.suffix()}"


def count_below(directory: Directory, states: Iterable[SiteState]) -> Below:
    """How many sites in service on the directory's day each unit of it has, and how they are together."""
    found: defaultdict[str, list[TileHealth]] = defaultdict(list)
    apart = 0
    for state in states:
        site = state.site
        if not (site.opened or FIRST_DAY) <= directory.day <= (site.closed or LAST_DAY):
            continue
        path = directory.lineage(site.unit)
        apart += not directory.holder(site.unit)
        for unit in path:
            found[unit].append(state.health)
    counts = {unit: len(healths) for unit, healths in found.items()}
    return Below(counts, {unit: joint_health(healths) for unit, healths in found.items()}, apart)


def unit_tree(inventory: Inventory, scope: Scope, day: Day, below: Below, *, shows_health: bool) -> tuple[Node, ...]:
    """The units of the day within the scope; those stand at the top whose parent is not within it."""
    org = inventory.org
    seen = [unit.id for unit in org.at(day.chosen) if scope.allows_unit(unit.id)]
    tops = [one for one in seen if not _is_seen(org.parent(one, day.chosen), scope)]

    def node(unit_id: str, depth: int) -> Node:
        children = filter(scope.allows_unit, org.children(unit_id, day.chosen))
        health = below.healths.get(unit_id, TileHealth.UNKNOWN)
        return Node(
            id=unit_id,
            name=org.short(unit_id, day.chosen),
            link=unit_address(unit_id, day),
            type=_type(inventory, unit_id),
            sites=below.counts.get(unit_id, 0),
            health=health.value if shows_health else "",
            shape=SHAPES[health],
            is_open=depth == 0,
            children=tuple(node(child, depth + 1) for child in _ordered(inventory, children, day)),
        )

    return tuple(node(one, 0) for one in _ordered(inventory, tops, day))


def find_units(inventory: Inventory, scope: Scope, text: str, day: Day) -> list[UnitLink]:
    """The units of the day that the text means by any name of theirs or a predecessor's; then those it is a part of."""
    org = inventory.org
    meant = [unit.id for unit in org.find(text, day.chosen)]
    called = [unit.id for unit in inventory.units if matches(unit.name, text)]
    called += [fact.unit for fact in inventory.unit_facts if fact.what in _CALLED and matches(fact.value, text)]
    part = [one for unit_id in called for one in org.of_the_day(unit_id, day.chosen)]
    found = [one for one in dict.fromkeys((*meant, *_ordered(inventory, set(part), day))) if scope.allows_unit(one)]
    return [_link(inventory, one, day, former=_former(inventory, scope, one, day)) for one in found[:MOST_FOUND]]


def unit_view(inventory: Inventory, scope: Scope, unit: Unit, day: Day) -> UnitView:
    """All that the unit's page shows, but its sites; what lies outside of the scope is left out."""
    org, told = inventory.org, day.on(_nearest(unit, day.chosen))
    parent = org.parent(unit.id, told.chosen)
    children = filter(scope.allows_unit, org.children(unit.id, told.chosen))
    return UnitView(
        id=unit.id,
        name=org.name(unit.id, told.chosen),
        short=org.short(unit.id, told.chosen),
        type=unit.type,
        exists=holds(unit, day.chosen),
        first=shown_day(unit.valid_from),
        last=shown_day(unit.valid_to),
        status=org.status(unit.id, told.chosen),
        aliases=org.facts(unit.id, "alias", told.chosen),
        codes=_codes(org, unit.id, told.chosen),
        domains=org.domains(unit.id, told.chosen),
        parent=_link(inventory, parent, told) if _is_seen(parent, scope) else None,
        children=tuple(_link(inventory, one, told) for one in _ordered(inventory, children, told)),
        origins=_changes(inventory, scope, org.origins(unit.id), day, lambda row: row.predecessor),
        heirs=_changes(inventory, scope, org.passed_to(unit.id), day, lambda row: row.successor),
        history=tuple(_dated(inventory, fact, unit, day) for fact in _history(inventory, scope, unit)),
    )


def type_counts(inventory: Inventory, scope: Scope, day: Day) -> list[tuple[str, int]]:
    """How many units of each type the day has within the scope."""
    counts = Counter(unit.type for unit in inventory.org.at(day.chosen) if scope.allows_unit(unit.id))
    return [(each, counts[each]) for each in _TYPES if counts[each]]


def change_days(inventory: Inventory, scope: Scope) -> list[str]:
    """The days on which units within the scope took over from others, the latest first."""
    days = {row.day for row in inventory.successions if scope.allows_unit(row.successor)}
    return sorted(days, reverse=True)


def _changes(
    inventory: Inventory, scope: Scope, rows: Iterable[Succession], day: Day, other: Callable[[Succession], str]
) -> tuple[Change, ...]:
    seen = sorted((row for row in rows if scope.allows_unit(other(row))), key=lambda row: (row.day, other(row)))
    return tuple(_change(inventory, row, other(row), day) for row in seen)


def _codes(org: Org, unit_id: str, day: str) -> tuple[tuple[str, str], ...]:
    found = ((scheme, org.code(unit_id, scheme, day)) for scheme in _SCHEMES)
    return tuple((scheme, code) for scheme, code in found if code)


def _change(inventory: Inventory, row: Succession, other: str, day: Day) -> Change:
    """The other unit is told as on the last day before it ended, or the first day on which it is there."""
    before, since = day.on(day_before(row.day)), day.on(row.day)
    told = before if other == row.predecessor else since
    return Change(
        unit=_link(inventory, other, told),
        day=shown_day(row.day),
        before=unit_address(row.predecessor, before),
        since=unit_address(row.successor, since),
        source=row.source,
    )


def _history(inventory: Inventory, scope: Scope, unit: Unit) -> list[UnitFact]:
    """What is recorded of it with a first or a last day, or of a name or parent at any time, in order of time."""
    facts = [fact for fact in inventory.unit_facts if fact.unit == unit.id and (fact.valid_from or fact.valid_to)]
    seen = [fact for fact in facts if fact.what != "parent" or scope.allows_unit(fact.value)]
    return sorted(seen, key=lambda fact: (fact.what, period(fact)))


def _dated(inventory: Inventory, fact: UnitFact, unit: Unit, day: Day) -> Dated:
    is_parent = fact.what == "parent"
    value = inventory.org.name(fact.value, fact.valid_from or fact.valid_to) if is_parent else fact.value
    return Dated(
        what=fact.what,
        value=value or fact.value,
        first=shown_day(fact.valid_from),
        last=shown_day(fact.valid_to),
        first_link=_address_on(unit, fact.valid_from, day),
        last_link=_address_on(unit, fact.valid_to, day),
        source=fact.source,
    )


def _address_on(unit: Unit, chosen: str, day: Day) -> str:
    return unit_address(unit.id, day.on(chosen)) if chosen else ""


def _link(inventory: Inventory, unit_id: str, day: Day, former: str = "") -> UnitLink:
    return UnitLink(
        id=unit_id,
        name=inventory.org.name(unit_id, day.chosen) or unit_id,
        link=unit_address(unit_id, day),
        type=_type(inventory, unit_id),
        former=former,
    )


def _former(inventory: Inventory, scope: Scope, unit_id: str, day: Day) -> str:
    """The names of those it took over from, as they were at their end."""
    began = (row for row in inventory.org.origins(unit_id) if row.day <= day.chosen)
    before = [row for row in began if scope.allows_unit(row.predecessor)]
    return "; ".join(inventory.org.short(row.predecessor, day_before(row.day)) for row in before)


def _ordered(inventory: Inventory, units: Iterable[str], day: Day) -> list[str]:
    def key(unit_id: str) -> tuple[object, ...]:
        unit = inventory.org.unit(unit_id)
        place = _TYPES.index(unit.type) if unit else len(_TYPES)
        return place, vietnamese_key(inventory.org.name(unit_id, day.chosen)), unit_id

    return sorted(units, key=key)


def _type(inventory: Inventory, unit_id: str) -> str:
    unit = inventory.org.unit(unit_id)
    return unit.type if unit else ""


def _is_seen(unit_id: str, scope: Scope) -> bool:
    return bool(unit_id) and scope.allows_unit(unit_id)


def _nearest(unit: Unit, day: str) -> str:
    first, last = period(unit)
    return min(max(day, first), last)
