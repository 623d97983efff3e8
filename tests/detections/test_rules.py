"""Every rule beside its events: those that must hit, and near misses that must not."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import pytest

import detections
from core.rule_text import read_rule_files
from core.sigma import LoadedRule, RuleInfo, load_rules
from detections.detect import detect
from detections.engine import ClosureEngine
from detections.examples import Example, examples_file, read_examples

RULES = Path(detections.__file__).parent / "rules"
CORRELATIONS = RULES.parent.parent / "correlation" / "rules"
RULESET = load_rules(read_rule_files([RULES, CORRELATIONS]))
BY_FILE = {rule.info.file: rule for rule in RULESET.rules}
FILES = sorted(path.relative_to(RULES).as_posix() for path in RULES.rglob("*.yml"))
INFOS = [rule.info for rule in (*RULESET.rules, *RULESET.correlations)]


def examples_of(file: str) -> list[Example]:
    return read_examples(examples_file(RULES / file))


def only(rule: LoadedRule) -> ClosureEngine:
    return ClosureEngine(msgspec.structs.replace(RULESET, rules=(rule,)))


def test_all_our_rules_load() -> None:
    assert RULESET.refused == ()
    assert len(FILES) >= 8
    assert sorted(BY_FILE) == [f"detections/rules/{file}" for file in FILES]
    assert [rule.info.name for rule in RULESET.correlations] == ["ssh_password_guessing", "ssh_login_after_guessing"]


@pytest.mark.parametrize("file", FILES)
def test_a_rule_hits_its_events_and_not_its_near_misses(file: str) -> None:
    engine = only(BY_FILE[f"detections/rules/{file}"])
    wrong = [example for example in examples_of(file) if bool(engine.match(example.event())) != example.hit]
    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_a_rule_has_two_events_that_hit_and_two_that_do_not(file: str) -> None:
    hits = [example.hit for example in examples_of(file)]
    assert hits.count(True) >= 2
    assert hits.count(False) >= 2


@pytest.mark.parametrize("file", FILES)
def test_an_event_that_hits_has_the_fields_that_say_what_was_hit(file: str) -> None:
    engine = only(BY_FILE[f"detections/rules/{file}"])
    alerts = [alert for example in examples_of(file) for alert in detect(engine, example.event())]
    assert [(name, alert.fields) for alert in alerts for name, text in alert.object if not text] == []


def test_every_events_file_belongs_to_a_rule() -> None:
    events = {path.name.removesuffix(".events.jsonl") for path in RULES.rglob("*.jsonl")}
    assert events == {Path(file).stem for file in FILES}


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_a_rule_is_fit_for_people_to_work_with(info: Any) -> None:
    assert info.name == Path(info.file).stem
    assert info.title["vi"] != info.title["en"]
    assert 4 <= len(info.guide["vi"]) <= 6
    assert len(info.guide["vi"]) == len(info.guide["en"])
    assert info.object


@pytest.mark.parametrize("rule", [*RULESET.rules, *RULESET.correlations], ids=lambda rule: rule.info.name)
def test_a_rule_says_who_when_why_and_what_else_it_may_be(rule: Any) -> None:
    sigma = rule.sigma
    assert sigma.description
    assert sigma.falsepositives
    assert sigma.author == "Hải Đăng"
    assert sigma.date
    assert str(sigma.status) in {"stable", "test", "experimental"}
    assert any(tag.namespace == "attack" for tag in sigma.tags)


@pytest.mark.parametrize("kind", ["hit", "miss"])
@pytest.mark.parametrize("info", [rule.info for rule in RULESET.correlations], ids=lambda info: info.name)
def test_a_correlation_has_ordered_events_of_known_rules_and_an_expectation(info: Any, kind: str) -> None:
    path = (CORRELATIONS.parent.parent / info.file).with_suffix(f".{kind}.jsonl")
    expectation, *events = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert (expectation["expect"] > 0) == (kind == "hit")
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert {event["rule"] for event in events} <= {rule.info.name for rule in RULESET.rules}
    assert all(set(info.object) <= set(event["fields"]) for event in events)


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_the_vietnamese_words_are_the_agreed_ones(info: RuleInfo) -> None:
    words = "\n".join([info.title["vi"], *info.guide["vi"]])
    assert unicodedata.is_normalized("NFC", words)
    assert re.findall(r"luật|chứng cứ|phụ trách|khoá|huỷ", words, re.IGNORECASE) == []
