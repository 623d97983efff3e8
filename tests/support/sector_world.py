"""A sector over a random tree of units, in which everything that belongs to a unit bears the unit's mark.

What a reader is shown must hold the marks of his own units and of no other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from core.clock import MINUTE, HeldClock, vietnam_day
from core.device_states import DeviceState, DeviceStates, Reach, write_device_states
from core.incident import Incident, TimelineEntry
from core.records import Alert, Event, Evidence, Logsource, Severity
from core.scope import Grant
from core.sources import Source, Sources, SourceState, write_sources
from core.stores.incidents import commit, put_alert
from core.stores.series import SeriesStore
from core.stores.spool import Spool
from inventory.objects import Circuit, Interface, Place, Service
from inventory.records import Device, Inventory, Prefix, Site
from inventory.rights import scope_of
from inventory.units import Succession, Unit, UnitFact

NOW = 1_795_300_000_000_000_000
TODAY = vietnam_day(NOW)
RULE = "6f1a7c0e-41a1-4b26-9a3f-0c2b7de6f6aa"


@dataclass(frozen=True)
class World:
    """Units u0 (the root) to uN and former ones; each with a site, a device, an incident, events and a source."""

    inventory: Inventory

    @property
    def names(self) -> list[str]:
        """All units' ids."""
        return [unit.id for unit in self.inventory.units]

    @property
    def living(self) -> list[str]:
        """Ids of the units of today."""
        return [unit.id for unit in self.inventory.units if not unit.valid_to]

    def outside(self, grants: tuple[Grant, ...], action: str) -> list[str]:
        """Ids of the units that lie beyond what these grants allow."""
        scope = scope_of(grants, action, self.inventory, TODAY)
        return [name for name in self.names if not scope.allows_unit(name)]

    def number(self, name: str) -> int:
        """The unit's place among all: also the number of its incident, less one."""
        return self.names.index(name)

    def address(self, name: str) -> str:
        """The address of the unit's device, which is also its source of logs."""
        return f"10.9.{self.number(name)}.1"


def mark(name: str) -> str:
    """What all of a unit's things bear; no unit's mark is a part of another's."""
    return f"dau{name}x"


def marks_in(text: str, names: list[str]) -> list[str]:
    """Which of these units have left a mark in the text."""
    return [name for name in names if mark(name) in text]


def make_world(seed: int, size: int = 9) -> World:
    """A random tree of units, some of which took over from former ones."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable tree, no secret
    parents = [""] + [f"u{chance.randrange(number)}" for number in range(1, size)]
    units = [_unit(f"u{number}", parent) for number, parent in enumerate(parents)]
    units += [_unit(f"f{number}", "u0", valid_to="2025-06-30") for number in range(3)]
    heirs = [f"u{chance.randrange(1, size)}" for _ in range(3)]
    passed = [Succession(predecessor=f"f{n}", successor=heir, day="2025-07-01") for n, heir in enumerate(heirs)]
    names = [unit.id for unit in units]
    return World(
        Inventory(
            units=tuple(units),
            unit_facts=tuple(UnitFact(unit=name, what="alias", value=f"bí danh {mark(name)}") for name in names),
            successions=tuple(passed),
            sites=tuple(_site(name) for name in names),
            places=tuple(Place(id=f"p-{name}", site=f"s-{name}", kind="room", name=mark(name)) for name in names),
            devices=tuple(_device(number, name) for number, name in enumerate(names)),
            interfaces=tuple(Interface(device=f"rt-{name}", name="Gi1", description=mark(name)) for name in names),
            circuits=tuple(Circuit(id=f"c-{name}", site=f"s-{name}", kind="wan", carrier=mark(name)) for name in names),
            prefixes=tuple(Prefix(space=f"a-{name}", prefix="192.168.1.0/24", site=f"s-{name}") for name in names),
            services=tuple(_service(name) for name in names),
        )
    )


def fill_state(connection: Connection, world: World) -> None:
    """An incident of each unit with its alert; and one of two units, of which each sees its own part.

    Of the shared one each unit has an alert, and one alert has raw lines of both; in each unit somebody wrote a note.
    """
    for name in world.names:
        stored = commit(connection, None, _incident(name), _entry())
        put_alert(connection, stored.id, _alert(name))
    first, second = world.names[1], world.names[2]
    shared = msgspec.structs.replace(_incident(first), title=_title("chung"), object=(("source.ip", "203.0.113.9"),))
    both = {
        "sites": (f"s-{first}", f"s-{second}"),
        "units": (first, second),
        "devices": (f"rt-{first}", f"rt-{second}"),
    }
    stored = commit(connection, None, msgspec.structs.replace(shared, **both), _entry())
    for name in (first, second):
        put_alert(connection, stored.id, msgspec.structs.replace(_alert(name), id=f"shared-{name}"))
        note = TimelineEntry(time=NOW, actor=writer(name), action="noted", detail=f"ghi chú {mark(name)}")
        owned = msgspec.structs.replace(stored, owner=writer(second))
        stored = commit(connection, stored, owned, note)
    put_alert(connection, stored.id, shared_alert((first, second)))


def writer(name: str) -> str:
    """Who works on incidents in the unit."""
    return f"phan_tich_{mark(name)}"


def shared_alert(names: tuple[str, ...]) -> Alert:
    """An alert of one attacker at these units, as correlation makes it: the first unit is told as its place."""
    raw = tuple(one for name in names for one in _alert(name).evidence)
    return msgspec.structs.replace(
        _alert(names[0]),
        id=f"both-{'-'.join(names)}",
        title=_title("chung"),
        object=(("source.ip", "203.0.113.9"),),
        count=len(raw),
        evidence=raw,
        sites=tuple(sorted(f"s-{name}" for name in names)),
        units=tuple(sorted(names)),
    )


def fill_logs(folder: Path, world: World, encode: object, head: bytes) -> None:
    """An event of each unit in the spool, and what the lane tells of its sources."""
    spool = Spool(folder / "spool", HeldClock(NOW))
    spool.open(head)
    spool.append([encode(_event(number, name)) for number, name in enumerate(world.names)])
    spool.close()
    told = tuple(_source(world, name) for name in world.names)
    write_sources(folder / "sources.json", Sources(written=NOW, sources=told))


def fill_series(folder: Path, world: World) -> None:
    """A measured port of each unit's device, and what the SNMP lane tells of the device."""
    store = SeriesStore(folder / "series", HeldClock(NOW))
    count, at = len(world.names), NOW - MINUTE
    keys = {"site": [f"s-{name}" for name in world.names], "device": [f"rt-{name}" for name in world.names]}
    ports = {"object": [f"port {mark(name)}" for name in world.names], "time": [at] * count, "in_bps": [1e6] * count}
    processors = {"object": [f"cpu {mark(name)}" for name in world.names], "time": [at] * count, "cpu": [5.0] * count}
    store.append_all({"interfaces": keys | ports, "hosts": keys | processors})
    store.close()
    states = tuple(_state(world, name) for name in world.names)
    write_device_states(folder / "devices.json", DeviceStates(written=NOW, devices=states))


