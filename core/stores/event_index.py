"""Beside a file of events, a small one that tells which of its row groups may hold a word or a field's value.

It is a Bloom filter a row group: words of 64 bits in which each key sets five bits of one word. A key that is there is
always found; one that is not is found in about one group of 300. It can be made again from the events at any time, and
every page of it has a checksum: one that is missing, damaged or of another file means that all is read.

    magic, length and CRC-32 of the head, the head as MessagePack, padding to a whole page
    pages of 4 KiB: 511 words, CRC-32; the pages of each group follow each other
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow.parquet as pq

from core.query_sql import LISTED, TEXT, Key, Need, folded, may_hold
from core.query_words import IDENTITIES, WORD
from core.records import Record
from core.stores.manifest import Partition

MAGIC = b"HDINDEX1"
PAGE = 4096
WORDS_IN_PAGE = 511
KEYS_IN_WORD = 4
"""On average; fewer make a larger file, more make more false finds."""

_HEAD = struct.Struct("<II")
_START = len(MAGIC) + _HEAD.size
_PAGE = struct.Struct(f"<{WORDS_IN_PAGE * 8}sII")
_WORD = struct.Struct("<Q")

_ROWS = """
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT site, time, fields, {text} AS text FROM read_parquet($file, file_row_number = true)
WHERE file_row_number >= $start AND file_row_number < $stop
"""
_KEYS = """
CREATE OR REPLACE TEMP TABLE hashes AS
WITH values AS (
    SELECT field, value FROM (
        SELECT unnest($names) AS field, unnest(json_extract_string(fields, $paths)) AS value FROM chosen
    ) WHERE value IS NOT NULL
), keys AS (
    SELECT unnest(regexp_extract_all(text, $word)) AS key FROM chosen
    UNION ALL SELECT field || '=' || {value} FROM values
    UNION ALL SELECT field || '=' || $listed FROM values WHERE starts_with(value, '[')
)
SELECT md5_number_lower(key) AS hash FROM (SELECT DISTINCT key FROM keys)
"""
_WORDS = """
SELECT coalesce(bits, 0)::UBIGINT AS bits FROM range($words) AS every(word) LEFT JOIN (
    SELECT ((hash >> 32) * $words) >> 32 AS word,
        bit_or((1::UBIGINT << (hash & 63)) | (1::UBIGINT << ((hash >> 6) & 63)) | (1::UBIGINT << ((hash >> 12) & 63))
             | (1::UBIGINT << ((hash >> 18) & 63)) | (1::UBIGINT << ((hash >> 24) & 63))) AS bits
    FROM hashes GROUP BY word
) USING (word) ORDER BY word
"""
_SPAN = "SELECT min(time), max(time), min(site), max(site) FROM chosen"


class Rows(NamedTuple):
    """Rows of a file from ``start`` up to, not including, ``stop``."""

    start: int
    stop: int


class Wanted(NamedTuple):
    """What is looked for: keys, event times from ``since`` up to ``until``, sites (None: all)."""

    need: Need
    since: int
    until: int
    sites: Collection[str] | None


class _Group(Record, frozen=True, kw_only=True):
    """One row group: its rows, what it spans, and its words in the pages from ``page`` on."""

    start: int
    rows: int
    first: int
    last: int
    first_site: str
    last_site: str
    words: int
    page: int

    def spans(self, wanted: Wanted) -> bool:
        if self.last < wanted.since or self.first >= wanted.until:
            return False
        return wanted.sites is None or any(self.first_site <= site <= self.last_site for site in wanted.sites)


class _Head(Record, frozen=True, kw_only=True):
    sha256: str
    groups: tuple[_Group, ...]


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    """The index cannot be believed."""


def index_path(events: Path) -> Path:
    """Where the index of a file of events lies."""
    return events.with_suffix(".index")


def build_index(events: Path, part: Partition) -> None:
    """Writes the index of the file; nothing waits for it, so one core is enough.

    Raises:
        OSError: it cannot be written.
        duckdb.Error: the events cannot be read.
    """
    bounds = [*_groups(events)]
    groups: list[_Group] = []
    pages: list[bytes] = []
    with duckdb.connect(config={"threads": 1}) as connection:
        for rows in bounds:
            group, made = _build_group(connection, events, rows, len(pages))
            groups.append(group)
            pages += made
    _write(events, _Head(sha256=part.sha256, groups=tuple(groups)), pages)


def _write(events: Path, head: _Head, pages: list[bytes]) -> None:
    encoded = msgspec.msgpack.encode(head)
    content = MAGIC + _HEAD.pack(len(encoded), zlib.crc32(encoded)) + encoded
    temporary = index_path(events).with_suffix(".new-index")
    temporary.write_bytes(content + bytes(-len(content) % PAGE) + b"".join(pages))
    temporary.rename(index_path(events))


def candidates(events: Path, part: Partition, wanted: Wanted) -> list[Rows] | None:
    """The rows among which what is wanted may be; None if no index tells: then it may be anywhere."""
    try:
        descriptor = os.open(index_path(events), os.O_RDONLY)
    except OSError:
        return None
    with closing(os.fdopen(descriptor, "rb", buffering=0)) as file:
        try:
            return [*_candidates(file.fileno(), part, wanted)]
        except (_Damaged, OSError):
            return None


def _candidates(file: int, part: Partition, wanted: Wanted) -> Iterator[Rows]:
    head, pages_at = _read_head(file)
    if head.sha256 != part.sha256:
        raise _Damaged
    for group in head.groups:
        if group.spans(wanted) and may_hold(wanted.need, partial(_holds, file, pages_at, group)):
            yield Rows(group.start, group.start + group.rows)


def _read_head(file: int) -> tuple[_Head, int]:
    """The head, and where the pages begin."""
    first = os.pread(file, PAGE, 0)
    if len(first) < _START or not first.startswith(MAGIC):
        raise _Damaged
    length, checksum = _HEAD.unpack_from(first, len(MAGIC))
    head = first[_START : _START + length]
    if len(head) < length:
        head += os.pread(file, length - len(head), len(first))
    if zlib.crc32(head) != checksum:
        raise _Damaged
    end = _START + length
    return msgspec.msgpack.decode(head, type=_Head), end + -end % PAGE


def _holds(file: int, pages_at: int, group: _Group, key: Key) -> bool:
    hashed = _hash(key.text)
    word = ((hashed >> 32) * group.words) >> 32
    page, place = divmod(word, WORDS_IN_PAGE)
    content = os.pread(file, PAGE, pages_at + (group.page + page) * PAGE)
    if len(content) < PAGE:
        raise _Damaged
    words, checksum, _ = _PAGE.unpack(content)
    if zlib.crc32(words) != checksum:
        raise _Damaged
    wanted = _bits(hashed)
    return bool(_WORD.unpack_from(words, place * _WORD.size)[0] & wanted == wanted)


@lru_cache(maxsize=10_000)
def _hash(text: str) -> int:
    """As DuckDB's ``md5_number_lower``, which is the same in every version."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "little")


