"""Simulated ports that are polled: what their counters show, and what they truly counted, to judge rates by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from collectors.snmp.counters import UNLIMITED, Counts, Gap, Rates, rates
from core.clock import SECOND

TURN = 1 << 32
PERIOD = 60
TOLERANCE = 1.1
SPEEDS = (0.0, 64e3, 10e6, 100e6, 1e9, 10e9, 100e9)
"""Bits a second; 0 is a port of which the speed is not known."""


class Step(NamedTuple):
    """One poll that was answered: what it showed, and what happened since the last one that was."""

    counts: Counts
    counted: int
    declared: bool
    undeclared: bool
    suspended: bool
    speed: float
    bits: int


class Port:
    """A port with one counter of octets, in a device that restarts, is cleared, and is not always reached."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.bits = random.choice((32, 64))
        self.speed = random.choice(SPEEDS)
        turn = 1 << self.bits
        self.value = random.choice((0, random.randrange(turn), turn - random.randrange(1, 10**6)))
        self.uptime = random.choice((random.randrange(TURN), TURN - random.randrange(1, 60_000), 0))
        self.discontinuity = 0
        self.steady = random.randrange(10**15)
        self.declared = self.undeclared = self.suspended = False
        self.counted = 0
        self.has_discontinuity = random.random() < 0.7

    def pass_time(self, seconds: float) -> None:
        """Counts at a rate that the port can have."""
        fastest = self.speed or 1e9 / (10 if self.bits == 32 else 1)
        share = self.random.choice((0.0, self.random.random(), 0.999, 1.0))
        octets = int(fastest * share * seconds / 8)
        self.value = (self.value + octets) % (1 << self.bits)
        self.counted += octets
        self.uptime = (self.uptime + int(seconds * 100)) % TURN
        self.steady += int(seconds * SECOND)

    def happen(self) -> None:
        """Perhaps something that is no traffic."""
        chance = self.random.random()
        if chance < 0.04:  # restart: what was counted before it is lost with its counter
            self.steady += int(self.random.uniform(25, 300) * SECOND)
            self.value = self.uptime = self.discontinuity = 0
            self.declared = True
        elif chance < 0.07 and self.has_discontinuity:
            self.value = 0
            self.discontinuity = max(1, self.uptime)
            self.declared = True
        elif chance < 0.09:
            self.value = 0
            self.undeclared = True
        elif chance < 0.11:  # our machine sleeps: the device counts on, our clock does not
            slept = self.random.uniform(200, 7200)
            steady = self.steady
            self.pass_time(slept)
            self.steady = steady
            self.suspended = True

    def show(self) -> Step:
        limit = self.speed * TOLERANCE / 8 if self.speed else UNLIMITED
        counts = Counts(
            steady_ns=self.steady,
            uptime=self.uptime,
            names=("port",),
            columns={"octets": [self.value]},
            widths={"octets": (self.bits,)},
            limits={"octets": [limit]},
            discontinuity=[self.discontinuity] if self.has_discontinuity else (),
        )
        step = Step(counts, self.counted, self.declared, self.undeclared, self.suspended, self.speed, self.bits)
        self.counted, self.declared, self.undeclared, self.suspended = 0, False, False, False
        return step


def sequence(random: Random, polls: int) -> Iterator[Step]:
    """A port's polls that were answered, one after another."""
    port = Port(random)
    yield port.show()
    for _ in range(polls):
        port.happen()
        port.pass_time(random.uniform(PERIOD - 3, PERIOD + 3))
        port.happen()
        if random.random() < 0.1:
            continue  # a missed poll
        yield port.show()


def judge(before: Step, after: Step) -> str:
    """What is wrong with the rate between two polls; empty if nothing is."""
    made = rates(before.counts, after.counts)
    rate, gap = made.columns["octets"][0], made.gaps[0]
    if rate is None:
        return _needless(made, after) if gap else "no rate and no reason"
    if gap:
        return f"a rate and a reason: {gap}"
    most = after.speed * TOLERANCE / 8 if after.speed else _unlimited(after, made.seconds)
    if rate > most:
        return f"a false peak: {rate} of {most}"
    if after.undeclared or _looks_uninterrupted(before, after):
        return ""  # nobody can know; that it is no peak is all that can be asked
    if not math.isclose(rate * made.seconds, after.counted, rel_tol=1e-9, abs_tol=1.0):
        return f"counted {after.counted}, told {rate * made.seconds}{' over a restart' if after.declared else ''}"
    return ""


def _looks_uninterrupted(before: Step, after: Step) -> bool:
    """A restart that uptime cannot show: its 32 bits end, or our clock stood still, for just as long as it took."""
    then, now = before.counts.uptime or 0, after.counts.uptime or 0
    passed, elapsed = (now - then) % TURN / 100, (after.counts.steady_ns - before.counts.steady_ns) / SECOND
    declared = list(before.counts.discontinuity) != list(after.counts.discontinuity)
    return after.declared and not declared and abs(passed - elapsed) <= 15 + elapsed / 20


def _needless(made: Rates, after: Step) -> str:
    """A gap must have its reason in what happened."""
    gap = Gap(made.gaps[0])
    if after.declared or after.undeclared or after.suspended:
        return ""
    if gap is Gap.LONG:
        return ""
    seconds = (PERIOD + 3) * 20
    if after.bits == 32 and (not after.speed or after.speed * TOLERANCE / 8 * seconds >= TURN):
        return "" if gap in {Gap.WRAP, Gap.RESET, Gap.SPEED} else f"an odd reason: {gap}"
    return f"a needless gap: {gap}"


def _unlimited(after: Step, seconds: float) -> float:
    return TURN / 2 / seconds if after.bits == 32 else 1e12
