"""The inventory as it travels from the centre to a lane and rests on the lane's disk."""

from __future__ import annotations

import msgspec

from core.errors import IntegrityError
from core.records import Record
from inventory.addresses import parse_address, parse_network
from inventory.objects import Interface, Link
from inventory.records import Device, Inventory, Prefix, Site
from inventory.units import Unit

FORMAT = 2
"""Version of the snapshot's form."""


class _Version(Record, frozen=True, kw_only=True):
    format: int


class _Snapshot(Record, frozen=True, kw_only=True):
    format: int
    units: tuple[Unit, ...] = ()
    sites: tuple[Site, ...] = ()
    devices: tuple[Device, ...] = ()
    prefixes: tuple[Prefix, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    links: tuple[Link, ...] = ()


def encode_snapshot(inventory: Inventory) -> bytes:
    """What lanes need of the inventory as JSON with the version of its form.

    Units, sites, devices, prefixes, links, and the interfaces whose role is known.
    """
    snapshot = _Snapshot(
        format=FORMAT,
        units=inventory.units,
        sites=inventory.sites,
        devices=inventory.devices,
        prefixes=inventory.prefixes,
        interfaces=tuple(port for port in inventory.interfaces if port.role),
        links=inventory.links,
    )
    return msgspec.json.encode(snapshot)


def decode_snapshot(data: bytes) -> Inventory:
    """What ``encode_snapshot`` wrote of an inventory.

    Raises:
        IntegrityError: another version, damaged data, or records that refer to what is not there.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != FORMAT:
            raise IntegrityError(
                f"inventory snapshot: format {version}, expected {FORMAT}; fetch it from the centre anew"
            )
        snapshot = msgspec.json.decode(data, type=_Snapshot)
        _check(snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise IntegrityError(f"inventory snapshot: damaged ({error}); fetch it from the centre anew") from error
    return Inventory(
        units=snapshot.units,
        sites=snapshot.sites,
        devices=snapshot.devices,
        interfaces=snapshot.interfaces,
        links=snapshot.links,
        prefixes=snapshot.prefixes,
    )


def _check(snapshot: _Snapshot) -> None:
    """Raises ValueError where the look-ups would stumble."""
    units = {unit.id for unit in snapshot.units}
    sites = {site.id for site in snapshot.sites}
    lost = {site.unit for site in snapshot.sites} - units
    lost |= {device.site for device in snapshot.devices} - sites
    lost |= {prefix.site for prefix in snapshot.prefixes} - sites
    if lost:
        raise ValueError(f"no record of {min(lost)!r}")
    for device in snapshot.devices:
        parse_address(device.address)
    for prefix in snapshot.prefixes:
        parse_network(prefix.prefix)
