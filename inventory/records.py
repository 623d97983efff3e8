"""The inventory's records and the look-ups over them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

import msgspec

from core.records import Record
from inventory.addresses import parse_address, parse_network

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
UnitType: TypeAlias = Literal["supreme", "province", "area"]

_Tables: TypeAlias = dict[int, dict[int, str]]
"""Prefix length, longest first, to network number to site id."""


class Unit(Record, frozen=True, kw_only=True):
    """A legal body: the supreme procuracy, a province's or an area's (khu vực).

    Source: Luật 82/2025/QH15, three levels since 1 July 2025.
    """

    id: Text
    name: Text
    type: UnitType
    parent: str = ""


class Site(Record, frozen=True, kw_only=True):
    """A place with devices (điểm cầu).

    Attributes:
        unit: id of the unit that owns the site.
        address_space: the space (VRF) in which the site's addresses are unique.
        tier: name of the tier policy that holds here: DC, PROVINCE, AREA.
    """

    id: Text
    name: Text
    unit: Text
    address_space: Text
    tier: Text


class Device(Record, frozen=True, kw_only=True):
    """A network node.

    Attributes:
        site: id of the site it stands in, whose address space its address belongs to.
        address: management address, canonical text.
        timezone: IANA zone of its clock; empty for the platform's default.
    """

    name: Text
    site: Text
    address: Text
    vendor: Text
    model: Text
    role: Text
    timezone: str = ""


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
    """All units, sites, devices and prefixes at one moment, and whose is what."""

    units: tuple[Unit, ...] = ()
    sites: tuple[Site, ...] = ()
    devices: tuple[Device, ...] = ()
    prefixes: tuple[Prefix, ...] = ()

    def unit(self, unit_id: str) -> Unit | None:
        """The unit with this id."""
        return self._units.get(unit_id)

    def site(self, site_id: str) -> Site | None:
        """The site with this id."""
        return self._sites.get(site_id)

    def device_named(self, name: str) -> Device | None:
        """The device with this name, in any case."""
        return self._devices_by_name.get(fold_name(name))

    def device_at(self, space: str, address: str) -> Device | None:
        """The device with this address in this space; None also if ``address`` is not an address."""
        found = self._devices_by_address.get((space, address))
        if found is not None:
            return found
        try:
            return self._devices_by_address.get((space, str(parse_address(address))))
        except ValueError:
            return None

    def site_of(self, space: str, address: str) -> Site | None:
        """The site of the longest prefix that holds this address in this space."""
        try:
            parsed = parse_address(address)
        except ValueError:
            return None
        tables = self._tables.get((space, parsed.version), {})
        for length, table in tables.items():
            site = table.get(int(parsed) >> (parsed.max_prefixlen - length))
            if site is not None:
                return self._sites.get(site)
        return None

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
    def _devices_by_address(self) -> dict[tuple[str, str], Device]:
        return {(self._sites[device.site].address_space, device.address): device for device in self.devices}

    @cached_property
    def _tables(self) -> dict[tuple[str, int], _Tables]:
        tables: dict[tuple[str, int], _Tables] = {}
        networks = [(parse_network(prefix.prefix), prefix) for prefix in self.prefixes]
        for network, prefix in sorted(networks, key=lambda pair: -pair[0].prefixlen):
            number = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            lengths = tables.setdefault((prefix.space, network.version), {})
            lengths.setdefault(network.prefixlen, {})[number] = prefix.site
        return tables
