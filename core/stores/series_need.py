"""How long series are kept, and how much disk that takes: ``series.toml`` holds the days and the measured bytes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.stores.series_tables import Stage, columns_of

STAGES: tuple[Stage, ...] = ("raw", "minute", "hour", "day", "month")
_SECONDS: Mapping[Stage, float] = {"minute": 60, "hour": 3600, "day": 86_400, "month": 86_400 * 365.25 / 12}
_DAY = 86_400
_LIKE = "interfaces"


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("series.toml").read_text(encoding="utf-8"))


def retention(day: str) -> dict[Stage, int]:
    """Days by stage as they are on this day (``2026-11-22``)."""
    dated = sorted(_content()["retention"], key=lambda entry: str(entry["since"]))
    entry = next((one for one in reversed(dated) if one["since"] <= day), dated[0])
    return {stage: entry[stage] for stage in STAGES}


def measured_on() -> str:
    """The day on which the bytes a row were measured."""
    return str(_content()["bytes_a_row"]["measured"])


def disk_need(objects: Mapping[str, int], seconds: float, day: str) -> dict[Stage, int]:
    """Bytes by stage for so many objects a table (``{"interfaces": 76_800}``), each polled every so many seconds.

    ``raw`` is the rows of the days in which all of them are kept; where polls are no faster than about a minute,
    ``minute`` is the same rows for the days beyond. Of a table whose rows were not measured, an interface's count.

    Raises:
        RefusedError: there is no such table.
    """
    keep = retention(day)
    need = dict.fromkeys(STAGES, 0)
    fast = seconds < 48  # noqa: PLR2004 - as the writer sees it: more than 75 rows an hour
    for table, count in objects.items():
        columns_of(table)
        rows = {stage: count * _DAY / _SECONDS[stage] for stage in STAGES[1:]} | {"raw": count * _DAY / seconds}
        for stage in STAGES:
            days = keep[stage]
            source: Stage = stage
            if stage == "minute" and not fast:
                source, days = "raw", keep["minute"] - keep["raw"]
            need[stage] += round(rows[source] * days * _bytes(table, source))
    return need


def _bytes(table: str, stage: Stage) -> float:
    measured = _content()["bytes_a_row"][stage]
    return float(measured.get(table, measured[_LIKE]))
