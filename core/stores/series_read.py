"""Questions to the series store, answered from the coarsest stage that serves them.

A percentile is that of the rows themselves: taken from them while they are there, or kept by a roll-up of just that
step. Where neither is there it is an estimate: the 95th percentile of those that finer roll-ups have kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb
import pyarrow.compute as pc

from core.clock import HOUR, MINUTE
from core.errors import IntegrityError, RefusedError
from core.records import Record
from core.scope import Scope
from core.stores.manifest import read_together
from core.stores.series_files import Piece, merged, pieces_of, spans_sql, unified
from core.stores.series_manifest import AHEAD, DAY, Cover, SeriesManifest, Span, cover, month_start, present
from core.stores.series_spool import spooled_rows
from core.stores.series_tables import KEYS, Column, Stage, columns_of

MOST_ROWS = 500_000
"""The highest limit of a query."""

WIDTHS: Mapping[Stage, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_FINE_FIRST: tuple[Stage, ...] = ("raw", "minute", "hour", "day", "month")
_KEYS = ", ".join(KEYS)


class SeriesQuery(Record, frozen=True, kw_only=True):
    """What is asked of one table.

    Attributes:
        columns: names of the table; of a mean also ``NAME_max`` and, where the table says so, ``NAME_p95``; and
            ``count`` (rows) and ``gap_share`` (share of them with a reason why something is missing).
        site: only of this site; naming it makes an answer for one device faster.
        device: only of this one, if given.
        object: only of this one, if given.
        since: nanoseconds, included; with a step it is moved to the step's beginning.
        until: nanoseconds, not included; with a step it is moved to the step's end.
        step: nanoseconds a row of the answer stands for, counted from midnight in Vietnam; a ``month`` of Vietnam;
            the whole ``span``, one row an object; 0 for rows as they came.
        order: a column by which the highest come first; else rows are in order of site, device, object and time.
        limit: of rows.
    """

    table: str
    columns: tuple[str, ...]
    since: int
    until: int
    site: str = ""
    device: str = ""
    object: str = ""
    step: int | Literal["span", "month"] = 0
    order: str = ""
    limit: int = 100_000


class SeriesRows(NamedTuple):
    """An answer.

    Attributes:
        names: of the columns: site, device, object, time (when the step began), and those asked for.
        rows: at most as many as the limit; what is missing is None.
        more: whether there are more.
    """

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


class LocalSeries:
    """Reads the store from its files, also while another process writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = duckdb.connect(config={"threads": 2})

    def read(self, scope: Scope, query: SeriesQuery) -> SeriesRows:
        """The rows within the scope that answer the query.

        Raises:
            RefusedError: the table or a column is unknown, or the query cannot be meant.
            IntegrityError: a file that counts is missing or cannot be read.
            UnavailableError: files kept changing while they were read.
        """
        asked = _Asked(scope, query)
        folder = self._folder / query.table
        try:
            return read_together(folder, present, lambda manifest: self._answer(asked, manifest))
        except FileNotFoundError as error:
            raise IntegrityError(f"the series store in {folder} is not whole: {error}") from error

    def close(self) -> None:
        """Lets go of the connection."""
        self._connection.close()

    def _answer(self, asked: _Asked, manifest: SeriesManifest) -> SeriesRows:
        table = asked.query.table
        spooled = spooled_rows(self._folder / "spool", table, manifest.through)
        hours = set(pc.unique(pc.divide(spooled["time"], HOUR)).to_pylist())
        found = cover(manifest.partitions, hours, asked.span, asked.order)
        pieces = pieces_of(self._folder / table, found.sources)
        with self._connection.cursor() as cursor:
            cursor.register("spooled", spooled)
            return _run(cursor, asked, [*pieces, *_of_spool(found)])


def _of_spool(found: Cover) -> list[Piece]:
    return [Piece(f"(FROM spooled WHERE {spans_sql(found.spooled)})", "raw")] if found.spooled else []


def _run(cursor: duckdb.DuckDBPyConnection, asked: _Asked, pieces: list[Piece]) -> SeriesRows:
    query = asked.query
    names = (*KEYS, "time", *query.columns)
    if not pieces or asked.span[0] >= asked.span[1]:
        return SeriesRows(names, [], more=False)
    try:
        rows = cursor.execute(asked.sql(pieces), asked.values).fetchall()
    except duckdb.IOException as error:
        raise FileNotFoundError(str(error).splitlines()[0]) from error
    return SeriesRows(names, rows[: query.limit], len(rows) > query.limit)


