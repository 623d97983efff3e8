"""Every fast engine gives exactly the closure engine's answers: on real, derived and random events."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import pytest
from corpus import ENGINES, FAST, otrf_events, sigmahq_ruleset
from derived import hit_event, near_misses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma_random import aimed, events, rule_files

from core.records import Event
from core.sigma import LoadedRule, load_rules
from detections.engine import Matcher

A_LOGSOURCE = 3  # rules of each log source in the sample


@lru_cache(maxsize=4)
def engine_of_all(name: str) -> Matcher:
    return ENGINES[name](sigmahq_ruleset())


def answers(engine: Matcher, event: Event) -> list[str]:
    return sorted(info.id for info in engine.match(event))


@lru_cache(maxsize=1)
def plain_answers() -> list[list[str]]:
    return [answers(engine_of_all("closures"), event) for event in otrf_events()]


@pytest.fixture(scope="module")
def sample() -> list[tuple[LoadedRule, Event]]:
    """The first rules of each log source, each with an event that meets it."""
    ordered = sorted(sigmahq_ruleset().rules, key=lambda rule: (_source(rule), rule.info.id))
    grouped = groupby(ordered, key=_source)
    made = ((rule, hit_event(rule)) for _, rules in grouped for rule in list(rules)[:A_LOGSOURCE])
    return [(rule, event) for rule, event in made if event is not None]


def _source(rule: LoadedRule) -> tuple[str, str, str]:
    source = rule.info.logsource
    return source.product, source.category, source.service


def differences(name: str, examined: list[Event]) -> list[str]:
    plain, fast = engine_of_all("closures"), engine_of_all(name)
    return [event.id for event in examined if answers(plain, event) != answers(fast, event)]


def test_the_closure_engine_is_not_silent_on_real_events():
    assert sum(map(len, plain_answers())) > 300


@pytest.mark.parametrize("name", FAST)
def test_real_events_get_the_same_answers(name):
    fast = engine_of_all(name)
    wrong = [
        event.id
        for event, expected in zip(otrf_events(), plain_answers(), strict=True)
        if answers(fast, event) != expected
    ]
    assert wrong == []


def test_every_rule_of_the_sample_is_met_by_its_event(sample):
    engine = engine_of_all("closures")
    assert len({_source(rule) for rule, _ in sample}) == len({_source(rule) for rule in sigmahq_ruleset().rules})
    assert [rule.info.file for rule, event in sample if rule.info not in engine.match(event)] == []


@pytest.mark.parametrize("name", FAST)
def test_derived_events_and_their_near_misses_get_the_same_answers(name, sample):
    examined = [one for _, event in sample for one in (event, *near_misses(event))]
    assert differences(name, examined) == []


@pytest.mark.parametrize("name", FAST)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=rule_files(), examined=st.lists(events(), max_size=4), seed=st.integers(0, 2**16))
def test_random_rules_and_events_get_the_same_answers(name, files, examined, seed):
    ruleset = load_rules(files)
    plain, fast = ENGINES["closures"](ruleset), FAST[name](ruleset)
    examined += aimed(ruleset, seed)
    for event in (*examined, *reversed(examined)):  # what a cache remembers is as right as what it did not
        assert answers(fast, event) == answers(plain, event)
