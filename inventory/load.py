"""Loads an inventory: rows of text into records, each row checked where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ContentError
from inventory.checks import Checked, Placed, Refused, check_records
from inventory.convert import Problem, read_record
from inventory.formats.files import read_folder
from inventory.formats.rows import Row
from inventory.records import Inventory
from inventory.registry import TABLES, key_of_cells


def load_inventory(folder: Path) -> Inventory:
    """The inventory in ``folder``: each table in NAME.yml or NAME.csv.

    A missing file is an empty list. Text is normalised to NFC, addresses to their canonical form.

    Raises:
        ContentError: the folder is missing or a row is wrong; the text names file, line and what was expected.
    """
    if not folder.is_dir():
        raise ContentError(f"{folder}: no such folder; expected an inventory: units.yml, sites.csv, devices.csv ...")
    checked = check_rows(read_folder(folder))
    if checked.problems:
        raise ContentError(str(checked.problems[0]))
    return inventory_of(checked.records)


def check_rows(rows: Mapping[str, Sequence[Row]]) -> Checked:
    """The records of the rows, by table, and the rows that cannot be used or that depend on one of those."""
    placed: dict[str, list[Placed]] = {kind: [] for kind in TABLES}
    refused: Refused = {}
    problems: list[Problem] = []
    for kind in TABLES:
        for row in rows.get(kind, ()):
            found = read_record(kind, row)
            if isinstance(found, Problem):
                problems.append(found)
                refused.setdefault((kind, key_of_cells(kind, row.cells)), row.place)
            else:
                placed[kind].append((row.place, found))
    checked = check_records(placed, refused)
    checked.problems[:0] = problems
    return checked


def inventory_of(records: Mapping[str, Iterable[Placed]]) -> Inventory:
    """The inventory of records that have been checked."""
    made: dict[str, Any] = {kind: tuple(record for _, record in records.get(kind, ())) for kind in TABLES}
    return Inventory(**made)
