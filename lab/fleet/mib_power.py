"""Power: UPS-MIB (RFC 1628) and the rack PDU, both generations, of APC's PowerNet-MIB."""

from __future__ import annotations

from core.clock import SECOND
from lab.fleet.ber import COUNTER32, GAUGE32, INTEGER, OCTET_STRING
from lab.fleet.state import State
from lab.fleet.tables import Table, always, numbered, scalars, table

BATTERY_NORMAL, BATTERY_LOW = 2, 3
"""upsBatteryStatus."""

FROM_MAINS, FROM_BATTERY = 3, 5
"""upsOutputSource."""

LOW_CHARGE = 20
RATED_WATTS = 2700
_VOLTS = 230
_LOAD_NORMAL = 2


def _load(state: State) -> int:
    return round(state.wave("load", 25, 60))


def _watts(state: State) -> int:
    return RATED_WATTS * _load(state) // 100


def _mains(state: State) -> int:
    return 0 if state.on_battery() else round(state.wave("mains", 224, 236))


def _on_battery(state: State) -> bool:
    return state.on_battery() > 0


def _amperes(state: State) -> int:
    """Tenths of an ampere."""
    return round(10 * state.wave("current", 4, 11))


UPS: tuple[Table, ...] = (
    scalars(
        "1.3.6.1.2.1.33.1.1",
        {
            "1": (OCTET_STRING, lambda state: state.node.family.vendor),
            "2": (OCTET_STRING, lambda state: state.node.family.model),
            "3": (OCTET_STRING, lambda state: state.node.family.version),
            "4": (OCTET_STRING, lambda state: state.node.family.version),
            "5": (OCTET_STRING, lambda state: state.node.name),
            "6": (OCTET_STRING, lambda _state: ""),
        },
    ),
    scalars(
        "1.3.6.1.2.1.33.1.2",
        {
            "1": (INTEGER, lambda state: BATTERY_LOW if state.charge() < LOW_CHARGE else BATTERY_NORMAL),
            "2": (INTEGER, lambda state: state.on_battery() // SECOND),
            "3": (INTEGER, lambda state: round(state.holds_minutes())),
            "4": (INTEGER, lambda state: round(state.charge())),
            "5": (INTEGER, lambda state: 960 + round(3 * state.charge())),
            "6": (INTEGER, lambda state: 10 * _load(state) if _on_battery(state) else 0),
            "7": (INTEGER, lambda state: round(state.temperature("battery", 23, 28))),
        },
    ),
    scalars("1.3.6.1.2.1.33.1.3", {"1": (COUNTER32, lambda state: state.outages()), "2": (INTEGER, lambda _state: 1)}),
    table(
        "1.3.6.1.2.1.33.1.3.3.1",
        {
            2: (INTEGER, lambda state, _row: 0 if _on_battery(state) else 500),
            3: (INTEGER, lambda state, _row: _mains(state)),
            4: (INTEGER, lambda state, _row: 0 if _on_battery(state) else 10 * _watts(state) // _VOLTS),
            5: (INTEGER, lambda state, _row: 0 if _on_battery(state) else _watts(state)),
        },
        numbered(1),
    ),
    scalars(
        "1.3.6.1.2.1.33.1.4",
        {
            "1": (INTEGER, lambda state: FROM_BATTERY if _on_battery(state) else FROM_MAINS),
            "2": (INTEGER, lambda _state: 500),
            "3": (INTEGER, lambda _state: 1),
        },
    ),
    table(
        "1.3.6.1.2.1.33.1.4.4.1",
        {
            2: (INTEGER, always(_VOLTS)),
            3: (INTEGER, lambda state, _row: 10 * _watts(state) // _VOLTS),
            4: (INTEGER, lambda state, _row: _watts(state)),
            5: (INTEGER, lambda state, _row: _load(state)),
        },
        numbered(1),
    ),
    scalars("1.3.6.1.2.1.33.1.6", {"1": (GAUGE32, lambda state: int(_on_battery(state)))}),
)

PDU: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.318.1.1.26.4.3.1",
        {
            3: (OCTET_STRING, lambda state, _row: state.node.name),
            4: (INTEGER, always(_LOAD_NORMAL)),
            5: (INTEGER, lambda state, _row: _amperes(state) * _VOLTS // 100),
        },
        numbered(1),
    ),
    table(
        "1.3.6.1.4.1.318.1.1.26.6.3.1",
        {
            4: (INTEGER, always(_LOAD_NORMAL)),
            5: (INTEGER, lambda state, _row: _amperes(state)),
            6: (INTEGER, always(_VOLTS)),
        },
        numbered(1),
    ),
    scalars(
        "1.3.6.1.4.1.318.1.1.12.1",
        {
            "1": (OCTET_STRING, lambda state: state.node.name),
            "2": (OCTET_STRING, lambda _state: "05"),
            "3": (OCTET_STRING, lambda state: state.node.family.version),
            "5": (OCTET_STRING, lambda state: state.node.family.model),
            "6": (OCTET_STRING, lambda state: state.node.serial),
            "7": (INTEGER, lambda _state: 32),
            "16": (INTEGER, lambda state: _amperes(state) * _VOLTS // 10),
        },
    ),
    table(
        "1.3.6.1.4.1.318.1.1.12.2.3.1.1",
        {
            1: (INTEGER, always(1)),
            2: (GAUGE32, lambda state, _row: _amperes(state)),
            3: (INTEGER, always(1)),
            4: (INTEGER, always(1)),
            5: (INTEGER, always(0)),
        },
        numbered(1),
    ),
)
