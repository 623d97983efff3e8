"""A sector of any size: its sites and devices, all a function of the size and a seed.

Site n (from 0) has 127.10.1.0/24 and so on, 250 sites for each second octet; its devices have the addresses .1, .2 ...
in the order router, switch, firewall, server, further switches, then UPS, PDU and room monitor. The first site is the
data centre, then come the provincial ones; every other one belongs to an area unit of a province. Provinces are the
sector's real ones; area units, sites, devices and addresses are invented.
"""

from __future__ import annotations

import re
from math import ceil

from core.errors import ContentError
from core.records import Record
from inventory.shipped import shipped_units
from lab.fleet.draws import draw
from lab.fleet.families import families_of
from lab.fleet.sector import FACILITY, FleetSite, Node, Sector

FIRST_SECOND_OCTET, SITES_AN_OCTET, MOST_SITES = 10, 250, 60_000
MOST_DEVICES, MOST_PORTS, FEWEST_PORTS = 200, 512, 4
AREA_UNITS = 355
"""Area units of the sector (NQ 84/2025/UBTVQH15)."""

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


def invented_sector(size: Size, seed: int = 1) -> Sector:
    """The sector of this size."""
    sites = tuple(_sites(size.sites))
    return Sector(str(size), seed, sites, tuple(node for site in sites for node in _nodes(size, seed, site)))


def network(number: int) -> str:
    """The first three octets of the addresses of the site with this number, with the dot that follows."""
    second, third = divmod(number, SITES_AN_OCTET)
    return f"127.{FIRST_SECOND_OCTET + second}.{third + 1}."


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
                address=f"{network(site.number)}{place + 1}",
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
