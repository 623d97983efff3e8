"""The inventory of an invented sector, as a folder that the platform loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.errors import UnavailableError
from inventory.formats.files import write_inventory
from inventory.load import load_inventory
from inventory.objects import Interface, InterfaceRole, Link, Space
from inventory.records import Device, Inventory, Prefix, Site
from inventory.shipped import SHIPPED
from inventory.units import Unit
from lab.fleet.families import MEGABIT
from lab.fleet.invented import network
from lab.fleet.sector import Cable, FleetSite, Node, Sector

SPACE = "lab"
FORMED = "2025-07-01"
"""The first day of area units (Luật 82/2025/QH15)."""

_ZONE = "Asia/Ho_Chi_Minh"


def inventory_of(sector: Sector) -> Inventory:
    """The sector's inventory: the real units as shipped, and all that is invented for the lab."""
    shipped = load_inventory(SHIPPED)
    return Inventory(
        units=(*shipped.units, *_area_units(sector)),
        unit_facts=shipped.unit_facts,
        successions=shipped.successions,
        policies=shipped.policies,
        sites=tuple(_site(site) for site in sector.sites),
        devices=tuple(_device(sector, node) for node in sector.nodes),
        interfaces=tuple(interface for node in sector.nodes for interface in _interfaces(sector, node)),
        links=tuple(_link(sector, number, cable) for number, cable in enumerate(sector.cables, 1)),
        spaces=(Space(id=SPACE, name="Phòng thí nghiệm / Lab"),),
        prefixes=tuple(_prefix(site) for site in sector.sites),
    )


def write_stock(sector: Sector, folder: Path) -> None:
    """Writes the inventory as CSV files into the folder, which is made if it is not there.

    Raises:
        UnavailableError: the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in write_inventory(inventory_of(sector), "csv").items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UnavailableError(f"{folder}: {error}; expected a folder that can be written") from error


def _area_units(sector: Sector) -> Iterator[Unit]:
    areas = {site.unit: site for site in sector.sites if site.tier == "AREA"}
    for unit, site in areas.items():
        yield Unit(id=unit, name=site.unit_name, type="area", parent=site.province, valid_from=FORMED)


def _site(site: FleetSite) -> Site:
    return Site(id=site.id, name=site.name, unit=site.unit, address_space=SPACE, tier=site.tier)


def _prefix(site: FleetSite) -> Prefix:
    return Prefix(space=SPACE, prefix=f"{network(site.number)}0/24", site=site.id)


def _device(sector: Sector, node: Node) -> Device:
    family = node.family
    return Device(
        name=node.name,
        site=sector.sites[node.site].id,
        address=node.address,
        vendor=family.vendor,
        model=family.model,
        role=node.role,
        timezone=_ZONE,
        serial=node.serial,
        mac=node.mac.hex(":"),
        os_version=family.version,
    )


def _interfaces(sector: Sector, node: Node) -> Iterator[Interface]:
    family = node.family
    roles: dict[int, InterfaceRole] = {
        neighbour.row: _role(node, sector.nodes[neighbour.node], wide=neighbour.wide)
        for neighbour in sector.neighbours[node.number]
    }
    for row in range(node.ports):
        yield Interface(
            device=node.name,
            name=family.port_name(row),
            role=roles.get(row, "access" if node.role == "switch" else ""),
            speed_mbps=family.port_speed(row, node.ports) / MEGABIT,
        )


def _role(node: Node, other: Node, *, wide: bool) -> InterfaceRole:
    if wide:
        return "uplink"
    return "server" if "server" in (node.role, other.role) else "inter_switch"


def _link(sector: Sector, number: int, cable: Cable) -> Link:
    a, b = sector.nodes[cable.a], sector.nodes[cable.b]
    return Link(
        id=f"link-{number}",
        a_device=a.name,
        b_device=b.name,
        a_interface=a.family.port_name(cable.a_row),
        b_interface=b.family.port_name(cable.b_row),
        kind="wan" if cable.wide else "local",
    )
