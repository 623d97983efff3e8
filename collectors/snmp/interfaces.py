"""Interfaces as the series store has them: rates both ways, errors, utilisation, states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from collectors.snmp.counters import UNLIMITED, Counts, Rate, Rates, rates
from collectors.snmp.profiles import INTERFACES
from collectors.snmp.readings import Cell, Reading, Table

Rows: TypeAlias = dict[str, Sequence[Cell]]
"""Columns of the series ``interfaces``, with the interfaces' names as ``object``."""

TOLERANCE = 1.1
"""How much faster than its nominal speed a port may seem: agents refresh counters at moments of their own."""

SMALLEST_FRAME = 672
"""Bits on the wire of the shortest Ethernet frame with preamble and gap: no port passes more packets a second."""

PHYSICAL = frozenset({6, 62, 69, 117, 161})
"""IfType of ports whose speed is real: Ethernet and its old forms, and their bundles. A tunnel's is made up."""

_BITS = 8
_RATES = {
    "in_pps": "in_packets",
    "out_pps": "out_packets",
    "in_errors": "in_errors",
    "out_errors": "out_errors",
    "in_discards": "in_discards",
    "out_discards": "out_discards",
}


def interface_rows(before: Reading | None, after: Reading) -> Rows | None:
    """What a device's interfaces did between two readings; None if the later one has no interfaces.

    Rates are a second's: bits, unicast packets, errors, discards. ``in_util`` and ``out_util`` are percent of it.
    """
    table = after.tables.get(INTERFACES)
    if table is None:
        return None
    earlier = before.tables.get(INTERFACES) if before is not None else None
    old = interface_counts(before, earlier) if before is not None and earlier is not None else None
    made = rates(old, interface_counts(after, table))
    speeds = table.columns.get("speed_bps") or [None] * len(table.names)
    rows: Rows = {"object": table.names, "speed_bps": speeds}
    for way in ("in", "out"):
        bps = _times(_rate(made, f"{way}_octets"), _BITS)
        rows |= {f"{way}_bps": bps, f"{way}_util": utilisation(bps, speeds)}
    rows |= {name: _rate(made, column) for name, column in _RATES.items()}
    rows |= {name: table.columns.get(name) or [None] * len(table.names) for name in ("oper", "admin")}
    rows["gap"] = [gap or None for gap in made.gaps]
    return rows


def interface_counts(reading: Reading, table: Table) -> Counts:
    """What counts of an interface table.

    Octets are limited by the port's speed, packets by that of the shortest frame. The speed of ports that are not
    Ethernet is not believed, and errors and discards have no limit that would say anything.
    """
    speeds = _believed(table)
    octets = [speed * TOLERANCE / _BITS for speed in speeds]
    packets = [speed * TOLERANCE / SMALLEST_FRAME for speed in speeds]
    limits = {"octets": octets, "packets": packets}
    unlimited = [UNLIMITED] * len(speeds)
    return Counts(
        steady_ns=reading.steady_ns,
        uptime=reading.uptime,
        names=table.names,
        columns=table.columns,
        widths=table.widths,
        limits={name: limits.get(name.partition("_")[2], unlimited) for name in table.widths},
        discontinuity=table.columns.get("discontinuity", ()),
    )


def utilisation(bps: Sequence[Rate], speeds: Sequence[Cell]) -> list[Rate]:
    """Percent of the port's speed, at most 100; None where either is unknown.

    Args:
        bps: bits a second.
        speeds: of the ports, bits a second.
    """
    return [
        None if rate is None or not isinstance(speed, int | float) or speed <= 0 else min(rate * 100 / speed, 100.0)
        for rate, speed in zip(bps, speeds, strict=True)
    ]


def _believed(table: Table) -> list[float]:
    speeds = table.columns.get("speed_bps") or [None] * len(table.names)
    types = table.labels.get("type") or (None,) * len(table.names)
    return [
        speed if isinstance(speed, int | float) and speed > 0 and kind in PHYSICAL else UNLIMITED
        for speed, kind in zip(speeds, types, strict=True)
    ]


def _rate(made: Rates, column: str) -> list[Rate]:
    return made.columns.get(column) or [None] * len(made.gaps)


def _times(bps: list[Rate], factor: int) -> list[Rate]:
    return [None if one is None else one * factor for one in bps]