def _state(world: World, name: str) -> DeviceState:
    told = {"address": world.address(name), "state": Reach.UP, "since": NOW - MINUTE, "answered": NOW}
    return DeviceState(name=f"rt-{name}", site=f"s-{name}", profile=f"profile {mark(name)}", **told)


def _unit(name: str, parent: str, valid_to: str = "") -> Unit:
    kind = "province" if parent else "supreme"
    return Unit(id=name, name=f"VKSND {mark(name)}", type=kind, parent=parent, valid_to=valid_to)


def _site(name: str) -> Site:
    return Site(
        id=f"s-{name}",
        name=f"Điểm cầu {mark(name)}",
        unit=name,
        address_space=f"a-{name}",
        tier="PROVINCE",
        location=f"Phố {mark(name)}",
    )


def _device(number: int, name: str) -> Device:
    return Device(
        name=f"rt-{name}",
        site=f"s-{name}",
        address=f"10.9.{number}.1",
        vendor="Cisco",
        model="ISR",
        role="router",
        purpose=mark(name),
    )


def _service(name: str) -> Service:
    return Service(id=f"v-{name}", name=mark(name), kind="mail", unit=name, address=f"{mark(name)}.example")


def _title(text: str) -> dict[str, str]:
    return {"vi": f"Sự cố {text}", "en": f"Incident {text}"}


def _incident(name: str) -> Incident:
    return Incident(
        cause="bruteforce",
        object=(("host.name", f"rt-{name}"),),
        title=_title(mark(name)),
        severity=Severity.HIGH,
        sites=(f"s-{name}",),
        units=(name,),
        devices=(f"rt-{name}",),
        occurred=NOW - 6 * MINUTE,
        detected=NOW - 5 * MINUTE,
        updated=NOW - 5 * MINUTE,
    )


def _entry() -> TimelineEntry:
    return TimelineEntry(time=NOW - 5 * MINUTE, actor="haidang", action="opened", detail="opened by its first alert")


def _alert(name: str) -> Alert:
    raw = Evidence(event=f"logs/0/{name}", time=NOW, raw=f"raw {mark(name)}".encode(), site=f"s-{name}")
    return Alert(
        id=f"alert-{name}",
        rule=RULE,
        title=_title(mark(name)),
        cause="bruteforce",
        object=(("host.name", f"rt-{name}"),),
        severity=Severity.HIGH,
        start=NOW - MINUTE,
        end=NOW,
        count=1,
        evidence=(raw,),
        unit=name,
        site=f"s-{name}",
        device=f"rt-{name}",
    )


def _event(number: int, name: str) -> Event:
    return Event(
        id=f"logs/0/{number}",
        time=NOW - MINUTE + number,
        seen=NOW - MINUTE + number,
        logsource=Logsource(product="linux", service="sshd"),
        fields={"message": f"tin {mark(name)}", "host.name": f"rt-{name}"},
        raw=f"raw {mark(name)}".encode(),
        unit=name,
        site=f"s-{name}",
        device=f"rt-{name}",
    )


def _source(world: World, name: str) -> Source:
    return Source(
        address=world.address(name),
        device=f"rt-{mark(name)}",
        site=f"s-{name}",
        known=True,
        first=NOW - MINUTE,
        last=NOW,
        state=SourceState.ALIVE,
    )
