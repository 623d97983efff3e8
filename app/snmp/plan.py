"""Which devices are polled by SNMP, and with which credential sets: from the inventory and the sets' targets. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from core.errors import HaidangError, RefusedError
from core.records import Record
from core.sealed import SealedSet, SealedSets
from core.stores.credentials import subject
from core.vault import Secret, Vault
from inventory.credentials import SnmpV2c, SnmpV3, choose_for, decode_credential
from inventory.records import Device, Inventory, fold_name

Target: TypeAlias = tuple[str, str, str]
"""What a set is for: the kind of target, the target, and the set's name."""

SnmpCredential: TypeAlias = SnmpV2c | SnmpV3
IN_SERVICE = "in_service"


class Planned(Record, frozen=True, kw_only=True):
    """A device that is polled.

    Attributes:
        sets: names of its credential sets, in the order in which they are tried.
    """

    name: str
    site: str
    unit: str
    address: str
    sets: tuple[str, ...]


class Plan(Record, frozen=True, kw_only=True):
    """The devices that are polled, and those in service that are not: for want of a set, or of another space."""

    devices: tuple[Planned, ...] = ()
    without_set: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def plan(inventory: Inventory, targets: Iterable[Target], names: Collection[str], space: str) -> Plan:
    """What is polled.

    Args:
        inventory: the devices, with their sites.
        targets: kind, target and set's name, of all kinds of sets.
        names: the sets that are of SNMP and can be opened.
        space: the address space from which we ask; the same address may be another device's in another.
    """
    rows = [target for target in targets if target[2] in names]
    by_device, others = _parted(rows)
    devices: list[Planned] = []
    without: list[str] = []
    elsewhere: list[str] = []
    for device in inventory.devices:
        site = inventory.site(device.site)
        if device.life_cycle != IN_SERVICE or site is None:
            continue
        if site.address_space != space:
            elsewhere.append(device.name)
            continue
        sets = choose_for(device, site, [*by_device[fold_name(device.name)], *others])
        if not sets:
            without.append(device.name)
            continue
        made = Planned(name=device.name, site=site.id, unit=site.unit, address=device.address, sets=tuple(sets))
        devices.append(made)
    return Plan(devices=tuple(devices), without_set=tuple(without), elsewhere=tuple(elsewhere))


def sets_for(inventory: Inventory, device: Device, sealed: SealedSets) -> tuple[str, ...]:
    """The names of the SNMP sets of one device, in the order in which they are tried."""
    site = inventory.site(device.site)
    return tuple(choose_for(device, site, sealed.targets)) if site else ()


def open_set(vault: Vault, sealed: SealedSet) -> SnmpCredential:
    """The credential in a set.

    Raises:
        IntegrityError: it cannot be opened; the text says what to do.
        UnavailableError: the vault's keys cannot be read.
        RefusedError: it is none for SNMP that this version knows.
    """
    found = decode_credential(Secret(vault.decrypt(sealed.body, subject(sealed.name)).decode()))
    if not isinstance(found, SnmpV2c | SnmpV3):
        raise RefusedError(f"credential set '{sealed.name}' is not for SNMP")
    return found


def open_sets(
    vault: Vault, sealed: Iterable[SealedSet], refused: Callable[[str, HaidangError], None]
) -> dict[str, SnmpCredential]:
    """The credentials by their sets' names; which set cannot be opened, and why, is told."""
    opened: dict[str, SnmpCredential] = {}
    for one in sealed:
        try:
            opened[one.name] = open_set(vault, one)
        except HaidangError as error:
            refused(one.name, error)
    return opened


def unknown_targets(inventory: Inventory, targets: Iterable[Target]) -> Iterator[str]:
    """The targets that name a device or a site that the inventory does not have, each in words."""
    known = {
        "device": {fold_name(device.name) for device in inventory.devices},
        "site": {site.id for site in inventory.sites},
    }
    for kind, target, name in targets:
        if kind in known and target not in known[kind]:
            yield f"credential set '{name}' is for the {kind} '{target}', which is not in the inventory"


def _parted(rows: Iterable[Target]) -> tuple[defaultdict[str, list[Target]], list[Target]]:
    """Targets that are single devices, by device, for there may be thousands; and all others."""
    by_device: defaultdict[str, list[Target]] = defaultdict(list)
    others = []
    for row in rows:
        if row[0] == "device":
            by_device[row[1]].append(row)
        else:
            others.append(row)
    return by_device, others
