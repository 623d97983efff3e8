"""From what came to what is meant: numbers scaled, states named, octets read as text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from collectors.snmp.profiles import Column, Kind, Term
from collectors.snmp.readings import Cell
from collectors.snmp.walks import Value

Convert: TypeAlias = Callable[[list[Any]], list[Cell]]
"""A column as it came to what it means, row by row."""

_NUMBERS = frozenset({int, float, type(None)})
_FORMS: dict[str, Callable[[bytes], str]] = {
    "mac": lambda octets: octets.hex(":"),
    "hex": lambda octets: _text(octets) or octets.hex(":"),
    "ip": lambda octets: ".".join(map(str, octets)),
}


def converter(column: Column, scales: Sequence[float]) -> Convert:
    """What makes the column's cells of what came.

    Args:
        column: as the profile has it.
        scales: of each row what its value is multiplied by.
    """
    if column.kind is Kind.TEXT:
        form = _FORMS.get(column.unit, _text)
        return lambda came: [_read(form, one) for one in came]
    if column.kind is Kind.STATE:
        return _states(column.states)
    if column.absent:
        return _scaled(scales, frozenset(column.absent))
    return numbers if all(scale == 1 for scale in scales) else _scaled(scales, frozenset())


def numbers(came: list[Any]) -> list[Any]:
    """Numbers as they are; what is none is read as one if it is the text of one, and else is None."""
    if _NUMBERS.issuperset(map(type, came)):
        return came
    return [_number(one) for one in came]


def read_text(value: Value) -> str:
    """What came for a text; empty if nothing did."""
    return _text(value) if isinstance(value, bytes) else str(value or "")


def derive(terms: Sequence[Term], columns: Mapping[str, list[Cell]], rows: int) -> list[Cell]:
    """The sum of columns and numbers, row by row; None where one of them is."""
    return [_sum(terms, columns, row) for row in range(rows)]


def exponent(scale: Cell, precision: Cell) -> float:
    """What a sensor's value is multiplied by (EntitySensorDataScale: 9 is units, each step 10^3; RFC 3433)."""
    if not isinstance(scale, int) or not isinstance(precision, int):
        return 1.0
    return float(10.0 ** (3 * (min(max(scale, 1), 17) - 9) - min(max(precision, -8), 9)))


def _sum(terms: Sequence[Term], columns: Mapping[str, list[Cell]], row: int) -> Cell:
    total = 0.0
    for term in terms:
        if not isinstance(term, str):
            total += term
            continue
        cell = columns[term.removeprefix("-")][row]
        if not isinstance(cell, int | float):
            return None
        total += -cell if term.startswith("-") else cell
    return total


def _states(names: Mapping[int, str]) -> Convert:
    def named(came: list[Any]) -> list[Cell]:
        found: list[Cell] = list(map(names.get, came))
        if None in found:
            return [_state(names, one) for one in came]
        return found

    return named


def _state(names: Mapping[int, str], value: Value) -> Cell:
    number = _number(value)
    if not isinstance(number, int | float):
        return None
    return names.get(int(number), str(int(number)))


def _scaled(scales: Sequence[float], absent: frozenset[int]) -> Convert:
    def scaled(came: list[Any]) -> list[Cell]:
        return [
            None if one is None or one in absent else one * scale
            for one, scale in zip(numbers(came), scales, strict=True)
        ]

    return scaled


def _number(value: Value) -> int | float | None:
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if value else None
    except ValueError:
        return None


def _read(form: Callable[[bytes], str], value: Value) -> Cell:
    if isinstance(value, bytes):
        return form(value)
    return None if value is None else str(value)


def _text(octets: bytes) -> str:
    """Text of a device: UTF-8, or of old ones Latin-1; without what cannot be shown."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return "".join(one for one in text if one.isprintable()).strip()
