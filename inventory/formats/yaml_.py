"""Tables as YAML: a list of flat mappings, every value the text as written: ``id: 01`` is "01".

It is read event by event, so that nesting, aliases and tags are refused and cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from core.errors import ContentError
from inventory.formats.rows import Row, clean

_NULLS = {"", "~", "null"}
_WANTED = "a list of rows, each a flat mapping of column: text"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where there is one: ten times faster
_ESCAPED = {'"': '\\"', "\\": "\\\\"}


def read_yaml(name: str, text: str) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        ContentError: it is not YAML, or not a list of flat mappings; names the line.
    """
    try:
        yield from _sequence(name, yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContentError(f"{name}, line {line}: {error.problem}; expected {_WANTED}") from error
    except yaml.YAMLError as error:
        raise ContentError(f"{name}: not YAML text; expected {_WANTED}") from error


def _sequence(name: str, events: Iterable[yaml.Event]) -> Iterator[Row]:
    stream = (event for event in events if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)))
    first = next(stream)
    if isinstance(first, yaml.StreamEndEvent):
        return
    _expect(name, first, yaml.SequenceStartEvent)
    for event in stream:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        _expect(name, event, yaml.MappingStartEvent)
        yield _row(name, event, stream)
    for event in stream:
        _expect(name, event, (yaml.DocumentEndEvent, yaml.StreamEndEvent))


def _row(name: str, start: yaml.Event, stream: Iterator[yaml.Event]) -> Row:
    cells: dict[str, str] = {}
    for event in stream:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _text(name, event)
        if key in cells:
            raise ContentError(f"{_place(name, event)}: column {key!r} is given twice; expected once")
        cells[key] = _text(name, next(stream))
    return Row(place=_place(name, start), cells=cells)


def _text(name: str, event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise ContentError(f"{_place(name, event)}: expected {_WANTED}")
    text: str = event.value
    return "" if event.implicit[0] and text in _NULLS else clean(text)


def _expect(name: str, event: yaml.Event, kind: type[yaml.Event] | tuple[type[yaml.Event], ...]) -> None:
    if not isinstance(event, kind):
        raise ContentError(f"{_place(name, event)}: expected {_WANTED}")


def _place(name: str, event: yaml.Event) -> str:
    mark = event.start_mark
    return f"{name}, line {mark.line + 1 if mark else 1}"


def write_yaml(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The table, one row a line, every value quoted."""
    lines = ["- {" + ", ".join(f"{column}: {_quoted(row[column])}" for column in columns) + "}\n" for row in rows]
    return "".join(lines).encode()


def _quoted(text: str) -> str:
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    return _ESCAPED.get(letter, letter) if letter.isprintable() else f"\\U{ord(letter):08x}"
