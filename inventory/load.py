"""Loads an inventory folder: units, sites, devices and prefixes, each row checked where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from core.errors import ContentError
from core.records import Record
from inventory.addresses import parse_address, parse_network
from inventory.records import Device, Inventory, Prefix, Site, Unit, fold_name
from inventory.tables import Row, read_table

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from pathlib import Path

_R = TypeVar("_R", bound=Record)
_Placed: TypeAlias = list[tuple[str, _R]]
"""Records with where they stand: ``sites.csv, line 4``."""


def load_inventory(folder: Path) -> Inventory:
    """The inventory in ``folder``: units, sites, devices and prefixes, each in NAME.yml or NAME.csv.

    A missing file is an empty list. Text is normalised to NFC, addresses to their canonical form.

    Raises:
        ContentError: the folder is missing or a row is wrong; the text names file, line and what was expected.
    """
    if not folder.is_dir():
        raise ContentError(f"{folder}: no such folder; expected an inventory: units.yml, sites.csv, devices.csv ...")
    units = _checked_units(_read(folder, "units", Unit))
    sites = _checked_sites(_read(folder, "sites", Site), units)
    devices = _checked_devices(_read(folder, "devices", Device), sites)
    prefixes = _checked_prefixes(_read(folder, "prefixes", Prefix), sites)
    return Inventory(tuple(units.values()), tuple(sites.values()), tuple(devices), tuple(prefixes))


def _read(folder: Path, stem: str, kind: type[_R]) -> _Placed[_R]:
    return [(row.place, _record(row, kind)) for row in read_table(folder, stem)]


def _record(row: Row, kind: type[_R]) -> _R:
    columns = ", ".join(kind.__struct_fields__)
    unknown = set(row.cells) - set(kind.__struct_fields__)
    if unknown:
        raise ContentError(f"{row.place}: unknown column {min(unknown)!r}; expected {columns}")
    try:
        return msgspec.convert(row.cells, kind)
    except msgspec.ValidationError as error:
        raise ContentError(f"{row.place}: {error}; expected {columns}{_choices(kind)}") from error


def _choices(kind: type[Record]) -> str:
    return " with type supreme, province or area" if kind is Unit else ""


def _refuse_repeats(keys: Iterable[tuple[str, Hashable, str]]) -> None:
    """Refuses a key seen before; each item is (place, key, what to call it)."""
    first: dict[Hashable, str] = {}
    for place, key, what in keys:
        if key in first:
            raise ContentError(f"{place}: duplicate {what}, first at {first[key]}; expected each once")
        first[key] = place


def _checked_units(placed: _Placed[Unit]) -> dict[str, Unit]:
    _refuse_repeats((place, unit.id, f"unit {unit.id!r}") for place, unit in placed)
    units = {unit.id: unit for _, unit in placed}
    for place, unit in placed:
        if unit.parent and unit.parent not in units:
            raise ContentError(f"{place}: unknown unit {unit.parent!r}; expected the parent's id from this file")
        if not unit.parent and unit.type != "supreme":
            raise ContentError(f"{place}: no parent; expected one, since only a supreme unit has none")
        _refuse_a_circle(place, unit, units)
    return units


def _refuse_a_circle(place: str, unit: Unit, units: dict[str, Unit]) -> None:
    above = unit.parent
    for _ in units:
        if above not in units:
            return
        above = units[above].parent
    raise ContentError(f"{place}: the parents of unit {unit.id!r} form a circle; expected a tree")


def _checked_sites(placed: _Placed[Site], units: dict[str, Unit]) -> dict[str, Site]:
    _refuse_repeats((place, site.id, f"site {site.id!r}") for place, site in placed)
    for place, site in placed:
        if site.unit not in units:
            raise ContentError(f"{place}: unknown unit {site.unit!r}; expected an id from the units file")
    return {site.id: site for _, site in placed}


def _checked_devices(placed: _Placed[Device], sites: dict[str, Site]) -> list[Device]:
    checked = [(place, _checked_device(place, device, sites)) for place, device in placed]
    _refuse_repeats((place, fold_name(device.name), f"device name {device.name!r}") for place, device in checked)
    _refuse_repeats(
        (place, (sites[device.site].address_space, device.address), f"address {device.address} in one space")
        for place, device in checked
    )
    return [device for _, device in checked]


def _checked_device(place: str, device: Device, sites: dict[str, Site]) -> Device:
    _need_site(place, device.site, sites)
    if device.timezone:
        _need_zone(place, device.timezone)
    try:
        address = parse_address(device.address)
    except ValueError as error:
        raise ContentError(f"{place}: bad address {device.address!r}; expected IPv4 or IPv6") from error
    return msgspec.structs.replace(device, address=str(address))


def _need_zone(place: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ContentError(f"{place}: unknown timezone {zone!r}; expected an IANA name: Asia/Ho_Chi_Minh") from error


def _need_site(place: str, site: str, sites: dict[str, Site]) -> None:
    if site not in sites:
        raise ContentError(f"{place}: unknown site {site!r}; expected an id from the sites file")


def _checked_prefixes(placed: _Placed[Prefix], sites: dict[str, Site]) -> list[Prefix]:
    checked = [(place, _checked_prefix(place, prefix, sites)) for place, prefix in placed]
    _refuse_repeats(
        (place, (prefix.space, prefix.prefix), f"prefix {prefix.prefix} in one space") for place, prefix in checked
    )
    return [prefix for _, prefix in checked]


def _checked_prefix(place: str, prefix: Prefix, sites: dict[str, Site]) -> Prefix:
    _need_site(place, prefix.site, sites)
    try:
        network = parse_network(prefix.prefix)
    except ValueError as error:
        raise ContentError(f"{place}: bad prefix {prefix.prefix!r}; expected a network such as 10.1.0.0/24") from error
    return msgspec.structs.replace(prefix, prefix=str(network))
