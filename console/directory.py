"""An inventory as pages look things up in it on one day: sorted, by site, and in which province each site lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import TypeVar

from console.map import names
from inventory.calendars import Calendars
from inventory.objects import Circuit, Interface, Place, Service
from inventory.records import Device, Inventory, Prefix, Site, fold_name
from inventory.sorting import vietnamese_key
from inventory.unit_names import spellings

_KEPT = 4
"""The inventory before an import is still asked by pages that began with it."""

_Row = TypeVar("_Row")


class Directory:
    """The look-ups, each made when it is first needed; immutable."""

    def __init__(self, inventory: Inventory, day: str) -> None:
        self.inventory = inventory
        self.day = day
        self._holders: dict[str, str] = {}

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All sites in Vietnamese order of their names."""
        return tuple(sorted(self.inventory.sites, key=lambda site: (vietnamese_key(site.name), site.id)))

    @cached_property
    def devices(self) -> Mapping[str, tuple[Device, ...]]:
        """By site, in Vietnamese order of their names."""
        return _grouped((device.site, device) for device in self.every_device)

    @cached_property
    def every_device(self) -> tuple[Device, ...]:
        """All devices in Vietnamese order of their names."""
        return tuple(sorted(self.inventory.devices, key=lambda device: vietnamese_key(device.name)))

    @cached_property
    def device_texts(self) -> Mapping[str, str]:
        """What is searched of each device, by its name."""
        sites = self.inventory.site_names
        return {one.name: " ".join((*_words_of(one), sites.get(one.site, ""))) for one in self.inventory.devices}

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """By id."""
        return {place.id: place for place in self.inventory.places}

    @cached_property
    def places_of(self) -> Mapping[str, tuple[Place, ...]]:
        """By site."""
        return _grouped((place.site, place) for place in self.inventory.places)

    @cached_property
    def circuits(self) -> Mapping[str, tuple[Circuit, ...]]:
        """By the site that each is provided to."""
        return _grouped((circuit.site, circuit) for circuit in self.inventory.circuits)

    @cached_property
    def prefixes(self) -> Mapping[str, tuple[Prefix, ...]]:
        """By site."""
        return _grouped((prefix.site, prefix) for prefix in self.inventory.prefixes)

    @cached_property
    def services(self) -> Mapping[str, tuple[Service, ...]]:
        """By site."""
        return _grouped((service.site, service) for service in self.inventory.services)

    @cached_property
    def interfaces(self) -> Mapping[str, tuple[Interface, ...]]:
        """By the name of their device, as ``fold_name`` gives it."""
        return _grouped((fold_name(port.device), port) for port in self.inventory.interfaces)

    @cached_property
    def calendars(self) -> Calendars:
        """When each site works."""
        return Calendars(self.inventory)

    @cached_property
    def provinces(self) -> Mapping[str, str]:
        """The GSO code of the province or city of each site, by its id; a site of none is left out."""
        found = ((site.id, self._province(site)) for site in self.sites)
        return {site: code for site, code in found if code}

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What is searched of each site, by its id."""
        return {site.id: self._text(site) for site in self.sites}

    def holder(self, unit_id: str) -> str:
        """The unit of the day whose what is recorded under this unit is; empty if none is, or nobody can tell which.

        A unit that does not exist on the day is carried on by its only successor or, before it began, by its only
        predecessor.
        """
        if unit_id not in self._holders:
            self._holders[unit_id] = self._find_holder(unit_id)
        return self._holders[unit_id]

    def lineage(self, unit_id: str) -> tuple[str, ...]:
        """The units of the day, from the root down, under which this unit's work surely stood, or stands.

        Down to the unit itself or the one that carries it; where there are several, down to what is above all of them.
        What began with the unit stood under its parent.
        """
        org = self.inventory.org
        if carriers := org.of_the_day(unit_id, self.day):
            paths = [org.path(one, self.day) for one in carriers]
            return tuple(one for one, *others in zip(*paths, strict=False) if set(others) <= {one})
        unit = org.unit(unit_id)
        first = unit.valid_from if unit else ""
        above = org.parent(unit_id, first) if first > self.day else ""
        return self.lineage(above) if above else ()

    def place_path(self, place_id: str) -> tuple[Place, ...]:
        """From the room to this place; empty for an unknown one."""
        path: list[Place] = []
        place = self.places.get(place_id)
        while place and place not in path:
            path.append(place)
            place = self.places.get(place.parent)
        return tuple(reversed(path))

    def _find_holder(self, unit_id: str) -> str:
        carriers = self.inventory.org.of_the_day(unit_id, self.day)
        return carriers[0] if len(carriers) == 1 else ""

    def _province(self, site: Site) -> str:
        return self._province_named(site.province) if site.province else self._province_of(self.holder(site.unit))

    def _province_named(self, text: str) -> str:
        """By code or name of today's, else by what the organisation knows of older names."""
        if text in names():
            return text
        if code := _codes().get(fold_name(text)):
            return code
        found = self.inventory.org.find(text, self.day)
        return self._province_of(found[0].id) if len(found) == 1 else ""

    def _province_of(self, unit_id: str) -> str:
        org = self.inventory.org
        for above in reversed(org.path(unit_id, self.day)):
            unit = org.unit(above)
            if unit and unit.type == "province":
                return self._code(above)
        return ""

    def _code(self, unit_id: str) -> str:
        """The unit's code if it has a tile, else that of the tile with its name."""
        org = self.inventory.org
        code = org.code(unit_id, "gso", self.day)
        called = (fold_name(text) for text in spellings(org.name(unit_id, self.day)))
        return code if code in names() else next((_codes()[text] for text in called if text in _codes()), "")

    def _text(self, site: Site) -> str:
        org, unit = self.inventory.org, self.holder(site.unit) or site.unit
        province = names().get(self.provinces.get(site.id, ""), "")
        told = (site.id, site.name, org.name(unit, self.day), org.short(unit, self.day))
        return " ".join((*told, site.tier, site.location, site.province, province))


class _Same:
    """An inventory as a key: the very one, for comparing all of its rows would take longer than making anew."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.inventory is self.inventory

    def __hash__(self) -> int:
        return id(self.inventory)


def directory_of(inventory: Inventory, day: str) -> Directory:
    """The directory of this very inventory on this day (ISO date), kept while it is asked for."""
    return _directory(_Same(inventory), day)


@lru_cache(_KEPT)
def _directory(same: _Same, day: str) -> Directory:
    return Directory(same.inventory, day)


@lru_cache(1)
def _codes() -> dict[str, str]:
    """The tiles' codes by all that their provinces are called."""
    ranks = ("", "tỉnh ", "thành phố ", "TP ", "TP. ")
    return {fold_name(f"{rank}{_bare(name)}"): code for code, name in names().items() for rank in ranks}


def _words_of(device: Device) -> tuple[str, ...]:
    told = (device.name, device.address, device.vendor, device.model, device.role)
    return (*told, device.serial, device.mac, device.purpose, device.site)


def _bare(name: str) -> str:
    return name.removeprefix("TP ")


def _grouped(pairs: Iterable[tuple[str, _Row]]) -> dict[str, tuple[_Row, ...]]:
    groups: defaultdict[str, list[_Row]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return {key: tuple(rows) for key, rows in groups.items()}
