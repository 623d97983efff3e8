"""Nothing is asked of a device in vain: every column that moves reaches a series, an event, or a sum that does."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from app.snmp.rows import RowBatch
from collectors.snmp.learn import INTERFACE_COUNT, INTERFACES_CHANGED
from collectors.snmp.profiles import SYSTEM, Column, Kind, Profile, Table, shipped_profiles
from collectors.snmp.readings import Cell, Reading, Tally
from collectors.snmp.readings import Table as Rows
from collectors.snmp.session import UPTIME
from collectors.snmp.states import DEFAULT_LIMITS, Limits, read_changes
from core.clock import MINUTE

SIGNS = {UPTIME, INTERFACES_CHANGED, INTERFACE_COUNT}
"""Scalars by which the poller knows that a device has restarted or its rows have moved."""

WIDTHS = {Kind.COUNTER32: 32, Kind.COUNTER64: 64}
TABLES = {
    f"{table.name}-{table.columns[0].object}": (profile, table)
    for profile in shipped_profiles().by_name.values()
    for table in profile.tables
}


def moving(table: Table) -> list[Column]:
    return [column for column in table.columns if not column.is_static]


def reading(table: Table, minute: int, cells: dict[str, Cell]) -> Reading:
    """A reading of one row; each static column says 1: of a port that its speed is not to be believed."""
    rows = Rows(
        indexes=("1",),
        names=("row",),
        columns={name: [cell] for name, cell in cells.items()},
        labels={column.name: (1,) for column in table.columns if column.is_static},
        widths={column.name: (WIDTHS[column.kind],) for column in moving(table) if column.kind in WIDTHS},
        constants=table.constants,
        series=table.series,
    )
    return Reading(
        device="d",
        time_ns=minute * MINUTE,
        steady_ns=minute * MINUTE,
        uptime=minute * 6000,
        tables={table.name: rows},
        tally=Tally(),
    )


def cell_of(column: Column, minute: int) -> Cell:
    """A state and a time stay as they are, all else is counted on."""
    if column.kind is Kind.STATE:
        return next(iter(column.states.values()))
    return 1 if column.kind is Kind.TIMETICKS else minute


def stored(profile: Profile, table: Table, **other: tuple[Cell, Cell]) -> dict[str, dict[str, list[Cell]]]:
    """What of two readings reaches the series, with ``other`` values of a column."""
    before, after = (
        reading(table, minute, {one.name: cell_of(one, minute) for one in moving(table)} | cells)
        for minute, cells in (
            (1, {name: pair[0] for name, pair in other.items()}),
            (2, {name: pair[1] for name, pair in other.items()}),
        )
    )
    batch = RowBatch()
    batch.read(before, after, profile)
    return batch.tables


def is_stored(profile: Profile, table: Table, column: Column) -> bool:
    other = (1, 2) if column.kind is Kind.TIMETICKS else (None, None)
    return stored(profile, table) != stored(profile, table, **{column.name: other})


def is_sign(table: Table, column: Column) -> bool:
    return table.name == SYSTEM and f"{column.oid}.0" in SIGNS


def is_told(table: Table, column: Column) -> bool:
    """Whether a change from one of its states to another, or beyond a limit, is an event."""
    steps = permutations(column.states.values(), 2) if column.kind is Kind.STATE else [(50, 99)]
    limits = {**DEFAULT_LIMITS, table.name: Limits(high=90)}
    for step in steps:
        before, after = (reading(table, minute, {column.name: cell}) for minute, cell in enumerate(step, start=1))
        known, _ = read_changes(None, before, limits)
        if read_changes(known, after, limits)[1]:
            return True
    return False


@pytest.mark.parametrize(("profile", "table"), TABLES.values(), ids=TABLES)
def test_every_column_that_moves_is_used(profile, table):
    summed = {term.removeprefix("-") for terms in table.derived.values() for term in terms if isinstance(term, str)}
    unused = [
        column.name
        for column in moving(table)
        if column.name not in {table.rows, *summed}
        and not is_sign(table, column)
        and not is_stored(profile, table, column)
        and not is_told(table, column)
    ]
    assert unused == []


@pytest.mark.parametrize(("profile", "table"), TABLES.values(), ids=TABLES)
def test_no_table_is_read_for_its_rows_alone(profile, table):
    taken = [
        column.name
        for column in moving(table)
        if is_sign(table, column) or is_stored(profile, table, column) or is_told(table, column)
    ]
    assert taken or table.derived or not moving(table)


def test_a_column_that_nothing_takes_is_noticed():
    profile = shipped_profiles().by_name["ups"]
    table = profile.table("ups")
    extra = Column(name="hertz", oid="1.3.6.1.2.1.33.1.3.3", object="UPS-MIB::upsInputFrequency", kind=Kind.GAUGE)
    wider = msgspec.structs.replace(table, columns=(*table.columns, extra))
    assert not is_stored(profile, wider, extra)
    assert not is_told(wider, extra)
