"""A sector's sites, devices and cables: invented by ``invented.py``, or an inventory's by ``known.py``."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from ipaddress import IPv4Address
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from core.records import Record
from lab.fleet.draws import octets
from lab.fleet.families import Family, families

FACILITY = ("ups", "pdu", "sensor")
"""The roles of devices that hang on no switch of the site, in their order."""


class FleetSite(Record, frozen=True, kw_only=True):
    """A site.

    Attributes:
        tier: DC, PROVINCE or AREA.
        unit: id of the unit whose it is.
        unit_name: that unit's name.
        province: id of the provincial unit it belongs to; empty for the data centre.
    """

    number: int
    id: str
    name: str
    tier: str
    unit: str
    unit_name: str
    province: str


class Node(Record, frozen=True, kw_only=True):
    """A device; ``number`` is its place among all, ``site`` that of its site."""

    number: int
    name: str
    address: str
    family_name: str
    site: int
    ports: int
    seed: int

    @property
    def family(self) -> Family:
        """What kind of device it is."""
        return families()[self.family_name]

    @property
    def role(self) -> str:
        """Its place at the site."""
        return self.family.role

    @property
    def packed(self) -> bytes:
        """Its address as four octets."""
        return IPv4Address(self.address).packed

    @property
    def mac(self) -> bytes:
        """Its base MAC address, locally administered; a port's has the port's row in the last two octets."""
        return b"\x02" + octets(3, self.seed, self.address, "mac") + b"\0\0"

    @property
    def serial(self) -> str:
        """Its serial number, invented."""
        return f"LAB{octets(4, self.seed, self.address, 'serial').hex().upper()}"


class Neighbour(NamedTuple):
    """The other end of a cable that begins in a row: the device's number, its row, and whether the cable is a line."""

    row: int
    node: int
    far_row: int
    wide: bool


class Cable(NamedTuple):
    """What joins two ports; ``wide`` is a line between sites."""

    a: int
    a_row: int
    b: int
    b_row: int
    wide: bool


class Sector:
    """The sites, devices and cables.

    Args:
        name: by which ``lab.fleet.known.sector_of`` makes it again, with the seed.
        seed: of all that is drawn.
        sites: in the order of their numbers; the first is the centre, where all lines end at last.
        nodes: in the order of their numbers, site after site; the first of a site is its router.
    """

    def __init__(self, name: str, seed: int, sites: tuple[FleetSite, ...], nodes: tuple[Node, ...]) -> None:
        self.name = name
        self.seed = seed
        self.sites = sites
        self.nodes = nodes

    @cached_property
    def cables(self) -> tuple[Cable, ...]:
        """All cables: those within a site first, then the lines of all sites."""
        local = [cable for site in self.sites for cable in self._local(site)]
        return (*local, *self._lines())

    @cached_property
    def neighbours(self) -> tuple[tuple[Neighbour, ...], ...]:
        """Of each device, by number, the other ends of its cables in the order of its rows."""
        found: defaultdict[int, list[Neighbour]] = defaultdict(list)
        for a, a_row, b, b_row, wide in self.cables:
            found[a].append(Neighbour(a_row, b, b_row, wide))
            found[b].append(Neighbour(b_row, a, a_row, wide))
        return tuple(tuple(sorted(found[node.number])) for node in self.nodes)

    @cached_property
    def by_address(self) -> dict[bytes, Node]:
        """The devices by their packed addresses."""
        return {node.packed: node for node in self.nodes}

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """The devices by their names and by their addresses as text."""
        return {key: node for node in self.nodes for key in (node.name, node.address)}

    @cached_property
    def site_ids(self) -> dict[str, FleetSite]:
        """The sites by their ids."""
        return {site.id: site for site in self.sites}

    @cached_property
    def _by_site(self) -> dict[int, tuple[Node, ...]]:
        return {number: tuple(nodes) for number, nodes in groupby(self.nodes, attrgetter("site"))}

    def of_site(self, number: int) -> tuple[Node, ...]:
        """The devices of a site."""
        return self._by_site[number]

    def router(self, site: int) -> Node:
        """The router of a site."""
        return self.of_site(site)[0]

    def system_of(self, node: Node) -> int:
        """The number of the autonomous system (BGP) that a device belongs to: the centre's, or its province's."""
        return 65_000 + self._province_numbers.get(self.sites[node.site].province, 0)

    @cached_property
    def _province_numbers(self) -> dict[str, int]:
        """Of each provincial unit the number of its site; the data centre is 0."""
        return {site.province: site.number for site in self.sites if site.tier == "PROVINCE"}

    def _local(self, site: FleetSite) -> list[Cable]:
        """All others hang on the site's second device: each with its first port, the router with its last."""
        nodes = [node for node in self.of_site(site.number) if node.role not in FACILITY]
        if not nodes[1:]:
            return []
        router, switch, *others = nodes
        hung = zip(range(1, switch.ports), others, strict=False)
        cables = [Cable(switch.number, row, other.number, 0, wide=False) for row, other in hung]
        return [Cable(router.number, router.ports - 1, switch.number, 0, wide=False), *cables]

    def _lines(self) -> list[Cable]:
        """Area sites to their province, provinces to the centre; lines may share a hub's port, as behind a carrier."""
        lines: list[Cable] = []
        used: defaultdict[int, int] = defaultdict(int)
        for site in self.sites[1:]:
            far = 0 if site.tier == "PROVINCE" else self._province_numbers.get(site.province, 0)
            router, hub = self.router(site.number), self.router(far)
            first = 1 if far else 0
            row = first + used[far] % max(1, hub.ports - 1 - first)
            used[far] += 1
            lines.append(Cable(router.number, 0, hub.number, row, wide=True))
        return lines
