"""A room's sensors as AKCP's SPAGENT-MIB tells them; ENTITY-SENSOR-MIB tells the same."""

from __future__ import annotations

from collections.abc import Sequence

from lab.fleet.ber import INTEGER, OCTET_STRING
from lab.fleet.mib_entities import CELSIUS, PERCENT_HUMIDITY, ROOM_SENSORS, TRUTH, Part
from lab.fleet.tables import Table, always, numbered, table

NORMAL = 2
"""The status of a sensor that is within its limits."""


def _of(kind: int) -> tuple[Part, ...]:
    return tuple(part for part in ROOM_SENSORS if part.kind == kind)


def _measuring(base: str, found: Sequence[Part]) -> Table:
    """Description, value and status of sensors that measure."""
    return table(
        base,
        {
            1: (OCTET_STRING, lambda _state, row: found[row].name),
            3: (INTEGER, lambda state, row: round(found[row].value(state))),
            4: (INTEGER, always(NORMAL)),
        },
        numbered(len(found), 0),
    )


def _switches(base: str, found: Sequence[Part]) -> Table:
    """Description and status of contacts."""
    return table(
        base,
        {1: (OCTET_STRING, lambda _state, row: found[row].name), 3: (INTEGER, always(NORMAL))},
        numbered(len(found), 0),
    )


ROOM: tuple[Table, ...] = (
    _measuring("1.3.6.1.4.1.3854.1.2.2.1.16.1", _of(CELSIUS)),
    _measuring("1.3.6.1.4.1.3854.1.2.2.1.17.1", _of(PERCENT_HUMIDITY)),
    _switches("1.3.6.1.4.1.3854.1.2.2.1.18.1", _of(TRUTH)),
)
