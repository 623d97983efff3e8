"""The inventory's records and the look-ups over them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from core.records import Record
from inventory.addresses import pack_address
from inventory.lookup import AddressTable
from inventory.objects import (
    Access,
    Calendar,
    CalendarDay,
    Circuit,
    Interface,
    Latitude,
    LifeCycle,
    Line,
    Link,
    Longitude,
    Place,
    Policy,
    RackUnit,
    Service,
    Space,
)
from inventory.org import Org
from inventory.units import Day, Succession, Text, Unit, UnitFact

Addresses: TypeAlias = AddressTable["Device", "Site | None"]
"""One address space's."""

_NO_ADDRESSES: Addresses = AddressTable()


class Site(Record, frozen=True, kw_only=True):
    """A place with devices (điểm cầu).

    Attributes:
        unit: id of the unit that owns the site.
        address_space: the space (VRF) in which the site's addresses are unique.
        tier: name of the tier policy that holds here: DC, PROVINCE, AREA.
        location: its postal address.
        latitude: degrees, WGS 84; ``longitude`` likewise; None while unknown.
        opened: first day in service; empty while unknown.
        closed: last day; empty while it has none.
        calendar: id of its working time; empty while unknown.
        owner: the office that answers for it, by its function and never a person.
        province: the province or city it lies in.
    """

    id: Text
    name: Text
    unit: Text
    address_space: Text
    tier: Text
    location: Line = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    life_cycle: LifeCycle = "in_service"
    opened: Day = ""
    closed: Day = ""
    calendar: Line = ""
    owner: Line = ""
    province: Line = ""


class Device(Record, frozen=True, kw_only=True):
    """A network node.

    Attributes:
        site: id of the site it stands in, whose address space its address belongs to.
        address: management address, canonical text.
        timezone: IANA zone of its clock; empty for the platform's default.
        place: id of the rack or room it stands in; empty while unknown.
        position: its lowest rack unit; None while unknown.
        family: the vendor's series, where the model alone does not say how it speaks.
        mac: of its management interface, canonical text.
        purpose: what it is for.
        owner: the office that answers for it, by its function and never a person.
        in_service: the first day in service; empty while unknown, as the next two.
        warranty_end: the last day of the warranty.
        support_end: the last day of the vendor's support.
        access: ``read_only`` devices are polled and never written to; cipher gateways always are.

    Source: TCVN 14423:2026, 6.2.1 to 6.2.2.1 (what an inventory of a level-4 system says of a device).
    """

    name: Text
    site: Text
    address: Text
    vendor: Text
    model: Text
    role: Text
    timezone: Line = ""
    place: Line = ""
    position: RackUnit | None = None
    family: Line = ""
    serial: Line = ""
    mac: Line = ""
    os_version: Line = ""
    purpose: Line = ""
    owner: Line = ""
    life_cycle: LifeCycle = "in_service"
    in_service: Day = ""
    warranty_end: Day = ""
    support_end: Day = ""
    access: Access = "full"


class Prefix(Record, frozen=True, kw_only=True):
    """A network of one site in one address space, canonical text."""

    space: Text
    prefix: Text
    site: Text


def fold_name(name: str) -> str:
    """A device name as it is compared: NFC, without case."""
    return unicodedata.normalize("NFC", name).casefold()


@dataclass(frozen=True)
class Inventory:
    """All that is known of the sector at one moment, one tuple a table, and whose is what."""

    units: tuple[Unit, ...] = ()
    unit_facts: tuple[UnitFact, ...] = ()
    successions: tuple[Succession, ...] = ()
    sites: tuple[Site, ...] = ()
    places: tuple[Place, ...] = ()
    devices: tuple[Device, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    links: tuple[Link, ...] = ()
    circuits: tuple[Circuit, ...] = ()
    spaces: tuple[Space, ...] = ()
    prefixes: tuple[Prefix, ...] = ()
    services: tuple[Service, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    calendar_days: tuple[CalendarDay, ...] = ()
    policies: tuple[Policy, ...] = ()

    @cached_property
    def org(self) -> Org:
        """The tree of units at any day."""
        return Org(self.units, self.unit_facts, self.successions)

    def unit(self, unit_id: str) -> Unit | None:
        """The unit with this id."""
        return self._units.get(unit_id)

    def site(self, site_id: str) -> Site | None:
        """The site with this id."""
        return self._sites.get(site_id)

    def sites_of(self, units: Collection[str]) -> frozenset[str]:
        """Ids of the sites of these units."""
        return frozenset(site.id for site in self.sites if site.unit in units)

    def device_named(self, name: str) -> Device | None:
        """The device with this name, in any case."""
        return self._devices_by_name.get(fold_name(name))

    def device_at(self, space: str, address: str) -> Device | None:
        """The device with this address in this space; None also if ``address`` is not an address."""
        return self.addresses_of(space).device_at(pack_address(address))

    def site_of(self, space: str, address: str) -> Site | None:
        """The site of the longest prefix that holds this address in this space."""
        return self.addresses_of(space).owner_of(pack_address(address))

    def addresses_of(self, space: str) -> Addresses:
        """The devices and sites by packed address in this space; empty if nothing is known of it."""
        return self._address_tables.get(space, _NO_ADDRESSES)

    @cached_property
    def site_names(self) -> dict[str, str]:
        """The names of all sites by their ids."""
        return {site.id: site.name for site in self.sites}

    @cached_property
    def unit_names(self) -> dict[str, str]:
        """The names of all units by their ids."""
        return {unit.id: unit.name for unit in self.units}

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {unit.id: unit for unit in self.units}

    @cached_property
    def _sites(self) -> dict[str, Site]:
        return {site.id: site for site in self.sites}

    @cached_property
    def _devices_by_name(self) -> dict[str, Device]:
        return {fold_name(device.name): device for device in self.devices}

    @cached_property
    def _address_tables(self) -> dict[str, Addresses]:
        devices: defaultdict[str, list[tuple[str, Device]]] = defaultdict(list)
        for device in self.devices:
            devices[self._sites[device.site].address_space].append((device.address, device))
        prefixes: defaultdict[str, list[tuple[str, Site | None]]] = defaultdict(list)
        for prefix in self.prefixes:
            prefixes[prefix.space].append((prefix.prefix, self._sites.get(prefix.site)))
        return {space: AddressTable(devices[space], prefixes[space]) for space in {*devices, *prefixes}}
