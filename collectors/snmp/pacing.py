"""When which device is asked: evenly over the period, the dead seldom, nobody for another's sake. Pure.

Devices are ranked by a hash of their names, and the rank is the place in the period: the n-th of N is due n/N of a
period after its beginning. So any second has its even share, a device keeps its place when others come and go but for
a few milliseconds, and every restart finds the same plan.
"""

from __future__ import annotations

import heapq
import math
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from core.clock import MINUTE, SECOND

FAILURES = 3
"""Polls without an answer after which a device is only probed."""

SELDOM = 5 * MINUTE
"""The longest time between two probes."""

GRACE = 5 * SECOND
"""How late a poll may begin; one that is later is left out and counted, for the next is not far."""

_CATCH_UP = 2
"""How many times the even share may begin in a second while what was delayed is made up for."""


class Due(NamedTuple):
    """A device whose turn it is: how much later than planned, and whether it is only to be probed."""

    device: str
    late: int
    is_probe: bool


class _Pace(msgspec.Struct):
    """One device's place and state."""

    offset: int
    planned: int = 0
    asked: bool = False
    failures: int = 0
    ticket: int = 0


class Pacing:
    """The plan of all devices. Times are nanoseconds on a steady clock.

    Args:
        devices: their names.
        period: nanoseconds between two polls of a device.
        now: the time at which it begins.

    Attributes:
        missed: polls that were left out: the one before had not ended, or we were too late.
    """

    def __init__(self, devices: Iterable[str], period: int, now: int) -> None:
        self.missed = 0
        self._period = period
        self._paces: dict[str, _Pace] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._tickets = 0
        self._allowance = 0.0
        self._last = now
        self.replace(devices, now)
        self._allowance = self._most()

    def replace(self, devices: Iterable[str], now: int) -> None:
        """The devices are now these; those that stay keep what is known of them."""
        ranked = sorted(set(devices), key=lambda name: (zlib.crc32(name.encode()), name))
        for gone in self._paces.keys() - set(ranked):
            del self._paces[gone]
        for rank, name in enumerate(ranked):
            offset = rank * self._period // len(ranked)
            pace = self._paces.setdefault(name, _Pace(offset))
            pace.offset = offset
            self._plan(name, pace, self._slot(offset, now))
        self._allowance = min(self._allowance, self._most())

    def due(self, now: int) -> list[Due]:
        """Whose turn it is, the longest waiting first; they are taken as asked until ``answered`` or ``failed``."""
        self._earn(now)
        found: list[Due] = []
        while self._heap and self._heap[0][0] <= now and self._allowance >= 1:
            planned, ticket, name = heapq.heappop(self._heap)
            pace = self._paces.get(name)
            if pace is None or pace.ticket != ticket:
                continue
            if pace.asked or now - planned > GRACE:
                self.missed += 1
                self._plan(name, pace, self._slot(pace.offset, now - 1))  # this very moment counts
                continue
            self._allowance -= 1
            pace.asked = True
            is_probe = pace.failures >= FAILURES
            found.append(Due(name, now - planned, is_probe))
            self._plan(name, pace, self._next(pace, now))
        return found

    def wait(self, now: int) -> int:
        """Nanoseconds until somebody may be due; a period if nobody is."""
        if not self._heap:
            return self._period
        until = max(0, self._heap[0][0] - now)
        short = 1 - self._allowance
        return max(until, math.ceil(short / self._rate())) if short > 0 else until

    def answered(self, device: str, now: int) -> None:
        """The device has answered."""
        pace = self._paces.get(device)
        if pace is not None:
            pace.asked, pace.failures = False, 0
            self._plan(device, pace, self._slot(pace.offset, now))

    def failed(self, device: str, now: int) -> bool:
        """The device has not answered; whether that gives it up."""
        pace = self._paces.get(device)
        if pace is None:
            return False
        pace.asked = False
        pace.failures += 1
        self._plan(device, pace, self._next(pace, now))
        return pace.failures == FAILURES

    def _plan(self, name: str, pace: _Pace, planned: int) -> None:
        if planned == pace.planned and pace.ticket:
            return
        self._tickets += 1
        pace.planned, pace.ticket = planned, self._tickets
        heapq.heappush(self._heap, (planned, self._tickets, name))

    def _slot(self, offset: int, now: int) -> int:
        """The next time after ``now`` at this place in a period."""
        return now + self._period - (now - offset) % self._period

    def _next(self, pace: _Pace, now: int) -> int:
        """When it is asked next: in a period, or, the longer it is silent, in two, four and five minutes."""
        slot = self._slot(pace.offset, now)
        if pace.failures < FAILURES:
            return slot
        doubled = self._period << min(pace.failures - FAILURES, 16)
        seldom = max(SELDOM // self._period, 1) * self._period
        return slot - self._period + max(min(doubled, seldom), self._period)

    def _earn(self, now: int) -> None:
        self._allowance = min(self._allowance + max(0, now - self._last) * self._rate(), self._most())
        self._last = max(self._last, now)

    def _rate(self) -> float:
        """Polls that may begin in a nanosecond: of few devices one a second, or they would wait for one another."""
        return max(_CATCH_UP * len(self._paces) / self._period, 1 / SECOND)

    def _most(self) -> float:
        """Polls that may begin at one moment: what the even share brings in a second, and one."""
        return len(self._paces) * SECOND / self._period + 1
