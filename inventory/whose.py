"""Whose a record of the inventory is: the units by which it is decided who may see or change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.records import Record
from core.scope import Scope
from inventory.records import Device, Inventory

SECTOR = frozenset({""})
"""Of what belongs to no single unit: how addresses are parted, calendars, policies, the tree of units itself."""


def units_of(inventory: Inventory, kind: str, record: Record) -> frozenset[str]:
    """The units whose the record is; the empty one among them where it is the whole sector's."""
    find = _WHOSE.get(kind)
    return find(inventory, record) if find else SECTOR


def foreign_spaces(inventory: Inventory, scope: Scope) -> frozenset[str]:
    """The address spaces that hold something of a site beyond the scope: how they are parted is the sector's."""
    shared = {site.address_space for site in inventory.sites if not scope.allows(site.id)}
    return frozenset(shared | {prefix.space for prefix in inventory.prefixes if not scope.allows(prefix.site)})


def is_at_others(inventory: Inventory, scope: Scope, device: Device) -> bool:
    """Whether the device's address is within a prefix of a site beyond the scope, in the space of the device's site."""
    site = inventory.site(device.site)
    holder = inventory.site_of(site.address_space, device.address) if site else None
    return holder is not None and not scope.allows(holder.id)


def narrowed(inventory: Inventory, scope: Scope) -> Inventory:
    """The inventory with what lies within the scope; calendars and policies, which are everybody's, stay."""
    if scope.is_everything:
        return inventory
    kept: dict[str, Any] = {}
    for kind in _WHOSE:
        records: tuple[Record, ...] = getattr(inventory, kind)
        kept[kind] = tuple(one for one in records if _is_seen(scope, units_of(inventory, kind, one)))
    return Inventory(
        units=tuple(unit for unit in inventory.units if scope.allows_unit(unit.id)),
        unit_facts=tuple(fact for fact in inventory.unit_facts if scope.allows_unit(fact.unit)),
        successions=tuple(
            one
            for one in inventory.successions
            if scope.allows_unit(one.predecessor) and scope.allows_unit(one.successor)
        ),
        calendars=inventory.calendars,
        calendar_days=inventory.calendar_days,
        policies=inventory.policies,
        **kept,
    )


def _is_seen(scope: Scope, units: frozenset[str]) -> bool:
    """A line between two units is seen by both."""
    return any(unit and scope.allows_unit(unit) for unit in units)


def _of_site(inventory: Inventory, *sites: str) -> frozenset[str]:
    found = [inventory.site(site) for site in sites if site]
    return frozenset(site.unit if site else "" for site in found) or SECTOR


def _of_device(inventory: Inventory, *names: str) -> frozenset[str]:
    devices = [inventory.device_named(name) for name in names if name]
    return _of_site(inventory, *(device.site for device in devices if device))


def _of_service(inventory: Inventory, service: Any) -> frozenset[str]:
    return frozenset({service.unit}) if service.unit else _of_site(inventory, service.site)


_WHOSE: dict[str, Callable[[Inventory, Any], frozenset[str]]] = {
    "sites": lambda _, site: frozenset({site.unit}),
    "places": lambda inventory, place: _of_site(inventory, place.site),
    "devices": lambda inventory, device: _of_site(inventory, device.site),
    "interfaces": lambda inventory, interface: _of_device(inventory, interface.device),
    "links": lambda inventory, link: _of_device(inventory, link.a_device, link.b_device),
    "circuits": lambda inventory, circuit: _of_site(inventory, circuit.site, circuit.far_site),
    "prefixes": lambda inventory, prefix: _of_site(inventory, prefix.site),
    "services": _of_service,
    "spaces": lambda inventory, space: _of_site(
        inventory,
        *(site.id for site in inventory.sites if site.address_space == space.id),
        *(prefix.site for prefix in inventory.prefixes if prefix.space == space.id),
    ),
}
"""By table; of those that are not named here every row is the whole sector's."""
