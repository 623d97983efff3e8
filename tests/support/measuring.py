"""Series of a few devices, for the tests of pages that show what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.clock import MINUTE, HeldClock
from core.stores.series import SeriesStore


def fill_series(folder: Path, now: int, batches: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]]) -> None:
    """Stores these batches of rows by table as if they came just now."""
    clock = HeldClock(now)
    store = SeriesStore(folder, clock)
    for batch in batches:
        store.append_all(batch)
    clock.forward(2 * MINUTE)
    store.maintain()
    store.close()


def port_series(device: str, site: str, port: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns of ``interfaces`` of one port; each row names its time and what was measured."""
    names = sorted({name for row in rows for name in row})
    keys = {"site": site, "device": device, "object": port}
    return {name: [value] * len(rows) for name, value in keys.items()} | {
        name: [row.get(name) for row in rows] for name in names
    }


def steady_port(times: Sequence[int], bps: float, speed: float = 1e9, **more: Any) -> list[dict[str, Any]]:
    """A port that is up and carries as much at each of these times, half of it back."""
    row = {"in_bps": bps, "out_bps": bps / 2, "in_util": 100 * bps / speed, "out_util": 50 * bps / speed}
    row |= {"in_errors": 0.0, "out_errors": 0.0, "in_discards": 0.0, "out_discards": 0.0}
    row |= {"speed_bps": speed, "oper": 1, "admin": 1}
    return [{"time": time, **row, **more} for time in times]


def device_series(device: str, site: str, times: Sequence[int], up: Sequence[float]) -> dict[str, list[Any]]:
    """Columns of ``devices``: whether the device answered at each of these times."""
    keys = {"site": site, "device": device, "object": ""}
    return {name: [value] * len(times) for name, value in keys.items()} | {"time": list(times), "up": list(up)}
