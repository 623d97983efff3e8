"""What ``haidang check`` says of SNMP: profiles, credential sets, which devices are polled, and the disk it needs."""

from __future__ import annotations

import resource
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from app.content import SNMP, Stored, read_inventory
from app.snmp.plan import Plan, open_sets, plan, unknown_targets
from collectors.snmp.profiles import shipped_profiles
from core.clock import SystemClock, vietnam_day
from core.errors import HaidangError
from core.sealed import SealedSets
from core.settings import Settings
from core.stores.credentials import read_sealed
from core.stores.series_need import disk_need, measured_on
from core.vault import Vault
from inventory.records import Inventory, fold_name

Level = Literal["good", "warning", "error"]

USUAL_PORTS = 24
"""Interfaces of a device of which the inventory names none."""

SPARE = 512
"""Files that the lane opens besides its sockets."""

_MOST_NAMED = 5
_GIGABYTE = 1_000_000_000


class Said(NamedTuple):
    """How grave it is, and what is said."""

    level: Level
    text: str


def snmp_notes(settings: Settings) -> Iterator[Said]:
    """All that was looked at.

    Raises:
        ContentError: a profile or the inventory cannot be used.
    """
    yield Said("good", f"{len(shipped_profiles().by_name)} profiles of device families")
    if not settings.lane.snmp.enabled:
        yield Said("good", "switched off by lane.snmp.enabled")
        return
    sealed: SealedSets = Stored(settings).read(lambda connection: read_sealed(connection, SNMP), SealedSets())
    if not sealed.sets:
        yield Said("good", "no device is polled: there is no credential set for SNMP")
        return
    inventory = read_inventory(settings)
    broken: dict[str, HaidangError] = {}
    sets = open_sets(Vault(settings.secrets), sealed.sets, broken.__setitem__)
    for name, error in broken.items():
        yield Said("warning", f"credential set '{name}' cannot be used: {error}")
    for text in unknown_targets(inventory, sealed.targets):
        yield Said("warning", text)
    planned = plan(inventory, sealed.targets, sets, settings.lane.snmp.space)
    yield from _plan_notes(planned, settings.lane.snmp.space)
    yield from _socket_notes(planned)
    yield from _disk_notes(planned, inventory, settings)


def _plan_notes(planned: Plan, space: str) -> Iterator[Said]:
    yield Said("good", f"{len(planned.devices)} devices are polled")
    if planned.without_set:
        yield Said("warning", f"without a credential set for SNMP, and not polled: {_some(planned.without_set)}")
    if planned.elsewhere:
        yield Said("warning", f"in another address space than '{space}', and not polled: {_some(planned.elsewhere)}")


def _socket_notes(planned: Plan) -> Iterator[Said]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if len(planned.devices) + SPARE > most != resource.RLIM_INFINITY:
        text = (
            f"{len(planned.devices)} devices need as many sockets; this account may open {most} files: raise its limit"
        )
        yield Said("error", text)


def _disk_notes(planned: Plan, inventory: Inventory, settings: Settings) -> Iterator[Said]:
    objects = objects_of(planned, inventory)
    if not planned.devices:
        return
    day = vietnam_day(SystemClock().now())
    need = disk_need(objects, settings.lane.snmp.period_seconds, day)
    total, free = sum(need.values()), shutil.disk_usage(settings.data).free
    there = sum(_size(path) for path in settings.series.rglob("*"))
    parts = ", ".join(f"{stage} {size / _GIGABYTE:.2f}" for stage, size in need.items())
    text = (
        f"series of {objects['interfaces']} interfaces need {total / _GIGABYTE:.2f} GB ({parts}; measured on "
        f"{measured_on()}), there are {there / _GIGABYTE:.2f} GB of them and {free / _GIGABYTE:.2f} GB free"
    )
    yield Said("good" if total <= there + free else "warning", text)


def objects_of(planned: Plan, inventory: Inventory) -> dict[str, int]:
    """How many objects the polled devices have, by table; interfaces as the inventory names them, or as is usual."""
    named = Counter(fold_name(port.device) for port in inventory.interfaces)
    ports = sum(named[fold_name(one.name)] or USUAL_PORTS for one in planned.devices)
    return {"interfaces": ports, "devices": len(planned.devices), "hosts": len(planned.devices)}


def _size(path: Path) -> int:
    try:
        state = path.stat()
    except FileNotFoundError:  # the lane works there
        return 0
    return state.st_size if stat.S_ISREG(state.st_mode) else 0


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
