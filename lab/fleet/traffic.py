"""What a port has carried since a moment, as a pure function of device, port and time.

The rate follows the day (highest in the early afternoon of Asia/Ho_Chi_Minh) and, at regular times, a burst; both have
an integral in closed form, so that a counter's true value at any time is computed and never added up.
"""

from __future__ import annotations

from math import cos, sin, tau
from typing import NamedTuple

from core.clock import SECOND
from lab.fleet.draws import draw
from lab.fleet.sector import Node

DAY = 86_400.0
"""Seconds."""

PEAK = 7.0 * 3600
"""The second of the UTC day at which most is carried: 14:00 in Vietnam."""

UP_SHARE = 0.7
"""The share of the ports without a cable in the sector that are up."""

_BITS = 8
_BROADCASTS, _MULTICASTS = 400, 150
_ERRORS_OF_A_BAD_PORT, _ERRORS, _DISCARDS = 20_000, 40_000_000, 3_000_000


class Flow(NamedTuple):
    """How one direction of a port is used.

    Attributes:
        mean: octets a second over a day, bursts aside.
        swing: how far the day's curve goes from the mean, as a share of it.
        late: seconds by which the day's peak differs.
        burst: octets a second that a burst adds.
        every: seconds from one burst to the next; ``lasts`` is how long it is, ``phase`` where in it time 0 lies.
        packet: octets of a packet.
    """

    mean: float
    swing: float
    late: float
    burst: float
    every: float
    lasts: float
    phase: float
    packet: int

    def carried(self, since: float, until: float) -> int:
        """Octets from one time to another, in seconds since 1970-01-01 UTC."""
        return int(self._sum(until, since) - self._sum(since, since))

    def rate(self, at: float) -> float:
        """Octets a second at a time."""
        angle = (at - PEAK - self.late) / DAY * tau
        within = (at + self.phase) % self.every < self.lasts
        return self.mean * (1 + self.swing * cos(angle)) + self.burst * within

    def _sum(self, at: float, since: float) -> float:
        """An integral of the rate; times are taken from ``since`` on, which keeps the numbers exact."""
        start = (since + self.phase) % self.every
        turns, rest = divmod(at - since + start, self.every)
        bursts = turns * self.lasts + min(rest, self.lasts)
        angle = (since % DAY - PEAK - self.late) / DAY * tau
        day = self.swing * DAY / tau * (sin(angle + (at - since) / DAY * tau) - sin(angle))
        return self.mean * (at - since + day) + self.burst * bursts


class Counters(NamedTuple):
    """A port's counters, not yet wrapped (RFC 2863)."""

    in_octets: int = 0
    in_unicast: int = 0
    in_multicast: int = 0
    in_broadcast: int = 0
    in_discards: int = 0
    in_errors: int = 0
    out_octets: int = 0
    out_unicast: int = 0
    out_multicast: int = 0
    out_broadcast: int = 0
    out_discards: int = 0
    out_errors: int = 0


class Usage(NamedTuple):
    """Both directions of a port, and whether its cable is a bad one."""

    inward: Flow
    outward: Flow
    bad: bool

    def counters(self, since: float, until: float) -> Counters:
        """What the port has counted between two times, in seconds since 1970-01-01 UTC."""
        inward = _direction(self.inward, since, until)
        outward = _direction(self.outward, since, until)
        errors = inward[1] // (_ERRORS_OF_A_BAD_PORT if self.bad else _ERRORS)
        return Counters(*inward, errors, *outward, 0)


def plugged(node: Node, row: int) -> bool:
    """Whether a port without a cable in the sector has something on it that the sector does not name."""
    return draw(node.seed, node.address, row, "plugged")[0] < UP_SHARE


def usage(node: Node, row: int, speed: int) -> Usage:
    """How a port of this speed, in bits a second, is used."""
    inward, outward = (_flow(draw(node.seed, node.address, row, way), speed / _BITS) for way in ("in", "out"))
    return Usage(inward, outward, draw(node.seed, node.address, row, "bad")[0] < 0.02)  # noqa: PLR2004 - a rare thing


def _flow(numbers: tuple[float, ...], octets_a_second: float) -> Flow:
    """Never more than nine tenths of the port's speed."""
    mean = octets_a_second * (0.001 + 0.25 * numbers[0] ** 3)
    return Flow(
        mean=mean,
        swing=0.3 + 0.5 * numbers[1],
        late=(numbers[2] - 0.5) * 7200,
        burst=octets_a_second * 0.4 * numbers[3] ** 2,
        every=300.0 + 3300 * numbers[4],
        lasts=20.0 + 100 * numbers[5],
        phase=3600 * numbers[6],
        packet=200 + int(900 * numbers[7]),
    )


def _direction(flow: Flow, since: float, until: float) -> tuple[int, int, int, int, int]:
    """Octets, and what is told of packets: unicast, multicast, broadcast, discarded."""
    carried = flow.carried(since, until)
    packets = carried // flow.packet
    return carried, packets, packets // _MULTICASTS, packets // _BROADCASTS, packets // _DISCARDS


def seconds(nanoseconds: int) -> float:
    """A time in seconds."""
    return nanoseconds / SECOND
