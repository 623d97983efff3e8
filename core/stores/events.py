"""The event store: spool segments become minute files, minute files an hourly partition; searches read all three.

Partitions are by the hour in which events were received, so a closed one never changes; each names the span of
event times inside, by which searches leave files out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, Protocol, TypeVar

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.clock import HOUR
from core.errors import IntegrityError, UnavailableError
from core.files import make_folder, remove_file, sync_file, sync_folder
from core.records import Event, Fields, Logsource, Record
from core.scope import Scope
from core.stores.manifest import Manifest, Partition, file_sha256, read_manifest, swap_manifest
from core.stores.spool import read_segment, segment_number, segments
from core.text import fold, words

FORMAT = b"1"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("time", pa.int64()),
        ("seen", pa.int64()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("service", pa.string()),
        ("unit", pa.string()),
        ("site", pa.string()),
        ("device", pa.string()),
        ("fields", pa.string()),
        ("raw", pa.binary()),
    ],
    metadata={b"haidang.format": FORMAT},
)

ROWS_IN_GROUP = 50_000
BATCH = 4096
"""Events read at a time where all are wanted."""

_TRIES = 50
MERGE_BYTES = 128 << 20
"""Bytes of events that are sorted in memory at once; an hour with more becomes several closed partitions."""

_QUARANTINE = "product = 'haidang' AND service = 'quarantine'"
_VALUES = "lower(array_to_string(json_extract_string(fields, '$.*'), chr(10)))"
_FOLDED = f"replace(strip_accents({_VALUES}), 'đ', 'd')"
"""The fields' values as text, and the same without diacritics: these are ignored unless they are typed."""

_SPOOL_ONLY = "SELECT * FROM spooled"
_SPOOL_AND_FILES = "SELECT * FROM spooled UNION ALL SELECT * FROM read_parquet($files)"

Read = TypeVar("Read")

Decode = Callable[[bytes], Event]
"""A spool payload as the event in it."""


class Query(Record, frozen=True, kw_only=True):
    """What is looked for. Times are event times in nanoseconds, ``since`` included, ``until`` not."""

    since: int = 0
    until: int = 1 << 62
    text: str = ""
    site: str = ""
    quarantined: bool = False
    limit: int = 1000


class Batch(NamedTuple):
    """Some stored events in no certain order; neither they nor those of any later batch are from before ``floor``."""

    floor: int
    events: list[Event]


