"""Every shipped profile against an agent that has all of its objects: what comes is what the agent holds."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import Column, Kind, Profile, shipped_profiles
from collectors.snmp.readings import Reading
from core.clock import SystemClock

WRITTEN = {
    Kind.COUNTER32: "counter32", Kind.COUNTER64: "counter64", Kind.GAUGE: "int", Kind.STATE: "int", Kind.TEXT: "text",
    Kind.TIMETICKS: "ticks",
}  # fmt: skip
ROWS = ("1.5", "2.7")
SCALE, PRECISION = 8, 1
"""Milli, one digit after the point: a sensor's 21 is 0.0021."""


def held(column: Column, row: int) -> int | str:
    """What the agent holds: numbers that are no scale and no mark of absence."""
    if column.kind is Kind.TEXT:
        return f"{column.name} {row}"
    if column.kind is Kind.STATE:
        return min(column.states)
    if column.name in {"scale", "precision"}:
        return SCALE if column.name == "scale" else PRECISION
    return 21 + row


def values_of(profile: Profile) -> dict[str, tuple[str, Any]]:
    values = {"1.3.6.1.2.1.1.2.0": ("oid", f"{profile.families[0]}.7")}
    for table in profile.tables:
        for column in table.columns:
            for row, index in enumerate(ROWS if table.rows else ("0",)):
                values[f"{column.oid}.{index}"] = (WRITTEN[column.kind], held(column, row))
    return values


def meant(column: Column, row: int) -> Any:
    value = held(column, row)
    if column.kind is Kind.STATE:
        return column.states[int(value)]
    if column.kind is Kind.TEXT:
        return str(value).encode().hex(":") if column.unit == "mac" else value
    factor = 10.0 ** (3 * (SCALE - 9) - PRECISION) if column.exponent else 21 + row if column.factor else 1
    return None if value in column.absent else int(value) * column.scale * factor


@pytest.mark.parametrize(
    "profile", [one for one in shipped_profiles().by_name.values() if one.families], ids=lambda one: one.name
)
def test_every_object_of_a_family_is_read_and_means_what_the_profile_says(sync, made_agent, profile):
    async def asked() -> Any:
        async with made_agent(values_of(profile), timeout=2.0) as (_, session):
            poller = DevicePoller(Polled(device="d"), session, shipped_profiles(), SystemClock())
            return await poller.poll(), poller.layout

    reading, layout = sync(asked())
    assert isinstance(reading, Reading), reading
    assert (layout.profile.name, layout.known) == (profile.name, True)
    assert set(reading.tables) == {table.name for table in profile.tables}
    for table in profile.tables:
        read = reading.tables[table.name]
        assert len(set(read.names)) == len(read.names)
        for column in table.columns:
            cells = read.labels[column.name] if column.is_static else read.columns[column.name]
            assert list(cells) == pytest.approx([meant(column, row) for row in range(len(read.indexes))]), column.name
        assert set(table.derived) <= set(read.columns)
