"""Tables as an Excel workbook (.xlsx, ECMA-376), a sheet for each.

Everything is written as text, so that a spreadsheet neither computes it nor takes 01 for 1. When it is read, nothing is
computed: a formula counts as the value that was last shown for it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from xml.sax.saxutils import escape

import xlsxwriter  # type: ignore[import-untyped] # ships no types
from python_calamine import CalamineError, CalamineWorkbook

from core.errors import ContentError
from inventory.formats.rows import Row, Rows, Sheet, clean
from inventory.formats.xlsx_bounds import checked_workbook

_Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta

_FORMULA = ("=", "+", "-", "@")
_WIDEST = 60
_SHARED = "xl/sharedStrings.xml"
_AWKWARD = re.compile(r"[\x00-\x1f]|_x[0-9A-Fa-f]{4}_|^<r>")
"""Texts that XlsxWriter takes for rich text, and writes without escaping it, or escapes in part."""

_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_STAND_IN = re.compile(r"<t>_x0001_[0-9]+</t>")
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - the earliest a ZIP archive can tell, and it has no zone


def read_xlsx(name: str, data: bytes, tables: Sequence[str]) -> Rows:
    """The rows of each sheet, whose name is the table's; its first row names the columns.

    Raises:
        ContentError: it is no workbook, is larger than a bound, or has a sheet that is no table.
    """
    found = _cells(name, checked_workbook(name, data))
    filled = {sheet: cells for sheet, cells in found.items() if any(any(row) for row in cells)}
    for sheet in filled:
        if sheet not in tables:
            raise ContentError(f"{name}: sheet {sheet!r} is no table; expected one of {', '.join(tables)}")
    rows = {sheet: list(_rows(f"{name}, sheet {sheet}", cells)) for sheet, cells in filled.items()}
    return {sheet: found for sheet, found in rows.items() if found}


def _cells(name: str, data: bytes) -> dict[str, list[list[_Cell]]]:
    """The cells of each sheet, as the reader gives them."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {sheet: workbook.get_sheet_by_name(sheet) for sheet in workbook.sheet_names}
        return {sheet: found.to_python(skip_empty_area=False) for sheet, found in sheets.items()}
    except CalamineError as error:
        raise ContentError(f"{name}: not a workbook ({_one_line(error)}); expected .xlsx") from error
    except BaseException as error:  # a panic in the reader's Rust, as at a date of the year 10^300, is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise ContentError(f"{name}: a cell cannot be read ({_one_line(error)}); expected dates of our age") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _rows(place: str, sheet: Sequence[Sequence[_Cell]]) -> Iterator[Row]:
    texts = ([clean(_text(cell)) for cell in row] for row in sheet)
    filled = ((number, row) for number, row in enumerate(texts, 1) if any(row))
    head, columns = next(filled)
    width = max(at for at, column in enumerate(columns, 1) if column)
    columns = columns[:width]
    if len(set(columns)) < width or not all(columns):
        raise ContentError(f"{place}, row {head}: a column without a name or with one given twice; expected each once")
    for number, row in filled:
        beyond = any(row[width:])
        yield Row(
            place=f"{place}, row {number}",
            cells=dict(zip(columns, row, strict=False)),
            fault=f"a cell beyond the last named column; expected {', '.join(columns)}" if beyond else "",
        )


def _text(cell: _Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | datetime | time) else str(cell)


def write_xlsx(sheets: Mapping[str, Sheet]) -> bytes:
    """The tables as a workbook; what a spreadsheet would take for a formula is marked as text (quotePrefix)."""
    packed = io.BytesIO()
    workbook = xlsxwriter.Workbook(packed, {"in_memory": True})
    workbook.set_properties({"created": _EPOCH})
    head = workbook.add_format({"bold": True, "num_format": "@"})
    plain = workbook.add_format({"num_format": "@"})
    quoted = workbook.add_format({"num_format": "@", "quote_prefix": True})
    awkward: dict[str, str] = {}
    for name, (columns, rows) in sheets.items():
        sheet = workbook.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column, head)
            widest = max((len(row[column]) for row in rows), default=0)
            sheet.set_column(at, at, min(max(widest, len(column)) + 2, _WIDEST), plain)
        for line, row in enumerate(rows, 1):
            for at, column in enumerate(columns):
                cell = row[column]
                if cell:
                    text = _stand_in(cell, awkward) if _AWKWARD.search(cell) else cell
                    sheet.write_string(line, at, text, quoted if cell.startswith(_FORMULA) else plain)
    workbook.close()
    return _with_awkward(packed, awkward) if awkward else packed.getvalue()


def _stand_in(cell: str, awkward: dict[str, str]) -> str:
    """What is written for now in place of a text that XlsxWriter does not write as it is; no cell is like it."""
    return awkward.setdefault(cell, f"\x01{len(awkward)}")


def _with_awkward(packed: io.BytesIO, awkward: Mapping[str, str]) -> bytes:
    """The workbook with the texts in the place of their stand-ins."""
    texts = {f"<t>_x0001_{stand_in[1:]}</t>": f"<t>{_escaped(cell)}</t>" for cell, stand_in in awkward.items()}
    result = io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == _SHARED:
                content = _STAND_IN.sub(lambda found: texts[found[0]], content.decode()).encode()
            new.writestr(entry, content)
    return result.getvalue()


def _escaped(cell: str) -> str:
    """As XML, with what looks like an escape itself escaped (ECMA-376 part 1, 22.9.2.19, ST_Xstring)."""
    text = _ESCAPE.sub("_x005F_", cell)
    return escape("".join(letter if letter >= " " else f"_x{ord(letter):04X}_" for letter in text))
