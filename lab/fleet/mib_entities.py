"""Parts and sensors: ENTITY-MIB (RFC 6933) and ENTITY-SENSOR-MIB (RFC 3433)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lab.fleet.ber import GAUGE32, INTEGER, OBJECT_ID, OCTET_STRING, TIME_TICKS, Oid
from lab.fleet.mib_interfaces import FALSE, TRUE
from lab.fleet.sector import Node
from lab.fleet.state import State, World
from lab.fleet.tables import Table, always, table

CHASSIS, SUPPLY, FAN, SENSOR, MODULE = 3, 6, 7, 8, 9
"""entPhysicalClass."""

CELSIUS, PERCENT_HUMIDITY, RPM, TRUTH = 8, 9, 10, 12
"""entPhySensorType."""

_SHOWN_AS = {CELSIUS: "C", RPM: "rpm", PERCENT_HUMIDITY: "%RH"}

UNITS = 9
"""entPhySensorScale units."""


class Part(NamedTuple):
    """A physical part; ``kind`` is a sensor's type and ``value`` what it shows, in tenths if ``precision`` is 1."""

    number: int
    name: str
    klass: int
    kind: int = 0
    precision: int = 0
    value: Callable[[State], float] = lambda _state: 0.0


_BASE = (
    Part(1, "Chassis", CHASSIS),
    Part(2, "Power Supply 1", SUPPLY),
    Part(3, "Fan 1", FAN),
    Part(1001, "Inlet Temperature", SENSOR, CELSIUS, 1, lambda state: state.temperature("inlet", 24, 32)),
    Part(1002, "Fan 1 Speed", SENSOR, RPM, 0, lambda state: state.wave("fan", 4000, 6000)),
)
_BOARD = Part(67_108_867, "MPU Board 0", MODULE)
"""Where Huawei tells processor and memory."""

_ROOM = (
    Part(1, "Room monitor", CHASSIS),
    Part(11, "Temperature 1", SENSOR, CELSIUS, 1, lambda state: state.temperature("room", 21, 25)),
    Part(12, "Humidity 1", SENSOR, PERCENT_HUMIDITY, 0, lambda state: state.wave("humidity", 45, 60)),
    Part(13, "Smoke detector", SENSOR, TRUTH, 0, lambda _state: FALSE),
    Part(14, "Door contact", SENSOR, TRUTH, 0, lambda _state: FALSE),
    Part(15, "Water leak", SENSOR, TRUTH, 0, lambda _state: FALSE),
)
ROOM_SENSORS = _ROOM[1:]
_PLAIN = (Part(1, "Chassis", CHASSIS),)


def parts(node: Node) -> tuple[Part, ...]:
    """The device's parts."""
    if node.role == "sensor":
        return _ROOM
    if node.role not in ("router", "switch", "firewall"):
        return _PLAIN
    return (*_BASE, _BOARD) if node.family.vendor == "huawei" else _BASE


def sensors(node: Node) -> tuple[Part, ...]:
    """Those of the parts that measure."""
    return tuple(part for part in parts(node) if part.klass == SENSOR)


def part_indexes(_world: World, node: Node) -> tuple[Oid, ...]:
    """The entPhysicalIndex of each part."""
    return tuple((part.number,) for part in parts(node))


def sensor_indexes(_world: World, node: Node) -> tuple[Oid, ...]:
    """The entPhysicalIndex of each sensor."""
    return tuple((part.number,) for part in sensors(node))


def _part(state: State, row: int) -> Part:
    return parts(state.node)[row]


def _sensor(state: State, row: int) -> Part:
    return sensors(state.node)[row]


def _whole(state: State, row: int) -> bool:
    return _part(state, row).klass == CHASSIS


def shown(state: State, row: int) -> int:
    """entPhySensorValue: what a sensor shows, with its precision."""
    part = _sensor(state, row)
    return round(part.value(state) * 10.0**part.precision)


PARTS = table(
    "1.3.6.1.2.1.47.1.1.1.1",
    {
        2: (OCTET_STRING, lambda state, row: _part(state, row).name),
        3: (OBJECT_ID, always("0.0")),
        4: (INTEGER, lambda state, row: 0 if _whole(state, row) else 1),
        5: (INTEGER, lambda state, row: _part(state, row).klass),
        6: (INTEGER, lambda _state, row: row or -1),
        7: (OCTET_STRING, lambda state, row: _part(state, row).name),
        8: (OCTET_STRING, always("")),
        9: (OCTET_STRING, always("")),
        10: (OCTET_STRING, lambda state, row: state.node.family.version if _whole(state, row) else ""),
        11: (OCTET_STRING, lambda state, row: state.node.serial if _whole(state, row) else ""),
        12: (OCTET_STRING, lambda state, _row: state.node.family.vendor),
        13: (OCTET_STRING, lambda state, row: state.node.family.model if _whole(state, row) else ""),
        16: (INTEGER, lambda state, row: FALSE if _whole(state, row) else TRUE),
    },
    part_indexes,
)

SENSORS = table(
    "1.3.6.1.2.1.99.1.1.1",
    {
        1: (INTEGER, lambda state, row: _sensor(state, row).kind),
        2: (INTEGER, always(UNITS)),
        3: (INTEGER, lambda state, row: _sensor(state, row).precision),
        4: (INTEGER, shown),
        5: (INTEGER, always(1)),
        6: (OCTET_STRING, lambda state, row: _SHOWN_AS.get(_sensor(state, row).kind, "")),
        7: (TIME_TICKS, lambda state, _row: state.uptime),
        8: (GAUGE32, always(1000)),
    },
    sensor_indexes,
)

TABLES: tuple[Table, ...] = (PARTS, SENSORS)
