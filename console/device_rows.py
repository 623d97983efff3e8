"""The list of devices: what was asked for, and each device as one line of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from msgspec.structs import replace

from console.device_views import device_address
from console.directory import Directory
from console.health import is_current
from console.map import TileHealth
from console.measures import Busy
from console.overview import Overview
from console.quantities import percent
from console.site_rows import site_address
from console.views import Moment, moment_or_none
from core.clock import HOUR, SECOND
from core.device_states import DeviceState, DeviceStates, Reach
from core.records import Record
from core.scope import Scope
from inventory.records import Device
from inventory.sorting import matches

WORST_FIRST = (Reach.DOWN, Reach.REFUSED, Reach.UP, Reach.UNKNOWN)
SHAPES = {Reach.UP: "●", Reach.REFUSED: "▲", Reach.DOWN: "✖", Reach.UNKNOWN: "○"}
HEALTHS = {
    Reach.UP: TileHealth.UP,
    Reach.REFUSED: TileHealth.DEGRADED,
    Reach.DOWN: TileHealth.DOWN,
    Reach.UNKNOWN: TileHealth.UNKNOWN,
}
"""As what a device is marked among sites and provinces."""
BUSY_CPU = 90.0
GONE = frozenset({Reach.DOWN, Reach.REFUSED})
"""Of which nothing is known now: what was measured last was before."""

YOUNG = 2 * HOUR
"""Of a device that is in its state for less than this, the last hour is what matters. Nanoseconds."""


class AskedDevices(Record, frozen=True, kw_only=True):
    """What the reader asked for in the list's address; empty asks for nothing."""

    text: str = ""
    state: str = ""
    unit: str = ""
    site: str = ""
    role: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Whether not all devices are asked for."""
        return bool(self.text or self.state or self.unit or self.site or self.role)

    def without_state(self) -> AskedDevices:
        """The same, in any state."""
        return replace(self, state="")

    def address(self, **changed: object) -> str:
        """The list's address with some of it changed; any change leads to the first page."""
        values = {name: getattr(self, name) for name in ("state", "unit", "site", "role")}
        asked = {"q": self.text, **values, "page": ""} | changed
        told = {name: str(value) for name, value in asked.items() if value}
        return f"/devices?{urlencode(told)}" if told else "/devices"


class Reached(Record, frozen=True, kw_only=True):
    """Whether a device answers SNMP, as pages mark it: in the colour of that ``health``."""

    state: str
    health: str
    shape: str
    since: Moment | None
    last: Moment | None


class Polled(NamedTuple):
    """What the SNMP lane told, by the devices' names; what it told too long ago is unknown now.

    ``period`` is how often a device is polled, in nanoseconds.
    """

    states: Mapping[str, DeviceState]
    holds: bool
    period: int

    def reach(self, name: str) -> Reach:
        """Of the device of that name."""
        found = self.states.get(name)
        return found.state if found and self.holds else Reach.UNKNOWN

    def reached(self, name: str) -> Reached:
        """The same as pages mark it; when it last answered is true however long ago that was told."""
        found, reach = self.states.get(name), self.reach(name)
        return Reached(
            state=reach.value,
            health=HEALTHS[reach].value,
            shape=SHAPES[reach],
            since=moment_or_none(found.since) if found and reach is not Reach.UNKNOWN else None,
            last=moment_or_none(found.answered) if found else None,
        )


class ListedDevice(Record, frozen=True, kw_only=True):
    """A device in the list.

    Attributes:
        down: how many of its ``ports`` that are switched on are down; None where it was not measured.
        cpu: its highest load in percent; ``cpu_told`` in words.
    """

    name: str
    link: str
    reached: Reached
    site: str
    site_name: str
    site_link: str
    address: str
    product: str
    role: str
    life_cycle: str
    ports: int | None
    down: int | None
    cpu: float | None
    cpu_told: str
    is_hot: bool


class PublicDevice(Record, frozen=True, kw_only=True):
    """A device for programs; what the reader may not know, or nobody does, is null."""

    name: str
    site: str
    site_name: str
    address: str
    product: str
    role: str
    life_cycle: str
    state: str | None
    since: str | None
    last: str | None
    ports: int | None
    down: int | None
    cpu: float | None


def reached_at(overview: Overview, site: str, now: int) -> dict[str, Reached]:
    """Whether each device of a site answers SNMP, by the devices' names."""
    polled = polled_of(overview.polled, now)
    return {one.name: polled.reached(one.name) for one in overview.directory.devices.get(site, ())}


def polled_of(told: DeviceStates, now: int) -> Polled:
    """By the devices' names (``now`` in nanoseconds UTC)."""
    return Polled({one.name: one for one in told.devices}, is_current(told, now), round(told.period * SECOND))


def seen_devices(directory: Directory, scope: Scope) -> list[Device]:
    """Those within the scope, in Vietnamese order."""
    return [one for one in directory.every_device if scope.allows(one.site)]


def wanted_devices(directory: Directory, seen: Iterable[Device], asked: AskedDevices) -> list[Device]:
    """Those of them that are asked for but for their state, in the same order."""
    org = directory.inventory.org
    units = org.reach(asked.unit, directory.day) if asked.unit else frozenset()
    sites = {one.id for one in directory.sites if not asked.unit or one.unit in units}
    return [one for one in seen if one.site in sites and _is_wanted(directory, one, asked)]


def with_state(devices: Iterable[Device], polled: Polled, choice: str) -> list[Device]:
    """Those in that state; all of them for the empty one."""
    return [one for one in devices if choice in {"", polled.reach(one.name).value}]


def state_counts(devices: Iterable[Device], polled: Polled) -> dict[str, int]:
    """How many devices each choice of state would show; that of all is under the empty one."""
    counts = Counter(polled.reach(one.name) for one in devices)
    return {"": counts.total()} | {reach.value: counts[reach] for reach in WORST_FIRST}


def listed_device(
    directory: Directory, device: Device, polled: Polled, busy: Busy | None, language: str
) -> ListedDevice:
    """The device as one line."""
    site = directory.inventory.site(device.site)
    busy = None if polled.reach(device.name) in GONE else busy
    cpu = busy.cpu if busy else None
    return ListedDevice(
        name=device.name,
        link=device_address(device.name),
        reached=polled.reached(device.name),
        site=device.site,
        site_name=site.name if site else device.site,
        site_link=site_address(device.site),
        address=device.address,
        product=f"{device.vendor} {device.model}",
        role=device.role,
        life_cycle=device.life_cycle,
        ports=busy.ports.on if busy else None,
        down=busy.ports.down if busy else None,
        cpu=cpu,
        cpu_told="" if cpu is None else percent(cpu, language),
        is_hot=cpu is not None and cpu >= BUSY_CPU,
    )


def public_device(row: ListedDevice, *, knows_state: bool) -> PublicDevice:
    """The line as programs get it."""
    names = ("name", "site", "site_name", "address", "product", "role", "life_cycle")
    told = {name: getattr(row, name) for name in names}
    hidden = dict.fromkeys(("state", "since", "last", "ports", "down", "cpu"))
    reached = row.reached
    shown = {
        "state": reached.state,
        "since": reached.since.iso if reached.since else None,
        "last": reached.last.iso if reached.last else None,
        "ports": row.ports,
        "down": row.down,
        "cpu": row.cpu,
    }
    return PublicDevice(**told, **(shown if knows_state else hidden))


def _is_wanted(directory: Directory, device: Device, asked: AskedDevices) -> bool:
    return (
        asked.site in {"", device.site}
        and asked.role in {"", device.role}
        and (not asked.text or matches(directory.device_texts[device.name], asked.text))
    )
