"""The sector's units as they are shipped: what public sources tell and no more (``inventory/data``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from core.errors import ContentError
from core.records import Record
from inventory.formats.rows import Row
from inventory.org import Org
from inventory.tables import read_file
from inventory.unit_check import check_units
from inventory.units import Day, Succession, Text, Unit, UnitFact, UnitType

SHIPPED = Path(__file__).resolve().parent / "data"
"""A folder that ``load_inventory`` can read: units, their facts and successions."""

_R = TypeVar("_R", bound=Record)


class KnownCount(Record, frozen=True, kw_only=True):
    """How many units of a type stand below a unit, told where their names are not known."""

    unit: Text
    type: UnitType
    count: Annotated[int, msgspec.Meta(ge=0)]
    valid_from: Day = ""
    source: str = ""


@cache
def shipped_units() -> Org:
    """The sector: the supreme procuracy, what is in it, high and provincial units before and after 1 July 2025.

    Raises:
        ContentError: a shipped file was changed and is wrong; the text names file, line and what was expected.
    """
    units, facts = _read("units.yml", Unit), _read("unit_facts.csv", UnitFact)
    successions = _read("successions.csv", Succession)
    check_units(units, facts, successions)
    return Org((unit for _, unit in units), (fact for _, fact in facts), (succession for _, succession in successions))


@cache
def known_counts() -> tuple[KnownCount, ...]:
    """The counts that are known of units whose names are not.

    Raises:
        ContentError: likewise.
    """
    return tuple(record for _, record in _read("known_counts.csv", KnownCount))


def _read(name: str, kind: type[_R]) -> list[tuple[str, _R]]:
    return [(row.place, _record(row, kind)) for row in read_file(SHIPPED / name)]


def _record(row: Row, kind: type[_R]) -> _R:
    columns = ", ".join(kind.__struct_fields__)
    if row.fault:
        raise ContentError(f"{row.place}: {row.fault}")
    try:
        return msgspec.convert(row.cells, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ContentError(f"{row.place}: {error}; expected {columns}") from error
