"""Who is next to whom, by the sector's cables: LLDP-MIB (IEEE 802.1AB), BGP4-MIB (RFC 4273), OSPF-MIB (RFC 4750).

Provinces speak BGP with the centre, area sites OSPF with their province.
"""

from __future__ import annotations

from lab.fleet.ber import COUNTER32, GAUGE32, INTEGER, IP_ADDRESS, OBJECT_ID, OCTET_STRING, Oid
from lab.fleet.mib_interfaces import port_indexes
from lab.fleet.sector import Neighbour, Node
from lab.fleet.state import State, World
from lab.fleet.tables import Table, always, scalars, table

MAC, INTERFACE_NAME, IF_INDEX = 4, 5, 2
"""LldpChassisIdSubtype, LldpPortIdSubtype, LldpManAddrIfSubtype."""

ESTABLISHED, ACTIVE = 6, 3
"""bgpPeerState."""

FULL, NEIGHBOUR_DOWN = 8, 1
"""ospfNbrState."""

_BGP_PORT, _IPV4 = 179, (1, 4)


def _cables(world: World, node: Node) -> tuple[Neighbour, ...]:
    """What LLDP hears; a device of a facility has no cables."""
    return world.sector.neighbours[node.number]


def _remote_indexes(world: World, node: Node) -> tuple[Oid, ...]:
    """Time mark 0, local port number, and a number of the neighbour on the device."""
    return tuple((0, one.row + 1, number) for number, one in enumerate(_cables(world, node), 1))


def _address_indexes(world: World, node: Node) -> tuple[Oid, ...]:
    found = zip(_remote_indexes(world, node), _cables(world, node), strict=True)
    return tuple((*index, *_IPV4, *world.sector.nodes[one.node].packed) for index, one in found)


def _port_numbers(_world: World, node: Node) -> tuple[Oid, ...]:
    return tuple((row + 1,) for row in range(node.ports))


def _far(state: State, row: int) -> Node:
    return state.world.sector.nodes[_cables(state.world, state.node)[row].node]


def _far_port(state: State, row: int) -> str:
    return _far(state, row).family.port_name(_cables(state.world, state.node)[row].far_row)


def _far_index(state: State, row: int) -> int:
    return port_indexes(state.world, _far(state, row))[_cables(state.world, state.node)[row].far_row][0]


LOCAL = scalars(
    "1.0.8802.1.1.2.1.3",
    {
        "1": (INTEGER, lambda _state: MAC),
        "2": (OCTET_STRING, lambda state: state.node.mac),
        "3": (OCTET_STRING, lambda state: state.node.name),
        "4": (OCTET_STRING, lambda state: state.node.family.model),
    },
)

LOCAL_PORTS = table(
    "1.0.8802.1.1.2.1.3.7.1",
    {
        2: (INTEGER, always(INTERFACE_NAME)),
        3: (OCTET_STRING, lambda state, row: state.ports[row].name),
        4: (OCTET_STRING, lambda state, row: state.ports[row].description),
    },
    _port_numbers,
)

REMOTE = table(
    "1.0.8802.1.1.2.1.4.1.1",
    {
        4: (INTEGER, always(MAC)),
        5: (OCTET_STRING, lambda state, row: _far(state, row).mac),
        6: (INTEGER, always(INTERFACE_NAME)),
        7: (OCTET_STRING, _far_port),
        8: (OCTET_STRING, _far_port),
        9: (OCTET_STRING, lambda state, row: _far(state, row).name),
        10: (OCTET_STRING, lambda state, row: _far(state, row).family.model),
    },
    _remote_indexes,
)

REMOTE_ADDRESSES = table(
    "1.0.8802.1.1.2.1.4.2.1",
    {
        3: (INTEGER, always(IF_INDEX)),
        4: (INTEGER, _far_index),
        5: (OBJECT_ID, always("0.0")),
    },
    _address_indexes,
)


def _peers(world: World, node: Node) -> tuple[Neighbour, ...]:
    """Lines to another autonomous system."""
    system = world.sector.system_of
    found = (one for one in _cables(world, node) if one.wide)
    return tuple(one for one in found if system(world.sector.nodes[one.node]) != system(node))


