"""Searches over stored events: newest first, some at a time, from as few files as the answer needs.

The files are read in the order of their latest events, several at once; what is found is told as soon as no file that
is still unread can hold anything newer. A search may be left at any step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from core.clock import HOUR, MINUTE, SECOND
from core.query import parse_query
from core.query_sql import Condition, condition
from core.records import Event, Record
from core.scope import Scope
from core.stores.event_index import Rows, Wanted, candidates
from core.stores.event_rows import ROWS_IN_GROUP, SCHEMA, from_row
from core.stores.manifest import Partition

FOREVER = 1 << 62
FIRST_GROUPS = 2
MOST_GROUPS = 16
"""Row groups that are read at once, at first and at most: so long nothing is told and no stop is heard."""
MOST_PASSED = 250
"""Files that the index rules out until progress is told all the same."""

_DAY = 24 * HOUR
WIDTHS = tuple(
    [count * SECOND for count in (1, 5, 10, 30)]
    + [count * MINUTE for count in (1, 2, 5, 10, 15, 30)]
    + [count * HOUR for count in (1, 2, 3, 6, 12)]
    + [count * _DAY for count in (1, 7, 30, 365, 3650)]
)
"""Of buckets, in nanoseconds."""
VIETNAM_AHEAD = 7 * HOUR

_QUARANTINE = "product = 'haidang' AND service = 'quarantine'"
_NAMES = ", ".join(SCHEMA.names)


class Cursor(NamedTuple):
    """Where a page ended: the time and id of its last event."""

    time: int
    id: str


class Query(Record, frozen=True, kw_only=True):
    """What is looked for. Times are event times in nanoseconds, ``since`` included, ``until`` not.

    Attributes:
        text: in the language of ``core.query``; empty for everything.
        site: only events of this site.
        quarantined: only what could not be taken for a message; else none of it.
        after: only what comes after this in the answer's order.
    """

    since: int = 0
    until: int = FOREVER
    text: str = ""
    site: str = ""
    quarantined: bool = False
    limit: int = 1000
    after: Cursor | None = None


class Buckets(NamedTuple):
    """How matches are counted by time: spans of ``width`` nanoseconds from ``start`` on."""

    start: int
    width: int


def buckets_of(since: int, until: int, most: int) -> Buckets:
    """At most about so many buckets for the span, of a width that people count in, from a round time in Vietnam on."""
    width = next((width for width in WIDTHS if (until - since) <= width * most), WIDTHS[-1])
    return Buckets((since + VIETNAM_AHEAD) // width * width - VIETNAM_AHEAD, width)


class Progress(NamedTuple):
    """How far a search is: files and the events in them, of all that the span of time touches."""

    files: int
    all_files: int
    events: int
    all_events: int


class Found(NamedTuple):
    """A step of a search.

    Attributes:
        events: what comes next, in order.
        counts: how many more matches each bucket has, by its number; beyond the limit too.
        progress: how far it is.
        more: whether there are matches beyond the limit.
        done: whether this is the last step: then all that was asked for is told.
    """

    events: list[Event]
    counts: dict[int, int]
    progress: Progress
    more: bool
    done: bool


class Piece(NamedTuple):
    """A part of the store: the spool's events, or a file that is read by ``path``; ``rows`` None is all of it."""

    first: int
    last: int
    events: int
    path: str = ""
    part: Partition | None = None
    folder: Path = Path()
    rows: tuple[Rows, ...] | None = None

    def looked_up(self, wanted: Wanted) -> Piece:
        """With the rows that the index, if there is one, leaves."""
        if self.part is None:
            return self
        found = candidates(self.folder / self.part.name, self.part, wanted)
        return self if found is None else self._replace(rows=tuple(found))

    @property
    def groups(self) -> int:
        """About how many row groups must be read."""
        return -(-self.events // ROWS_IN_GROUP) if self.rows is None else len(self.rows)


class _Batch(NamedTuple):
    """Pieces that are read at once, how many files and events they settle, and the latest time of those after them."""

    pieces: list[Piece]
    files: int
    events: int
    floor: int


class Plan(NamedTuple):
    """A search that can begin."""

    scope: Scope
    query: Query
    condition: Condition
    buckets: Buckets | None

    @property
    def since(self) -> int:
        """The earliest time that can be found."""
        return self.query.since

    @property
    def until(self) -> int:
        """The time from which on nothing can be found."""
        after = self.query.after
        return self.query.until if after is None else min(self.query.until, after.time + 1)

    @property
    def wanted(self) -> Wanted:
        """What the index is asked."""
        sites = self.scope.sites if not self.query.site else {self.query.site}
        return Wanted(self.condition.need, self.since, self.until, sites)


def plan(scope: Scope, query: Query, buckets: Buckets | None = None) -> Plan:
    """The search, its text read.

    Raises:
        QueryError: the text cannot be read.
    """
    return Plan(scope, query, condition(parse_query(query.text)), buckets)


class Search:
    """One search over these pieces, of which those that it cannot concern are left out already."""

    def __init__(self, asked: Plan, pieces: Iterable[Piece], spooled: pa.Table) -> None:
        self._plan = asked
        self._pieces = sorted(pieces, key=lambda piece: -piece.last)
        self._spooled = spooled
        self._where, self._values = _where(asked)
        self._waiting: list[Event] = []
        self._told = 0
        self._progress = Progress(0, len(self._pieces), 0, sum(piece.events for piece in self._pieces))

    def steps(self) -> Iterator[Found]:
        """All that is found, step by step; the last one is ``done``.

        Raises:
            duckdb.IOException: a file is missing or cannot be read.
        """
        with duckdb.connect() as connection:
            connection.register("spooled", self._spooled)
            for batch in self._batches():
                counts = self._read(connection, batch.pieces)
                files, events = self._progress.files + batch.files, self._progress.events + batch.events
                self._progress = self._progress._replace(files=files, events=events)
                found = self._step(counts, batch.floor)
                yield found
                if found.done:
                    return

    def _batches(self) -> Iterator[_Batch]:
        """At least one; each about twice as large as the one before, for who waits longer wants less of a show."""
        waiting: list[Piece] = []
        files = events = groups = 0
        most = FIRST_GROUPS
        for number, piece in enumerate(self._pieces, 1):
            looked = piece if piece.rows is not None else piece.looked_up(self._plan.wanted)
            files, events, groups = files + 1, events + piece.events, groups + looked.groups
            if looked.groups:
                waiting.append(looked)
            if number < len(self._pieces) and (groups >= most or files >= MOST_PASSED):
                yield _Batch(waiting, files, events, self._pieces[number].last)
                waiting, files, events, groups = [], 0, 0, 0
                most = min(2 * most, MOST_GROUPS)
        yield _Batch(waiting, files, events, -1)

    def _read(self, connection: duckdb.DuckDBPyConnection, pieces: list[Piece]) -> dict[int, int]:
        """Puts what is found with the rest that waits, and counts it."""
        if not pieces:
            return {}
        source, values = _source(pieces)
        found: list[Event] = []
        room = self._room
        if room:
            asked = self._values | values | {"limit": room}
            # Only fixed words are put together here; every value is bound.
            sql = f"SELECT {_NAMES} FROM ({source}) WHERE {self._where} ORDER BY time DESC, id DESC LIMIT $limit"  # noqa: S608
            found = [from_row(row) for row in connection.execute(sql, asked).fetchall()]
            self._waiting = sorted(self._waiting + found, key=_order, reverse=True)[:room]
        if self._plan.buckets is None:
            return {}
        if len(found) < room:
            return _counted(found, self._plan.buckets)
        return self._count(connection, source, values)

    def _count(self, connection: duckdb.DuckDBPyConnection, source: str, values: dict[str, object]) -> dict[int, int]:
        start, width = self._plan.buckets or Buckets(0, 1)
        asked = self._values | values | {"start": start, "width": width}
        bucket = "(time - $start) // $width"
        sql = f"SELECT {bucket} AS bucket, count(*) FROM ({source}) WHERE {self._where} GROUP BY bucket"  # noqa: S608 - as above
        return dict(connection.execute(sql, asked).fetchall())

    def _step(self, counts: dict[int, int], floor: int) -> Found:
        ready = [event for event in self._waiting if event.time > floor]
        self._waiting = self._waiting[len(ready) :]
        left = self._plan.query.limit - self._told
        self._told += len(ready)
        more = self._told > self._plan.query.limit
        done = floor < 0 or (more and self._plan.buckets is None)
        return Found(ready[:left] if left > 0 else [], counts, self._progress, more, done)

    @property
    def _room(self) -> int:
        """How many more are wanted: one beyond the limit tells that there are more."""
        return max(0, self._plan.query.limit + 1 - self._told)


def _order(event: Event) -> Cursor:
    return Cursor(event.time, event.id)


def _counted(events: list[Event], buckets: Buckets) -> dict[int, int]:
    counts: dict[int, int] = {}
    for event in events:
        number = (event.time - buckets.start) // buckets.width
        counts[number] = counts.get(number, 0) + 1
    return counts


def _source(pieces: list[Piece]) -> tuple[str, dict[str, object]]:
    """The pieces' rows as SQL, with the paths it names."""
    selects: list[str] = []
    paths: dict[str, object] = {}
    for number, piece in enumerate(pieces):
        if piece.path:
            paths[f"file{number}"] = piece.path
            selects.append(_select(number, piece.rows))
        else:
            selects.append(f"SELECT {_NAMES} FROM spooled")  # noqa: S608 - fixed names
    return " UNION ALL ".join(selects), paths


def _select(number: int, rows: tuple[Rows, ...] | None) -> str:
    file = f"SELECT {_NAMES} FROM read_parquet($file{number}"  # noqa: S608 - fixed names
    if rows is None:
        return f"{file})"
    spans = " OR ".join(f"file_row_number >= {span.start} AND file_row_number < {span.stop}" for span in rows)
    return f"{file}, file_row_number = true) WHERE {spans}"


def _where(asked: Plan) -> tuple[str, dict[str, object]]:
    query, scope = asked.query, asked.scope
    conditions = ["time >= $since", "time < $until", f"({_QUARANTINE}) = $quarantined"]
    values: dict[str, object] = {"since": query.since, "until": asked.until, "quarantined": query.quarantined}
    if scope.sites is not None:
        conditions.append("list_contains($sites, site)")
        values["sites"] = sorted(scope.sites)
    if query.site:
        conditions.append("site = $site")
        values["site"] = query.site
    if query.after is not None:
        conditions.append("(time < $after_time OR id < $after_id)")
        values |= {"after_time": query.after.time, "after_id": query.after.id}
    conditions.append(asked.condition.sql)
    return " AND ".join(conditions), values | asked.condition.values
