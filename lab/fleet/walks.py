"""A saved walk, answered at an address as it was.

A walk is a file of JSON lines, a variable each: ``{"oid": "1.3.6.1.2.1.1.5.0", "type": "string", "value": "sw-1"}``.
Types and their values: ``integer``, ``counter32``, ``gauge32``, ``timeticks``, ``counter64``: a number; ``string``:
text; ``hex``: octets as hexadecimal digits, also with blanks or colons; ``opaque``: likewise; ``oid``: dotted numbers;
``ipaddress``: dotted quad; ``null``: null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ContentError
from core.files import read_bounded
from core.records import Record
from lab.fleet.ber import (
    COUNTER32,
    COUNTER64,
    ENCODERS,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OBJECT_ID,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
    Oid,
    Value,
    oid,
    parse_dotted,
)
from lab.fleet.view import Fixed, Strip, View

MAX_BYTES = 64 * 1024 * 1024
"""Largest walk."""

_WANTED = 'expected JSON lines such as {"oid": "1.3.6.1.2.1.1.5.0", "type": "string", "value": "sw-1"}'


class Line(Record, frozen=True, kw_only=True):
    """A variable of a walk."""

    oid: str
    type: str
    value: str | int | None = None


def _number(bits: int, *, signed: bool = False) -> Callable[[Any], Value]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)

    def read(value: Any) -> Value:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"{number} does not fit {bits} bits")
        return number

    return read


def _hex(value: Any) -> Value:
    return bytes.fromhex(str(value).replace(":", " "))


TYPES: Mapping[str, tuple[int, Callable[[Any], Value]]] = {
    "integer": (INTEGER, _number(32, signed=True)),
    "counter32": (COUNTER32, _number(32)),
    "gauge32": (GAUGE32, _number(32)),
    "timeticks": (TIME_TICKS, _number(32)),
    "counter64": (COUNTER64, _number(64)),
    "string": (OCTET_STRING, str),
    "hex": (OCTET_STRING, _hex),
    "opaque": (OPAQUE, _hex),
    "oid": (OBJECT_ID, lambda value: parse_dotted(str(value))),
    "ipaddress": (IP_ADDRESS, str),
    "null": (NULL, lambda _value: b""),
}
"""Each type's tag, and what makes a value of the line's."""


def read_walk(path: Path) -> View:
    """The walk in this file; of a variable that occurs twice the later counts.

    Raises:
        ContentError: the file cannot be read, or a line is wrong; the text names it and what was expected.
    """
    found: dict[Oid, bytes] = {}
    decoder = msgspec.json.Decoder(Line)
    for number, raw in enumerate(read_bounded(path, MAX_BYTES, _WANTED).splitlines(), 1):
        if not raw.strip():
            continue
        try:
            line = decoder.decode(raw)
            tag, read = TYPES[line.type]
            found[parse_dotted(line.oid)] = ENCODERS[tag](read(line.value))
        except KeyError as error:
            raise ContentError(f"{path}, line {number}: type {error}; expected one of {', '.join(TYPES)}") from error
        except (ValueError, TypeError) as error:
            raise ContentError(f"{path}, line {number}: {error}; {_WANTED}") from error
    if not found:
        raise ContentError(f"{path}: no variable; {_WANTED}")
    names = tuple(sorted(found))
    return View([Strip((), names, tuple(Fixed(oid(name), found[name]) for name in names))])
