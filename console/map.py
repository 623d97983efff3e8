"""The schematic map of the 34 provinces and cities: places come from `map_tiles.toml`, states from who asks. Pure."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from console.source_views import number
from console.texts import say
from core.records import Record

Place: TypeAlias = tuple[float, float]
"""Column and row of the grid; columns are counted in half tiles."""

RADIUS, HALF, STEP = 30, 26, 45
"""Of a tile, in the drawing's units: centre to its northern corner, to its eastern side, and from row to row."""

LINE = 14
"""From one line of a label to the next, in the drawing's units."""

MARGIN = 4

_CORNERS = ((0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1))
"""Clockwise from the north, in `HALF` widths and half radii."""


class TileHealth(StrEnum):
    """How a province's sites, or one of them, are."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class TileState(Record, frozen=True, kw_only=True):
    """What is known of a province.

    Attributes:
        health: what its tile shows.
        sites: how many of its sites are so; a health that is left out has none.
        name: as the inventory calls it; the tile's own name where empty.
        link: where its tile leads; empty leads nowhere.
    """

    health: TileHealth = TileHealth.UNKNOWN
    sites: Mapping[TileHealth, int] = MappingProxyType({})
    name: str = ""
    link: str = ""


class Point(Record, frozen=True, kw_only=True):
    """In the drawing's units, from its upper left corner."""

    x: float
    y: float


class Line(Record, frozen=True, kw_only=True):
    """One line of a label: its text is centred at the place."""

    text: str
    at: Point


class Tile(Record, frozen=True, kw_only=True):
    """A province as it is drawn; ``points`` are the corners of its hexagon as SVG writes them, ``title`` tells all."""

    code: str
    centre: Point
    points: str
    label: tuple[Line, ...]
    health: str
    title: str
    link: str


class Islands(Record, frozen=True, kw_only=True):
    """Islands in their sea; ``key`` ends their text's key, ``title`` is their label in one line."""

    key: str
    dots: tuple[Point, ...]
    label: tuple[Line, ...]
    title: str


class LegendEntry(Record, frozen=True, kw_only=True):
    """A state's word, and how many provinces are so."""

    health: str
    text: str
    count: str


class Map(Record, frozen=True, kw_only=True):
    """The whole drawing: tiles from north to south, and its size in its own units."""

    width: float
    height: float
    title: str
    tiles: tuple[Tile, ...]
    islands: tuple[Islands, ...]
    sea: tuple[Line, ...]
    legend: tuple[LegendEntry, ...]


class _Province(Record, frozen=True, kw_only=True):
    code: str
    name: str
    place: tuple[int, int]
    label: str = ""


class _Islands(Record, frozen=True, kw_only=True):
    text: str
    label: Place
    dots: tuple[Place, ...]


class _Layout(Record, frozen=True, kw_only=True):
    columns: float
    rows: int
    sea: Place
    tile: tuple[_Province, ...]
    islands: tuple[_Islands, ...]


def drawing(states: Mapping[str, TileState], language: str) -> Map:
    """The map of those states by GSO code; a province without one is unknown, a code without a tile is left out."""
    layout = _layout()
    shown = {each.code: states.get(each.code, TileState()) for each in layout.tile}
    counts = Counter(state.health for state in shown.values())
    return Map(
        width=_x(layout.columns) + MARGIN,
        height=_y(layout.rows) + RADIUS + MARGIN,
        title=say(language, "map.title"),
        tiles=tuple(_tile(each, shown[each.code], language) for each in layout.tile),
        islands=tuple(_islands(each, language) for each in layout.islands),
        sea=_lines(say(language, "map.sea"), layout.sea),
        legend=tuple(_entry(health, counts[health], language) for health in TileHealth),
    )


def places() -> dict[str, tuple[int, int]]:
    """Column and row of every tile by GSO code, from north to south; neighbours differ by (2, 0) or (1, 1)."""
    return {each.code: each.place for each in _layout().tile}


@cache
def names() -> Mapping[str, str]:
    """The name of every tile's province by GSO code, from north to south."""
    return MappingProxyType({each.code: each.name for each in _layout().tile})


@cache
def _layout() -> _Layout:
    content = tomllib.loads(files("console").joinpath("map_tiles.toml").read_text("utf-8"))
    return msgspec.convert(content, _Layout)


def _tile(province: _Province, state: TileState, language: str) -> Tile:
    column, row = province.place
    lines = (province.label or province.name).split()
    return Tile(
        code=province.code,
        centre=_point(province.place),
        points=" ".join(f"{_x(column) + HALF * x},{_y(row) + RADIUS / 2 * y:g}" for x, y in _CORNERS),
        label=_lines("\n".join(lines), (column, row + (0.2 if len(lines) == 1 else 0.05))),
        health=state.health.value,
        title=_title(state.name or province.name, state, language),
        link=state.link,
    )


def _title(name: str, state: TileState, language: str) -> str:
    """The name, the state in words, and how many sites are how."""
    told = f"{name}: {_word(state.health, language)}"
    total = sum(state.sites.values())
    if not total:
        return f"{told}. {say(language, 'map.no_sites')}"
    parts = [
        f"{number(state.sites[each], language)} {_word(each, language)}" for each in TileHealth if state.sites.get(each)
    ]
    return f"{told}. {say(language, 'map.sites', total=number(total, language), parts=', '.join(parts))}"


def _islands(islands: _Islands, language: str) -> Islands:
    text = say(language, f"map.{islands.text}")
    return Islands(
        key=islands.text,
        dots=tuple(map(_point, islands.dots)),
        label=_lines(text, islands.label),
        title=text.replace("\n", " "),
    )


def _entry(health: TileHealth, count: int, language: str) -> LegendEntry:
    return LegendEntry(health=health.value, text=_word(health, language), count=number(count, language))


def _word(health: TileHealth, language: str) -> str:
    return say(language, f"map.{health}")


def _lines(text: str, first: Place) -> tuple[Line, ...]:
    at = _point(first)
    return tuple(
        Line(text=line, at=Point(x=at.x, y=at.y + LINE * index)) for index, line in enumerate(text.split("\n"))
    )


def _point(place: Place) -> Point:
    return Point(x=_x(place[0]), y=_y(place[1]))


def _x(column: float) -> float:
    return round(MARGIN + HALF * column, 1)


def _y(row: float) -> float:
    return round(MARGIN + RADIUS + STEP * row, 1)
