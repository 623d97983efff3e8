from __future__ import annotations

import uuid

import pytest
import yaml

from core.clock import MINUTE, SECOND
from core.sigma import load_rules
from correlation.rules import MOST_COUNT, PLAIN_SPAN, prepare

DETECTION = {
    "title": "A failed login",
    "id": str(uuid.UUID(int=1)),
    "name": "failed",
    "logsource": {"product": "linux"},
    "detection": {"selection": {"a": "b"}, "condition": "selection"},
}


def correlation(number=2, name="guessing", **changed):
    body = {"type": "event_count", "rules": ["failed"], "group-by": ["source.ip"], "timespan": "5m"}
    body |= {"condition": {"gte": 10}} | changed
    return {
        "title": "Guessing",
        "id": str(uuid.UUID(int=number)),
        "name": name,
        "correlation": {key: value for key, value in body.items() if value is not None},
    }


def prepared(*rules):
    documents = {f"{number}.yml": yaml.safe_dump(rule).encode() for number, rule in enumerate(rules)}
    loaded = load_rules(documents)
    assert loaded.refused == ()
    return prepare(loaded)


def test_a_plain_rule_takes_its_own_hits_by_its_object():
    (rule,), refused = prepared(DETECTION)
    assert refused == []
    assert (rule.steps, rule.group_by, rule.span, rule.threshold, rule.plain) == (
        (DETECTION["id"],),
        (),
        PLAIN_SPAN,
        1,
        True,
    )


@pytest.mark.parametrize(
    ("condition", "threshold"), [({"gte": 10}, 10), ({"gt": 10}, 11), ({"gte": 0}, 1), ({"gte": -5}, 1)]
)
def test_a_count_is_ready_with_its_threshold(condition, threshold):
    rules, refused = prepared(DETECTION, correlation(condition=condition))
    assert refused == []
    assert (rules[1].kind, rules[1].threshold, rules[1].span) == ("count", threshold, 5 * MINUTE)
    assert rules[1].steps == (DETECTION["id"],)


def test_an_order_is_ready_with_its_steps_in_order():
    chain = correlation(
        3, "login", type="temporal_ordered", rules=["guessing", "failed"], condition=None, timespan="9s"
    )
    rules, refused = prepared(chain, DETECTION, correlation())
    assert refused == []
    assert [rule.info.name for rule in rules] == ["failed", "guessing", "login"]
    assert rules[2].steps == (rules[1].info.id, rules[0].info.id)
    assert (rules[2].kind, rules[2].span) == ("ordered", 9 * SECOND)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"type": "temporal"}, "type temporal is not supported"),
        ({"type": "value_count", "condition": {"gte": 3, "field": "user.name"}}, "type value_count"),
        ({"condition": {"lt": 3}}, "lt is not supported yet: use gte or gt"),
        ({"condition": {"eq": 3}}, "eq is not supported"),
        ({"condition": {"gte": MOST_COUNT + 1}}, "use at most 10000"),
        ({"aliases": {"ip": {"failed": "source.ip"}}}, "aliases"),
        ({"type": "temporal_ordered", "condition": {"lt": 3}}, "leave it out"),
        ({"type": "temporal_ordered", "condition": "failed and failed"}, "and, or and not"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_reason(changed, reason):
    rules, refused = prepared(DETECTION, correlation(**changed))
    assert [rule.info.name for rule in rules] == ["failed"]
    assert [item.file for item in refused] == ["1.yml"]
    assert reason in refused[0].reason


def test_a_rule_that_refers_to_a_refused_one_is_refused_too():
    parent = correlation(3, "parent", rules=["guessing"])
    _, refused = prepared(DETECTION, correlation(condition={"lt": 3}), parent)
    assert refused[1].reason == "it refers to 'guessing', which is not used"


def test_a_rule_that_groups_otherwise_than_the_one_it_refers_to_is_refused():
    parent = correlation(3, "parent", rules=["guessing"], **{"group-by": ["host.name"]})
    rules, refused = prepared(DETECTION, correlation(), parent)
    assert len(rules) == 2
    assert refused[0].reason == "it must group by the same fields as 'guessing', to which it refers"


def test_a_correlation_may_group_by_nothing():
    rules, refused = prepared(DETECTION, correlation(**{"group-by": None}))
    assert refused == []
    assert (rules[1].group_by, rules[1].plain) == ((), False)