class EventStore(Protocol):
    """Reads stored events; tested by one suite for every implementation."""

    def search(self, scope: Scope, query: Query) -> list[Event]:
        """Events within the scope that match, latest first, at most ``query.limit``."""
        ...

    def batches(self, scope: Scope, since: int, until: int) -> Iterator[Batch]:
        """All events within the scope and span that are messages, each once, some at a time, about in order of time."""
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
            self._swap(manifest, Manifest(through=through, partitions=partitions), retire=())
        for path in closed:
            remove_file(path)

    def compact(self, before_hour: int) -> None:
        """Merges the minute files of each hour before this one into closed partitions, mostly one an hour."""
        manifest = read_manifest(self._folder)
        minutes = [part for part in manifest.partitions if part.span == "minute" and part.hour < before_hour]
        for hour in sorted({part.hour for part in minutes}):
            self._compact_hour(hour, [part for part in minutes if part.hour == hour])

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
        events = [self._decode(payload) for payload in read_segment(path).payloads]
        if not events:
            return None
        return self._write(f"minute-{number:020d}.parquet", to_table(events), number // HOUR, "minute")

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
        sync_file(temporary)
        temporary.rename(path)
        sync_folder(self._folder)
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
            IntegrityError: a file that counts is missing or cannot be read.
            UnavailableError: files kept changing while they were read.
        """
        return self._whole(lambda manifest: self._search_once(manifest, self._spooled(manifest.through), scope, query))

    def _whole(self, read: Callable[[Manifest], Read]) -> Read:
        """What is read while the spool's part and the files' part belong together."""
        for _ in range(_TRIES):
            manifest = read_manifest(self._folder)
            try:
                found = read(manifest)
                if read_manifest(self._folder).through == manifest.through:
                    return found
            except (FileNotFoundError, duckdb.IOException) as error:
                # Files go only after a swap: if there was one, the new manifest says where their events are.
                if read_manifest(self._folder) == manifest:
                    reason = str(error).splitlines()[0]
                    raise IntegrityError(f"the event store in {self._folder} is not whole: {reason}") from error
        raise UnavailableError(f"the event store in {self._folder} keeps changing: try again")

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
                        yield Batch(source.first, [_from_row(tuple(row.values())) for row in rows])

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

    def _search_once(self, manifest: Manifest, spooled: Sequence[Event], scope: Scope, query: Query) -> list[Event]:
        wanted = [part for part in manifest.partitions if part.last >= query.since and part.first < query.until]
        files = [str(self._folder / part.name) for part in wanted]
        with duckdb.connect() as connection:
            connection.register("spooled", to_table(spooled))
            sql, values = _statement(_SPOOL_AND_FILES if files else _SPOOL_ONLY, scope, query)
            rows = connection.execute(sql, values | ({"files": files} if files else {})).fetchall()
        return [_from_row(row) for row in rows]

    def _spooled(self, through: int) -> list[Event]:
        waiting = [path for path in segments(self._spool) if segment_number(path) > through]
        return [self._decode(payload) for path in waiting for payload in read_segment(path).payloads]


def to_table(events: Sequence[Event]) -> pa.Table:
    """The events as columns of ``SCHEMA``."""
    columns = {
        "id": [event.id for event in events],
        "time": [event.time for event in events],
        "seen": [event.seen for event in events],
        "product": [event.logsource.product for event in events],
        "category": [event.logsource.category for event in events],
        "service": [event.logsource.service for event in events],
        "unit": [event.unit for event in events],
        "site": [event.site for event in events],
        "device": [event.device for event in events],
        "fields": [msgspec.json.encode(event.fields).decode() for event in events],
        "raw": [event.raw for event in events],
    }
    return pa.table(columns, schema=SCHEMA)


def _within(scope: Scope, since: int, until: int) -> pc.Expression:
    wanted = (pc.field("time") >= since) & (pc.field("time") < until)
    wanted &= ~((pc.field("product") == "haidang") & (pc.field("service") == "quarantine"))
    return wanted if scope.sites is None else wanted & pc.field("site").isin(sorted(scope.sites))


def _statement(sources: str, scope: Scope, query: Query) -> tuple[str, dict[str, object]]:
    conditions = ["time >= $since", "time < $until", f"({_QUARANTINE}) = $quarantined"]
    values: dict[str, object] = {
        "since": query.since,
        "until": query.until,
        "limit": query.limit,
        "quarantined": query.quarantined,
    }
    if scope.sites is not None:
        conditions.append("list_contains($sites, site)")
        values["sites"] = sorted(scope.sites)
    if query.site:
        conditions.append("site = $site")
        values["site"] = query.site
    if query.text:
        wanted = words(query.text)
        conditions.append(f"contains({_VALUES if wanted != fold(wanted) else _FOLDED}, $text)")
        values["text"] = wanted
    where = " AND ".join(conditions)
    # Only fixed words are put together here; every value is bound.
    sql = f"SELECT * FROM ({sources}) WHERE {where} ORDER BY time DESC, id DESC LIMIT $limit"  # noqa: S608
    return sql, values


def _from_row(row: tuple[Any, ...]) -> Event:
    identity, time, seen, product, category, service, unit, site, device, fields, raw = row
    return Event(
        id=identity,
        time=time,
        seen=seen,
        logsource=Logsource(product=product, category=category, service=service),
        fields=msgspec.json.decode(fields, type=Fields),
        raw=raw,
        unit=unit,
        site=site,
        device=device,
    )
