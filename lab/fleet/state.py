"""A device at a moment: all that its variables are made of. A function of sector, faults, device and time alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import sin, tau
from typing import NamedTuple

from core.clock import HOUR, MINUTE, SECOND
from lab.fleet.draws import draw
from lab.fleet.faults import FOREVER, Effect, alone, drifted
from lab.fleet.sector import Neighbour, Node, Sector
from lab.fleet.timeline import Timeline, concerns
from lab.fleet.traffic import Counters, Usage, plugged, seconds, usage

HUNDREDTH = SECOND // 100
"""Nanoseconds of a tick of TimeTicks."""

LONGEST_UPTIME_DAYS = 300
"""For which a device may have been up when the fleet starts."""

CHARGE_A_MINUTE = 1.0
"""Per cent that a UPS charges in a minute."""

NO_COUNTERS = Counters()

Span = tuple[int, int]
"""A time and a later one, nanoseconds UTC."""


class Port(NamedTuple):
    """What of a port does not change.

    Attributes:
        usage: None for a port that nothing is plugged into.
        neighbours: the other ends of the cables that end in it.
        follows: the number of the device whose loss of power takes the port down; None for none.
    """

    name: str
    description: str
    speed: int
    usage: Usage | None
    neighbours: tuple[Neighbour, ...]
    follows: int | None


class World:
    """A sector with what is wrong in it, started at a moment (nanoseconds UTC)."""

    def __init__(self, sector: Sector, timeline: Timeline, start: int) -> None:
        self.sector = sector
        self.timeline = timeline
        self.start = start
        self._ports: dict[int, tuple[Port, ...]] = {}

    def state(self, node: Node, time: int) -> State:
        """The device at this time."""
        return State(self, node, time)

    def ports(self, node: Node) -> tuple[Port, ...]:
        """The device's ports, by row."""
        found = self._ports.get(node.number)
        if found is None:
            found = self._ports[node.number] = tuple(self._port(node, row) for row in range(node.ports))
        return found

    def first_start(self, node: Node) -> int:
        """When the device was started before the fleet was."""
        days = LONGEST_UPTIME_DAYS * draw(self.sector.seed, node.address, "uptime")[0]
        return self.start - HOUR - round(days * 24) * HOUR

    def boots(self, node: Node, time: int) -> tuple[int, int]:
        """When the device was last started, and how often."""
        return self.timeline.boots(node.number, self.first_start(node), time)

    def _port(self, node: Node, row: int) -> Port:
        family = node.family
        speed = family.port_speed(row, node.ports)
        neighbours = tuple(one for one in self.sector.neighbours[node.number] if one.row == row)
        used = usage(node, row, speed) if neighbours or node.ports == 1 or plugged(node, row) else None
        follows = neighbours[0].node if alone(self.sector, node.number, row) else None
        return Port(family.port_name(row), family.port_description(row), speed, used, neighbours, follows)


