"""What an agent holds, in the order in which it is walked; and what of it a request means.

Devices with the same tables and the same indexes share one view, its cells and the plans of requests made over it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

from lab.fleet import ber
from lab.fleet.ber import END_OF_MIB_VIEW, NO_SUCH_INSTANCE, NO_SUCH_OBJECT, OBJECT_ID, SEQUENCE, Oid, tlv
from lab.fleet.messages import FRAME, GET, GET_BULK, read_rest, variable
from lab.fleet.mib_interfaces import shift_of
from lab.fleet.mibs import tables_of
from lab.fleet.sector import Node
from lab.fleet.state import State, World
from lab.fleet.tables import Column

VIEWS, STRIPS = 8_192, 32_768
"""How many of each are remembered."""

PLAN_BYTES = 96 * 1024 * 1024

_A_PLAN, _A_SHARED_CELL, _A_LACK = 300, 8, 400
"""Octets that a plan takes, and each of its cells."""

_SMALL = tuple(bytes((SEQUENCE, size)) for size in range(128))
_LEAST_VALUE = 2


class Cell(Protocol):
    """A variable, or the lack of one.

    Attributes:
        found: whether it is a variable.
        name: the content of its object identifier.
        least: octets that it takes at least.
    """

    found: bool
    name: bytes
    least: int

    def encode(self, state: State) -> bytes:
        """The variable as it stands in a list."""
        ...


class Variable:
    """A variable that is computed: a column's value in a row."""

    __slots__ = ("_encode", "_head", "_row", "_value", "least", "name")

    found = True

    def __init__(self, column: Column, row: int, index: Oid) -> None:
        self.name = ber.oid((*column.oid, *index))
        self._head = tlv(OBJECT_ID, self.name)
        self._row = row
        self._value = column.value
        self._encode = ber.ENCODERS[column.tag]
        self.least = 2 + len(self._head) + _LEAST_VALUE

    def encode(self, state: State) -> bytes:
        """The variable with its value in this state."""
        content = self._head + self._encode(self._value(state, self._row))
        return _SMALL[len(content)] + content if len(content) < 128 else tlv(SEQUENCE, content)  # noqa: PLR2004 - X.690


class Fixed:
    """A variable that never changes, or the lack of one, ``value`` with its tag and length."""

    __slots__ = ("_encoded", "found", "least", "name")

    def __init__(self, name: bytes, value: bytes, *, found: bool = True) -> None:
        self.name = name
        self.found = found
        self._encoded = variable(name, value)
        self.least = len(self._encoded)

    def encode(self, _state: State) -> bytes:
        """The variable."""
        return self._encoded


class Strip(NamedTuple):
    """The cells below one object identifier, in the order of their indexes."""

    oid: Oid
    indexes: tuple[Oid, ...]
    cells: tuple[Cell, ...]


class View:
    """Strips in their order; with ``loops`` the last cell of a column is followed by the column's first, endlessly."""

    def __init__(self, strips: Sequence[Strip], *, loops: bool = False) -> None:
        self._strips = sorted((strip for strip in strips if strip.indexes), key=lambda strip: strip.oid)
        self._oids = [strip.oid for strip in self._strips]
        self._loops = loops

    def __iter__(self) -> Iterator[tuple[Oid, Cell]]:
        return ((oid + index, cell) for oid, *rows in self._strips for index, cell in zip(*rows, strict=True))

    def get(self, name: bytes) -> Cell:
        """The variable with this name, the content of an object identifier, or the lack of it.

        Raises:
            ValueError: the name is none.
        """
        oid = ber.read_oid(name)
        place = bisect_right(self._oids, oid) - 1
        if place < 0 or oid[: len(self._oids[place])] != self._oids[place]:
            return Fixed(name, bytes((NO_SUCH_OBJECT, 0)), found=False)
        strip = self._strips[place]
        index = oid[len(strip.oid) :]
        row = bisect_right(strip.indexes, index) - 1
        if row < 0 or strip.indexes[row] != index:
            return Fixed(name, bytes((NO_SUCH_INSTANCE, 0)), found=False)
        return strip.cells[row]

    def after(self, name: bytes) -> Iterator[Cell]:
        """All variables that come after this name, and for ever the lack of one more.

        Raises:
            ValueError: the name is none.
        """
        oid = ber.read_oid(name)
        place = bisect_right(self._oids, oid) - 1
        row = 0
        if place >= 0 and oid[: len(self._oids[place])] == self._oids[place]:
            row = bisect_right(self._strips[place].indexes, oid[len(self._oids[place]) :])
        else:
            place += 1
        return self._from(place, row, name)

    def _from(self, place: int, row: int, name: bytes) -> Iterator[Cell]:
        for strip in self._strips[place:]:
            cells = strip.cells
            row = self._turned(row, cells)
            while row < len(cells):
                name = cells[row].name
                yield cells[row]
                row = self._turned(row + 1, cells)
            row = 0
        end = Fixed(name, bytes((END_OF_MIB_VIEW, 0)), found=False)
        while True:
            yield end

    def _turned(self, row: int, cells: Sequence[Cell]) -> int:
        """The row, or the first where the view loops and the rows are at their end."""
        return 0 if self._loops and row == len(cells) > 1 else row

    @cached_property
    def size(self) -> int:
        """How many variables there are."""
        return sum(len(strip.cells) for strip in self._strips)


