"""What is known of one device between polls: its rows, what they are called, and what to ask for. Pure.

A row is known by its name (of an interface ifName), never by its index: an index is good for one layout and may be
another row's in the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import msgspec

from collectors.snmp.convert import Convert, converter, derive, exponent
from collectors.snmp.profiles import Column, Kind, Pace, Profile, Table
from collectors.snmp.readings import Cell
from collectors.snmp.readings import Table as Rows
from collectors.snmp.walks import Value

_WIDTHS = {Kind.COUNTER32: 32, Kind.COUNTER64: 64}
_DEEPEST = 16

Cells: TypeAlias = dict[str, Value]
"""Values by index."""


class Found(NamedTuple):
    """What a device has of a column, by index: of the column itself, and of what stands in for it."""

    own: Mapping[str, Value]
    other: Mapping[str, Value] = MappingProxyType({})


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says of itself."""

    object_id: str
    descr: str = ""
    name: str = ""


class Came:
    """What came of a list of questions.

    Most devices answer all that was asked in the order in which it was asked; then no value is looked up by its name.

    Args:
        asked: the identifiers.
    """

    def __init__(self, asked: Sequence[str]) -> None:
        self._asked = asked
        self._order: list[Value] | None = []
        self._values: dict[str, Value] = {}

    @property
    def in_order(self) -> list[Value] | None:
        """The values in the order of the questions; None if that was not kept to, or one was left out."""
        return self._order if self._order is not None and len(self._order) == len(self._asked) else None

    @property
    def values(self) -> dict[str, Value]:
        """The values by identifier."""
        if self._order is not None and len(self._order) != len(self._values):
            self._values = dict(zip(self._asked, self._order, strict=False))
        return self._values

    def take(self, part: Sequence[str], answer: dict[str, Value]) -> None:
        """The answer to the next part of the list; a part before it may have been given up."""
        if self._order is not None and list(answer) == part:
            begin = len(self._order)
            if self._asked[begin : begin + len(part)] == part:
                self._order.extend(answer.values())
                return
        self._values = self.values
        self._order = None
        self._values.update(answer)


class ColumnPlan(NamedTuple):
    """A column to ask for: its identifiers row by row, None where the device has none, and what makes cells of it."""

    name: str
    oids: tuple[str | None, ...]
    convert: Convert


class TableLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A table of one device."""

    table: Table
    indexes: tuple[str, ...]
    names: tuple[str, ...]
    labels: dict[str, tuple[Cell, ...]]
    widths: dict[str, tuple[int, ...]]
    minute: tuple[ColumnPlan, ...]
    quarter: tuple[ColumnPlan, ...]

    def rows(self, values: Mapping[str, Value], *, quarter: bool) -> Rows:
        """The table with what came, by identifier."""
        get: Callable[[str | None], Value] = values.get  # type: ignore[assignment]  # None is asked for, never there
        plans = self.minute + self.quarter if quarter else self.minute
        return self._made({name: convert(list(map(get, oids))) for name, oids, convert in plans})

    def rows_in_order(self, came: list[Value], begin: int, quarter_begin: int | None) -> Rows:
        """The same of values in the order in which they were asked for, from these places on."""
        columns = self._cut(self.minute, came, begin)
        if quarter_begin is not None:
            columns |= self._cut(self.quarter, came, quarter_begin)
        return self._made(columns)

    def _cut(self, plans: tuple[ColumnPlan, ...], came: list[Value], begin: int) -> dict[str, list[Cell]]:
        width = len(plans)
        end = begin + width * len(self.indexes)
        return {plan.name: plan.convert(came[begin + place : end : width]) for place, plan in enumerate(plans)}

    def _made(self, columns: dict[str, list[Cell]]) -> Rows:
        if columns:
            for name, terms in self.table.derived.items():
                columns[name] = derive(terms, columns, len(self.indexes))
        return Rows(
            indexes=self.indexes,
            names=self.names,
            columns=columns,
            labels=self.labels,
            widths=self.widths,
            constants=self.table.constants,
            series=self.table.series,
        )


class Layout:
    """One device's tables, and the lists of what to ask for.

    Args:
        identity: what it says of itself.
        profile: its family's.
        known: whether its family is.
        tables: those that it has.
    """

    def __init__(self, identity: Identity, profile: Profile, tables: Sequence[TableLayout], *, known: bool) -> None:
        self.identity = identity
        self.profile = profile
        self.known = known
        self.tables = {one.table.name: one for one in tables}
        self.minute: list[str] = []
        self.quarter: list[str] = []
        begins = {one.table.name: _append(self.minute, one.minute) for one in tables}
        self.quarter.extend(self.minute)
        self._begins = {one.table.name: (begins[one.table.name], _append(self.quarter, one.quarter)) for one in tables}
        self._regular = {one.table.name: _is_regular(one) for one in tables}

    def read(self, came: Came, *, quarter: bool) -> dict[str, Rows]:
        """All tables with something read this time; with the slow columns those that never change as well."""
        order = came.in_order
        return {
            name: one.rows(came.values, quarter=quarter)
            if order is None or not self._regular[name]
            else one.rows_in_order(order, self._begins[name][0], self._begins[name][1] if quarter else None)
            for name, one in self.tables.items()
            if one.minute or quarter
        }

    def replaced(self, table: TableLayout) -> Layout:
        """The same with one table anew."""
        tables = {**self.tables, table.table.name: table}
        return Layout(self.identity, self.profile, list(tables.values()), known=self.known)


def _append(asked: list[str], plans: Sequence[ColumnPlan]) -> int:
    """Asks for these columns too, row by row, so that what belongs together is asked together; where they begin."""
    begin = len(asked)
    asked.extend(oid for row in zip(*(plan.oids for plan in plans), strict=True) for oid in row if oid)
    return begin


def _is_regular(table: TableLayout) -> bool:
    """Whether every row has every column."""
    return all(None not in plan.oids for plan in table.minute + table.quarter)


def layout_table(
    table: Table, indexes: Sequence[str], found: Mapping[str, Found], entities: TableLayout | None
) -> TableLayout | None:
    """The table of one device; None if it has no row with a value.

    Args:
        table: as the profile has it.
        indexes: of its rows.
        found: what the device has, by column.
        entities: its ENTITY-MIB, for tables that are indexed by it.
    """
    rows = [index for index in indexes if _has_value(table, index, found)]
    if not rows:
        return None
    labels = {
        column.name: tuple(_label(column, rows, found[column.name]))
        for column in table.columns
        if column.is_static and column.name in found
    }
    names = unique_names(rows, [labels[name] for name in table.named if name in labels], label=table.label)
    if table.entity and entities is not None:
        names, labels["place"] = _in_entities(rows, entities)
    plans = {
        column.name: _plan(column, rows, found[column.name], labels)
        for column in table.columns
        if not column.is_static and column.name in found
    }
    return TableLayout(
        table=table,
        indexes=tuple(rows),
        names=names,
        labels=labels,
        widths={
            column.name: _widths(column, rows, found[column.name])
            for column in table.columns
            if column.name in plans and column.kind in _WIDTHS
        },
        minute=tuple(plans[one.name] for one in table.columns if one.name in plans and one.pace is Pace.MINUTE),
        quarter=tuple(plans[one.name] for one in table.columns if one.name in plans and one.pace is Pace.QUARTER),
    )


def unique_names(indexes: Sequence[str], candidates: Sequence[Sequence[Cell]], label: str = "") -> tuple[str, ...]:
    """A name for each row, no two alike: the first candidate that says something, with the next one where it is shared.

    Rows that all candidates call alike are numbered in the order of their indexes.
    """
    if label:
        return (label,) * len(indexes)
    texts = [[str(cell) for cell in cells if cell not in {None, ""}] for cells in zip(*candidates, strict=True)]
    texts = texts or [[] for _ in indexes]
    shared = Counter(text[0] for text in texts if text)
    names: list[str] = []
    for index, text in zip(indexes, texts, strict=True):
        name = text[0] if text else index
        if shared[name] > 1 and len(text) > 1 and text[1] != name:
            name = f"{name} ({text[1]})"
        names.append(name)
    return tuple(_numbered(names))


def _numbered(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    taken = set(names)
    numbered = []
    for name in names:
        seen[name] += 1
        made = name if seen[name] == 1 else f"{name} #{seen[name]}"
        while made != name and made in taken:
            seen[name] += 1
            made = f"{name} #{seen[name]}"
        taken.add(made)
        numbered.append(made)
    return numbered


def place_of(index: str, container: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Where an entity sits in its device, from the outside in: ``Chassis 1 / Slot 2``; empty if nothing holds it."""
    path: list[str] = []
    at = container.get(index, "0")
    while at in names and len(path) < _DEEPEST:
        path.append(names[at])
        at = container.get(at, "0")
    return " / ".join(reversed(path))


