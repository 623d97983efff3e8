"""What the series store says of a device: over a grid of steps, lately, and as percentiles of days and months."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from console.charts import Grid, grid_of
from console.deps import Console
from core.clock import MINUTE
from core.scope import Scope
from core.stores.series_manifest import DAY, day_start, month_start
from core.stores.series_read import MOST_ROWS, SeriesQuery
from inventory.records import Device

LATELY = 5 * MINUTE
"""How old a value of now may be where polls are no further apart: of an interface, and of all in the list of devices.
Nanoseconds."""
SELDOM = 20 * MINUTE
"""The same for a device's other tables, of which some are read each quarter of an hour."""

P95_DAYS, P95_MONTHS = 31, 12
MANY_SITES = 300
"""From so many on, asking for all sites is faster than naming them."""
UP = 1
DOWN = frozenset({2, 6, 7})
"""Codes of ifOperStatus: down, notPresent, lowerLayerDown (RFC 2863)."""

_TOLERANCE = MINUTE
"""So far ahead of this machine's clock a row may be."""

Cells: TypeAlias = tuple[Any, ...]
"""Values of a row, or one for each step of a grid; None where there is none."""


class Table(NamedTuple):
    """What one table says of a device over a grid: cells by object and column."""

    grid: Grid
    objects: Mapping[str, Mapping[str, Cells]]

    def cells(self, object_: str, column: str) -> Cells:
        """Of one object; nothing at all if it is not there."""
        return self.objects.get(object_, {}).get(column, (None,) * self.grid.steps)


class Lately(NamedTuple):
    """The last row of an object: when it was measured, and its values by column."""

    time: int
    values: Mapping[str, Any]


class P95(NamedTuple):
    """The 95th percentile of a day or month that began then, bits a second; None where nothing was measured."""

    time: int
    received: float | None
    sent: float | None


class Ports(NamedTuple):
    """How many ports are switched on, and how many of them are down; None where it was not measured."""

    on: int | None
    down: int | None


NO_PORTS = Ports(None, None)


class Busy(NamedTuple):
    """What the list of devices says of one: its ports, and the highest load of its processors."""

    ports: Ports
    cpu: float | None


class Measures:
    """Reads what was measured of one device, within a scope; ``period`` lies between two polls, in nanoseconds."""

    def __init__(self, console: Console, scope: Scope, device: Device, period: int = 0) -> None:
        self._series, self._scope, self._device, self._period = console.series, scope, device, period
        self.now = console.clock.now()

    def grid(self, span: str) -> Grid:
        """The steps of that choice of time up to now."""
        return grid_of(self.now, span, self._period)

    def over(self, table: str, columns: Sequence[str], grid: Grid, port: str = "") -> Table:
        """The columns of the device's objects, or of the one that is named, step by step."""
        found: dict[str, dict[str, list[Any]]] = {}
        for object_, time, values in self._rows(table, columns, (grid.since, grid.until), grid.step, port):
            cells = found.setdefault(object_, {column: [None] * grid.steps for column in columns})
            if 0 <= (place := grid.place(time)) < grid.steps:
                for column, value in zip(columns, values, strict=True):
                    cells[column][place] = value
        return Table(
            grid, {name: {column: tuple(row) for column, row in cells.items()} for name, cells in found.items()}
        )

    def lately(self, table: str, columns: Sequence[str], port: str = "") -> dict[str, Lately]:
        """The last row of each object that says something beside why it does not, if it is not old."""
        age = max(LATELY if table == "interfaces" else SELDOM, 2 * self._period)
        since, found = self.now - age, dict[str, Lately]()
        for object_, time, values in self._rows(table, columns, (since, self.now + _TOLERANCE), 0, port):
            told = dict(zip(columns, values, strict=True))
            says = any(value is not None for name, value in told.items() if name != "gap")
            if says or object_ not in found:
                found[object_] = Lately(time, told)
        return found

    def p95_today(self, port: str = "") -> dict[str, P95]:
        """Of each interface, or of the one that is named, of the day so far."""
        return dict(self._p95(day_start(self.now), DAY, port))

    def p95_days(self, port: str) -> list[P95]:
        """Of one interface by day of Vietnam, the latest first."""
        found = self._p95(day_start(self.now) - (P95_DAYS - 1) * DAY, DAY, port)
        return sorted((one for _, one in found), reverse=True)

    def p95_months(self, port: str) -> list[P95]:
        """The same by month."""
        found = self._p95(month_start(self.now, 1 - P95_MONTHS), "month", port)
        return sorted((one for _, one in found), reverse=True)

    def _p95(self, since: int, step: int | Literal["month"], port: str = "") -> Iterator[tuple[str, P95]]:
        span = since, self.now + _TOLERANCE
        for object_, time, values in self._rows("interfaces", ("in_bps_p95", "out_bps_p95"), span, step, port):
            yield object_, P95(time, *values)

    def _rows(
        self, table: str, columns: Sequence[str], span: tuple[int, int], step: int | Literal["month"], port: str
    ) -> Iterator[tuple[str, int, Sequence[Any]]]:
        query = SeriesQuery(
            table=table,
            columns=tuple(columns),
            site=self._device.site,
            device=self._device.name,
            object=port,
            since=span[0],
            until=span[1],
            step=step,
            limit=MOST_ROWS,
        )
        for _, _, object_, time, *values in self._series.read(self._scope, query).rows:
            yield object_, time, values


def busy_devices(console: Console, scope: Scope, devices: Collection[Device], period: int) -> dict[str, Busy]:
    """By name, of those devices of which something was measured lately; ``period`` as above."""
    sites = frozenset(one.site for one in devices if scope.allows(one.site))
    if not sites:
        return {}
    within = scope if len(sites) > MANY_SITES and scope.is_everything else Scope(sites=sites, units=scope.units)
    age = max(LATELY, 2 * period)
    cpu = _cpus(_last(console, within, "hosts", ("cpu",), age))
    ports = _ports(_last(console, within, "interfaces", ("oper", "admin"), age))
    names = {one.name for one in devices}
    measured = names & (set(ports) | set(cpu))
    return {name: Busy(ports.get(name, NO_PORTS), cpu.get(name)) for name in measured}


def _ports(rows: Iterable[Cells]) -> dict[str, Ports]:
    """Of each device, by rows of device, oper and admin."""
    found: dict[str, tuple[int, int]] = {}
    for device, oper, admin in rows:
        if admin == UP and oper is not None:
            ports, down = found.get(device, (0, 0))
            found[device] = ports + 1, down + (oper in DOWN)
    return {device: Ports(*counts) for device, counts in found.items()}


def _cpus(rows: Iterable[Cells]) -> dict[str, float]:
    """Of each device, the highest load of its processors in percent, by rows of device and load."""
    found: dict[str, float] = {}
    for device, cpu in rows:
        if cpu is not None:
            found[device] = max(cpu, found.get(device, 0.0))
    return found


def _last(console: Console, scope: Scope, table: str, columns: tuple[str, ...], age: int) -> Iterator[Cells]:
    now = console.clock.now()
    query = SeriesQuery(
        table=table, columns=columns, since=now - age, until=now + _TOLERANCE, step="span", limit=MOST_ROWS
    )
    for _, device, _, _, *values in console.series.read(scope, query).rows:
        yield device, *values
