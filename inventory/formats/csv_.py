"""Tables as CSV (RFC 4180), UTF-8, comments (``#``) before the heading allowed.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, and read without it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from core.errors import ContentError
from inventory.formats.rows import Row, clean

_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")
"""How a formula begins, in a cell of Western or East Asian width; apostrophes before it are counted by one up."""

_GUARDED = re.compile(r"'+[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def read_csv(name: str, text: str) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        ContentError: a quotation mark is left open or a column named twice; names the line.
    """
    lines = list(io.StringIO(text, newline=""))
    head = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    reader = csv.reader(lines[head:], strict=True)
    columns: list[str] = []
    try:
        for cells in reader:
            if not columns:
                columns = _columns(name, head + 1, cells)
            elif cells:
                yield _row(f"{name}, line {head + reader.line_num}", columns, cells)
    except csv.Error as error:
        raise ContentError(f"{name}, line {head + reader.line_num}: {error}; expected comma-separated text") from error


def _columns(name: str, line: int, cells: list[str]) -> list[str]:
    columns = [clean(cell) for cell in cells]
    if len(set(columns)) < len(columns):
        raise ContentError(f"{name}, line {line}: a column is named twice; expected each once")
    return columns


def _row(place: str, columns: list[str], cells: list[str]) -> Row:
    named = {column: _unguard(clean(cell)) for column, cell in zip(columns, cells, strict=False)}
    fault = ""
    if len(cells) != len(columns):
        fault = f"{len(cells)} cells; expected {len(columns)}: {', '.join(columns)}"
    return Row(place=place, cells=named, fault=fault)


def write_csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The table with its heading; begins with the byte order mark, without which spreadsheets garble Vietnamese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_guard(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _guard(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