def _in_entities(rows: Sequence[str], entities: TableLayout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What ENTITY-MIB calls the rows, and where they sit."""
    names = _plain_names(entities)
    held = entities.labels.get("contained_in", ())
    container = {index: str(cell) for index, cell in zip(entities.indexes, held, strict=False)}
    places = tuple(place_of(index, container, names) for index in rows)
    return unique_names(rows, [[names.get(index, "") for index in rows], places]), places


def _plain_names(entities: TableLayout) -> dict[str, str]:
    """What entities are called by index, alike or not: where two are alike, their places tell them apart."""
    candidates = [entities.labels[name] for name in entities.table.named if name in entities.labels]
    cells = zip(*candidates, strict=True) if candidates else ((None,) for _ in entities.indexes)
    return {
        index: next((str(cell) for cell in row if cell), index)
        for index, row in zip(entities.indexes, cells, strict=True)
    }


def _has_value(table: Table, index: str, found: Mapping[str, Found]) -> bool:
    moving = [column for column in table.columns if not column.is_static]
    return not moving or any(
        (value := found[one.name].own.get(index, found[one.name].other.get(index))) is not None
        and value not in one.absent
        for one in moving
        if one.name in found
    )


def _label(column: Column, rows: Sequence[str], found: Found) -> list[Cell]:
    cells = [found.own.get(index, found.other.get(index)) for index in rows]
    return converter(column, [column.scale] * len(rows))(cells)


def _plan(column: Column, rows: Sequence[str], found: Found, labels: Mapping[str, tuple[Cell, ...]]) -> ColumnPlan:
    oids: list[str | None] = []
    scales: list[float] = []
    for row, index in enumerate(rows):
        other = column.other if index not in found.own and index in found.other else None
        has = index in found.own or other is not None
        # Shared by all devices of a family: what is asked each minute then stays in the processor's cache.
        oids.append(intern(f"{other.oid if other else column.oid}.{index}") if has else None)
        scales.append((other.scale if other else column.scale) * _factor(column, labels, row))
    return ColumnPlan(column.name, tuple(oids), converter(column, scales))


def _factor(column: Column, labels: Mapping[str, tuple[Cell, ...]], row: int) -> float:
    if column.exponent is not None and set(column.exponent) <= set(labels):
        return exponent(*(labels[name][row] for name in column.exponent))
    factor = labels[column.factor][row] if column.factor in labels else 1
    return factor if isinstance(factor, int | float) else 1.0


def _widths(column: Column, rows: Sequence[str], found: Found) -> tuple[int, ...]:
    own, other = _WIDTHS[column.kind], _WIDTHS.get(column.other.kind, 0) if column.other else 0
    return tuple(own if index in found.own else other if index in found.other else 0 for index in rows)
