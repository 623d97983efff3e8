"""Sensors and power supplies as a device's page lists them now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.device_charts import reason_text
from console.measures import Lately
from console.quantities import measured
from console.texts import say_if_known
from console.views import Moment, moment
from core.records import Record
from inventory.sorting import vietnamese_key

GOOD = frozenset({"normal", "closed", "on", "full_speed", "running", "ok", "idle"})
UNSURE = frozenset({"", "unknown", "unavailable", "not_present", "other", "standby", "none"})
"""States of sensors that say nothing of whether all is well."""


class SensorRow(Record, frozen=True, kw_only=True):
    """A sensor; ``mood`` is ``good``, ``bad`` or empty where nobody says."""

    name: str
    kind: str
    value: str
    state: str
    shape: str
    mood: str
    gap: str
    measured: Moment


class PowerRow(Record, frozen=True, kw_only=True):
    """A power supply; what it does not say is empty. ``on_battery`` is None where that is not known."""

    name: str
    on_battery: bool | None
    minutes_left: str
    charge: str
    load: str
    output: str
    gap: str
    measured: Moment


def sensor_rows(lately: Mapping[str, Lately], language: str) -> list[SensorRow]:
    """All sensors that told something lately, in order of their names."""
    return [_sensor(name, lately[name], language) for name in sorted(lately, key=vietnamese_key)]


def power_rows(lately: Mapping[str, Lately], language: str) -> list[PowerRow]:
    """The same of power supplies."""
    return [_power(name, lately[name], language) for name in sorted(lately, key=vietnamese_key)]


def _sensor(name: str, lately: Lately, language: str) -> SensorRow:
    values = lately.values
    kind, state, value = values["kind"] or "", values["state"] or "", values["value"]
    mood = "good" if state in GOOD else "" if state in UNSURE else "bad"
    return SensorRow(
        name=name,
        kind=say_if_known(language, f"sensor_kind.{kind}", kind),
        value="" if value is None else measured(value, values["unit"] or "", language),
        state=say_if_known(language, f"sensor_state.{state}", state),
        shape={"good": "●", "bad": "✖"}.get(mood, "○"),
        mood=mood,
        gap=_gap(values, language),
        measured=moment(lately.time),
    )


def _power(name: str, lately: Lately, language: str) -> PowerRow:
    values = lately.values
    units = {"minutes_left": "min", "charge": "%", "load": "%", "output_watts": "W"}
    told = {key: _told(values[key], unit, language) for key, unit in units.items()}
    battery = values["on_battery"]
    return PowerRow(
        name=name,
        on_battery=None if battery is None else battery > 0,
        minutes_left=told["minutes_left"],
        charge=told["charge"],
        load=told["load"],
        output=told["output_watts"],
        gap=_gap(values, language),
        measured=moment(lately.time),
    )


def _told(value: float | None, unit: str, language: str) -> str:
    return "" if value is None else measured(value, unit, language)


def _gap(values: Mapping[str, Any], language: str) -> str:
    return reason_text(values["gap"], language) if values["gap"] else ""
