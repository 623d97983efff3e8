"""The tables of the series store, as data: what each column is, its unit, and what a roll-up makes of it.

Numbers rest as whole multiples of a decimal step, so that files are small and sums exact; readers get them in the unit
named here. A value that is missing is null, and ``gap`` says why; it is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import RefusedError

FORMAT = b"1"
KEYS = ("site", "device", "object")
ORDER = (*KEYS, "time")

Roll = Literal["mean", "max", "sum", "last"]
"""``mean`` keeps mean, highest value and number of values, with ``p95`` the 95th percentile too."""

Stage = Literal["piece", "raw", "minute", "hour", "day", "month"]
"""What a file holds: rows as they came (``piece``: of one spool segment, ``raw``: of one hour), or a roll-up."""


_MOST = 9e18
"""What is not below this, or no number at all, is null: one mad value stops no other."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        unit: of its numbers, as readers get them; empty for text.
        roll: what a roll-up makes of its values.
        decimals: how many are kept of a number; None for text.
        p95: whether roll-ups keep the 95th percentile.
    """

    unit: str
    roll: Roll
    decimals: int | None = 0
    p95: bool = False


_GAP = Column("", "last", None)
_TEXT = Column("", "last", None)
_CODE = Column("1", "last")

TABLES: Mapping[str, Mapping[str, Column]] = {
    "interfaces": {
        "in_bps": Column("bit/s", "mean", p95=True),
        "out_bps": Column("bit/s", "mean", p95=True),
        "in_pps": Column("packet/s", "mean", 2),
        "out_pps": Column("packet/s", "mean", 2),
        "in_errors": Column("packet/s", "mean", 6),
        "out_errors": Column("packet/s", "mean", 6),
        "in_discards": Column("packet/s", "mean", 6),
        "out_discards": Column("packet/s", "mean", 6),
        "in_util": Column("%", "mean", 2),
        "out_util": Column("%", "mean", 2),
        "speed_bps": Column("bit/s", "last"),
        "oper": _CODE,
        "admin": _CODE,
        "gap": _GAP,
    },
    "hosts": {
        "cpu": Column("%", "mean", 2, p95=True),
        "memory_used": Column("byte", "mean"),
        "memory_total": Column("byte", "last"),
        "load1": Column("1", "mean", 2),
        "processes": Column("1", "mean"),
        "gap": _GAP,
    },
    "disks": {
        "used": Column("byte", "mean"),
        "total": Column("byte", "last"),
        "gap": _GAP,
    },
    "sensors": {
        "kind": _TEXT,
        "value": Column("by unit", "mean", 3),
        "unit": _TEXT,
        "state": _TEXT,
        "gap": _GAP,
    },
    "power": {
        "on_battery": Column("1", "mean", 4),
        "minutes_left": Column("min", "mean", 1),
        "charge": Column("%", "mean", 1),
        "load": Column("%", "mean", 1),
        "output_watts": Column("W", "mean", 1),
        "gap": _GAP,
    },
    "peers": {
        "kind": _TEXT,
        "state": _TEXT,
        "uptime": Column("s", "last"),
        "gap": _GAP,
    },
    "devices": {
        "up": Column("1", "mean", 4),
        "rtt_ms": Column("ms", "mean", 3, p95=True),
        "late_s": Column("s", "mean", 3),
        "varbinds": Column("1", "sum"),
        "errors": Column("1", "sum"),
        "gap": _GAP,
    },
}
"""IF-MIB's codes of oper and admin are kept as they are (RFC 2863). A mean of ``up`` or ``on_battery`` is a share."""


def columns_of(table: str) -> Mapping[str, Column]:
    """The columns of a table beside its keys and its time.

    Raises:
        RefusedError: there is no such table.
    """
    if table not in TABLES:
        raise RefusedError(f"there is no series table '{table}': use {', '.join(TABLES)}")
    return TABLES[table]


def stored_schema(table: str, stage: Stage) -> pa.Schema:
    """The columns of the files of a stage, with the format's version."""
    made = columns_of(table)
    fields = [*((name, pa.string()) for name in KEYS), ("time", pa.int64())]
    if stage in {"piece", "raw"}:
        fields += [(name, _kind(column)) for name, column in made.items()]
    else:
        fields += [("count", pa.int32()), ("gaps", pa.int32())]
        for name, column in made.items():
            fields += [(part, _kind_of_part(part, column)) for part in rolled_names(name, column, stage)]
    return pa.schema(fields, metadata={b"haidang.format": FORMAT, b"haidang.series": table.encode()})


def rolled_names(name: str, column: Column, stage: Stage) -> tuple[str, ...]:
    """What a roll-up keeps of a column. A minute's mean stands for the minute in percentiles."""
    if column.roll != "mean":
        return (name,)
    p95 = (f"{name}_p95",) if column.p95 and stage != "minute" else ()
    return (name, f"{name}_max", f"{name}_n", *p95)


def stored_rows(table: str, rows: pa.Table | Mapping[str, Sequence[Any]]) -> pa.Table:
    """The rows as they rest: columns that are not given are null, numbers are scaled, what is no number is null.

    Raises:
        RefusedError: a column is unknown or of another type, or a key or the time is missing.
    """
    schema = stored_schema(table, "raw")
    given = rows if isinstance(rows, pa.Table) else pa.table({name: _array(values) for name, values in rows.items()})
    unknown = set(given.column_names) - set(schema.names)
    missing = set(ORDER) - set(given.column_names)
    if unknown or missing:
        raise RefusedError(f"{table}: unknown columns {sorted(unknown)}, missing {sorted(missing)}")
    made = columns_of(table)
    try:
        arrays = [_column(given, name, made.get(name), schema.field(name).type) for name in schema.names]
    except pa.ArrowException as error:
        raise RefusedError(f"{table}: {str(error).splitlines()[0]}") from error
    stored = pa.table(arrays, schema=schema)
    if any(stored[name].null_count for name in ORDER):
        raise RefusedError(f"{table}: site, device, object and time must not be null")
    return stored


def _array(values: Sequence[Any]) -> pa.Array:
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)


def _column(given: pa.Table, name: str, column: Column | None, kind: pa.DataType) -> Any:
    if name not in given.column_names:
        return pa.nulls(given.num_rows, kind)
    values = given[name]
    if column is None or column.decimals is None or pa.types.is_null(values.type):
        return values.cast(kind)
    if not column.decimals and not pa.types.is_floating(values.type) and not pa.types.is_uint64(values.type):
        return values.cast(kind)
    scaled = pc.round(pc.multiply(values.cast(pa.float64(), safe=False), float(10**column.decimals)))
    return pc.if_else(pc.less(pc.abs(scaled), _MOST), scaled, None).cast(kind)


def _kind(column: Column) -> pa.DataType:
    return pa.string() if column.decimals is None else pa.int64()


def _kind_of_part(part: str, column: Column) -> pa.DataType:
    return pa.int32() if part.endswith("_n") else _kind(column)
