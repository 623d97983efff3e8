"""Rows of an inventory on their way to the centre: packed in blocks, each of which is bounded before it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Annotated, TypeAlias

import msgspec

from core.errors import RefusedError
from core.records import Record
from inventory.formats.rows import Row, Rows

MOST_ROWS = 300_000
MOST_CELLS = 3_000_000
MOST_BYTES = 256 << 20
"""Of all rows, once unpacked."""
ROWS_IN_BLOCK = 1_000
BLOCK_BYTES = 8 << 20
"""Of one block, once unpacked: some kilobytes a row."""
MOST_COLUMNS = 100
MOST_LETTERS = 5_000
"""Of a cell; the longest that any column takes is shorter."""

_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=100)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)]


class _Row(Record, frozen=True, kw_only=True):
    """A ``Row`` within bounds."""

    place: _Text
    cells: Annotated[dict[_Name, _Text], msgspec.Meta(max_length=MOST_COLUMNS)]
    fault: _Text = ""


_Block: TypeAlias = tuple[_Name, bytes]
"""A table, and some of its rows, packed."""

_blocks = msgspec.msgpack.Decoder(Annotated[list[_Block], msgspec.Meta(max_length=2 * MOST_ROWS // ROWS_IN_BLOCK)])
_rows = msgspec.msgpack.Decoder(Annotated[list[_Row], msgspec.Meta(max_length=ROWS_IN_BLOCK)])


def pack_rows(rows: Rows) -> bytes:
    """Rows by table, packed to travel.

    Raises:
        RefusedError: a row is too large.
    """
    return msgspec.msgpack.encode([(kind, block) for kind, found in rows.items() for block in _packed(found)])


def unpack_rows(content: bytes) -> Rows:
    """The rows that were packed.

    Raises:
        RefusedError: they are too many or too large, or damaged.
    """
    rows: Rows = {}
    size = cells = count = 0
    try:
        for kind, packed in _blocks.decode(content):
            data = _unpacked(packed)
            found = _rows.decode(data)
            size, count = size + len(data), count + len(found)
            cells += sum(len(row.cells) for row in found)
            if size > MOST_BYTES or count > MOST_ROWS or cells > MOST_CELLS:
                raise RefusedError(f"more than {MOST_ROWS} rows or {MOST_BYTES >> 20} MB of them: import them in parts")
            rows.setdefault(kind, []).extend(Row(place=one.place, cells=one.cells, fault=one.fault) for one in found)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(f"the rows cannot be read: {error}") from error
    return rows


def _packed(rows: list[Row]) -> Iterator[bytes]:
    """As few blocks as the bounds allow; a table without rows is one block, for it is a table all the same."""
    if not rows:
        yield zlib.compress(msgspec.msgpack.encode(rows), 1)
    for start in range(0, len(rows), ROWS_IN_BLOCK):
        yield from _halved(rows[start : start + ROWS_IN_BLOCK])


def _halved(rows: list[Row]) -> Iterator[bytes]:
    data = msgspec.msgpack.encode(rows)
    if len(data) <= BLOCK_BYTES:
        yield zlib.compress(data, 1)
    elif len(rows) == 1:
        raise RefusedError(f"{rows[0].place}: a row of more than {BLOCK_BYTES >> 20} MB")
    else:
        yield from _halved(rows[: len(rows) // 2])
        yield from _halved(rows[len(rows) // 2 :])


def _unpacked(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(packed, BLOCK_BYTES)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise RefusedError(f"a block of more than {BLOCK_BYTES >> 20} MB of rows, or a damaged one: import again")
    return data
