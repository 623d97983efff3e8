"""Charts of measured values, drawn as parts of SVG pictures. Pure.

Times lie on a grid of equal steps. A value that is missing is None and is drawn as a gap with its reason, never as 0.
Places are percent of the plot: from its left, and from its top.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from console.views import Moment, moment
from core.clock import HOUR, MINUTE, SECOND, VIETNAM, to_datetime
from core.records import Record
from core.stores.series_manifest import AHEAD, DAY

Values: TypeAlias = Sequence[float | None]
"""One for each step of the grid."""

Write: TypeAlias = Callable[[float], str]
"""A value as people read it."""

WIDTH, HEIGHT = 1000, 100
"""Of the drawing in which lines are told; it is stretched to the plot."""

MOST_LINES = 6
"""In one chart; more are told by their highest and lowest."""

SETTLED = 3 * MINUTE
"""By then a step has its first values, where it is not known how often there are some."""
ARRIVED = 30 * SECOND
"""The same, after the time between two polls."""

_TICKS = 4
_TICK_STEPS = ((2 * HOUR, 10 * MINUTE), (2 * DAY, 4 * HOUR), (10 * DAY, DAY), (60 * DAY, 5 * DAY))
"""Of plots up to so long, how far apart times are told under them; of longer ones, each month."""

_SAME = 1e-9
"""Share of a value by which two that differ no more are one: means of equal values differ in their last bits."""

_LEAST_STEP = 1e-300
"""Of a scale: what is smaller has no logarithm that can be counted with."""


class Span(NamedTuple):
    """A choice of time: how far back, and how long each step of its charts is."""

    length: int
    step: int


SPANS: Mapping[str, Span] = {
    "1h": Span(HOUR, 2 * MINUTE),
    "24h": Span(24 * HOUR, 15 * MINUTE),
    "7d": Span(7 * DAY, HOUR),
    "30d": Span(30 * DAY, 6 * HOUR),
    "12m": Span(365 * DAY, 3 * DAY),
}
DEFAULT_SPAN = "24h"


class Grid(NamedTuple):
    """Equal steps from a time on, counted from midnight in Vietnam. Nanoseconds."""

    since: int
    step: int
    steps: int

    @property
    def until(self) -> int:
        """The end of the last step."""
        return self.since + self.step * self.steps

    def at(self, place: int) -> int:
        """When that step begins."""
        return self.since + self.step * place

    def place(self, time: int) -> int:
        """The step in which that time lies."""
        return (time - self.since) // self.step


class Line(Record, frozen=True, kw_only=True):
    """What is drawn as one line."""

    name: str
    values: tuple[float | None, ...]


class Plan(NamedTuple):
    """A chart to be drawn.

    Attributes:
        key: by which the page and programs know it.
        title: as people read it.
        unit: of its values, as the store names it.
        lines: what is drawn, each over the whole grid.
        top: the highest value of the scale where it is fixed (100 for percent).
        bands: steps that are marked (on battery), with what is told of them.
    """

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    top: float | None = None
    bands: Mapping[int, str] = {}


class Scale(NamedTuple):
    """The values at the bottom and the top, and those that are written."""

    low: float
    high: float
    ticks: tuple[float, ...]


class Tick(NamedTuple):
    """A written value or time; ``place`` is percent from the top, or from the left."""

    place: float
    text: str


class Stripe(NamedTuple):
    """Part of the plot's width with what is told of it, percent."""

    x: float
    width: float
    told: str


class Gap(NamedTuple):
    """Some time without values, and why; ``told`` is the time in words."""

    since: Moment
    until: Moment
    reason: str
    told: str


class Stroke(NamedTuple):
    """A line as a path within ``WIDTH`` by ``HEIGHT``, and its latest value in words; empty if it has none."""

    name: str
    path: str
    latest: str


class Row(NamedTuple):
    """The chart's values of one step in words; empty where there is none, then ``reason`` says why."""

    time: Moment
    values: tuple[str, ...]
    reason: str


