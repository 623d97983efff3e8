"""Which format a file is in: reads any into rows by table, and writes tables as any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from core.errors import ContentError
from core.files import read_bounded
from inventory.formats.csv_ import write_csv
from inventory.formats.rows import MAX_BYTES, Rows, Sheet
from inventory.formats.xlsx import read_xlsx, write_xlsx
from inventory.formats.yaml_ import write_yaml
from inventory.records import Inventory
from inventory.registry import TABLES, cells_of, records_of
from inventory.tables import READERS, read_file, read_table

FORMATS = ("csv", "yml", "xlsx")
"""What an inventory can be written as."""

_Writer: TypeAlias = Callable[[Sequence[str], Sequence[Mapping[str, str]]], bytes]
_WRITERS: dict[str, _Writer] = {"yml": write_yaml, "csv": write_csv}


def read_rows(path: Path) -> Rows:
    """The rows by table of a folder, of a workbook (.xlsx), or of one table whose name the file bears.

    Raises:
        ContentError: there is no such file, it is none of these, or it is too big, unreadable or badly formed.
    """
    if path.is_dir():
        return read_folder(path)
    if path.suffix == ".xlsx":
        return read_xlsx(path.name, read_bounded(path, MAX_BYTES, "expected a workbook"), tuple(TABLES))
    if path.suffix not in READERS:
        raise ContentError(f"{path}: expected a folder or a file .csv, .yml or .xlsx")
    if path.stem not in TABLES:
        raise ContentError(f"{path}: the name is of no table; expected one of {', '.join(TABLES)}")
    return {path.stem: read_file(path)}


def read_folder(folder: Path) -> Rows:
    """The rows of each table that has a file in the folder; other files are not looked at.

    Raises:
        ContentError: a table has two files, or a file is too big, unreadable, not UTF-8 or badly formed.
    """
    found = {kind: read_table(folder, kind) for kind in TABLES}
    return {kind: rows for kind, rows in found.items() if rows}


def write_inventory(inventory: Inventory, form: str) -> dict[str, bytes]:
    """The inventory in one of ``FORMATS``: file names to contents; reading them gives the inventory back.

    Tables without rows have no file; a workbook has a sheet for every table, which shows its columns.
    """
    sheets: dict[str, Sheet] = {
        kind: (TABLES[kind].columns, [cells_of(record) for record in records])
        for kind, records in records_of(inventory)
    }
    return write_sheets(sheets, form, "inventory")


def write_sheets(sheets: Mapping[str, Sheet], form: str, name: str) -> dict[str, bytes]:
    """The tables in one of ``FORMATS``: file names to contents; ``name`` is the workbook's."""
    if form == "xlsx":
        return {f"{name}.xlsx": write_xlsx(sheets)}
    return {f"{kind}.{form}": _WRITERS[form](columns, rows) for kind, (columns, rows) in sheets.items() if rows}
