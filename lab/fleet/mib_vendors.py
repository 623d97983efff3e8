"""Processor, memory and temperature as each vendor's own MIB tells them, and the session figures of a firewall.

Sources: CISCO-PROCESS-MIB, CISCO-MEMORY-POOL-MIB, CISCO-ENVMON-MIB; HUAWEI-ENTITY-EXTENT-MIB; JUNIPER-MIB;
FORTINET-CORE-MIB, FORTINET-FORTIGATE-MIB; MIKROTIK-MIB; STATISTICS-MIB and NETSWITCH-MIB of HP.
"""

from __future__ import annotations

from lab.fleet.ber import COUNTER32, COUNTER64, GAUGE32, INTEGER, OCTET_STRING, Oid
from lab.fleet.sector import Node
from lab.fleet.state import State, World
from lab.fleet.tables import Compute, Table, always, numbered, scalars, table

MEBIBYTE = 1 << 20
CISCO_MEMORY, ARUBA_MEMORY, HUAWEI_MEMORY = 900 * MEBIBYTE, 400 * MEBIBYTE, 1024 * MEBIBYTE
"""Octets."""

JUNIPER_MEMORY, FORTINET_MEMORY = 4096, 8_000_000
"""Mebibytes, and kibibytes."""

_HUAWEI_BOARD = (67_108_867,)
_JUNIPER_ENGINE = (9, 1, 0, 0)


def cpu(state: State, _row: int = 0) -> int:
    """Per cent of the processor."""
    return round(state.wave("cpu", 5, 55))


def memory(state: State, _row: int = 0) -> int:
    """Per cent of the memory in use."""
    return round(state.wave("memory", 35, 70))


def _temperature(state: State, _row: int = 0) -> int:
    return round(state.temperature("chassis", 32, 44))


def _used(total: int) -> Compute:
    return lambda state, _row: total * memory(state) // 100


def _free(total: int) -> Compute:
    return lambda state, _row: total - total * memory(state) // 100


def _board(_world: World, _node: Node) -> tuple[Oid, ...]:
    return (_HUAWEI_BOARD,)


def _engine(_world: World, _node: Node) -> tuple[Oid, ...]:
    return (_JUNIPER_ENGINE,)


CISCO: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.9.9.109.1.1.1.1",
        {
            2: (INTEGER, always(1)),
            **dict.fromkeys((3, 4, 5, 6, 7, 8), (GAUGE32, cpu)),
        },
        numbered(1),
    ),
    table(
        "1.3.6.1.4.1.9.9.48.1.1.1",
        {
            2: (OCTET_STRING, always("Processor")),
            3: (INTEGER, always(0)),
            4: (INTEGER, always(1)),
            5: (GAUGE32, _used(CISCO_MEMORY)),
            6: (GAUGE32, _free(CISCO_MEMORY)),
            7: (GAUGE32, _free(CISCO_MEMORY)),
        },
        numbered(1),
    ),
)

CISCO_ENVIRONMENT: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.9.9.13.1.3.1",
        {
            2: (OCTET_STRING, always("chassis")),
            3: (GAUGE32, _temperature),
            4: (INTEGER, always(70)),
            5: (INTEGER, always(0)),
            6: (INTEGER, lambda state, row: 1 if _temperature(state, row) < 70 else 2),  # noqa: PLR2004 - its threshold
        },
        numbered(1, 1005),
    ),
    table(
        "1.3.6.1.4.1.9.9.13.1.5.1",
        {2: (OCTET_STRING, always("Power Supply 1")), 3: (INTEGER, always(1)), 4: (INTEGER, always(2))},
        numbered(1),
    ),
)

HUAWEI: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.2011.5.25.31.1.1.1.1",
        {
            5: (INTEGER, cpu),
            6: (INTEGER, always(80)),
            7: (INTEGER, memory),
            8: (INTEGER, always(85)),
            9: (INTEGER, always(HUAWEI_MEMORY)),
            11: (INTEGER, _temperature),
        },
        _board,
    ),
)

JUNIPER: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.2636.3.1.13.1",
        {
            5: (OCTET_STRING, always("Routing Engine 0")),
            6: (INTEGER, always(2)),
            7: (GAUGE32, _temperature),
            8: (GAUGE32, cpu),
            11: (GAUGE32, memory),
            15: (GAUGE32, always(JUNIPER_MEMORY)),
        },
        _engine,
    ),
)

FORTINET: tuple[Table, ...] = (
    scalars("1.3.6.1.4.1.12356.100.1.1", {"1": (OCTET_STRING, lambda state: state.node.serial)}),
    scalars(
        "1.3.6.1.4.1.12356.101.4.1",
        {
            "1": (OCTET_STRING, lambda state: state.node.family.version),
            "3": (GAUGE32, cpu),
            "4": (GAUGE32, memory),
            "5": (GAUGE32, lambda _state: FORTINET_MEMORY),
            "8": (GAUGE32, lambda state: round(state.wave("sessions", 200, 9000))),
            "11": (GAUGE32, lambda state: round(state.wave("session rate", 2, 90))),
            "20": (COUNTER64, lambda state: state.uptime),
        },
    ),
)

MIKROTIK: tuple[Table, ...] = (
    scalars(
        "1.3.6.1.4.1.14988.1.1.3",
        {
            "8": (INTEGER, lambda state: round(state.wave("volts", 236, 242))),
            "10": (INTEGER, lambda state: round(10 * state.temperature("chassis", 32, 44))),
            "11": (INTEGER, lambda state: round(10 * state.temperature("processor", 45, 60))),
        },
    ),
    scalars("1.3.6.1.4.1.14988.1.1.4", {"4": (OCTET_STRING, lambda state: state.node.family.version)}),
    scalars("1.3.6.1.4.1.14988.1.1.7", {"3": (OCTET_STRING, lambda state: state.node.serial)}),
)

ARUBA: tuple[Table, ...] = (
    table(
        "1.3.6.1.4.1.11.2.14.11.5.1.1.2.1.1.1",
        {
            5: (INTEGER, always(ARUBA_MEMORY)),
            6: (INTEGER, _free(ARUBA_MEMORY)),
            7: (INTEGER, _used(ARUBA_MEMORY)),
        },
        numbered(1),
    ),
    scalars("1.3.6.1.4.1.11.2.14.11.5.1.9.6", {"1": (INTEGER, cpu)}),
    scalars("1.3.6.1.4.1.11.2.36.1.1.2", {"9": (OCTET_STRING, lambda state: state.node.serial)}),
    table(
        "1.3.6.1.4.1.11.2.14.11.1.2.6.1",
        {4: (INTEGER, always(4)), 6: (COUNTER32, always(0)), 7: (OCTET_STRING, always("Power Supply Sensor"))},
        numbered(1),
    ),
)
