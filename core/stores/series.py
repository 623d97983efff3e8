"""The series store: columns of samples by device and object, with roll-ups by minute, hour, day and month.

    append ─► spool (on disk when it returns) ─► a piece a minute ─► rows of an hour ─► minutes, hours, days, months

Each table has a folder with a manifest of its own; the spool is common to all. Rows are filed by the hour in which they
happened: late ones amend its roll-ups. What was appended is there after a loss of power; nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from core.clock import HOUR, MINUTE, Clock, vietnam_day
from core.files import remove_file
from core.scope import Scope
from core.stores.series_manifest import DAY
from core.stores.series_need import retention
from core.stores.series_read import LocalSeries, SeriesQuery, SeriesRows
from core.stores.series_rollup import TableWriter
from core.stores.series_spool import HEAD, encode_rows, segment_rows
from core.stores.series_tables import TABLES, Stage, stored_rows
from core.stores.spool import Spool, segment_number

SEGMENT = MINUTE
"""How long a spool segment grows until it becomes a piece of each table."""

SEGMENT_ROWS = 400_000
"""Rows with which it becomes one earlier."""

AHEAD_MOST = HOUR
"""How far ahead of the clock a row may be."""


class SeriesReader(Protocol):
    """Reads series; tested by one suite for every implementation."""

    def read(self, scope: Scope, query: SeriesQuery) -> SeriesRows:
        """The rows within the scope that answer the query."""
        ...


class SeriesStore:
    """Writes and reads the store in a folder; one process owns it.

    ``append`` and ``maintain`` may be called from different threads, each from one. ``refused`` counts rows that were
    ahead of the clock or too old to amend anything, and were left out.

    Raises:
        UnavailableError: the folder cannot be written.
        IntegrityError: a manifest cannot be read.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._writers = {table: TableWriter(folder / table, table) for table in TABLES}
        through = max(writer.through for writer in self._writers.values())
        self._spool = Spool(folder / "spool", clock, floor=through)
        self._lock = Lock()
        self._open_segment()
        self._reader = LocalSeries(folder)
        self.refused = 0

    def append(self, table: str, rows: pa.Table | Mapping[str, Sequence[Any]]) -> int:
        """Stores rows with columns of the table; returns how many, when they are on disk.

        ``site``, ``device``, ``object`` (text) and ``time`` (nanoseconds) are needed, what else is missing is null.
        Each call costs an fsync: give what a second or so has brought.

        Raises:
            RefusedError: the table or a column is unknown, of another type, or a key is missing.
            UnavailableError: the disk is full or failing; nothing of it is stored.
        """
        return self.append_all({table: rows})

    def append_all(self, batches: Mapping[str, pa.Table | Mapping[str, Sequence[Any]]]) -> int:
        """The same for several tables at once, all or nothing.

        Raises:
            RefusedError: as above.
            UnavailableError: as above.
        """
        stored = {table: self._believed(stored_rows(table, rows)) for table, rows in batches.items()}
        frames = [encode_rows(table, rows) for table, rows in stored.items() if rows.num_rows]
        count: int = sum(rows.num_rows for rows in stored.values())
        if frames:
            with self._lock:
                self._append(frames)
                self._rows += count
        return count

    def maintain(self) -> None:
        """Turns what was appended into files, rolls up what is over, and lets go of what is too old.

        To be called every few seconds; mostly it has nothing to do, each minute and each hour something.

        Raises:
            IntegrityError: a file that counts cannot be read.
        """
        self._convert()
        for writer in self._writers.values():
            for _ in writer.compact(self._clock.now()):
                self._convert()
        now = self._clock.now()
        keep = self._keep()
        for writer in self._writers.values():
            writer.expire(now, keep)

    def read(self, scope: Scope, query: SeriesQuery) -> SeriesRows:
        """The rows within the scope that answer the query; see ``LocalSeries.read``."""
        return self._reader.read(scope, query)

    def close(self) -> None:
        """Closes files; what lies in the spool is found again."""
        self._spool.close()
        self._reader.close()
        for writer in self._writers.values():
            writer.close()

    def _open_segment(self) -> None:
        # The present segment is left where it is until there is a next one, so that numbers only ever grow.
        self._spool.open(HEAD)
        self._rows, self._whole = 0, True

    def _append(self, frames: Sequence[bytes]) -> None:
        if not self._whole:
            self._open_segment()
        self._whole = False
        self._spool.append(frames)
        self._whole = True

    def _believed(self, rows: pa.Table) -> pa.Table:
        """Without rows ahead of the clock, or so old that the rows they belong to may be gone already."""
        now = self._clock.now()
        oldest = now - self._keep()["raw"] + DAY
        believed = rows.filter(
            pc.and_(pc.greater_equal(rows["time"], oldest), pc.less_equal(rows["time"], now + AHEAD_MOST))
        )
        self.refused += rows.num_rows - believed.num_rows
        return believed

    def _convert(self) -> None:
        with self._lock:
            due = self._clock.now() - self._spool.opened >= SEGMENT or self._rows >= SEGMENT_ROWS
            if self._rows and due:
                self._open_segment()
        closed = self._spool.closed()
        for path in closed:
            for table, rows in segment_rows(path).items():
                self._writers[table].convert(segment_number(path), rows, self._clock.now())
            remove_file(path)

    def _keep(self) -> Mapping[Stage, int]:
        days = retention(vietnam_day(self._clock.now()))
        return {stage: count * DAY for stage, count in days.items()}
