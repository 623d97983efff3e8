"""Nested objects as flat fields.

Names are joined by dots. A list of single values is a list of their texts. Of a list that holds objects, each object is
a text of compact JSON, and the values within them are lists under their own names, as Elasticsearch has it: of
``{"a": [{"b": 1}, {"b": 2}]}`` come ``a = ['{"b":1}', '{"b":2}']`` and ``a.b = ["1", "2"]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.errors import ContentError
from core.records import Fields, FieldValue

MAX_DEPTH = 64
MAX_FIELDS = 4096
MAX_NAME = 1024
"""Bounds on what is nested: levels, fields of an event, characters of a joined name."""


def flattened(document: Mapping[str, Any]) -> Fields:
    """The object's fields; one that has nothing nested is them already.

    Raises:
        ContentError: it is nested too deep, has too many fields, or too long names.
    """
    if not any(isinstance(value, dict | list) for value in document.values()):
        return dict(document)
    _check_depth(document)
    fields: Fields = {}
    for name, value in _leaves("", document, listed=False):
        fields[name] = value
        if len(fields) > MAX_FIELDS:
            raise ContentError(f"the object has more than {MAX_FIELDS} fields")
    return fields


def bounded(fields: Fields) -> Fields:
    """The fields, whole numbers that no store holds as such as their texts: nothing of them is lost."""
    if not any(map(_is_huge, fields.values())):
        return fields
    return {name: str(value) if _is_huge(value) else value for name, value in fields.items()}


def _is_huge(value: FieldValue) -> bool:
    return type(value) is int and not -(1 << 63) <= value < 1 << 64


def _check_depth(document: object) -> None:
    """Level by level, which needs no recursion; the object itself is the first."""
    level, depth = [document], 1
    while level := [part for node in level for part in _parts(node)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ContentError(f"the object is nested deeper than {MAX_DEPTH} levels")


def _parts(node: object) -> Iterator[object]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (part for part in inner if isinstance(part, dict | list))


def _leaves(path: str, value: Any, *, listed: bool) -> Iterator[tuple[str, FieldValue]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(_joined(path, name), inner, listed=listed)
    elif isinstance(value, list):
        # Within a list the outermost has told its objects as texts already; told at each level they would multiply.
        yield path, [text(one) for one in value if one is not None and not (listed and isinstance(one, dict))]
        yield from _gathered(path, value)
    else:
        yield path, value


def _joined(path: str, name: str) -> str:
    joined = f"{path}.{name}" if path else name
    if len(joined) > MAX_NAME:
        raise ContentError(f"a name within the object is longer than {MAX_NAME} characters")
    return joined


def _gathered(path: str, values: list[Any]) -> Iterator[tuple[str, FieldValue]]:
    """What the objects of a list have under the same name, together."""
    found: dict[str, list[str]] = {}
    for one in values:
        for name, leaf in _leaves(path, one, listed=True) if isinstance(one, dict) else ():
            texts = found.setdefault(name, [])
            texts.extend(leaf if isinstance(leaf, list) else () if leaf is None else (text(leaf),))
            if len(found) > MAX_FIELDS:
                raise ContentError(f"the object has more than {MAX_FIELDS} fields")
    yield from found.items()


def text(value: Any) -> str:
    """A single value of a list as Sigma writes it (``true``, ``4625`` also for 4625.0); an object as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
