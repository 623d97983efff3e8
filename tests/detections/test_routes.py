from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.logsources import Terms
from core.records import Logsource
from detections.engine import ClosureEngine
from detections.routes import Routes, concerns

TERM = st.sampled_from(["", "a", "b"])
SOURCE = st.builds(Logsource, product=TERM, category=TERM, service=TERM)
SOME = st.frozensets(st.sampled_from(["a", "b"]))
TERMS = st.builds(Terms, SOME, SOME, SOME)


def terms(product: str = "", service: str = "") -> Terms:
    return Terms(frozenset({product} - {""}), frozenset(), frozenset({service} - {""}))


@given(st.lists(SOURCE, max_size=30), TERMS)
def test_what_is_found_is_what_concerns_the_event_once(rules, event) -> None:
    found = list(Routes((rule, number) for number, rule in enumerate(rules)).find(event))
    assert sorted(found) == [number for number, rule in enumerate(rules) if concerns(rule, event)]


def test_a_rule_concerns_an_event_that_has_each_term_it_gives() -> None:
    event = terms(product="linux", service="sshd")
    assert concerns(Logsource(product="linux"), event)
    assert concerns(Logsource(service="sshd"), event)
    assert not concerns(Logsource(product="linux", service="sudo"), event)
    assert not concerns(Logsource(product="linux", category="process_creation"), event)


def test_an_unknown_term_of_the_event_is_not_any() -> None:
    assert not concerns(Logsource(product="linux"), terms(service="sshd"))


def test_the_engine_tries_only_rules_of_the_events_log_source(rule, ruleset, event) -> None:
    engine = ClosureEngine(ruleset(rule()))
    assert [info.title["en"] for info in engine.match(event({"a": "b"}))] == ["A test"]
    assert engine.match(event({"a": "b"}, logsource=Logsource(product="cisco"))) == []


def test_the_engine_tells_every_rule_once(rule, ruleset, event) -> None:
    other = rule(id="22222222-2222-4222-8222-222222222222", logsource={"category": "x", "product": "linux"})
    engine = ClosureEngine(ruleset(rule(), other))
    matched = engine.match(event({"a": "b"}, logsource=Logsource(product="linux", category="x")))
    assert sorted(info.id[0] for info in matched) == ["1", "2"]