def _adjacent(world: World, node: Node) -> tuple[Neighbour, ...]:
    """Lines within the autonomous system."""
    system = world.sector.system_of
    found = (one for one in _cables(world, node) if one.wide)
    return tuple(one for one in found if system(world.sector.nodes[one.node]) == system(node))


def _peer_indexes(world: World, node: Node) -> tuple[Oid, ...]:
    return tuple(tuple(world.sector.nodes[one.node].packed) for one in _peers(world, node))


def _adjacent_indexes(world: World, node: Node) -> tuple[Oid, ...]:
    return tuple((*world.sector.nodes[one.node].packed, 0) for one in _adjacent(world, node))


def _peer(state: State, row: int) -> Node:
    return state.world.sector.nodes[_peers(state.world, state.node)[row].node]


def _near(state: State, row: int) -> Node:
    return state.world.sector.nodes[_adjacent(state.world, state.node)[row].node]


def _peer_up(state: State, row: int) -> bool:
    return state.hears(_peers(state.world, state.node)[row])


def _peer_since(state: State, row: int) -> int:
    return state.heard_since(_peers(state.world, state.node)[row])


def _adjacent_state(state: State, row: int) -> int:
    return FULL if state.hears(_adjacent(state.world, state.node)[row]) else NEIGHBOUR_DOWN


BGP = scalars(
    "1.3.6.1.2.1.15",
    {
        "1": (OCTET_STRING, lambda _state: b"\x10"),
        "2": (INTEGER, lambda state: state.world.sector.system_of(state.node)),
        "4": (IP_ADDRESS, lambda state: state.node.address),
    },
)

BGP_PEERS = table(
    "1.3.6.1.2.1.15.3.1",
    {
        1: (IP_ADDRESS, lambda state, row: _peer(state, row).address),
        2: (INTEGER, lambda state, row: ESTABLISHED if _peer_up(state, row) else ACTIVE),
        3: (INTEGER, always(2)),
        4: (INTEGER, always(4)),
        5: (IP_ADDRESS, lambda state, _row: state.node.address),
        6: (INTEGER, always(_BGP_PORT)),
        7: (IP_ADDRESS, lambda state, row: _peer(state, row).address),
        8: (INTEGER, always(_BGP_PORT)),
        9: (INTEGER, lambda state, row: state.world.sector.system_of(_peer(state, row))),
        10: (COUNTER32, lambda state, row: _peer_since(state, row) // 300),
        11: (COUNTER32, lambda state, row: _peer_since(state, row) // 300),
        12: (COUNTER32, lambda state, row: _peer_since(state, row) // 30),
        13: (COUNTER32, lambda state, row: _peer_since(state, row) // 30),
        14: (OCTET_STRING, always(b"\0\0")),
        15: (COUNTER32, always(1)),
        16: (GAUGE32, _peer_since),
        18: (INTEGER, always(180)),
        19: (INTEGER, always(60)),
    },
    _peer_indexes,
)

OSPF = scalars(
    "1.3.6.1.2.1.14.1",
    {
        "1": (IP_ADDRESS, lambda state: state.node.address),
        "2": (INTEGER, lambda _state: 1),
        "3": (INTEGER, lambda _state: 2),
    },
)

OSPF_NEIGHBOURS = table(
    "1.3.6.1.2.1.14.10.1",
    {
        1: (IP_ADDRESS, lambda state, row: _near(state, row).address),
        2: (INTEGER, always(0)),
        3: (IP_ADDRESS, lambda state, row: _near(state, row).address),
        4: (INTEGER, always(2)),
        5: (INTEGER, always(1)),
        6: (INTEGER, _adjacent_state),
        7: (COUNTER32, always(6)),
        8: (GAUGE32, always(0)),
    },
    _adjacent_indexes,
)


LLDP_TABLES: tuple[Table, ...] = (LOCAL, LOCAL_PORTS, REMOTE, REMOTE_ADDRESSES)
ROUTER_TABLES: tuple[Table, ...] = (BGP, BGP_PEERS, OSPF, OSPF_NEIGHBOURS)