class Plans:
    """What requests mean, remembered up to so many octets by estimate; beyond it all are forgotten."""

    def __init__(self, most: int = PLAN_BYTES) -> None:
        self._most = most
        self._plans: dict[tuple[View, int, bytes], tuple[Cell, ...]] = {}
        self.held = 0

    def of(self, view: View, tag: int, rest: bytes) -> tuple[Cell, ...]:
        """As ``plan`` says.

        Raises:
            ValueError: it is no request.
        """
        key = (view, tag, rest)
        found = self._plans.get(key)
        if found is None:
            found = plan(view, tag, rest)
            size = _A_PLAN + len(rest) + sum(_A_SHARED_CELL if cell.found else _A_LACK for cell in found)
            if self.held + size > self._most:
                self._plans.clear()
                self.held = 0
            self._plans[key] = found
            self.held += size
        return found


def plan(view: View, tag: int, rest: bytes) -> tuple[Cell, ...]:
    """The cells that a request means, by its tag and what follows its request-id; of a GETBULK no more than may fit.

    Raises:
        ValueError: it is no request.
    """
    asked = read_rest(rest)
    if tag == GET:
        return tuple(view.get(name) for name in asked.names)
    if tag == GET_BULK:
        return tuple(_bulk(view, max(asked.first, 0), max(asked.second, 0), asked.names))
    return tuple(next(view.after(name)) for name in asked.names)


def _bulk(view: View, once: int, turns: int, names: Sequence[bytes]) -> Iterator[Cell]:
    """RFC 3416, 4.2.3; ends early where all have come to the end."""
    room = FRAME
    for name in names[:once]:
        yield next(view.after(name))
    ways = [view.after(name) for name in names[once:]]
    for _ in range(turns if ways else 0):
        row = [next(way) for way in ways]
        yield from row
        room -= sum(cell.least for cell in row)
        if room < 0 or not any(cell.found for cell in row):
            return


class Ways(NamedTuple):
    """How faults change what a device holds: no 64-bit counters, indexes shuffled, columns that never end."""

    narrow: bool = False
    shuffled: bool = False
    loops: bool = False


def ways_of(state: State) -> Ways:
    """As the device's faults are at its time."""
    if not state.effects:
        return Ways()
    return Ways(state.has("only_32_bit"), state.has("index_shuffle"), state.has("not_increasing"))


def view_of(world: World, node: Node, ways: Ways) -> View:
    """What the device holds."""
    indexes = tuple(table.indexes(world, node) for table in tables_of(node.family_name))
    return _view(node.family_name, indexes, ways)


@lru_cache(maxsize=VIEWS)
def _view(family_name: str, indexes: tuple[tuple[Oid, ...], ...], ways: Ways) -> View:
    strips = [
        _strip(column, rows, shift_of(len(rows)) if ways.shuffled and table.shuffled else 0)
        for table, rows in zip(tables_of(family_name), indexes, strict=True)
        for column in table.columns
        if not (ways.narrow and column.wide)
    ]
    return View(strips, loops=ways.loops)


@lru_cache(maxsize=STRIPS)
def _strip(column: Column, rows: tuple[Oid, ...], shift: int) -> Strip:
    """The column's cells in the order of their indexes; a shift gives each row the index of one further on."""
    found = sorted((rows[(row + shift) % len(rows)], row) for row in range(len(rows)))
    cells = tuple(Variable(column, row, index) for index, row in found)
    return Strip(column.oid, tuple(index for index, _ in found), cells)