class State:
    """One device at one time; ``time`` is nanoseconds UTC."""

    __slots__ = ("_counters", "boot", "effects", "node", "starts", "time", "uptime", "world")

    def __init__(self, world: World, node: Node, time: int) -> None:
        self.world = world
        self.node = node
        self.time = time
        self.effects = world.timeline.of(node.number)
        self.boot, self.starts = world.boots(node, time)
        self.uptime = self.ticks(time)
        self._counters: dict[int, Counters] = {}

    @property
    def ports(self) -> tuple[Port, ...]:
        """The device's ports."""
        return self.world.ports(self.node)

    def ticks(self, time: int) -> int:
        """The sysUpTime as it was at a time, hundredths of a second; 0 for a time before the last start."""
        return max(0, time - self.boot) // HUNDREDTH

    def counters(self, row: int) -> Counters:
        """What a port has counted since the last start or reset."""
        found = self._counters.get(row)
        if found is None:
            found = self._counters[row] = self._count(row)
        return found

    def reset(self, row: int) -> int:
        """When the port's counters were last set to 0; the last start, if they never were since."""
        resets = (one.since for one in self.effects if one.what == "counter_reset" and concerns(one, row))
        return max((self.boot, *(since for since in resets if since <= self.time)))

    def up(self, row: int) -> bool:
        """Whether the port is up."""
        if self.ports[row].usage is None:
            return False
        steady, flapping = self._causes(row)
        if any(since <= self.time < until for since, until in steady):
            return False
        return not any(one.holds(self.time) and _in_second_half(one, self.time) for one in flapping)

    def changed(self, row: int) -> int:
        """The ifLastChange of the port, hundredths of a second."""
        steady, flapping = self._causes(row)
        edges = [edge for span in steady for edge in span]
        edges += [_last_turn(one, self.time) for one in flapping]
        return self.ticks(max((edge for edge in edges if edge <= self.time), default=self.boot))

    def renumbered(self) -> int:
        """ifTableLastChange, hundredths of a second: when indexes were last shuffled or put back."""
        edges = [edge for one in self.effects if one.what == "index_shuffle" for edge in (one.since, one.until)]
        return self.ticks(max((edge for edge in edges if edge <= self.time), default=self.boot))

    def has(self, what: str) -> bool:
        """Whether such an effect holds now."""
        return any(one.what == what and one.holds(self.time) for one in self.effects)

    def wave(self, name: str, low: float, high: float) -> float:
        """A gauge that goes slowly up and down between two values, each name in its own time."""
        phase, pace, *_ = draw(self.node.seed, self.node.address, name)
        turn = (self.time % (1000 * HOUR)) / HOUR / (1 + 3 * pace) + phase
        return low + (high - low) * (0.5 + 0.5 * sin(turn * tau))

    def temperature(self, name: str, low: float, high: float) -> float:
        """Degrees Celsius of a sensor, which may drift."""
        drift = sum(drifted(one, self.time) for one in self.effects if one.what == "sensor_drift")
        return self.wave(name, low, high) + drift

    def on_battery(self) -> int:
        """Nanoseconds for which the UPS has been on its battery; 0 while it is on the mains."""
        return max((self.time - one.since for one in self._outages() if one.holds(self.time)), default=0)

    def outages(self) -> int:
        """How often the mains have failed."""
        return len(self._outages())

    def charge(self) -> float:
        """Per cent of the battery's charge."""
        charge, before = 100.0, 0
        for one in self._outages():
            charge = min(100.0, charge + CHARGE_A_MINUTE * (one.since - before) / MINUTE)
            before = min(one.until, self.time)
            charge = max(0.0, charge - 100.0 * (before - one.since) / max(one.amount * MINUTE, 1))
        return min(100.0, charge + CHARGE_A_MINUTE * (self.time - before) / MINUTE)

    def holds_minutes(self) -> float:
        """Minutes for which the battery would last now."""
        outages = self._outages()
        return self.charge() / 100.0 * (outages[-1].amount if outages else 15.0)

    def hears(self, neighbour: Neighbour) -> bool:
        """Whether a neighbour can be reached over its port."""
        return self.up(neighbour.row) and self.world.timeline.reachable(neighbour.node, self.time)

    def heard_since(self, neighbour: Neighbour) -> int:
        """Seconds since the neighbour was last out of reach, or the device was started."""
        effects = self.world.timeline.of(neighbour.node)
        ends = [one.until for one in effects if one.what in ("dead", "dark", "off") and one.until <= self.time]
        return (self.time - max((self.boot, *ends))) // SECOND

    def _outages(self) -> list[Effect]:
        return [one for one in self.effects if one.what == "on_battery" and one.since <= self.time]

    def _count(self, row: int) -> Counters:
        used = self.ports[row].usage
        if used is None:
            return NO_COUNTERS
        since = self.reset(row)
        steady, flapping = self._causes(row)
        down = _down(steady, flapping, (since, self.time)) if steady or flapping else 0
        return used.counters(seconds(since), seconds(max(since, self.time - down)))

    def _causes(self, row: int) -> tuple[tuple[Span, ...], list[Effect]]:
        follows = self.ports[row].follows
        steady = () if follows is None else self.world.timeline.powerless(follows)
        return steady, [one for one in self.effects if one.what == "flapping" and one.row == row]


def _down(steady: Iterable[Span], flapping: Iterable[Effect], span: Span) -> int:
    """Nanoseconds of a span in which a port is down; where causes meet, none counts twice."""
    first, last = span
    edges = {first, last}
    for since, until in (*steady, *((one.since, one.until) for one in flapping)):
        edges |= {min(max(since, first), last), min(max(until, first), last)}
    down = 0
    for begin, end in pairwise(sorted(edges)):
        if any(since <= begin < until for since, until in steady):
            down += end - begin
        else:
            found = next((one for one in flapping if one.holds(begin)), None)
            down += _flapped(found, end) - _flapped(found, begin) if found else 0
    return down


def _half(effect: Effect) -> int:
    return round(effect.amount * SECOND / 2)


def _flapped(effect: Effect, time: int) -> int:
    """Nanoseconds for which a flapping port has been down by a time."""
    half = _half(effect)
    turns, rest = divmod(time - effect.since, 2 * half)
    return turns * half + max(0, rest - half)


def _in_second_half(effect: Effect, time: int) -> bool:
    half = _half(effect)
    return (time - effect.since) % (2 * half) >= half


def _last_turn(effect: Effect, time: int) -> int:
    """When a flapping port last went up or down, or came up for good; FOREVER if it has not begun."""
    half = _half(effect)
    if time < effect.since + half:
        return FOREVER
    if time < effect.until:
        return time - (time - effect.since) % half
    return effect.until
