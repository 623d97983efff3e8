"""The sector of an inventory that is there: devices with loopback addresses, of families that the fleet can be."""

from __future__ import annotations

from collections import Counter, defaultdict
from ipaddress import ip_address
from pathlib import Path

from core.errors import ContentError
from inventory.load import load_inventory
from inventory.records import Device, Inventory, Site
from lab.fleet.families import families
from lab.fleet.invented import FEWEST_PORTS, invented_sector, parse_size
from lab.fleet.sector import FACILITY, FleetSite, Node, Sector

PORTS = 8
"""Of a network device whose interfaces the inventory does not name; of others as many as it names, but enough to be
cabled."""

_TIERS = {"DC": 0, "PROVINCE": 1}
"""In which order sites are numbered, all others last: lines end at the first."""

_ROLES = {role: place for place, role in enumerate(("router", "switch", "firewall", "server", *FACILITY))}
"""In which order the devices of a site are numbered."""


def sector_of(name: str, seed: int = 1) -> Sector:
    """The sector of a size such as 800x4x24, or of the inventory in a folder.

    Raises:
        ContentError: it is neither, or no device of the inventory can be played.
    """
    if Path(name).is_dir():
        return known_sector(load_inventory(Path(name)), name, seed)
    return invented_sector(parse_size(name), seed)


def known_sector(inventory: Inventory, name: str, seed: int = 1) -> Sector:
    """The sector whose sites and devices are those of an inventory; who cannot be played is left out.

    Raises:
        ContentError: nobody is left.
    """
    played: defaultdict[str, list[Device]] = defaultdict(list)
    for device in sorted(inventory.devices, key=lambda device: (_ROLES.get(device.role, 0), device.name)):
        if _family(device) and _is_loopback(device.address):
            played[device.site].append(device)
    there = [site for site in inventory.sites if site.id in played]
    if not there:
        vendors = sorted({family.vendor for family in families().values()})
        raise ContentError(
            f"{name}: no device of it can be played; expected addresses in 127.0.0.0/8, a role of "
            f"{', '.join(_ROLES)} and, for it, a vendor of {', '.join(vendors)}"
        )
    there.sort(key=lambda site: _TIERS.get(site.tier, len(_TIERS)))
    sites = tuple(_site(inventory, number, site) for number, site in enumerate(there))
    devices = [(site.number, device) for site in sites for device in played[site.id]]
    ports = Counter(interface.device for interface in inventory.interfaces)
    nodes = (_node(number, site, device, ports[device.name], seed) for number, (site, device) in enumerate(devices))
    return Sector(name, seed, sites, tuple(nodes))


def _site(inventory: Inventory, number: int, site: Site) -> FleetSite:
    unit = inventory.unit(site.unit)
    province = {"PROVINCE": site.unit, "AREA": unit.parent if unit else ""}.get(site.tier, "")
    return FleetSite(
        number=number,
        id=site.id,
        name=site.name,
        tier=site.tier,
        unit=site.unit,
        unit_name=unit.name if unit else site.unit,
        province=province,
    )


def _node(number: int, site: int, device: Device, ports: int, seed: int) -> Node:
    return Node(
        number=number,
        name=device.name,
        address=device.address,
        family_name=_family(device),
        site=site,
        ports=1 if device.role in FACILITY else max(ports or PORTS, FEWEST_PORTS),
        seed=seed,
    )


def _family(device: Device) -> str:
    """Of its vendor and role, the family of its model, else the first; empty where there is none."""
    kind = (device.vendor.casefold(), device.role)
    found = [name for name, family in families().items() if (family.vendor, family.role) == kind]
    of_model = [name for name in found if families()[name].model == device.model]
    return (of_model or found or [""])[0]


def _is_loopback(address: str) -> bool:
    found = ip_address(address)
    return found.version == 4 and found.is_loopback  # noqa: PLR2004 - the Internet Protocol's
