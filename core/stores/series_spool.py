"""Rows of series as they lie in the spool: frames of a table's name and its rows as an Arrow stream."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from core.stores.series_tables import TABLES, stored_schema
from core.stores.spool import read_segment, segment_number, segments

HEAD = b"series 1"
"""Of each segment: what lies in it, and in which version."""

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def encode_rows(table: str, rows: pa.Table) -> bytes:
    """A frame of the spool."""
    sink = pa.BufferOutputStream()
    sink.write(table.encode() + b"\n")
    with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as stream:
        stream.write_table(rows.combine_chunks())
    return bytes(sink.getvalue())


def segment_rows(path: Path, only: str = "") -> dict[str, pa.Table]:
    """The rows of a segment by table, of one table if it is named.

    Raises:
        IntegrityError: the file is no segment of a spool.
        FileNotFoundError: it has been turned into files meanwhile.
    """
    found: dict[str, list[pa.Table]] = {}
    for payload in read_segment(path).payloads:
        name, _, stream = payload.partition(b"\n")
        table = name.decode()
        if table in TABLES and only in {"", table}:
            found.setdefault(table, []).append(pa.ipc.open_stream(stream).read_all())
    return {table: pa.concat_tables(parts) for table, parts in found.items()}


def spooled_rows(folder: Path, table: str, through: int) -> pa.Table:
    """The table's rows in all segments after this one."""
    later = [path for path in segments(folder) if segment_number(path) > through]
    parts = [rows for path in later for rows in segment_rows(path, table).values()]
    return pa.concat_tables([stored_schema(table, "raw").empty_table(), *parts])
