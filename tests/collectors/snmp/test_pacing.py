from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.snmp.pacing import FAILURES, GRACE, SELDOM, Due, Pacing
from core.clock import MINUTE, SECOND

NAMES = st.sets(st.text("abcdefg0123456789-", min_size=1, max_size=8), min_size=1, max_size=300)


class World:
    """Devices that answer, are slow or are dead, polled as planned."""

    def __init__(self, names: set[str], period: int = MINUTE, start: int = 0) -> None:
        self.now = start
        self.pacing = Pacing(names, period, start)
        self.begun: list[tuple[int, Due]] = []
        self.dead: set[str] = set()
        self.slow: dict[str, int] = {}
        self._open: list[tuple[int, str]] = []

    def step(self, nanoseconds: int) -> None:
        self.now += nanoseconds
        for ends, name in [one for one in self._open if one[0] <= self.now]:
            self._open.remove((ends, name))
            (self.pacing.failed if name in self.dead else self.pacing.answered)(name, self.now)
        for due in self.pacing.due(self.now):
            self.begun.append((self.now, due))
            took = 4 * SECOND if due.device in self.dead else self.slow.get(due.device, SECOND // 10)
            self._open.append((self.now + took, due.device))

    def run(self, seconds: float, tick: int = SECOND // 20) -> None:
        until = self.now + int(seconds * SECOND)
        while self.now < until:
            self.step(tick)

    def polls(self, name: str) -> list[int]:
        return [when for when, due in self.begun if due.device == name]


@settings(max_examples=25, deadline=None)
@given(NAMES, st.integers(0, 10**15))
def test_every_healthy_device_is_polled_once_a_period_and_no_second_has_more_than_its_share(names, start):
    world = World(names, start=start)
    world.run(180)
    assert all(len(world.polls(name)) in {2, 3, 4} for name in names)
    for name in names:
        times = world.polls(name)
        assert all(abs(after - before - MINUTE) < SECOND for before, after in pairwise(times))
    share = len(names) / 60
    for tenth in range(1800):
        begins = start + tenth * SECOND // 10
        assert sum(begins < when <= begins + SECOND for when, _ in world.begun) <= share + 3


@settings(max_examples=15, deadline=None)
@given(NAMES, st.integers(1, 400), st.integers(0, 10**6))
@example({"0", "00", "000", "1"}, 317, 15)  # it ends at the very moment at which one is due
def test_nothing_bunches_after_a_stall(names, stalled, seed):
    world = World(names)
    world.run(Random(seed).uniform(60, 120))  # noqa: S311 - not for secrets
    world.begun.clear()
    world.now += stalled * SECOND
    world.run(60)
    share = len(names) / 60
    by_second = Counter(when // SECOND for when, _ in world.begun)
    assert max(by_second.values()) <= 2 * share + share + 3
    assert all(due.late <= GRACE for _, due in world.begun)
    assert {due.device for _, due in world.begun} == names


@settings(max_examples=15, deadline=None)
@given(NAMES, st.data())
def test_dead_and_slow_devices_delay_nobody(names, data):
    world = World(names)
    world.dead = data.draw(st.sets(st.sampled_from(sorted(names)), max_size=len(names) // 2))
    world.slow = dict.fromkeys(sorted(names - world.dead)[::5], 2 * SECOND)
    world.run(600, SECOND // 10)
    for name in names - world.dead:
        assert len(world.polls(name)) in {9, 10, 11}
    assert max(due.late for _, due in world.begun) <= SECOND


def test_a_dead_device_is_probed_ever_more_seldom():
    world = World({"dead", "well"})
    world.dead = {"dead"}
    world.run(3600, SECOND // 4)
    probes = [(when, due.is_probe) for when, due in world.begun if due.device == "dead"]
    assert [is_probe for _, is_probe in probes[: FAILURES + 1]] == [False] * FAILURES + [True]
    gaps = [round((after - before) / MINUTE) for (before, _), (after, _) in pairwise(probes)]
    assert gaps[:6] == [1, 1, 1, 2, 4, 5]
    assert set(gaps[6:]) == {SELDOM // MINUTE}
    assert all(is_probe for _, is_probe in probes[FAILURES:])


def test_a_device_that_answers_again_is_polled_as_before():
    world = World({"back"})
    world.dead = {"back"}
    world.run(900, SECOND // 4)
    world.dead = set()
    world.run(300, SECOND // 4)
    world.begun.clear()
    world.run(300, SECOND // 4)
    assert len(world.begun) == 5
    assert not any(due.is_probe for _, due in world.begun)


def test_a_device_is_given_up_once_until_it_answers():
    pacing = Pacing({"a"}, MINUTE, 0)
    for _ in range(2):
        assert [pacing.failed("a", 1) for _ in range(FAILURES + 1)] == [False] * (FAILURES - 1) + [True, False]
        pacing.answered("a", 2)
    pacing.answered("unknown", 3)


def test_a_poll_that_lasts_longer_than_a_period_is_not_begun_twice():
    world = World({"slow"})
    world.slow = {"slow": 90 * SECOND}
    world.run(600, SECOND // 4)
    times = world.polls("slow")
    assert all(after - before >= 90 * SECOND for before, after in pairwise(times))
    assert world.pacing.missed > 0


def test_a_device_keeps_its_place_when_others_come_and_go():
    names = {f"d{number}" for number in range(1000)}
    world = World(names)
    world.run(61)
    before = {name: world.polls(name)[-1] % MINUTE for name in names}
    world.begun.clear()
    world.pacing.replace(names | {"new"} - {"d7"}, world.now)
    world.run(61)
    for name in names - {"d7"}:
        moved = abs(world.polls(name)[-1] % MINUTE - before[name])
        assert min(moved, MINUTE - moved) < SECOND


def test_nobody_to_poll_is_no_reason_to_hurry():
    pacing = Pacing((), MINUTE, 0)
    assert pacing.due(10 * MINUTE) == []
    assert pacing.wait(0) == MINUTE
