"""Every correlation rule beside hits that must give an alert, and near misses that must not."""

from __future__ import annotations

import msgspec
import pytest

from core.clock import SECOND
from core.rule_text import read_rule_files
from core.settings import HOME
from core.sigma import load_rules
from correlation.correlator import Correlator
from correlation.rules import prepare

FOLDER = HOME / "correlation" / "rules"
EXAMPLES = sorted(FOLDER.rglob("*.jsonl"))
RULES = sorted(FOLDER.rglob("*.yml"))


@pytest.fixture(scope="module")
def loaded():
    ruleset = load_rules(read_rule_files([HOME / "detections" / "rules", FOLDER]))
    assert ruleset.refused == ()
    return ruleset


def read_example(path, hit, identities):
    """What the file expects, and its hits."""
    first, *lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    hits = [
        hit(identities[line["rule"]], line["at"], number, fields=line["fields"], name=line["rule"])
        for number, line in enumerate(lines)
    ]
    return first["expect"], hits


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_rules_examples_give_as_many_alerts_as_they_say(path, loaded, hit, run, dice):
    identities = {rule.info.name: rule.info.id for rule in (*loaded.rules, *loaded.correlations)}
    expected, hits = read_example(path, hit, identities)
    own = identities[path.name.split(".")[0]]
    rules, refused = prepare(loaded)
    assert refused == []
    dice(0).shuffle(hits)
    assert len(run(Correlator(rules, 60 * SECOND), [hits]).of(own)) == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda path: path.stem)
def test_every_correlation_rule_has_hits_and_near_misses(rule):
    hit, miss = (msgspec.json.decode(_example(rule, kind).splitlines()[0])["expect"] for kind in ("hit", "miss"))
    assert hit > 0
    assert miss == 0


def _example(rule, kind):
    return rule.with_name(f"{rule.stem}.{kind}.jsonl").read_bytes()


def test_there_are_no_examples_without_a_rule():
    assert {path.with_name(path.name.split(".")[0] + ".yml") for path in EXAMPLES} == set(RULES)
