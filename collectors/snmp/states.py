"""Which changes between two readings are told as events: ports, sensors, power, neighbours, the device itself. Pure.

The first reading of a device tells nothing: it is what later ones are compared with. What a device calls a row is what
a change is of, so that a shuffled index changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from collectors.snmp.failures import Failure
from collectors.snmp.profiles import INTERFACES
from collectors.snmp.readings import Cell, Reading, Table
from core.changes import DEVICE, ENVIRONMENT, LINK, Change
from core.records import Fields, Record

GOOD = frozenset({"normal", "closed", "on", "mains", "full", "established", "full_speed", "running", "idle"})
"""States of sensors, supplies and neighbours in which nothing is wrong."""

UNSURE = frozenset({"unknown", "unavailable", "not_present", "other", "standby", "none"})
"""States that say nothing; a change to them and back is not told."""

ON_BATTERY = "battery"


class Limits(Record, frozen=True, kw_only=True):
    """Between what values a sensor is well.

    Attributes:
        high: above it is too high; ``low`` likewise below; None for no limit.
        hysteresis: by how much a value must come back before it is well again.
    """

    high: float | None = None
    low: float | None = None
    hysteresis: float = 0.0


DEFAULT_LIMITS: Mapping[str, Limits] = {
    "humidity": Limits(high=80, low=20, hysteresis=3),
    "charge": Limits(low=50, hysteresis=5),
    "minutes_left": Limits(low=10, hysteresis=2),
    "load": Limits(high=90, hysteresis=5),
}
"""By kind of sensor. Temperatures have limits of their own by where they are measured, so there is no default."""

PROCESS = "process"
"""The kind of what is no sensor but a program that has to run."""

State: TypeAlias = tuple[str, str, str]
"""Table, row and column that something is true of."""


class StateChange(NamedTuple):
    """One change of something that was known before."""

    service: str
    action: str
    row: str
    fields: Fields
    text: str


class Known(Record, frozen=True, kw_only=True):
    """What was true of one device.

    Attributes:
        states: the last word of each state.
        beyond: which limits are exceeded: ``high`` or ``low``, by table, row and column.
        silent: whether the device is given up.
    """

    states: dict[State, str] = msgspec.field(default_factory=dict)
    beyond: dict[State, str] = msgspec.field(default_factory=dict)
    silent: bool = False


def read_changes(
    known: Known | None, reading: Reading, limits: Mapping[str, Limits] = DEFAULT_LIMITS
) -> tuple[Known, list[StateChange]]:
    """What has changed with a reading, and what is known after it.

    Args:
        known: what was known before; None before the first reading.
        reading: the new one.
        limits: of sensors, by kind, by table, or ``TABLE/ROW`` for one; the most exact counts.
    """
    before = known or Known()
    states, beyond = dict(before.states), dict(before.beyond)
    changes: list[StateChange] = []
    if before.silent:
        changes.append(_device("device_answers", f"{reading.device} answers SNMP again"))
    if reading.restarted:
        changes.append(_device("device_restarted", f"{reading.device} has restarted"))
    for name, table in reading.tables.items():
        changes.extend(_states(name, table, states))
        changes.extend(_limits(name, table, limits, beyond))
    return Known(states=states, beyond=beyond), changes if known is not None else []


def failed_changes(known: Known | None, device: str, failure: Failure) -> tuple[Known, list[StateChange]]:
    """What is told when a device has been given up: silence is told once, until it answers."""
    before = known or Known()
    if before.silent:
        return before, []
    fields: Fields = {"event.reason": str(failure)}
    action = "device_refuses_credential" if failure.is_credential else "device_silent"
    change = _device(action, f"{device} does not answer SNMP: {failure.text}", fields)
    return msgspec.structs.replace(before, silent=True), [change]


def to_change(told: StateChange, reading: Reading, address: str = "") -> Change:
    """The change as it is told to the logs lane.

    Args:
        told: what has changed.
        reading: by which it is known; of a silent device, one without tables.
        address: the device's, by which events are tied to those of its log.
    """
    fields: Fields = {
        "event.action": told.action,
        "host.name": reading.device,
        "message": told.text,
        "haidang.object": f"{reading.device}/{told.row}" if told.row else reading.device,
        **told.fields,
    }
    if address:
        fields |= {"host.ip": address, "observer.ip": address}
    return Change(
        time=reading.time_ns,
        service=told.service,
        unit=reading.unit,
        site=reading.site,
        device=reading.device,
        fields=fields,
    )


def _states(name: str, table: Table, states: dict[State, str]) -> Iterator[StateChange]:
    for column in ("admin", "oper", "state", "source", "battery", "replace_battery"):
        for row, cell in zip(table.names, table.columns.get(column, ()), strict=False):
            if not isinstance(cell, str) or cell in UNSURE:
                continue
            key = (name, row, column)
            was = states.get(key)
            states[key] = cell
            if was is not None and was != cell:
                yield from _told(name, table, key, was, cell, states)


def _told(
    name: str, table: Table, key: State, was: str, cell: str, states: Mapping[State, str]
) -> Iterator[StateChange]:
    if name == INTERFACES:
        yield from _port(table, key, was, cell, states)
    elif table.series == "peers":
        if key[2] == "state" and (was in GOOD) != (cell in GOOD):
            yield _peer(table, key[1], was, cell)
    elif key[2] == "source":
        if ON_BATTERY in {was, cell}:
            yield _power(key[1], was, cell)
    elif table.constants.get("kind") == PROCESS:
        yield _process(key[1], was, cell)
    elif table.series in {"sensors", "power"}:
        yield _sensor_state(table, key, was, cell)


def _port(table: Table, key: State, was: str, cell: str, states: Mapping[State, str]) -> Iterator[StateChange]:
    """A port that goes down because it was switched off is told once, as switched off."""
    name, row, column = key
    if column == "admin":
        action = "link_disabled" if cell == "down" else "link_enabled"
    elif states.get((name, row, "admin"), "up") != "up" or "up" not in {was, cell}:
        return
    else:
        action = "link_up" if cell == "up" else "link_down"
    alias = _label(table, row, "alias")
    fields: Fields = {"interface.name": row, "haidang.state": cell, "haidang.state.before": was}
    if alias:
        fields["interface.alias"] = alias
    yield StateChange(LINK, action, row, fields, f"Interface {row}{f' ({alias})' if alias else ''}: {was} -> {cell}")


def _peer(table: Table, row: str, was: str, cell: str) -> StateChange:
    kind = table.constants.get("kind", "")
    action = f"{kind}_neighbour_{'up' if cell in GOOD else 'down'}"
    fields: Fields = {"haidang.neighbour": row, "haidang.state": cell, "haidang.state.before": was}
    return StateChange(LINK, action, row, fields, f"{kind.upper()} neighbour {row}: {was} -> {cell}")


def _power(row: str, was: str, cell: str) -> StateChange:
    action = "power_on_battery" if cell == ON_BATTERY else "power_restored"
    fields: Fields = {"haidang.sensor": row, "haidang.state": cell, "haidang.state.before": was}
    return StateChange(ENVIRONMENT, action, row, fields, f"Power of {row}: {was} -> {cell}")


def _process(row: str, was: str, cell: str) -> StateChange:
    action = "process_normal" if cell in GOOD else "process_failed"
    fields: Fields = {"process.name": row, "haidang.state": cell, "haidang.state.before": was}
    return StateChange(DEVICE, action, row, fields, f"Process {row}: {was} -> {cell}")


def _sensor_state(table: Table, key: State, was: str, cell: str) -> StateChange:
    row = key[1]
    action = "sensor_normal" if cell in GOOD else "sensor_alarm"
    fields = _sensor_fields(table, row) | {"haidang.state": cell, "haidang.state.before": was}
    if not fields["haidang.sensor.kind"]:
        fields["haidang.sensor.kind"] = key[2]
    return StateChange(ENVIRONMENT, action, row, fields, f"Sensor {row}: {was} -> {cell}")


def _limits(name: str, table: Table, limits: Mapping[str, Limits], beyond: dict[State, str]) -> Iterator[StateChange]:
    columns = {"sensors": ("value",), "power": ("charge", "minutes_left", "load")}.get(table.series, ())
    for column in columns:
        for place, cell in enumerate(table.columns.get(column, ())):
            row = table.names[place]
            kind = column if column != "value" else _kind(table, place)
            limit = limits.get(f"{name}/{row}") or limits.get(name) or limits.get(kind)
            if limit is None or not isinstance(cell, int | float):
                continue
            change = _crossed((name, row, column), cell, limit, beyond)
            if change:
                yield _sensor_value(table, row, change, cell, limit)


def _crossed(key: State, value: float, limit: Limits, beyond: dict[State, str]) -> str:
    """The new side of the limits that a value is on: ``high``, ``low``, ``normal``; empty if it is the old one."""
    was = beyond.get(key, "")
    ease_high, ease_low = (limit.hysteresis if was == side else 0.0 for side in ("high", "low"))
    if limit.high is not None and value > limit.high - ease_high:
        now = "high"
    elif limit.low is not None and value < limit.low + ease_low:
        now = "low"
    else:
        now = ""
    if now == was:
        return ""
    if now:
        beyond[key] = now
    else:
        del beyond[key]
    return now or "normal"


def _sensor_value(table: Table, row: str, side: str, value: float, limit: Limits) -> StateChange:
    unit = table.constants.get("unit") or _label(table, row, "unit")
    fields: Fields = _sensor_fields(table, row) | {"haidang.value": value, "haidang.state": side}
    for name, bound in (("high", limit.high), ("low", limit.low)):
        if bound is not None:
            fields[f"haidang.limit.{name}"] = bound
    return StateChange(ENVIRONMENT, f"sensor_{side}", row, fields, f"Sensor {row}: {value:g} {unit}, {side}".rstrip())


def _sensor_fields(table: Table, row: str) -> Fields:
    place = table.names.index(row)
    fields: Fields = {"haidang.sensor": row, "haidang.sensor.kind": _kind(table, place)}
    where = _label(table, row, "place")
    if where:
        fields["haidang.place"] = where
    return fields


def _kind(table: Table, place: int) -> str:
    kinds: tuple[Cell, ...] = table.labels.get("kind", ())
    cell = kinds[place] if place < len(kinds) else None
    return str(cell) if cell else table.constants.get("kind", "")


def _label(table: Table, row: str, name: str) -> str:
    cells = table.labels.get(name, ())
    place = table.names.index(row)
    return str(cells[place] or "") if place < len(cells) else ""


def _device(action: str, text: str, fields: Fields | None = None) -> StateChange:
    return StateChange(DEVICE, action, "", fields or {}, text)
