"""Figures of a search over a day of 2,000 events a second: `make soak` prints them.

The day is 172.8 M events in the store's own files: closed hours, minute files, and a minute in the spool. Two hours
of it are made and stand twelve times; files and indexes are as large as if all were different.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from collectors.logs.spooling import decode_event, encode_record
from core.clock import HOUR, MINUTE, SECOND, HeldClock
from core.scope import EVERYTHING
from core.stores import event_index
from core.stores.event_rows import ROWS_IN_GROUP, SCHEMA, from_row
from core.stores.event_search import Buckets, Query
from core.stores.events import LocalEvents
from core.stores.manifest import Manifest, Partition, file_sha256, swap_manifest
from core.stores.spool import Spool

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

RATE = 2000
HOURS = int(os.environ.get("HAIDANG_SEARCH_HOURS", "24"))
MADE_HOURS = max(1, HOURS // 12)
FILES_AN_HOUR = 27
"""As 128 MiB of rows make them."""
PAGE = 50
END = 1_795_312_800 * SECOND // HOUR * HOUR
"""Now: the hour before it lies in minute files, its last minute in the spool."""
ROWS = Path(__file__).with_name("search_rows.sql").read_text(encoding="utf-8")

SEARCHES = {
    "rare user, by field": "user.name:nguyenvanhiem",
    "rare user, as a word": "nguyenvanhiem",
    "user with about 1,000 events": "user.name:user12345",
    "frequent user": "user.name:root",
    "rare address": "203.0.113.77",
    "rare address, by field": "source.ip:203.0.113.77",
    "address with about 150 events": "10.57.13.81",
    "frequent word": "failed",
    "word that is nowhere": "khongdaucoca",
    "user and address": "user.name:root 10.57.13.81",
    "everything": "",
    "neither word nor field of an index": "*khongdau*",
}


def rows(start: int, first: int, count: int) -> pa.Table:
    """Events ``first`` and following of the made hours, from that time on."""
    with duckdb.connect(config={"threads": 1}) as connection:
        given = {"start": start, "first": first, "count": count, "gap": SECOND // RATE}
        return connection.sql(ROWS, params=given).to_arrow_table().cast(SCHEMA)


def write(folder: Path, table: pa.Table, name: str, start: int) -> Partition:
    path = folder / name
    pq.write_table(table, path, compression="zstd", compression_level=1, row_group_size=ROWS_IN_GROUP)
    span = pc.min_max(table["time"]).as_py()
    return Partition(
        name=name,
        hour=start // HOUR,
        span="hour" if name.startswith("hour") else "minute",
        count=table.num_rows,
        first=span["min"],
        last=span["max"],
        sha256=file_sha256(path),
    )


def shifted(table: pa.Table, by: int) -> pa.Table:
    moved = pc.add(table["time"], by)
    return table.set_column(1, "time", moved).set_column(2, "seen", moved)


def copy_index(source: Path, target: Path, part: Partition, by: int) -> None:
    """The index of the same rows at another time."""
    content = event_index.index_path(source).read_bytes()
    descriptor = os.open(event_index.index_path(source), os.O_RDONLY)
    head, pages_at = event_index._read_head(descriptor)
    os.close(descriptor)
    replace = msgspec.structs.replace
    groups = tuple(replace(one, first=one.first + by, last=one.last + by) for one in head.groups)
    event_index._write(target, replace(head, sha256=part.sha256, groups=groups), [content[pages_at:]])


def make_partition(folder: Path, number: int) -> list[Partition]:
    """One made file of a closed hour, and those that are like it."""
    count = RATE * 3600 // FILES_AN_HOUR
    begin = END - HOURS * HOUR
    hour, part_number = divmod(number, FILES_AN_HOUR)
    start = begin + hour * HOUR + part_number * (HOUR // FILES_AN_HOUR)
    table = rows(start, number * count, count)
    made: list[Partition] = []
    for repeat in range(HOURS // MADE_HOURS):
        by = repeat * MADE_HOURS * HOUR
        if start + by >= END - HOUR:
            continue
        name = f"hour-{(start + by) // HOUR:08d}-{part_number}.parquet"
        made.append(write(folder, shifted(table, by), name, start + by))
        if repeat:
            copy_index(folder / made[0].name, folder / name, made[-1], by)
        else:
            event_index.build_index(folder / name, made[0])
    return made


def make_minute(folder: Path, number: int) -> list[Partition]:
    start = END - HOUR + number * MINUTE
    table = rows(start, 10**10 + number * RATE * 60, RATE * 60)
    part = write(folder, table, f"minute-{start:020d}.parquet", start)
    event_index.build_index(folder / part.name, part)
    return [part]


def make_day(folder: Path) -> LocalEvents:
    events = folder / "events"
    shutil.rmtree(folder, ignore_errors=True)
    events.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        hours = pool.map(lambda number: make_partition(events, number), range(MADE_HOURS * FILES_AN_HOUR))
        minutes = pool.map(lambda number: make_minute(events, number), range(59))
        parts = [part for made in (*hours, *minutes) for part in made]
    swap_manifest(events, Manifest(through=END - 2 * MINUTE, partitions=tuple(parts)))
    spool = Spool(folder / "spool", HeldClock(END - MINUTE))
    spool.open(b"head")
    table = rows(END - MINUTE, 10**11, RATE * 60)
    spool.append([encode_record(from_row(tuple(row.values())), "") for row in table.to_pylist()])
    spool.close()
    return LocalEvents(folder / "spool", events, decode_event)


@pytest.fixture(scope="module")
def day():
    """The day's store; kept if ``HAIDANG_SEARCH_FOLDER`` names where."""
    kept = os.environ.get("HAIDANG_SEARCH_FOLDER")
    folder = Path(kept or "/tmp/haidang-search")
    if (folder / "events" / "manifest.json").exists():
        yield LocalEvents(folder / "spool", folder / "events", decode_event)
    else:
        began = time.monotonic()
        made = make_day(folder)
        print(f"\nmade in {time.monotonic() - began:.0f} s")
        yield made
    if not kept:
        shutil.rmtree(folder)


