"""What polls bring, as rows of the series store: by table and column, many devices at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from collectors.snmp.failures import Failure
from collectors.snmp.interfaces import interface_rows
from collectors.snmp.profiles import Profile
from collectors.snmp.readings import Cell, Reading, Table
from collectors.snmp.states import ON_BATTERY
from core.clock import MILLISECOND, SECOND
from core.stores.series_tables import TABLES

Columns: TypeAlias = Mapping[str, Sequence[Cell]]
Fold: TypeAlias = Callable[[Sequence[float]], float]

_CODES = {
    "up": 1,
    "down": 2,
    "testing": 3,
    "unknown": 4,
    "dormant": 5,
    "not_present": 6,
    "lower_layer_down": 7,
}
"""IF-MIB's states (RFC 2863, ifOperStatus)."""

_MISSING = "missing"
_HOST = ("cpu", "memory_used", "memory_total", "load1", "processes")
_POWER = ("minutes_left", "charge", "load", "output_watts")
_FOLDS: Mapping[str, Fold] = {"mean": fmean, "sum": sum, "max": max, "": lambda values: values[0]}


class RowBatch:
    """Rows of all tables, collected.

    Attributes:
        tables: columns by table, as ``core.stores.series.SeriesStore.append_all`` takes them.
        count: rows in all.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, list[Cell]]] = {}
        self.count = 0

    def read(self, before: Reading | None, after: Reading, profile: Profile) -> None:
        """Adds all that a reading brings; ``before`` is the device's last one, by which rates are made."""
        rows = interface_rows(before, after)
        if rows is not None:
            self._add("interfaces", after, {**rows, "oper": _codes(rows["oper"]), "admin": _codes(rows["admin"])})
        host: dict[str, Cell] = {}
        seen: set[tuple[str, Cell]] = set()
        for name, table in after.tables.items():
            if table.series == "hosts":
                found = profile.table(name)
                host |= _host(table, found.fold if found is not None else "")
            elif table.series in _ROWS:
                self._add(table.series, after, _distinct(table.series, _ROWS[table.series](table), seen))
        if host:
            self._add("hosts", after, {"object": [""], **{name: [cell] for name, cell in host.items()}})
        self._add("devices", after, _device(after))

    def failed(self, polled: Reading, failure: Failure) -> None:
        """Adds that a device has not answered; ``polled`` says which and when, without tables."""
        self._add("devices", polled, {"object": [""], "up": [0], "gap": [str(failure)]})

    def _add(self, table: str, reading: Reading, columns: Columns) -> None:
        count = len(columns["object"]) if columns else 0
        if not count:
            return
        made = self.tables.setdefault(
            table, {name: [] for name in ("site", "device", "object", "time", *TABLES[table])}
        )
        same: dict[str, Cell] = {"site": reading.site, "device": reading.device, "time": reading.time_ns}
        for name, cells in made.items():
            cells.extend(columns[name] if name in columns else [same.get(name)] * count)
        self.count += count


def _device(reading: Reading) -> Columns:
    tally = reading.tally
    return {
        "object": [""],
        "up": [1],
        "rtt_ms": [reading.rtt_ns / MILLISECOND],
        "late_s": [reading.late_ns / SECOND],
        "varbinds": [tally.varbinds + tally.walked],
        "errors": [tally.errors],
    }


def _host(table: Table, fold: str) -> dict[str, Cell]:
    """A device's one row: what is told of several processors or memories is folded as the profile says."""
    found: dict[str, Cell] = {}
    columns: Columns = {**table.columns, **_memory(table)}
    for name in _HOST:
        cells = columns.get("load", [])[:1] if name == "load1" else columns.get(name, [])
        values = [cell for cell in cells if isinstance(cell, int | float)]
        if values:
            found[name] = _FOLDS[fold](values)
    return found


def _memory(table: Table) -> Columns:
    """Memory in bytes, of a table that tells what percent is in use, and of how much: each time or only once."""
    percents = table.columns.get("memory_percent", ())
    totals = table.columns.get("memory_total") or table.labels.get("memory_total") or ()
    if not percents or not totals:
        return {}
    used = [
        percent * total / 100 if isinstance(percent, int | float) and isinstance(total, int | float) else None
        for percent, total in zip(percents, totals, strict=True)
    ]
    return {"memory_used": used, "memory_total": totals}


def _disks(table: Table) -> Columns:
    if "used" not in table.columns:
        return {}
    total = table.columns.get("total") or table.columns.get("size")
    return {
        "object": table.names,
        "used": _numbers(table.columns["used"]),
        **({"total": _numbers(total)} if total else {}),
    }


def _sensors(table: Table) -> Columns:
    values = _numbers(table.columns.get("value") or [None] * len(table.names))
    states = _texts(table.columns.get("state") or [None] * len(table.names))
    kinds = table.labels.get("kind") or [table.constants.get("kind")] * len(table.names)
    units = table.labels.get("unit") or [table.constants.get("unit")] * len(table.names)
    return {
        "object": table.names,
        "kind": _texts(kinds),
        "value": values,
        "unit": _texts(unit or None for unit in units),
        "state": states,
        "gap": [
            _MISSING if value is None and state is None else None for value, state in zip(values, states, strict=True)
        ],
    }


def _power(table: Table) -> Columns:
    found = {name: _numbers(table.columns[name]) for name in _POWER if name in table.columns}
    source = table.columns.get("source")
    if source:
        found["on_battery"] = [None if cell is None else int(cell == ON_BATTERY) for cell in source]
    return {"object": table.names, **found} if found else {}


def _peers(table: Table) -> Columns:
    if "state" not in table.columns:
        return {}
    return {
        "object": table.names,
        "kind": [table.constants.get("kind")] * len(table.names),
        "state": _texts(table.columns["state"]),
        "uptime": _numbers(table.columns.get("uptime") or [None] * len(table.names)),
    }


_ROWS: Mapping[str, Callable[[Table], Columns]] = {
    "disks": _disks,
    "sensors": _sensors,
    "power": _power,
    "peers": _peers,
}


def _distinct(series: str, columns: Columns, seen: set[tuple[str, Cell]]) -> Columns:
    """The rows under names that no other table of the device has used for the series.

    Two MIBs tell of the same disk: the first counts. A probe's temperature and humidity have one name and are two.
    """
    names = list(columns.get("object", ()))
    kinds = columns.get("kind") or [None] * len(names)
    if series == "sensors":
        names = [
            f"{name} ({kind})" if (series, name) in seen else name for name, kind in zip(names, kinds, strict=True)
        ]
    kept = [place for place, name in enumerate(names) if (series, name) not in seen]
    seen.update((series, name) for name in names)
    if len(kept) == len(names):
        return {**columns, "object": names} if names else columns
    cells = {**columns, "object": names}
    return {name: [cells[name][place] for place in kept] for name in cells}


def _codes(words: Iterable[Cell]) -> list[Cell]:
    return [_CODES.get(word) if isinstance(word, str) else None for word in words]


def _numbers(cells: Iterable[Cell]) -> list[Cell]:
    return [cell if isinstance(cell, int | float) else None for cell in cells]


def _texts(cells: Iterable[Cell]) -> list[Cell]:
    return [None if cell is None else str(cell) for cell in cells]
