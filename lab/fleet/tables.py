"""How a MIB's tables are told: columns with a type and a function of device and row; a scalar is a table of one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from lab.fleet.ber import COUNTER64, Oid, Value, parse_dotted
from lab.fleet.sector import Node
from lab.fleet.state import State, World

Compute: TypeAlias = Callable[[State, int], Value]
"""The value of a column in a row, which counts from 0."""

Indexes: TypeAlias = Callable[[World, Node], tuple[Oid, ...]]
"""The index of each row of a device's table, by row."""

SCALAR: tuple[Oid, ...] = ((0,),)


class Column(NamedTuple):
    """A column: where it begins, its type's tag, and its values."""

    oid: Oid
    tag: int
    value: Compute

    @property
    def wide(self) -> bool:
        """Whether it is missing in what knows no 64-bit counters."""
        return self.tag == COUNTER64


class Table(NamedTuple):
    """Columns that share their rows; ``shuffled`` rows are those whose indexes a fault may shuffle."""

    columns: tuple[Column, ...]
    indexes: Indexes
    shuffled: bool = False


def table(base: str, columns: Mapping[int, tuple[int, Compute]], indexes: Indexes, *, shuffled: bool = False) -> Table:
    """A table whose columns are numbered below ``base``, its entry."""
    root = parse_dotted(base)
    made = tuple(Column((*root, number), tag, value) for number, (tag, value) in sorted(columns.items()))
    return Table(made, indexes, shuffled)


def scalars(base: str, objects: Mapping[str, tuple[int, Callable[[State], Value]]]) -> Table:
    """Scalars below ``base``, each by the numbers that follow, without the last 0."""
    made = tuple(
        Column(parse_dotted(f"{base}.{below}"), tag, _ignoring_row(value)) for below, (tag, value) in objects.items()
    )
    return Table(made, lambda _world, _node: SCALAR)


def always(value: Value) -> Compute:
    """The same value in each row."""
    return lambda _state, _row: value


def numbered(count: int, first: int = 1) -> Indexes:
    """So many rows, numbered from ``first``."""
    made = tuple((first + row,) for row in range(count))
    return lambda _world, _node: made


def _ignoring_row(value: Callable[[State], Any]) -> Compute:
    return lambda state, _row: value(state)
