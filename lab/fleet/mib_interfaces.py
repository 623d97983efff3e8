"""What every device answers of itself and its ports: SNMPv2-MIB, IF-MIB (RFC 3418, RFC 2863)."""

from __future__ import annotations

from functools import lru_cache

from lab.fleet.ber import COUNTER32, COUNTER64, GAUGE32, INTEGER, OBJECT_ID, OCTET_STRING, TIME_TICKS, Oid
from lab.fleet.families import MEGABIT
from lab.fleet.sector import Node
from lab.fleet.state import State, World
from lab.fleet.tables import Compute, Table, always, scalars, table

ETHERNET = 6
"""ifType ethernetCsmacd."""

UP, DOWN = 1, 2
TRUE, FALSE = 1, 2
LARGEST_SPEED = 2**32 - 1
"""ifSpeed of a port that is faster than it can tell."""

_SERVICES = {"router": 78, "switch": 2, "firewall": 78, "server": 72}


@lru_cache(maxsize=1024)
def _numbers(first: int, count: int) -> tuple[Oid, ...]:
    return tuple((first + row,) for row in range(count))


def shift_of(ports: int) -> int:
    """By how many rows a shuffle moves the indexes; names stay, indexes of other ports take their place."""
    return 1 + ports // 3


def _index(state: State, row: int) -> int:
    shift = shift_of(state.node.ports) if state.has("index_shuffle") else 0
    return state.node.family.first_index + (row + shift) % state.node.ports


def port_indexes(_world: World, node: Node) -> tuple[Oid, ...]:
    """The ifIndex of each port; the same tuple for devices that number alike."""
    return _numbers(node.family.first_index, node.ports)


def _count(name: str) -> Compute:
    """One of a port's counters, by its name."""
    return lambda state, row: getattr(state.counters(row), name)


def _status(state: State, row: int) -> int:
    return UP if state.up(row) else DOWN


def _mac(state: State, row: int) -> bytes:
    return state.node.mac[:4] + row.to_bytes(2, "big")


def _discontinuity(state: State, row: int) -> int:
    """0 if the counters have gone on since the last start."""
    return state.ticks(state.reset(row))


def _alias(state: State, row: int) -> str:
    neighbours = state.ports[row].neighbours
    return ", ".join(state.world.sector.nodes[neighbour.node].name for neighbour in neighbours[:3])


def _descr(state: State) -> str:
    family = state.node.family
    return family.descr.format(version=family.version, name=state.node.name)


SYSTEM = scalars(
    "1.3.6.1.2.1.1",
    {
        "1": (OCTET_STRING, _descr),
        "2": (OBJECT_ID, lambda state: state.node.family.object_id),
        "3": (TIME_TICKS, lambda state: state.uptime),
        "4": (OCTET_STRING, lambda _state: "noc@lab.example"),
        "5": (OCTET_STRING, lambda state: state.node.name),
        "6": (OCTET_STRING, lambda state: state.world.sector.sites[state.node.site].name),
        "7": (INTEGER, lambda state: _SERVICES.get(state.node.role, 72)),
    },
)

NUMBER = scalars("1.3.6.1.2.1.2", {"1": (INTEGER, lambda state: state.node.ports)})

PORTS = table(
    "1.3.6.1.2.1.2.2.1",
    {
        1: (INTEGER, _index),
        2: (OCTET_STRING, lambda state, row: state.ports[row].description),
        3: (INTEGER, always(ETHERNET)),
        4: (INTEGER, always(1500)),
        5: (GAUGE32, lambda state, row: min(state.ports[row].speed, LARGEST_SPEED)),
        6: (OCTET_STRING, _mac),
        7: (INTEGER, always(UP)),
        8: (INTEGER, _status),
        9: (TIME_TICKS, lambda state, row: state.changed(row)),
        10: (COUNTER32, _count("in_octets")),
        11: (COUNTER32, _count("in_unicast")),
        13: (COUNTER32, _count("in_discards")),
        14: (COUNTER32, _count("in_errors")),
        15: (COUNTER32, always(0)),
        16: (COUNTER32, _count("out_octets")),
        17: (COUNTER32, _count("out_unicast")),
        19: (COUNTER32, _count("out_discards")),
        20: (COUNTER32, _count("out_errors")),
    },
    port_indexes,
    shuffled=True,
)

PORTS_MORE = table(
    "1.3.6.1.2.1.31.1.1.1",
    {
        1: (OCTET_STRING, lambda state, row: state.ports[row].name),
        2: (COUNTER32, _count("in_multicast")),
        3: (COUNTER32, _count("in_broadcast")),
        4: (COUNTER32, _count("out_multicast")),
        5: (COUNTER32, _count("out_broadcast")),
        6: (COUNTER64, _count("in_octets")),
        7: (COUNTER64, _count("in_unicast")),
        8: (COUNTER64, _count("in_multicast")),
        9: (COUNTER64, _count("in_broadcast")),
        10: (COUNTER64, _count("out_octets")),
        11: (COUNTER64, _count("out_unicast")),
        12: (COUNTER64, _count("out_multicast")),
        13: (COUNTER64, _count("out_broadcast")),
        14: (INTEGER, always(TRUE)),
        15: (GAUGE32, lambda state, row: state.ports[row].speed // MEGABIT),
        16: (INTEGER, always(FALSE)),
        17: (INTEGER, always(TRUE)),
        18: (OCTET_STRING, _alias),
        19: (TIME_TICKS, _discontinuity),
    },
    port_indexes,
    shuffled=True,
)

LAST_CHANGE = scalars("1.3.6.1.2.1.31.1", {"5": (TIME_TICKS, lambda state: state.renumbered())})

TABLES: tuple[Table, ...] = (SYSTEM, NUMBER, PORTS, PORTS_MORE, LAST_CHANGE)
