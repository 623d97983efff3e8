"""Reads a table of the inventory, CSV or YAML, into rows of text that know their line.

YAML is a list of flat mappings and every value is the text as written: ``id: 01`` is "01". It is read event by event,
so that nesting, aliases and tags are refused and cost nothing.
"""

from __future__ import annotations

import csv
import unicodedata
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import ContentError
from core.files import read_bounded
from core.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
"""Largest file of an inventory that is read."""

_YAML_NULLS = {"", "~", "null"}
_YAML_WANTED = "a list of rows, each a flat mapping of column: text"
_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where there is one: ten times faster


class Row(Record, frozen=True, kw_only=True):
    """One row: where it stands (``sites.csv, line 4``) and its cells by column."""

    place: str
    cells: dict[str, str]


def read_table(folder: Path, stem: str) -> list[Row]:
    """The rows of ``stem``.yml or ``stem``.csv in ``folder``; none if there is neither.

    Raises:
        ContentError: there are both, or the file is too big, unreadable, not UTF-8 or badly formed.
    """
    found = [path for path in (folder / f"{stem}.yml", folder / f"{stem}.csv") if path.exists()]
    if not found:
        return []
    if len(found) > 1:
        raise ContentError(f"{folder}: both {stem}.yml and {stem}.csv; keep one of them")
    text = _read_text(found[0])
    rows = _yaml_rows if found[0].suffix == ".yml" else _csv_rows
    return list(rows(found[0].name, text))


def _read_text(path: Path) -> str:
    data = read_bounded(path, MAX_BYTES, "expected an inventory table")
    try:
        return unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContentError(f"{path.name}, line {line}: not UTF-8; save the file as UTF-8") from error


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    lines = text.splitlines(keepends=True)
    head = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    reader = csv.reader(lines[head:], strict=True)
    columns: list[str] = []
    try:
        for cells in reader:
            if not columns:
                columns = _columns(name, head + 1, cells)
            elif cells:
                yield _csv_row(f"{name}, line {head + reader.line_num}", columns, cells)
    except csv.Error as error:
        raise ContentError(f"{name}, line {head + reader.line_num}: {error}; expected comma-separated text") from error


def _columns(name: str, line: int, cells: list[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if len(set(columns)) < len(columns):
        raise ContentError(f"{name}, line {line}: a column is named twice; expected each once")
    return columns


def _csv_row(place: str, columns: list[str], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        raise ContentError(f"{place}: {len(cells)} cells; expected {len(columns)}: {', '.join(columns)}")
    return Row(place=place, cells={column: cell.strip() for column, cell in zip(columns, cells, strict=True)})


def _yaml_rows(name: str, text: str) -> Iterator[Row]:
    try:
        yield from _yaml_sequence(name, yaml.parse(text, Loader=_YAML_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContentError(f"{name}, line {line}: {error.problem}; expected {_YAML_WANTED}") from error
    except yaml.YAMLError as error:
        raise ContentError(f"{name}: not YAML text; expected {_YAML_WANTED}") from error


def _yaml_sequence(name: str, events: Iterable[yaml.Event]) -> Iterator[Row]:
    stream = (event for event in events if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)))
    first = next(stream)
    if isinstance(first, yaml.StreamEndEvent):
        return
    _expect(name, first, yaml.SequenceStartEvent)
    for event in stream:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        _expect(name, event, yaml.MappingStartEvent)
        yield _yaml_row(name, event, stream)
    for event in stream:
        _expect(name, event, (yaml.DocumentEndEvent, yaml.StreamEndEvent))


def _yaml_row(name: str, start: yaml.Event, stream: Iterator[yaml.Event]) -> Row:
    cells: dict[str, str] = {}
    for event in stream:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _yaml_text(name, event)
        if key in cells:
            raise ContentError(f"{_place(name, event)}: column {key!r} is given twice; expected once")
        cells[key] = _yaml_text(name, next(stream))
    return Row(place=_place(name, start), cells=cells)


def _yaml_text(name: str, event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise ContentError(f"{_place(name, event)}: expected {_YAML_WANTED}")
    text: str = event.value
    return "" if event.implicit[0] and text in _YAML_NULLS else text.strip()


def _expect(name: str, event: yaml.Event, kind: type[yaml.Event] | tuple[type[yaml.Event], ...]) -> None:
    if not isinstance(event, kind):
        raise ContentError(f"{_place(name, event)}: expected {_YAML_WANTED}")


def _place(name: str, event: yaml.Event) -> str:
    mark = event.start_mark
    return f"{name}, line {mark.line + 1 if mark else 1}"
