"""The long proofs of the Sigma engine: every rule's events, thousands of random rules, a flood of values."""

from __future__ import annotations

import gc
import random
import resource
import time
from pathlib import Path

import pytest
from corpus import ENGINES, FAST, sigmahq_ruleset
from derived import hit_event, near_misses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma_random import aimed, events, rule_files

from core.records import Event, Logsource
from core.sigma import load_rules

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]

DISTINCT = 1_000_000
PAGE = resource.getpagesize()


def answers(engine, event: Event) -> list[str]:
    return sorted(info.id for info in engine.match(event))


def resident() -> int:
    """Bytes of memory that the process holds now (proc(5))."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * PAGE


def test_every_rule_has_an_event_that_meets_it_and_all_near_misses_get_the_same_answers():
    ruleset = sigmahq_ruleset()
    plain, fast = ENGINES["closures"](ruleset), {name: make(ruleset) for name, make in FAST.items()}
    met = compared = 0
    wrong = []
    for rule in ruleset.rules:
        hit = hit_event(rule)
        for event in () if hit is None else (hit, *near_misses(hit)):
            compared += 1
            expected = answers(plain, event)
            wrong += [(name, event) for name, engine in fast.items() if answers(engine, event) != expected]
        met += hit is not None
    print(f"\nrules met by their own event: {met} of {len(ruleset.rules)}; events compared: {compared}")
    assert met == len(ruleset.rules)
    assert wrong == []


@pytest.mark.parametrize("name", FAST)
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=rule_files(), examined=st.lists(events(), max_size=8), seed=st.integers(0, 2**16))
def test_thousands_of_random_rules_get_the_same_answers(name, files, examined, seed):
    ruleset = load_rules(files)
    plain, fast = ENGINES["closures"](ruleset), FAST[name](ruleset)
    examined += aimed(ruleset, seed)
    for event in (*examined, *reversed(examined)):
        assert answers(fast, event) == answers(plain, event)


@pytest.mark.parametrize("name", FAST)
def test_a_million_distinct_values_stay_in_bounds_and_hide_no_attack(name):
    engine = FAST[name](sigmahq_ruleset())
    chance = random.Random(20261124)  # noqa: S311 - the same flood each time
    attack = next(rule for rule in sigmahq_ruleset().rules if rule.info.logsource.category == "process_creation")
    hit = hit_event(attack)
    assert hit is not None
    source = Logsource(product="windows", category="process_creation")
    gc.collect()
    gc.freeze()  # as the lane does with the rules it uses
    before = began = longest = 0.0
    for number in range(DISTINCT):
        line = f"{chance.getrandbits(128):x} --run {number}"
        event = Event(
            id="f/0/0", time=0, seen=0, logsource=source, fields={"CommandLine": line, "Image": line}, raw=b"{}"
        )
        if number == DISTINCT // 5:
            before, began = resident(), time.process_time()
        started = time.perf_counter()
        engine.match(event)
        longest = max(longest, time.perf_counter() - started) if before else 0.0
        if number % 100_000 == 0:
            assert attack.info in engine.match(hit)
    grown, took = resident() - before, time.process_time() - began
    print(
        f"\n{name}: {DISTINCT} distinct values: {took / DISTINCT / 0.8 * 1e6:.0f} us CPU each, longest "
        f"{longest * 1e3:.0f} ms, {grown / 1e6:.0f} MB more after the first fifth, {engine.memory.turns} turns"
    )
    assert grown < 100e6
