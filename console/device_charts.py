"""Which charts a device and an interface have, and why a step of theirs has no value. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from console.charts import Chart, Grid, Line, Plan, draw, few_lines, joined
from console.measures import Cells, Table
from console.quantities import measured
from console.texts import say, say_if_known

HUNDRED = 100.0
KINDS = ("temperature", "humidity")
"""Kinds of sensors that come first."""

WAYS = ("in", "out")
FLOWS = (*WAYS, "in_max", "out_max")
TRAFFIC = ("in_bps", "out_bps", "in_bps_max", "out_bps_max")
LOSSES = ("in_errors", "out_errors", "in_discards", "out_discards")


class Charts:
    """Draws the charts of one grid in one language; ``reached`` are the rows of the device itself."""

    def __init__(self, grid: Grid, reached: Table, language: str) -> None:
        self._grid, self._reached, self._language = grid, reached, language

    def of_device(self, tables: Mapping[str, Table]) -> list[Chart]:
        """All charts of the device's page, those without a single value left out but for the first two."""
        ports, hosts = tables["interfaces"], tables["hosts"]
        always = [self._utilisation(ports), self._losses(ports)]
        power, sensors = self._power(tables["power"]), self._sensors(tables["sensors"])
        others = (self._cpu(hosts), self._memory(hosts), *power, *sensors)
        return [*always, *(one for one in others if not one.is_empty)]

    def of_port(self, ports: Table, port: str) -> list[Chart]:
        """The charts of one interface."""
        own = Table(self._grid, {port: ports.objects[port]} if port in ports.objects else {})
        plans = [
            self._plan("traffic", "bit/s", self._both(own, port, TRAFFIC, names=FLOWS)),
            self._plan("utilisation", "%", self._both(own, port, ("in_util", "out_util"))),
            self._plan("losses", "packet/s", self._both(own, port, LOSSES, names=LOSSES)),
            self._plan("packets", "packet/s", self._both(own, port, ("in_pps", "out_pps"))),
        ]
        return [self._drawn(plan, own) for plan in plans]

    def _utilisation(self, ports: Table) -> Chart:
        """Of the busiest port at each step."""
        names = {"in_util": "in", "out_util": "out"}
        lines = [self._over(ports, column, name, max) for column, name in names.items()]
        return self._drawn(self._plan("busiest", "%", lines, top=HUNDRED), ports)

    def _losses(self, ports: Table) -> Chart:
        """Of all ports together, both ways."""
        kinds = {"errors": ("in_errors", "out_errors"), "discards": ("in_discards", "out_discards")}
        lines = [
            joined(self._say(f"line_{name}"), sum, [self._over(ports, column, name, sum) for column in columns])
            for name, columns in kinds.items()
        ]
        return self._drawn(self._plan("losses", "packet/s", lines), ports)

    def _cpu(self, hosts: Table) -> Chart:
        found = {name: cells["cpu"] for name, cells in sorted(hosts.objects.items())}
        lines = [Line(name=name, values=values) for name, values in found.items() if _any(values)]
        return self._drawn(self._plan("cpu", "%", self._few(lines), top=HUNDRED), hosts)

    def _memory(self, hosts: Table) -> Chart:
        rows = sorted(hosts.objects.items())
        found = {name: _shares(cells["memory_used"], cells["memory_total"]) for name, cells in rows}
        lines = [Line(name=name, values=values) for name, values in found.items() if _any(values)]
        return self._drawn(self._plan("memory", "%", self._few(lines), top=HUNDRED), hosts)

    def _power(self, power: Table) -> Iterable[Chart]:
        """Charge and load of each UPS, with the time on battery marked."""
        told = self._say("on_battery")
        for name, cells in sorted(power.objects.items()):
            lines = [Line(name=self._say(f"line_{column}"), values=cells[column]) for column in ("charge", "load")]
            bands = {place: told for place, value in enumerate(cells["on_battery"]) if value}
            own = Table(self._grid, {name: cells})
            yield self._drawn(self._plan("power", "%", lines, top=HUNDRED, name=name, bands=bands), own)

    def _sensors(self, sensors: Table) -> Iterable[Chart]:
        """One for each kind and unit of sensors that measure a value."""
        groups: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for name, cells in sorted(sensors.objects.items()):
            if _any(cells["value"]):
                group = _last(cells["kind"]), _last(cells["unit"])
                groups[group].append(Line(name=name, values=cells["value"]))
        for kind, unit in sorted(groups, key=lambda group: (group[0] not in KINDS, group)):
            title = say_if_known(self._language, f"sensor_kind.{kind}", kind or self._say("sensors"))
            lines = self._few(groups[kind, unit])
            yield self._drawn(Plan(f"sensors-{kind}-{unit}", title, unit, lines), sensors)

    def _drawn(self, plan: Plan, table: Table) -> Chart:
        reasons = reasons_of(table, self._reached, self._language)
        return draw(plan, self._grid, reasons, partial(measured, unit=plan.unit, language=self._language))

    def _plan(self, key: str, unit: str, lines: Sequence[Line], *, name: str = "", **more: Any) -> Plan:
        title = say(self._language, f"charts.title_{key}", name=name)
        return Plan(f"{key}-{name}" if name else key, title, unit, tuple(lines), **more)

    def _both(self, ports: Table, port: str, columns: Sequence[str], names: Sequence[str] = WAYS) -> list[Line]:
        pairs = zip(columns, names, strict=True)
        return [Line(name=self._say(f"line_{name}"), values=ports.cells(port, column)) for column, name in pairs]

    def _over(self, ports: Table, column: str, name: str, how: Callable[[list[float]], float]) -> Line:
        lines = [Line(name=port, values=cells[column]) for port, cells in ports.objects.items()]
        empty = Line(name="", values=(None,) * self._grid.steps)
        return joined(self._say(f"line_{name}"), how, lines or [empty])

    def _few(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        return few_lines(lines, self._say("line_highest"), self._say("line_lowest"))

    def _say(self, key: str) -> str:
        return say(self._language, f"charts.{key}")


def reasons_of(table: Table, reached: Table, language: str) -> dict[int, str]:
    """Why each step may have no value, in words.

    What the rows themselves say comes first; then whether the device answered; a step at which it was not even polled
    says so.
    """
    ups = [cells["up"] for cells in reached.objects.values()]
    own = [cells["gap"] for cells in table.objects.values() if "gap" in cells]
    codes = ((_code(place, own, ups), place) for place in range(table.grid.steps))
    return {place: reason_text(code, language) for code, place in codes}


def reason_text(code: str, language: str) -> str:
    """The reason in words; one that we have no words for as it came."""
    return say_if_known(language, f"gap.{code}", code)


def _code(place: int, own: Sequence[Cells], ups: Sequence[Cells]) -> str:
    told = next((cells[place] for cells in own if cells[place]), None)
    answered = [cells[place] for cells in ups if cells[place] is not None]
    if answered and not any(answered):
        return "unanswered"
    return str(told) if told else "missing" if answered else "unpolled"


def _any(values: Iterable[object]) -> bool:
    return any(value is not None for value in values)


def _last(cells: Cells) -> str:
    return str(next((cell for cell in reversed(cells) if cell is not None), ""))


def _shares(used: Cells, total: Cells) -> tuple[float | None, ...]:
    pairs = zip(used, total, strict=True)
    return tuple(HUNDRED * one / whole if one is not None and whole else None for one, whole in pairs)