def _bits(hashed: int) -> int:
    bits = 0
    for shift in (0, 6, 12, 18, 24):
        bits |= 1 << (hashed >> shift & 63)
    return bits


def _groups(events: Path) -> Iterator[Rows]:
    metadata = pq.read_metadata(events)
    start = 0
    for number in range(metadata.num_row_groups):
        rows = metadata.row_group(number).num_rows
        yield Rows(start, start + rows)
        start += rows


def _build_group(
    connection: duckdb.DuckDBPyConnection, events: Path, rows: Rows, page: int
) -> tuple[_Group, list[bytes]]:
    ask: Callable[..., duckdb.DuckDBPyConnection] = connection.execute
    ask(_ROWS.format(text=folded(TEXT)), {"file": str(events), "start": rows.start, "stop": rows.stop})
    paths = [f'$."{field}"' for field in IDENTITIES]
    given = {"names": list(IDENTITIES), "paths": paths, "word": WORD, "listed": LISTED}
    ask(_KEYS.format(value=folded("value")), given)
    ((keys,),) = ask("SELECT count(*) FROM hashes").fetchall()
    words = max(1, -(-keys // KEYS_IN_WORD))
    # As columns, not as rows: a lane that receives meanwhile must not wait for a loop over them.
    bits = connection.sql(_WORDS, params={"words": words}).to_arrow_table()["bits"].combine_chunks()
    content = memoryview(bits.buffers()[1])[8 * bits.offset : 8 * (bits.offset + words)]
    ((first, last, first_site, last_site),) = ask(
        "SELECT min(time), max(time), min(site), max(site) FROM chosen"
    ).fetchall()
    group = _Group(
        start=rows.start,
        rows=rows.stop - rows.start,
        first=first,
        last=last,
        first_site=first_site,
        last_site=last_site,
        words=words,
        page=page,
    )
    return group, [*_pages(content)]


def _pages(words: memoryview) -> Iterator[bytes]:
    size = WORDS_IN_PAGE * _WORD.size
    for start in range(0, len(words), size):
        content = bytes(words[start : start + size]).ljust(size, b"\0")
        yield _PAGE.pack(content, zlib.crc32(content), 0)
