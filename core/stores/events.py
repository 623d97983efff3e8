"""The event store: spool segments become minute files, minute files an hourly partition; searches read all three.

Partitions are by the hour in which events were received, so a closed one never changes; each names the span of
event times inside, by which searches leave files out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, Protocol

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.clock import HOUR
from core.errors import IntegrityError
from core.files import make_folder, remove_file
from core.records import Event
from core.scope import Scope
from core.stores.event_index import build_index, index_path
from core.stores.event_rows import ROWS_IN_GROUP, SCHEMA, from_row, to_table
from core.stores.event_search import Buckets, Found, Piece, Plan, Query, Search, plan
from core.stores.manifest import (
    Manifest,
    Partition,
    Read,
    file_sha256,
    read_manifest,
    read_together,
    settle_file,
    swap_manifest,
)
from core.stores.spool import read_segment, segment_number, segments

BATCH = 4096
"""Events read at a time where all are wanted."""

MERGE_BYTES = 128 << 20
"""Bytes of events that are sorted in memory at once; an hour with more becomes several closed partitions."""

INDEXED_AT_ONCE = 10
"""Files without an index that get one in one go, so that the next segment does not wait for long."""

_log = logging.getLogger("haidang.store")

_TOGETHER = 2000
"""Events that are objects at the same time while a segment becomes a file."""

Decode = Callable[[bytes], Event]
"""A spool payload as the event in it."""


class Batch(NamedTuple):
    """Some stored events in no certain order; neither they nor those of any later batch are from before ``floor``."""

    floor: int
    events: list[Event]


class EventStore(Protocol):
    """Reads stored events; tested by one suite for every implementation."""

    def search(self, scope: Scope, query: Query) -> list[Event]:
        """Events within the scope that match, latest first, at most ``query.limit``."""
        ...

    def find(self, scope: Scope, query: Query, buckets: Buckets | None = None) -> Iterator[Found]:
        """The same, step by step, with counts by time if there are buckets."""
        ...

    def batches(self, scope: Scope, since: int, until: int) -> Iterator[Batch]:
        """All events within the scope and span that are messages, each once, some at a time, about in order of time."""
        ...

    def first(self, scope: Scope, otherwise: int) -> int:
        """The earliest event time in the files within the scope; where there is none, what is given."""
        ...


class EventWriter:
    """Turns closed spool segments into Parquet; one process owns it."""

    def __init__(self, folder: Path, decode: Decode) -> None:
        self._folder = make_folder(folder)
        self._decode = decode

    def convert(self, closed: Sequence[Path]) -> None:
        """Writes each closed segment as a minute file, swaps the manifest, then removes the segments."""
        manifest = read_manifest(self._folder)
        fresh = [path for path in closed if segment_number(path) > manifest.through]
        written = [self._convert_one(path) for path in fresh]
        if fresh:
            partitions = manifest.partitions + tuple(part for part in written if part is not None)
            through = max(segment_number(path) for path in fresh)
            self._swap(manifest, msgspec.structs.replace(manifest, through=through, partitions=partitions), retire=())
        for path in closed:
            remove_file(path)

    def compact(self, before_hour: int) -> None:
        """Merges the minute files of each hour before this one into closed partitions, mostly one an hour."""
        manifest = read_manifest(self._folder)
        minutes = [part for part in manifest.partitions if part.span == "minute" and part.hour < before_hour]
        for hour in sorted({part.hour for part in minutes}):
            self._compact_hour(hour, [part for part in minutes if part.hour == hour])
        self.index()

    def index(self, most: int = INDEXED_AT_ONCE) -> int:
        """Makes the index of files that have none, the newest first and at most so many; returns of how many.

        An index only saves time: one that cannot be made is told in the log, and is no error.
        """
        there = {path.name for path in self._folder.glob("*.index")}
        partitions = read_manifest(self._folder).partitions
        bare = [part for part in partitions if index_path(self._folder / part.name).name not in there]
        newest = sorted(bare, key=lambda part: -part.last)[:most]
        try:
            for part in newest:
                build_index(self._folder / part.name, part)
        except (OSError, duckdb.Error, pa.ArrowException) as error:
            _log.warning("searches are slower than need be: no index in %s: %s", self._folder, error)
            return 0
        return len(newest)

    def unannounced(self) -> list[Partition]:
        """Closed partitions that the centre has not been told of."""
        partitions = read_manifest(self._folder).partitions
        return [part for part in partitions if part.span == "hour" and not part.announced]

    def announced(self, names: Iterable[str]) -> None:
        """Notes that these partitions are on their way to the centre."""
        told = set(names)
        manifest = read_manifest(self._folder)
        partitions = tuple(
            msgspec.structs.replace(part, announced=True) if part.name in told else part for part in manifest.partitions
        )
        swap_manifest(self._folder, msgspec.structs.replace(manifest, partitions=partitions))

    def _convert_one(self, path: Path) -> Partition | None:
        number = segment_number(path)
        payloads = read_segment(path).payloads
        parts = [self._table(payloads[start : start + _TOGETHER]) for start in range(0, len(payloads), _TOGETHER)]
        if not parts:
            return None
        return self._write(f"minute-{number:020d}.parquet", pa.concat_tables(parts), number // HOUR, "minute")

    def _table(self, payloads: Sequence[bytes]) -> pa.Table:
        return to_table([self._decode(payload) for payload in payloads])

    def _compact_hour(self, hour: int, parts: list[Partition]) -> None:
        manifest = read_manifest(self._folder)
        taken = sum(part.hour == hour and part.span == "hour" for part in manifest.partitions)
        merged = tuple(
            self._write(f"hour-{hour:08d}-{number}.parquet", table, hour, "hour")
            for number, table in enumerate(self._joined(parts), start=taken)
        )
        gone = {part.name for part in parts}
        kept = tuple(part for part in manifest.partitions if part.name not in gone)
        self._swap(manifest, msgspec.structs.replace(manifest, partitions=(*kept, *merged)), retire=tuple(gone))

    def _joined(self, parts: Iterable[Partition]) -> Iterator[pa.Table]:
        """The rows of the files in as few tables as their sizes allow."""
        waiting: list[pa.Table] = []
        for part in parts:
            table = pq.read_table(self._folder / part.name, schema=SCHEMA)
            if waiting and sum(known.nbytes for known in waiting) + table.nbytes > MERGE_BYTES:
                yield pa.concat_tables(waiting)
                waiting = []
            waiting.append(table)
        yield pa.concat_tables(waiting)

    def _write(self, name: str, table: pa.Table, hour: int, span: Literal["minute", "hour"]) -> Partition:
        path = self._folder / name
        temporary = path.with_suffix(".new")
        ordered = table.sort_by([("site", "ascending"), ("time", "ascending"), ("id", "ascending")])
        pq.write_table(ordered, temporary, compression="zstd", compression_level=1, row_group_size=ROWS_IN_GROUP)
        settle_file(temporary, path)
        times = pa.compute.min_max(table["time"]).as_py()
        return Partition(
            name=name,
            hour=hour,
            span=span,
            count=table.num_rows,
            first=times["min"],
            last=times["max"],
            sha256=file_sha256(path),
        )

    def _swap(self, old: Manifest, new: Manifest, retire: tuple[str, ...]) -> None:
        # Files leave one swap after they stopped counting, so a search that has just begun still finds them.
        swap_manifest(self._folder, msgspec.structs.replace(new, retired=retire))
        for name in old.retired:
            remove_file(self._folder / name)
            remove_file(index_path(self._folder / name))


class _Source(NamedTuple):
    """Where events are read from, and the time of the first of them."""

    first: int
    content: pa.Table | Path | BinaryIO

    def tables(self) -> Iterator[Any]:
        """The rows, some at a time."""
        if isinstance(self.content, pa.Table):
            yield from self.content.to_batches(BATCH)
        else:
            yield from pq.ParquetFile(self.content).iter_batches(BATCH)


class LocalEvents:
    """Reads the store of one lane from its files, also while the lane writes."""

    def __init__(self, spool: Path, folder: Path, decode: Decode) -> None:
        self._spool = spool
        self._folder = folder
        self._decode = decode

    def search(self, scope: Scope, query: Query) -> list[Event]:
        """Events within the scope that match, latest first, at most ``query.limit``.

        Raises:
            QueryError: the query's text cannot be read.
            IntegrityError: a file that counts is missing or cannot be read.
            UnavailableError: files kept changing while they were read.
        """
        return [event for found in self.find(scope, query) for event in found.events]

    def find(self, scope: Scope, query: Query, buckets: Buckets | None = None) -> Iterator[Found]:
        """The same, step by step, with counts by time if there are buckets; it may be left at any step.

        What was stored when it began is read. Memory holds the spool's events and what is found.

        Raises:
            QueryError: the query's text cannot be read.
            IntegrityError: a file that counts is missing or cannot be read.
            UnavailableError: files kept changing while they were opened.
        """
        asked = plan(scope, query, buckets)
        with ExitStack() as opened:
            search = self._whole(lambda manifest: self._search(manifest, opened, asked))
            try:
                yield from search.steps()
            except duckdb.IOException as error:
                raise self._broken(error) from error

    def _search(self, manifest: Manifest, opened: ExitStack, asked: Plan) -> Search:
        parts = [part for part in manifest.partitions if part.last >= asked.since and part.first < asked.until]
        pieces = [self._piece(part, opened, asked) for part in parts]
        spooled = self._spooled(manifest.through)
        if spooled:
            times = [event.time for event in spooled]
            pieces.append(Piece(min(times), max(times), len(spooled)))
        return Search(asked, pieces, to_table(spooled))

    def _piece(self, part: Partition, opened: ExitStack, asked: Plan) -> Piece:
        """A file; one that may be merged meanwhile is held open, and its index is asked now."""
        path = self._folder / part.name
        piece = Piece(part.first, part.last, part.count, str(path), part, self._folder)
        if part.span == "hour":
            return piece
        held = opened.enter_context(path.open("rb"))
        return piece._replace(path=f"/proc/self/fd/{held.fileno()}").looked_up(asked.wanted)

    def _broken(self, error: Exception) -> IntegrityError:
        return IntegrityError(f"the event store in {self._folder} is not whole: {str(error).splitlines()[0]}")

    def _whole(self, read: Callable[[Manifest], Read]) -> Read:
        """What is read while the spool's part and the files' part belong together."""
        try:
            return read_together(self._folder, read_manifest, read)
        except FileNotFoundError as error:
            raise self._broken(error) from error

    def batches(self, scope: Scope, since: int, until: int) -> Iterator[Batch]:
        """All events within the scope and span that are messages, each once, some at a time, about in order of time.

        What was stored when it began is read; memory holds one batch, and the spool's events.

        Raises:
            IntegrityError: a file that counts is missing or cannot be read.
            UnavailableError: files kept changing while they were opened.
        """
        with ExitStack() as opened:
            sources = self._whole(lambda manifest: self._opened(manifest, opened, since, until))
            for source in sorted(sources, key=lambda one: one.first):
                for table in source.tables():
                    rows = table.filter(_within(scope, since, until)).to_pylist()
                    if rows:
                        yield Batch(source.first, [from_row(tuple(row.values())) for row in rows])

    def first(self, scope: Scope, otherwise: int) -> int:
        """The earliest event time in the files within the scope; where there is none, what is given.

        Only as many files are looked into as could hold it, the earliest first.

        Raises:
            IntegrityError: a file that counts is missing.
            UnavailableError: files kept changing while they were read.
        """
        return self._whole(lambda manifest: self._first(manifest, scope, otherwise))

    def _first(self, manifest: Manifest, scope: Scope, otherwise: int) -> int:
        if scope.sites is None:
            return min((part.first for part in manifest.partitions), default=otherwise)
        found: int | None = None
        for part in sorted(manifest.partitions, key=lambda part: part.first):
            if found is not None and part.first >= found:
                break
            within = pc.field("site").isin(sorted(scope.sites))
            times = pq.read_table(self._folder / part.name, columns=["time"], filters=within)["time"]
            earliest = pc.min(times).as_py()
            found = earliest if found is None else min(found, earliest or found)
        return otherwise if found is None else found

    def count(self, since: int, until: int) -> int:
        """About how many events are stored in the span: all of each file that has some of it."""
        manifest = read_manifest(self._folder)
        return sum(part.count for part in manifest.partitions if part.last >= since and part.first < until)

    def _opened(self, manifest: Manifest, opened: ExitStack, since: int, until: int) -> list[_Source]:
        """The spool's events and the files of the span; those that may be merged meanwhile are held open."""
        found: list[_Source] = []
        for part in manifest.partitions:
            if part.last >= since and part.first < until:
                path = self._folder / part.name
                merged = part.span == "hour"
                found.append(_Source(part.first, path if merged else opened.enter_context(path.open("rb"))))
        spooled = self._spooled(manifest.through)
        return [*found, _Source(min((event.time for event in spooled), default=0), to_table(spooled))]

    def _spooled(self, through: int) -> list[Event]:
        waiting = [path for path in segments(self._spool) if segment_number(path) > through]
        return [self._decode(payload) for path in waiting for payload in read_segment(path).payloads]


def _within(scope: Scope, since: int, until: int) -> pc.Expression:
    wanted = (pc.field("time") >= since) & (pc.field("time") < until)
    wanted &= ~((pc.field("product") == "haidang") & (pc.field("service") == "quarantine"))
    return wanted if scope.sites is None else wanted & pc.field("site").isin(sorted(scope.sites))