def timed(day: LocalEvents, text: str, buckets: Buckets | None) -> tuple[float, float, int, int]:
    """Seconds to the first page and to the end, events of the page, and matches counted."""
    query = Query(since=END - 24 * HOUR, until=END, text=text, limit=PAGE)
    began, told, counted, first = time.monotonic(), 0, 0, 0.0
    for found in day.find(EVERYTHING, query, buckets):
        told += len(found.events)
        counted += sum(found.counts.values())
        if not first and (told == PAGE or found.done):
            first = time.monotonic() - began
    return first, time.monotonic() - began, told, counted


def test_seconds_to_the_first_page_of_a_day(day):
    stored = sum(path.stat().st_size for path in (day._folder).glob("*.parquet"))
    indexed = sum(path.stat().st_size for path in (day._folder).glob("*.index"))
    count = day.count(0, END)
    print(f"\n{count:,} events in files, {stored / 1e9:.1f} GB, indexes {indexed / 1e9:.2f} GB")
    print(f"{'search':38} {'first page, s (3 runs)':>26} {'rows':>5}")
    for name, text in SEARCHES.items():
        runs = [timed(day, text, None) for _ in range(3)]
        seconds = [first for first, *_ in runs]
        print(f"{name:38} {' '.join(f'{one:8.2f}' for one in seconds)} {runs[0][2]:5}")
        assert statistics.median(seconds) < 3 or "*" in text


def test_seconds_to_a_whole_histogram_of_a_day(day):
    for name in ("rare user, by field", "user with about 1,000 events", "frequent user", "everything"):
        first, whole, _, counted = timed(day, SEARCHES[name], Buckets(END - 24 * HOUR, HOUR // 2))
        print(f"{name:38} first page {first:6.2f} s, all {counted:,} counted in {whole:6.2f} s")
