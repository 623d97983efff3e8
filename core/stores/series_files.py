"""The files of a series table: how they are written, and what DuckDB is asked of them.

Rows and roll-ups are brought into one shape, in which a row as it came is a roll-up of itself; so every question and
every roll-up is one statement over any mixture of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.stores.manifest import settle_file
from core.stores.series_manifest import ROWS, Source
from core.stores.series_tables import KEYS, ORDER, Column, Stage, columns_of, stored_schema

ROWS_IN_GROUP = 60_000
ROWS_IN_PIECE_GROUP = 10_000
"""A page reads whole groups; the smaller they are the less, and the larger the files."""

DEVICE_BLOOM = {"device": {"ndv": 4096}}
"""Rows are sorted by site, so where only a device is asked for this filter tells which groups to leave out."""

_KEYS = ", ".join(KEYS)
SORTED = ", ".join(ORDER)
P95 = 0.95
_SQL = {pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.string(): "VARCHAR"}


class SeriesFile:
    """A Parquet file that is written some rows at a time, in order, and has its name only when it is whole."""

    def __init__(self, path: Path, table: str, stage: Stage) -> None:
        self._path = path
        self._temporary = path.with_suffix(".new")
        self._schema = stored_schema(table, stage)
        self._rows_in_group = ROWS_IN_PIECE_GROUP if stage == "piece" else ROWS_IN_GROUP
        listed = [field.name for field in self._schema if not pa.types.is_int64(field.type) or field.name == "time"]
        self._writer = pq.ParquetWriter(
            self._temporary,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=listed,
            column_encoding={name: "BYTE_STREAM_SPLIT" for name in self._schema.names if name not in listed},
            bloom_filter_options=DEVICE_BLOOM,
        )
        self.count = 0

    def write(self, rows: pa.Table) -> None:
        """Adds rows that follow those before in order."""
        self._writer.write_table(rows.cast(self._schema), row_group_size=self._rows_in_group)
        self.count += rows.num_rows

    def settle(self) -> None:
        """The file is whole and on disk."""
        self._writer.close()
        settle_file(self._temporary, self._path)


class Piece(NamedTuple):
    """A part of what is read: SQL that yields its rows as they rest, and whether they are rows as they came."""

    source: str
    stage: Stage


def pieces_of(folder: Path, sources: Iterable[Source]) -> list[Piece]:
    """The sources as SQL. Those that are read whole are one piece a stage."""
    whole: dict[Stage, list[Path]] = {}
    found: list[Piece] = []
    for part, spans, all_of_it in sources:
        stage: Stage = "raw" if part.stage in ROWS else part.stage
        if all_of_it:
            whole.setdefault(stage, []).append(folder / part.name)
        else:
            found.append(Piece(f"(FROM {files_sql([folder / part.name])} WHERE {spans_sql(spans)})", stage))
    return [*(Piece(files_sql(paths), stage) for stage, paths in whole.items()), *found]


def files_sql(paths: Sequence[Path]) -> str:
    """These files as a table."""
    names = ", ".join(quoted(str(path)) for path in paths)
    return f"read_parquet([{names}], hive_partitioning = false)"


def spans_sql(spans: Iterable[tuple[int, int]]) -> str:
    """Whether a row's time lies in one of the spans."""
    return "(" + " OR ".join(f"(time >= {start} AND time < {until})" for start, until in spans) + ")"


def quoted(text: str) -> str:
    """The text as a literal of SQL: paths are our own, and still nothing in one can end it."""
    return "'" + text.replace("'", "''") + "'"


def unified(table: str, pieces: Iterable[Piece], names: Sequence[str], where: str) -> str:
    """The pieces' rows in one shape: keys, time, count, gaps, and the parts of the named columns."""
    made = {name: columns_of(table)[name] for name in names}
    selects = []
    for source, stage in pieces:
        parts = [part for name, column in made.items() for part in _parts(name, column, stage)]
        counts = "1 AS count, (gap IS NOT NULL)::INTEGER AS gaps" if stage == "raw" else "count, gaps"
        # Names come from our table of columns, values are bound or whole numbers.
        selects.append(f"SELECT {', '.join([SORTED, counts, *parts])} FROM {source} WHERE {where}")  # noqa: S608
    return " UNION ALL ".join(selects)


def _parts(name: str, column: Column, stage: Stage) -> list[str]:
    if column.roll != "mean":
        return [name]
    if stage == "raw":
        parts = [name, f"{name} AS {name}_max", f"({name} IS NOT NULL)::INTEGER AS {name}_n"]
    else:
        parts = [name, f"{name}_max", f"{name}_n"]
    if column.p95:
        parts.append(f"{name} AS {name}_p95" if stage in {"raw", "minute"} else f"{name}_p95")
    return parts


def merged(name: str, column: Column) -> dict[str, str]:
    """The aggregates by which rows of that shape become one, by the name of the part."""
    if column.roll == "last":
        return {name: f"arg_max({name}, time)"}
    if column.roll != "mean":
        return {name: f"{column.roll}({name})"}
    parts = {
        name: f"sum({name} * {name}_n) / sum({name}_n)",
        f"{name}_max": f"max({name}_max)",
        f"{name}_n": f"sum({name}_n)",
    }
    return parts | ({f"{name}_p95": f"quantile_disc({name}_p95, {P95})"} if column.p95 else {})


def rolled_sql(table: str, pieces: Iterable[Piece], where: str, stage: Stage, bucket: str) -> str:
    """A roll-up of the pieces' rows as a statement whose columns are those of the stage's files."""
    schema = stored_schema(table, stage)
    parts: dict[str, str] = {"count": "sum(count)", "gaps": "sum(gaps)"}
    for name, column in columns_of(table).items():
        for part, aggregate in merged(name, column).items():
            parts[part] = f"round({aggregate})" if column.roll == "mean" and part == name else aggregate
    made = ", ".join(f"({parts[one.name]})::{_SQL[one.type]} AS {one.name}" for one in schema if one.name in parts)
    rows = unified(table, pieces, list(columns_of(table)), where)
    return f"SELECT {_KEYS}, {bucket} AS time, {made} FROM ({rows}) GROUP BY ALL ORDER BY {_KEYS}, 4"  # noqa: S608 - as above


def read_rows(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object]) -> Iterator[pa.Table]:
    """What the statement yields, some rows at a time.

    Raises:
        FileNotFoundError: a file is gone.
    """
    try:
        reader = connection.sql(sql, params=values).to_arrow_reader(ROWS_IN_GROUP)
        for batch in reader:
            yield pa.Table.from_batches([batch])
    except duckdb.IOException as error:
        raise FileNotFoundError(str(error).splitlines()[0]) from error