class Chart(Record, frozen=True, kw_only=True):
    """A chart as the page draws it; without a value ``is_empty``."""

    key: str
    title: str
    is_empty: bool
    strokes: tuple[Stroke, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    voids: tuple[Stripe, ...]
    bands: tuple[Stripe, ...]
    columns: tuple[Stripe, ...]
    gaps: tuple[Gap, ...]
    rows: tuple[Row, ...]
    unit: str
    lines: tuple[Line, ...]


def public_chart(chart: Chart) -> dict[str, object]:
    """The chart's figures for programs: one value a step, null where there is none, and why."""
    return {
        "key": chart.key,
        "title": chart.title,
        "unit": chart.unit,
        "lines": [{"name": line.name, "values": list(line.values)} for line in chart.lines],
        "gaps": [{"since": gap.since.iso, "until": gap.until.iso, "reason": gap.reason} for gap in chart.gaps],
    }


def grid_of(now: int, span: str, period: int = 0) -> Grid:
    """The steps of that choice up to ``now`` (nanoseconds UTC); of an unknown one the usual's.

    No step is shorter than the ``period`` of the polls (nanoseconds), or every other one would be empty. A step that
    has only just begun is left out: nothing can have been measured in it yet.
    """
    length, step = SPANS.get(span, SPANS[DEFAULT_SPAN])
    step = max(step, -(-period // MINUTE) * MINUTE)
    settled = period + ARRIVED if period else SETTLED
    last = (now - settled + AHEAD) // step * step - AHEAD
    count = length // step
    return Grid(last - (count - 1) * step, step, count)


def draw(plan: Plan, grid: Grid, reasons: Mapping[int, str], write: Write) -> Chart:
    """The chart; ``reasons`` say in words why a step has no value."""
    scale = scale_of([value for line in plan.lines for value in line.values if value is not None], plan.top)
    missing = void_places(plan.lines, grid.steps)
    why = {place: reasons.get(place, "") for place in missing}
    voids = runs(why)
    names = [line.name for line in plan.lines]
    told = [_row(plan.lines, grid, place, write, why.get(place, "")) for place in range(grid.steps)]
    return Chart(
        key=plan.key,
        title=plan.title,
        is_empty=len(missing) == grid.steps,
        strokes=tuple(_stroke(line, scale, grid.steps, write) for line in plan.lines),
        y_ticks=tuple(Tick(_y(value, scale), write(value)) for value in scale.ticks),
        x_ticks=time_ticks(grid),
        voids=tuple(_stripe(first, last, grid, reason) for first, last, reason in voids),
        bands=tuple(_stripe(first, last, grid, text) for first, last, text in runs(plan.bands)),
        columns=tuple(_column(names, row, place, grid) for place, row in enumerate(told)),
        gaps=tuple(_gap(first, last, grid, reason) for first, last, reason in voids),
        rows=tuple(told),
        unit=plan.unit,
        lines=plan.lines,
    )


def void_places(lines: Iterable[Line], count: int) -> list[int]:
    """The steps at which no line has a value."""
    every = [line.values for line in lines]
    return [place for place in range(count) if all(values[place] is None for values in every)]


def runs(told: Mapping[int, str]) -> list[tuple[int, int, str]]:
    """Steps that follow one another and of which the same is told: the first, the one after the last, and the text."""
    found: list[tuple[int, int, str]] = []
    for place in sorted(told):
        if found and found[-1][1] == place and found[-1][2] == told[place]:
            found[-1] = (found[-1][0], place + 1, told[place])
        else:
            found.append((place, place + 1, told[place]))
    return found


def scale_of(values: Sequence[float], top: float | None = None) -> Scale:
    """From 0, or from below the lowest of high values that differ little, up to a round value above the highest.

    A chart whose values are all 0, or that has none, is drawn up to 1.
    """
    if top is not None:
        return _even(0.0, top)
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low >= 0 and low < 0.6 * high:
        low = 0.0
    if high - low <= _SAME * max(abs(low), abs(high)):
        low, high = (0.0, high or 1.0) if high >= 0 else (low, 0.0)
    return _even(low, high)


def path_of(values: Values, scale: Scale, count: int) -> str:
    """The line through the values; a gap breaks it, and a value that stands alone is a dot."""
    parts: list[str] = []
    for place, value in enumerate(values):
        if value is None:
            continue
        start = place == 0 or values[place - 1] is None
        x, y = round((place + 0.5) * WIDTH / count, 1), round(_y(value, scale) * HEIGHT / 100, 2)
        alone = start and (place + 1 == len(values) or values[place + 1] is None)
        parts.append(f"{'M' if start else 'L'}{x:g} {y:g}{'h0' if alone else ''}")
    return "".join(parts)


def time_ticks(grid: Grid) -> tuple[Tick, ...]:
    """Round times of Vietnam under the plot: hours of a day, days of a month, months of a year."""
    length = grid.step * grid.steps
    if length > _TICK_STEPS[-1][0]:
        return tuple(_month_ticks(grid))
    step = next(step for most, step in _TICK_STEPS if length <= most)
    first = -((-grid.since - AHEAD) // step) * step - AHEAD
    times = range(first, grid.until, step)
    return tuple(Tick(_x(time, grid), _told_time(time, step)) for time in times if 2 <= _x(time, grid) <= 98)  # noqa: PLR2004 - else it would be cut


def few_lines(lines: Sequence[Line], highest: str, lowest: str) -> tuple[Line, ...]:
    """The lines, or where there are too many of them only their highest and lowest values, by these names."""
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return joined(highest, max, lines), joined(lowest, min, lines)


def joined(name: str, how: Callable[[list[float]], float], lines: Iterable[Line]) -> Line:
    """One line of several, step by step, of the values that there are."""
    steps = zip(*(line.values for line in lines), strict=True)
    known = ([value for value in step if value is not None] for step in steps)
    return Line(name=name, values=tuple(how(values) if values else None for values in known))


def _even(low: float, high: float) -> Scale:
    step = _round_step(max((high - low) / _TICKS, _LEAST_STEP))
    first = math.floor(low / step)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return Scale(first * step, last * step, tuple(number * step for number in range(first, last + 1)))


def _round_step(least: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


def _y(value: float, scale: Scale) -> float:
    share = (value - scale.low) / (scale.high - scale.low)
    return round(100 * (1 - min(max(share, 0.0), 1.0)), 2)


def _x(time: int, grid: Grid) -> float:
    return round(100 * (time - grid.since) / (grid.step * grid.steps), 2)


def _stroke(line: Line, scale: Scale, count: int, write: Write) -> Stroke:
    last = line.values[-1] if line.values[-1] is not None else line.values[-2] if len(line.values) > 1 else None
    return Stroke(line.name, path_of(line.values, scale, count), "" if last is None else write(last))


def _row(lines: Iterable[Line], grid: Grid, place: int, write: Write, reason: str) -> Row:
    values = (line.values[place] for line in lines)
    return Row(moment(grid.at(place)), tuple("" if one is None else write(one) for one in values), reason)


def _column(names: Iterable[str], row: Row, place: int, grid: Grid) -> Stripe:
    values = ", ".join(f"{name} {value}" for name, value in zip(names, row.values, strict=True) if value)
    return _stripe(place, place + 1, grid, f"{_range(place, place + 1, grid)}: {values or row.reason}")


def _stripe(first: int, last: int, grid: Grid, told: str) -> Stripe:
    return Stripe(round(100 * first / grid.steps, 3), round(100 * (last - first) / grid.steps, 3), told)


def _gap(first: int, last: int, grid: Grid, reason: str) -> Gap:
    return Gap(moment(grid.at(first)), moment(grid.at(last)), reason, _range(first, last, grid))


def _range(first: int, last: int, grid: Grid) -> str:
    since, until = (to_datetime(grid.at(place)).astimezone(VIETNAM) for place in (first, last))
    if grid.step >= DAY:
        return f"{since:%d/%m/%Y} – {until:%d/%m/%Y}"
    end = f"{until:%H:%M}" if until.date() == since.date() else f"{until:%d/%m/%Y %H:%M}"
    return f"{since:%d/%m/%Y %H:%M} – {end}"


def _month_ticks(grid: Grid) -> Iterable[Tick]:
    start = to_datetime(grid.since).astimezone(VIETNAM).replace(day=1)
    for ahead in range(1, 14, 2):
        years, month = divmod(start.month - 1 + ahead, 12)
        first = start.replace(year=start.year + years, month=month + 1, hour=0, minute=0, second=0, microsecond=0)
        place = _x(int(first.timestamp()) * 1_000_000_000, grid)
        if place <= 96:  # noqa: PLR2004 - else it would be cut
            yield Tick(place, f"{first:%m/%y}")


def _told_time(time: int, step: int) -> str:
    local = to_datetime(time).astimezone(VIETNAM)
    return f"{local:%d/%m}" if step >= DAY or local.hour == 0 else f"{local:%H:%M}"
