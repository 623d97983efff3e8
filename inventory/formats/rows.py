"""A row of text that knows where it stands: what every format gives and takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from core.records import Record

MAX_BYTES = 64 * 1024 * 1024
"""Largest file of an inventory that is read."""


class Row(Record, frozen=True, kw_only=True):
    """One row.

    Attributes:
        place: where it stands: ``sites.csv, line 4``.
        cells: text by column; a column that is not named says nothing, an empty one that there is none.
        fault: why it cannot be read; empty if it can.
    """

    place: str
    cells: dict[str, str]
    fault: str = ""


Rows: TypeAlias = dict[str, list[Row]]
"""Rows by table."""

Sheet: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, str]]]
"""What is written as one table: its columns, and its rows by column."""


def clean(text: str) -> str:
    """A cell's text as it is compared and kept: NFC, without spaces around it."""
    return unicodedata.normalize("NFC", text).strip()
