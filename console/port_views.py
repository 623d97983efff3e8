"""A device's interfaces as its page lists them: what the inventory says and what was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from console.charts import Scale, path_of
from console.device_charts import reason_text
from console.device_views import device_address
from console.measures import DOWN, P95, UP, Lately, Table
from console.quantities import bits, packets, percent
from console.views import Moment, moment
from core.clock import VIETNAM, to_datetime
from core.records import Record
from inventory.objects import Interface
from inventory.records import fold_name
from inventory.sorting import vietnamese_key

COLUMNS = (
    *("in_bps", "out_bps", "in_util", "out_util", "in_errors", "out_errors", "in_discards", "out_discards"),
    *("in_pps", "out_pps", "speed_bps", "oper", "admin", "gap"),
)
"""What is read of an interface."""

OPER = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "absent", 7: "lower_down"}
"""IfOperStatus (RFC 2863)."""
SHAPES = {"up": "●", "down": "✖", "off": "■", "absent": "✖", "lower_down": "✖"}
FULL, BUSY = 90.0, 70.0
"""Percent of its speed from which a port is marked."""


class Flow(NamedTuple):
    """One way of a port now: bits a second and percent of its speed in words; ``share`` for the bar, None if unknown.

    ``level`` is ``full``, ``busy`` or empty.
    """

    rate: str
    used: str
    share: float | None
    level: str


class PortRow(Record, frozen=True, kw_only=True):
    """An interface in the list; what is unknown is empty.

    Attributes:
        state: a key of texts: ``off`` if it is switched off, else what ifOperStatus says; empty while unknown.
        is_wrong: whether it is to be up and is not.
        role: of the inventory.
        gap: why its rates are missing now, in words.
        p95: in and out, of the day so far.
        spark: paths of in and out over 24 hours, drawn as those of charts.
    """

    name: str
    link: str
    description: str
    role: str
    state: str
    shape: str
    is_wrong: bool
    speed: str
    received: Flow
    sent: Flow
    errors: str
    has_errors: bool
    discards: str
    has_discards: bool
    gap: str
    measured: Moment | None
    p95: tuple[str, str]
    spark: tuple[str, str]


class P95Row(NamedTuple):
    """The percentiles of a day or a month in words."""

    when: str
    received: str
    sent: str


class Told(NamedTuple):
    """From what the list is made: ports of the inventory, and what was measured, by the names of interfaces."""

    device: str
    ports: Sequence[Interface]
    lately: Mapping[str, Lately]
    p95: Mapping[str, P95]
    day: Table | None
    language: str

    @property
    def names(self) -> set[str]:
        """Those of which something was measured."""
        return set(self.lately) | set(self.p95) | (set(self.day.objects) if self.day else set())


def port_rows(told: Told) -> list[PortRow]:
    """All interfaces that the inventory or the device knows, in order of their names."""
    known = {fold_name(port.name): port for port in told.ports}
    names = told.names
    unseen = [port.name for folded, port in known.items() if folded not in {fold_name(name) for name in names}]
    ordered = sorted([*names, *unseen], key=vietnamese_key)
    return [port_row(told, name, known.get(fold_name(name))) for name in ordered]


def port_row(told: Told, name: str, port: Interface | None) -> PortRow:
    """One interface with what the inventory knows of it."""
    lately = told.lately.get(name)
    values = lately.values if lately else {}
    state = state_of(values)
    errors, discards = (_sum(values, f"in_{kind}", f"out_{kind}") for kind in ("errors", "discards"))
    return PortRow(
        name=name,
        link=port_address(told.device, name),
        description=port.description if port else "",
        role=port.role if port else "",
        state=state,
        shape=SHAPES.get(state, "○"),
        is_wrong=values.get("admin") == UP and values.get("oper") in DOWN,
        speed=_speed(values, port, told.language),
        received=_flow(values, "in", told.language),
        sent=_flow(values, "out", told.language),
        errors="" if errors is None else packets(errors, told.language),
        has_errors=bool(errors),
        discards="" if discards is None else packets(discards, told.language),
        has_discards=bool(discards),
        gap=reason_text(values["gap"], told.language) if values.get("gap") else "",
        measured=moment(lately.time) if lately else None,
        p95=_p95(told.p95.get(name), told.language),
        spark=_spark(told.day, name),
    )


def port_address(device: str, port: str) -> str:
    """The interface's page."""
    return f"{device_address(device)}/interfaces?{urlencode({'port': port})}"


def state_of(values: Mapping[str, Any]) -> str:
    """What is true of a port, as the end of a text's key."""
    if values.get("admin") == 2:  # noqa: PLR2004 - ifAdminStatus down (RFC 2863)
        return "off"
    return OPER.get(values.get("oper", 0), "")


def p95_rows(found: Iterable[P95], form: str, language: str) -> list[P95Row]:
    """The percentiles with the day or month as ``form`` writes it (``%d/%m/%Y``)."""
    return [P95Row(_local(one.time, form), *_p95(one, language)) for one in found]


def _local(time: int, form: str) -> str:
    return to_datetime(time).astimezone(VIETNAM).strftime(form)


def _speed(values: Mapping[str, Any], port: Interface | None, language: str) -> str:
    """As the device says; else as it was bought."""
    if values.get("speed_bps"):
        return bits(values["speed_bps"], language)
    return bits(port.speed_mbps * 1e6, language) if port and port.speed_mbps else ""


def _flow(values: Mapping[str, Any], way: str, language: str) -> Flow:
    rate, share = values.get(f"{way}_bps"), values.get(f"{way}_util")
    level = "" if share is None else "full" if share >= FULL else "busy" if share >= BUSY else ""
    return Flow(
        rate="" if rate is None else bits(rate, language),
        used="" if share is None else percent(share, language),
        share=None if share is None else round(min(max(share, 0.0), 100.0), 1),
        level=level,
    )


def _sum(values: Mapping[str, Any], *names: str) -> float | None:
    known = [values[name] for name in names if values.get(name) is not None]
    return sum(known) if known else None


def _p95(found: P95 | None, language: str) -> tuple[str, str]:
    pair = (found.received, found.sent) if found else (None, None)
    received, sent = ("" if one is None else bits(one, language) for one in pair)
    return received, sent


def _spark(day: Table | None, name: str) -> tuple[str, str]:
    """Both ways on one scale, up to the highest of the day."""
    if day is None or name not in day.objects:
        return "", ""
    received, sent = day.cells(name, "in_bps"), day.cells(name, "out_bps")
    highest = max((one for one in (*received, *sent) if one is not None), default=None)
    if highest is None:
        return "", ""
    scale = Scale(0.0, highest or 1.0, ())
    return path_of(received, scale, day.grid.steps), path_of(sent, scale, day.grid.steps)
