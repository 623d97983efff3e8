"""A sector of any size: its sites, devices and cables, all a function of the size and a seed.

Site n (from 0) has 127.10.1.0/24 and so on, 250 sites for each second octet; its devices have the addresses .1, .2 ...
in the order router, switch, firewall, server, further switches, then UPS, PDU and room monitor. The first site is the
data centre, then come the provincial ones; every other one belongs to an area unit of a province. Provinces are the
sector's real ones; area units, sites, devices and addresses are invented.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from ipaddress import IPv4Address
from math import ceil
from typing import NamedTuple

from core.errors import ContentError
from core.records import Record
from inventory.shipped import shipped_units
from lab.fleet.draws import draw, octets
from lab.fleet.families import Family, families, families_of

FIRST_SECOND_OCTET, SITES_AN_OCTET, MOST_SITES = 10, 250, 60_000
MOST_DEVICES, MOST_PORTS, FEWEST_PORTS = 200, 512, 4
AREA_UNITS = 355
"""Area units of the sector (NQ 84/2025/UBTVQH15)."""

FACILITY = ("ups", "pdu", "sensor")
"""The roles of a site's further devices, in their order."""

_LAST_DAY = "9999-12-31"
_ROLES = ("router", "switch", "firewall", "server")
_SHORT = {
    "router": "rt",
    "switch": "sw",
    "firewall": "fw",
    "server": "sv",
    "ups": "ups",
    "pdu": "pdu",
    "sensor": "env",
}
_BODY = re.compile(r"Viện kiểm sát nhân dân (?:tỉnh |thành phố )?", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,5})x(\d{1,3})x(\d{1,3})(?:\+([0-3]))?")


class Size(Record, frozen=True, kw_only=True):
    """How large a sector is: sites, network devices a site, ports a network device, and facility devices a site."""

    sites: int
    devices: int
    ports: int
    facility: int = 0

    def __str__(self) -> str:
        more = f"+{self.facility}" if self.facility else ""
        return f"{self.sites}x{self.devices}x{self.ports}{more}"


def parse_size(text: str) -> Size:
    """The size in ``800x4x24``, or ``800x4x24+3`` with a UPS, a PDU and a room monitor at each site.

    Raises:
        ContentError: the text is no size, or one that cannot be.
    """
    match = _SIZE.fullmatch(text)
    sites, devices, ports, facility = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    fits = 0 < sites <= MOST_SITES and 0 < devices <= MOST_DEVICES and FEWEST_PORTS <= ports <= MOST_PORTS
    if not fits:
        raise ContentError(
            f"{text!r} is no size; expected SITESxDEVICESxPORTS, such as 800x4x24 or 800x4x24+3, with 1 to "
            f"{MOST_SITES} sites, 1 to {MOST_DEVICES} devices, {FEWEST_PORTS} to {MOST_PORTS} ports"
        )
    return Size(sites=sites, devices=devices, ports=ports, facility=facility)


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

    @property
    def network(self) -> str:
        """The first three octets of the site's addresses, with the dot that follows."""
        second, third = divmod(self.number, SITES_AN_OCTET)
        return f"127.{FIRST_SECOND_OCTET + second}.{third + 1}."


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
    """The sites, devices and cables."""

    def __init__(self, size: Size, seed: int = 1) -> None:
        self.size = size
        self.seed = seed
        self.sites = tuple(_sites(size.sites))
        self.nodes = tuple(node for site in self.sites for node in _nodes(size, seed, site))

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

    def of_site(self, number: int) -> tuple[Node, ...]:
        """The devices of a site."""
        each = self.size.devices + self.size.facility
        return self.nodes[number * each : (number + 1) * each]

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
        """All others hang on the site's first switch: each with its first port, the router with its last."""
        nodes = self.of_site(site.number)[: self.size.devices]
        if len(nodes) == 1:
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
            far = 0 if site.tier == "PROVINCE" else self._province_numbers[site.province]
            router, hub = self.router(site.number), self.router(far)
            first = 1 if far else 0
            row = first + used[far] % (hub.ports - 1 - first)
            used[far] += 1
            lines.append(Cable(router.number, 0, hub.number, row, wide=True))
        return lines


def _sites(count: int) -> list[FleetSite]:
    org = shipped_units()
    units = [unit for unit in org.at(_LAST_DAY) if unit.type in ("supreme", "province")]
    supreme, provinces = units[0], units[1:]
    several = min(len(provinces), ceil((count - 1) / 4))
    head = f"Trung tâm dữ liệu {supreme.name}"
    sites = [FleetSite(number=0, id="dc", name=head, tier="DC", unit=supreme.id, unit_name=supreme.name, province="")]
    for unit in provinces[: min(several, count - 1)]:
        short = unit.id.removeprefix("vks-")
        sites.append(
            FleetSite(
                number=len(sites),
                id=short,
                name=f"Trụ sở {unit.name}",
                tier="PROVINCE",
                unit=unit.id,
                unit_name=unit.name,
                province=unit.id,
            )
        )
    return sites + [_area_site(number, sites[1:], count) for number in range(len(sites), count)]


def _area_site(number: int, provinces: list[FleetSite], count: int) -> FleetSite:
    """The provinces' area sites in turn; an area unit has as many sites as there must be for 355 units in all."""
    turn, province = divmod(number - 1 - len(provinces), len(provinces))
    above = provinces[province]
    sites_a_unit = ceil((count - 1 - len(provinces)) / AREA_UNITS)
    area, further = divmod(turn, sites_a_unit)
    unit, name = f"{above.unit}-kv{area + 1}", f"VKSND khu vực {area + 1} - {_BODY.sub('', above.unit_name)}"
    more, title = (f"-{further + 1}", f"Cơ sở {further + 1}") if further else ("", "Trụ sở")
    return FleetSite(
        number=number, id=f"{above.id}-kv{area + 1}{more}", name=f"{title} {name}", tier="AREA",
        unit=unit, unit_name=name, province=above.unit,
    )  # fmt: skip


def _nodes(size: Size, seed: int, site: FleetSite) -> list[Node]:
    roles = [_ROLES[place] if place < len(_ROLES) else "switch" for place in range(size.devices)]
    made: list[Node] = []
    for place, role in enumerate((*roles, *FACILITY[: size.facility])):
        again = roles[:place].count(role) if role == "switch" else 0
        each = size.devices + size.facility
        made.append(
            Node(
                number=site.number * each + place,
                name=f"{_SHORT[role]}{again + 1 if again else ''}-{site.id}",
                address=f"{site.network}{place + 1}",
                family_name=_family(role, site, seed),
                site=site.number,
                ports=1 if role in FACILITY else size.ports,
                seed=seed,
            )
        )
    return made


def _family(role: str, site: FleetSite, seed: int) -> str:
    """Which family the device is of; a site's switches are of one."""
    names = families_of(role)
    return names[int(draw(seed, site.id, role, "family")[0] * len(names))]
