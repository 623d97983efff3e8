"""One table's files: segments become pieces, pieces the rows of an hour with its roll-ups, those days and months.

Each step writes new files and then swaps the manifest. A crash before the swap leaves files that nobody reads and that
are written again; after it, files that no longer count, which the next swap's number tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.clock import HOUR, MINUTE
from core.files import make_folder, remove_file
from core.stores.manifest import swap_manifest
from core.stores.series_files import SORTED, Piece, SeriesFile, files_sql, pieces_of, read_rows, rolled_sql
from core.stores.series_manifest import (
    DAY,
    ROWS,
    SeriesManifest,
    SeriesPartition,
    Source,
    Span,
    cover,
    day_start,
    month_start,
    newest_rows,
    present,
    stale_hours,
)
from core.stores.series_tables import Stage

GRACE = 5 * MINUTE
"""How long after its end an hour waits for what is on its way."""

SLOWEST = 75
"""Rows an hour of one object, on average, above which minutes are rolled up; polls each minute make 60."""

SORT_ROWS = 1_500_000
ROLL_ROWS = 8_000_000
MONTH_ROWS = 16_000_000
"""Rows that are sorted or rolled up at once, unless a single site has more: they bound the memory."""

_MEMORY = "2GB"


class _Chunk(NamedTuple):
    """Sites from ``first`` to ``last`` in order, whose rows are worked on at once."""

    first: str
    last: str


class _Made(NamedTuple):
    """A new file that does not count yet."""

    stage: Stage
    file: SeriesFile
    name: str


class TableWriter:
    """Writes one table; one process owns it, and one thread at a time."""

    def __init__(self, folder: Path, table: str) -> None:
        self.folder = make_folder(folder)
        self._table = table
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._sweep()

    @property
    def through(self) -> int:
        """The last spool segment that is in the files."""
        return present(self.folder).through

    def convert(self, segment: int, rows: pa.Table, now: int) -> None:
        """Writes a segment's rows as one piece for each hour in which they happened."""
        manifest = present(self.folder)
        if segment <= manifest.through:
            return
        hours = pc.divide(rows["time"], HOUR)
        written = [
            self._piece(segment, hour, rows.filter(pc.equal(hours, hour)), manifest.number + 1, now)
            for hour in sorted(pc.unique(hours).to_pylist())
        ]
        self._swap(written, gone=(), through=segment)

    def compact(self, now: int) -> Iterator[None]:
        """Does all that is due, some at a time; whoever drives it may convert between two steps."""
        for hour in self._due_hours(now):
            yield from self._compact_hour(hour, now)
        stages: tuple[Stage, ...] = ("day", "month")
        for stage in stages:
            for start in self._due(now, stage):
                yield from self._roll((start, _end(start, stage)), stage, now)

    def expire(self, now: int, keep: Mapping[Stage, int]) -> int:
        """Lets files that are older than their stage is kept, in nanoseconds, count no longer; returns how many."""
        old = [part.name for part in present(self.folder).partitions if part.until < now - keep[_kept_as(part)]]
        if old:
            self._swap([], gone=old)
        return len(old)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _sweep(self) -> None:
        """Removes what a run that died has left."""
        manifest = present(self.folder)
        counted = {*(part.name for part in manifest.partitions), *manifest.retired}
        for path in (*self.folder.glob("*.new"), *self.folder.glob("*.parquet")):
            if path.name not in counted:
                remove_file(path)

    def _piece(self, segment: int, hour: int, rows: pa.Table, number: int, now: int) -> SeriesPartition:
        name = f"piece-{segment:020d}-{hour:08d}.parquet"
        file = SeriesFile(self.folder / name, self._table, "piece")
        for ordered in self._read(f"FROM given ORDER BY {SORTED}", {}, given=rows):
            file.write(ordered)
        file.settle()
        return _partition(_Made("piece", file, name), (hour * HOUR, (hour + 1) * HOUR), number, now)

    def _due_hours(self, now: int) -> list[int]:
        """Hours that are over and have pieces; where an hour was closed already, late ones wait for the next hour."""
        partitions = present(self.folder).partitions
        closed = {part.start // HOUR for part in partitions if part.stage == "raw"}
        latest: dict[int, int] = {}
        for part in partitions:
            if part.stage == "piece":
                hour = part.start // HOUR
                latest[hour] = max(latest.get(hour, 0), part.made)
        over = (now - GRACE) // HOUR
        return sorted(h for h, made in latest.items() if h < over and (h not in closed or made // HOUR < over))

    def _compact_hour(self, hour: int, now: int) -> Iterator[None]:
        manifest = present(self.folder)
        span = (hour * HOUR, (hour + 1) * HOUR)
        of_hour = [part for part in manifest.partitions if (part.start, part.until) == span]
        taken = [part for part in of_hour if part.stage in ROWS]
        if hour in _hours(manifest.partitions, ("hour",)) and all(part.stage == "piece" for part in taken):
            # The hour's own rows are gone by their age: what is left of it must not become the whole.
            self._swap([], gone=[part.name for part in taken])
            return
        piece = Piece(files_sql([self.folder / part.name for part in taken]), "raw")
        chunks, slow = self._sites([piece], SORT_ROWS)
        stages: list[Stage] = ["raw", "hour"] if slow else ["raw", "minute", "hour"]
        made = [self._new(stage, hour, manifest.number) for stage in stages]
        for chunk in chunks:
            self._write_hour(made, piece, chunk, hour)
            yield
        new = [self._settled(one, span, manifest.number, now) for one in made]
        new[0] = msgspec.structs.replace(new[0], serves_minute=slow)
        self._swap(new, gone=[part.name for part in of_hour])

    def _write_hour(self, made: Sequence[_Made], piece: Piece, chunk: _Chunk, hour: int) -> None:
        """Some sites' rows of the hour, sorted, and the roll-ups of them."""
        sql = f"FROM {piece.source} WHERE {_SITES} ORDER BY {SORTED}"
        rows = pa.concat_tables(self._read(sql, _bound(chunk)))
        made[0].file.write(rows)
        for stage, file, _ in made[1:]:
            sql = rolled_sql(self._table, [Piece("given", "raw")], "true", stage, _bucket(stage, hour * HOUR))
            for rolled in self._read(sql, {}, given=rows):
                file.write(rolled)

    def _due(self, now: int, stage: Stage) -> list[int]:
        """Days or months that are over, whose rows are there, and that have no roll-up of all of them yet."""
        partitions = present(self.folder).partitions
        newest = newest_rows(partitions)
        known = {part.start: part for part in partitions if part.stage == stage}
        fine = _hours(partitions, ("raw", "minute"))
        unfit = _hours(partitions, ("piece",)) | (_hours(partitions, ("hour",)) - fine)
        starts = sorted({_start(hour * HOUR, stage) for hour in fine} - {_start(hour * HOUR, stage) for hour in unfit})
        over = [start for start in starts if _end(start, stage) + GRACE <= now]
        return [start for start in over if start not in known or _amended(known[start], newest, now)]

    def _roll(self, span: Span, stage: Stage, now: int) -> Iterator[None]:
        """A day or month from its rows, or minutes where those are gone; with a day its hours become one file."""
        manifest = present(self.folder)
        order: tuple[Stage, ...] = ("raw", "minute")
        fine = pieces_of(self.folder, cover(manifest.partitions, (), span, order).sources)
        hours = cover(manifest.partitions, (), span, ("hour",)).sources if stage == "day" else []
        made = [self._new(stage, span[0] // HOUR, manifest.number)]
        if hours:
            made.append(self._new("hour", span[0] // HOUR, manifest.number, "hours"))
        for chunk in self._sites(fine, ROLL_ROWS if stage == "day" else MONTH_ROWS)[0]:
            sql = rolled_sql(self._table, fine, _SITES, stage, str(span[0]))
            for rolled in self._read(sql, _bound(chunk)):
                made[0].file.write(rolled)
            if hours:
                self._copy(hours, chunk, made[1].file)
            yield
        new = [self._settled(one, span, manifest.number, now) for one in made]
        filled = _hours((source.part for source in hours), ("hour",))
        new[1:] = [msgspec.structs.replace(part, empty=tuple(sorted(set(part.hours()) - filled))) for part in new[1:]]
        replaced = {one.stage for one in made}
        within = [part for part in manifest.partitions if span[0] <= part.start < span[1]]
        self._swap(new, gone=[part.name for part in within if part.stage in replaced])

    def _copy(self, hours: Sequence[Source], chunk: _Chunk, file: SeriesFile) -> None:
        sources = " UNION ALL ".join(f"(FROM {piece.source})" for piece in pieces_of(self.folder, hours))
        for rows in self._read(f"FROM ({sources}) WHERE {_SITES} ORDER BY {SORTED}", _bound(chunk)):
            file.write(rows)

    def _sites(self, pieces: Sequence[Piece], most: int) -> tuple[list[_Chunk], bool]:
        """The sites in chunks of about so many rows, and whether rows come no faster than about one a minute."""
        rows = " UNION ALL ".join(f"(FROM {source} SELECT site, device, object)" for source, _ in pieces)
        objects = f"FROM ({rows}) SELECT site, count(*) AS n GROUP BY site, device, object"
        sql = f"FROM ({objects}) SELECT site, sum(n) AS n, count(*) AS objects GROUP BY site ORDER BY site"
        found = pa.concat_tables(self._read(sql, {}))
        counts = found["n"].cast(pa.int64()).to_pylist()
        slow = sum(counts) <= SLOWEST * sum(found["objects"].to_pylist())
        return list(_chunks(found["site"].to_pylist(), counts, most)), slow

    def _new(self, stage: Stage, hour: int, number: int, prefix: str = "") -> _Made:
        name = f"{prefix or stage}-{hour:08d}-{number}.parquet"
        return _Made(stage, SeriesFile(self.folder / name, self._table, stage), name)

    def _settled(self, made: _Made, span: tuple[int, int], number: int, now: int) -> SeriesPartition:
        made.file.settle()
        return _partition(made, span, number, now)

    def _read(self, sql: str, values: dict[str, object], given: pa.Table | None = None) -> Iterator[pa.Table]:
        if self._connection is None:
            self._connection = duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY})
        if given is not None:
            self._connection.register("given", given)
        return read_rows(self._connection, sql, values)

    def _swap(self, new: Iterable[SeriesPartition], gone: Iterable[str], through: int | None = None) -> None:
        # Files leave one swap after they stopped counting, so a reader that has just begun mostly still finds them.
        old = present(self.folder)
        left = set(gone)
        kept = tuple(part for part in old.partitions if part.name not in left)
        swapped = SeriesManifest(
            number=old.number + 1,
            through=old.through if through is None else through,
            partitions=(*kept, *new),
            retired=tuple(sorted(left)),
        )
        swap_manifest(self.folder, swapped)
        for name in old.retired:
            remove_file(self.folder / name)


_SITES = "site >= $first AND site <= $last"


def _bound(chunk: _Chunk) -> dict[str, object]:
    return {"first": chunk.first, "last": chunk.last}


def _bucket(stage: Stage, start: int) -> str:
    return f"time // {MINUTE} * {MINUTE}" if stage == "minute" else str(start)


def _chunks(sites: Sequence[str], counts: Sequence[int], most: int) -> Iterator[_Chunk]:
    first, waiting = 0, 0
    for number, count in enumerate(counts):
        if waiting and waiting + count > most:
            yield _Chunk(sites[first], sites[number - 1])
            first, waiting = number, 0
        waiting += count
    if waiting:
        yield _Chunk(sites[first], sites[-1])


def _kept_as(part: SeriesPartition) -> Stage:
    if part.stage in ROWS:
        return "minute" if part.serves_minute else "raw"
    return part.stage


def _start(time: int, stage: Stage) -> int:
    return day_start(time) if stage == "day" else month_start(time)


def _end(start: int, stage: Stage) -> int:
    return start + DAY if stage == "day" else month_start(start, 1)


def _hours(partitions: Iterable[SeriesPartition], stages: Sequence[Stage]) -> set[int]:
    return {hour for part in partitions if part.stage in stages for hour in part.filled()}


def _amended(known: SeriesPartition, newest: Mapping[int, int], now: int) -> bool:
    """Whether a roll-up is to be made anew for late rows: once a day at most, readers have the rows meanwhile."""
    return known.made // DAY < now // DAY and bool(stale_hours(known, newest))


def _partition(made: _Made, span: tuple[int, int], number: int, now: int) -> SeriesPartition:
    return SeriesPartition(
        name=made.name,
        stage=made.stage,
        start=span[0],
        until=span[1],
        count=made.file.count,
        number=number,
        made=now,
    )