class _Asked:
    """A query that was checked, as SQL."""

    def __init__(self, scope: Scope, query: SeriesQuery) -> None:
        self.query = query
        self._table = columns_of(query.table)
        self._names = _named(query, self._table)
        if not 0 < query.limit <= MOST_ROWS:
            raise RefusedError(f"a query's limit is from 1 to {MOST_ROWS} rows, not {query.limit}")
        if query.order and query.order not in query.columns:
            raise RefusedError(f"the rows can be ordered by one of the columns asked for, not by '{query.order}'")
        self.span = _whole_steps(query)
        self.order = _stages(query, self.span)
        self._where, self.values = _where(scope, query, self.span)

    def sql(self, pieces: list[Piece]) -> str:
        """The statement over these pieces."""
        rows = unified(self.query.table, pieces, list(self._names), self._where)
        exact = self.query.step == 0
        columns = [_value(name, self._names, self._table, exact=exact) for name in self.query.columns]
        selected = ", ".join([_KEYS, "time" if exact else f"{_bucket(self.query)} AS bucket", *columns])
        groups = "" if exact else "GROUP BY ALL"
        place = len(KEYS) + 2 + self.query.columns.index(self.query.order) if self.query.order else 0
        ordered = f"{place} DESC NULLS LAST, 1, 2, 3, 4" if place else "1, 2, 3, 4"
        # Names are those of our table of columns; every value that was given is bound.
        return f"SELECT {selected} FROM ({rows}) {groups} ORDER BY {ordered} LIMIT {self.query.limit + 1}"  # noqa: S608


def _named(query: SeriesQuery, table: Mapping[str, Column]) -> dict[str, list[str]]:
    """The table's columns that are needed, with those of the query that need them."""
    found: dict[str, list[str]] = {}
    for asked in query.columns:
        if asked in {"count", "gap_share"} and query.step != 0:
            continue
        name = asked if asked in table else asked.removesuffix("_max").removesuffix("_p95")
        column = table.get(name)
        part = asked[len(name) :]
        known = column is not None and (not part or (column.roll == "mean" and (part == "_max" or column.p95)))
        if not known or (part and query.step == 0):
            raise RefusedError(
                f"{query.table} have no column '{asked}': use {', '.join(table)}, and of means with a step"
                " _max and _p95, count, gap_share"
            )
        found.setdefault(name, []).append(asked)
    return found


def _value(asked: str, names: Mapping[str, list[str]], table: Mapping[str, Column], *, exact: bool) -> str:
    if asked == "count" and asked not in names:
        return "sum(count)::BIGINT AS count"
    if asked == "gap_share":
        return "sum(gaps) / sum(count) AS gap_share"
    name = next(name for name, parts in names.items() if asked in parts)
    column = table[name]
    value = asked if exact else merged(name, column)[asked]
    scaled = f"{value} / {10**column.decimals}" if column.decimals else value
    return f"{scaled} AS {asked}"


def _bucket(query: SeriesQuery) -> str:
    if query.step == "span":
        return str(query.since)
    if query.step == "month":
        return f"epoch_ns(date_trunc('month', make_timestamp((time + {AHEAD}) // 1000))) - {AHEAD}"
    return f"(time + {AHEAD}) // {query.step} * {query.step} - {AHEAD}"


def _whole_steps(query: SeriesQuery) -> Span:
    if query.step == "month":
        return month_start(query.since), month_start(query.until - 1, 1)
    if query.step == "span" or not query.step:
        return query.since, query.until
    if query.step < 0:
        raise RefusedError("a query's step is a time in nanoseconds, 'span' or 'month'")
    start = (query.since + AHEAD) // query.step * query.step - AHEAD
    return start, -((-query.until - AHEAD) // query.step) * query.step - AHEAD


def _stages(query: SeriesQuery, span: Span) -> tuple[Stage, ...]:
    """Where the answer is looked for, in turn: coarsest that serves first, then rows, then what only resembles it."""
    if query.step == 0:
        return ("raw",)
    serving = [stage for stage in reversed(_FINE_FIRST) if stage != "raw" and _serves(stage, query, span)]
    order: list[Stage] = [*serving, "raw"]
    return (*order, *(stage for stage in _FINE_FIRST if stage not in order))


def _serves(stage: Stage, query: SeriesQuery, span: Span) -> bool:
    p95 = any(name.endswith("_p95") for name in query.columns)
    if stage == "month":
        return query.step == "month" or (query.step == "span" and month_start(span[0], 1) == span[1])
    width = WIDTHS[stage]
    if query.step == "month":
        return not p95
    step = span[1] - span[0] if query.step == "span" else query.step
    aligned = query.step != "span" or ((span[0] + AHEAD) % width == 0 and (span[1] + AHEAD) % width == 0)
    kept = step == width and stage != "minute"
    return aligned and (kept if p95 else step % width == 0)


def _where(scope: Scope, query: SeriesQuery, span: Span) -> tuple[str, dict[str, object]]:
    conditions = ["time >= $since", "time < $until"]
    values: dict[str, object] = {"since": span[0], "until": span[1]}
    if scope.sites is not None:
        sites = {f"site{number}": site for number, site in enumerate(sorted(scope.sites))}
        conditions.append(f"site IN ({', '.join(f'${name}' for name in sites)})" if sites else "false")
        values |= sites
    for name in KEYS:
        wanted = getattr(query, name)
        if wanted:
            conditions.append(f"{name} = ${name}")
            values[name] = wanted
    return " AND ".join(conditions), values
