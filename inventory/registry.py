"""The tables of an inventory: of what records, known by which columns, and a record as a row of text."""

from __future__ import annotations

from collections.abc import Iterator

from core.records import Record
from inventory.objects import (
    Calendar,
    CalendarDay,
    Circuit,
    Interface,
    Link,
    Place,
    Policy,
    Service,
    Space,
)
from inventory.records import Device, Inventory, Prefix, Site, fold_name
from inventory.units import Succession, Unit, UnitFact


class Table(Record, frozen=True, kw_only=True):
    """One kind of record.

    Attributes:
        record: the record's type; its fields are the columns.
        key: the columns that tell one row from another.
        folded: those of them that name a device, which is compared without case.
        title: what a row is called in a message.
    """

    record: type[Record]
    key: tuple[str, ...]
    title: str
    folded: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in their order."""
        return self.record.__struct_fields__


TABLES: dict[str, Table] = {
    "units": Table(record=Unit, key=("id",), title="unit"),
    "unit_facts": Table(record=UnitFact, key=("unit", "what", "value", "valid_from"), title="unit fact"),
    "successions": Table(record=Succession, key=("predecessor", "successor"), title="succession"),
    "sites": Table(record=Site, key=("id",), title="site"),
    "places": Table(record=Place, key=("id",), title="place"),
    "devices": Table(record=Device, key=("name",), title="device name", folded=("name",)),
    "interfaces": Table(record=Interface, key=("device", "name"), title="interface", folded=("device",)),
    "links": Table(record=Link, key=("id",), title="link"),
    "circuits": Table(record=Circuit, key=("id",), title="circuit"),
    "spaces": Table(record=Space, key=("id",), title="space"),
    "prefixes": Table(record=Prefix, key=("space", "prefix"), title="prefix"),
    "services": Table(record=Service, key=("id",), title="service"),
    "calendars": Table(record=Calendar, key=("id",), title="calendar"),
    "calendar_days": Table(record=CalendarDay, key=("calendar", "valid_from"), title="calendar day"),
    "policies": Table(record=Policy, key=("tier", "what", "role", "valid_from"), title="policy"),
}
"""By name, which is that of the file, of the sheet, and of the inventory's attribute."""


def key_of(kind: str, record: Record) -> str:
    """What tells this record from the others of its table: the key column, or the columns joined by ``|``."""
    return key_of_cells(kind, {column: str(getattr(record, column)) for column in TABLES[kind].key})


def key_of_cells(kind: str, cells: dict[str, str]) -> str:
    """The key of the record that these cells would make; a cell that is not there counts as empty."""
    table = TABLES[kind]
    parts = (cells.get(column, "") for column in table.key)
    if table.folded:
        parts = (
            fold_name(part) if column in table.folded else part for column, part in zip(table.key, parts, strict=True)
        )
    found = list(parts)
    return found[0] if len(found) == 1 else "|".join(map(_escaped, found))


def _escaped(part: str) -> str:
    """The part with what would look like a joint made different; most have none."""
    if "|" in part or "\\" in part:
        return part.replace("\\", "\\\\").replace("|", "\\|")
    return part


def cells_of(record: Record) -> dict[str, str]:
    """The record as a row of text, all its columns."""
    return {column: _cell(getattr(record, column)) for column in record.__struct_fields__}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def records_of(inventory: Inventory) -> Iterator[tuple[str, tuple[Record, ...]]]:
    """Each table's name and its records, in the registry's order."""
    for kind in TABLES:
        records: tuple[Record, ...] = getattr(inventory, kind)
        yield kind, records


def by_key(inventory: Inventory) -> dict[str, dict[str, Record]]:
    """Each table's records by their keys; of several with one key the last."""
    return {kind: {key_of(kind, record): record for record in found} for kind, found in records_of(inventory)}
