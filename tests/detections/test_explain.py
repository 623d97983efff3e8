from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma.types import SigmaQueryExpression

from core.records import Logsource
from core.rule_text import read_rule_files
from core.settings import HOME
from core.sigma import load_rules
from detections.engine import ClosureEngine
from detections.examples import examples_file, read_examples
from detections.explain import Explanation, Part, deciding, explain
from detections.wanted import wanted_of

RULESET = load_rules(read_rule_files([HOME / "detections" / "rules"]))
TEXT = st.sampled_from(["b", "B", "c", "", "a b", None, 5, True, ["b", "c"]])
DETECTION = {
    "one": {"a": "b", "c|contains": "b"},
    "two": [{"a|startswith": "a"}, {"c|exists": False}],
    "words": ["c", "zz"],
    "filter": {"a|re": "^B$"},
}
CONDITIONS = ["one", "not one", "1 of them", "all of them", "one and not (two or filter)", ["words", "not two"]]


@pytest.fixture
def explained(rule, ruleset, event):
    """The explanation of a rule with this detection and an event with these fields."""

    def explaining(detection, fields, raw=b"", **changed) -> Explanation:
        (loaded,) = ruleset(rule(detection={"condition": "selection", **detection}, **changed)).rules
        return explain(loaded, event(fields, raw))

    return explaining


def only(explanation: Explanation) -> Part:
    (part,) = explanation.conditions
    return part


@pytest.mark.parametrize("rule", RULESET.rules, ids=lambda rule: rule.info.name)
def test_an_explanation_of_our_rules_agrees_with_the_engine_on_every_event_of_all(rule) -> None:
    engine = ClosureEngine(msgspec.structs.replace(RULESET, rules=(rule,)))
    path = examples_file(HOME / "detections" / "rules" / rule.info.file.split("/", 2)[2])
    events = [example.event() for example in read_examples(path)]
    assert [explain(rule, event).hit for event in events] == [bool(engine.match(event)) for event in events]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # these fixtures are plain functions
@given(
    condition=st.sampled_from(CONDITIONS),
    fields=st.dictionaries(st.sampled_from("acz"), TEXT),
    product=st.sampled_from(["linux", "cisco"]),
)
def test_an_explanation_agrees_with_the_engine(rule, ruleset, event, condition, fields, product) -> None:
    rules = ruleset(rule(detection={**DETECTION, "condition": condition}))
    happened = event(fields, logsource=Logsource(product=product))
    assert explain(rules.rules[0], happened).hit == bool(ClosureEngine(rules).match(happened))


def test_the_condition_is_a_tree_with_the_selections_by_name(explained) -> None:
    detection = {
        "sel_a": {"a": "x", "b": "y"}, "sel_b": {"c": ["1", "2"]}, "filter": {"d": "z"},
        "condition": "all of sel_* and not filter",
    }  # fmt: skip
    top = only(explained(detection, {"a": "x", "b": "n", "c": "2"}))
    both, no_filter = top.parts
    assert (top.kind, top.met, both.kind, both.met) == ("all", False, "all", False)
    assert [(part.name, part.kind, part.met) for part in both.parts] == [
        ("sel_a", "all", False), ("sel_b", "any", True),
    ]  # fmt: skip
    assert (no_filter.kind, no_filter.met, no_filter.parts[0].name, no_filter.parts[0].met) == (
        "not", True, "filter", False,
    )  # fmt: skip


def test_a_failing_test_tells_what_the_event_has(explained) -> None:
    part = only(explained({"selection": {"a|endswith": ".exe"}}, {"a": "x.dll"}))
    assert (part.field, part.met, part.key, part.found) == ("a", False, "a", "x.dll")
    assert (part.wanted.test, part.wanted.value) == ("endswith", ".exe")


def test_missing_null_and_empty_are_told_apart(explained) -> None:
    found = {
        name: (part.key, part.found)
        for name, fields in {"missing": {}, "null": {"a": None}, "empty": {"a": ""}}.items()
        for part in (only(explained({"selection": {"a": "x"}}, fields)),)
    }
    assert found == {"missing": ("", None), "null": ("a", None), "empty": ("a", "")}


def test_a_field_is_found_under_the_name_that_its_source_gives_it(explained) -> None:
    part = only(explained({"selection": {"CommandLine": "x"}}, {"CommandLine": "y"}))
    assert part.keys[0] == "process.command_line"
    assert part.key == "CommandLine"


def test_a_keyword_tells_the_value_that_holds_it(explained) -> None:
    assert only(explained({"selection": ["root"]}, {"a": "b"}, b"login of root")).found == "login of root"
    assert only(explained({"selection": ["root"]}, {"a": "b"})).met is False


def test_a_value_that_becomes_several_is_any_of_them(explained) -> None:
    part = only(explained({"selection": {"a|windash|contains": " -e"}}, {"a": "x /e"}))
    assert (part.kind, part.met) == ("any", True)
    assert [one.wanted.value for one in part.parts if one.met] == [" /e"]
    keyword = only(explained({"selection": {"|windash|contains": " -e"}}, {"a": "x /e"}))
    assert (keyword.kind, keyword.met) == ("any", True)


def test_another_log_source_is_told_and_no_hit_whatever_the_condition(explained) -> None:
    explanation = explained({"selection": {"a": "b"}}, {"a": "b"}, logsource={"product": "windows"})
    assert not explanation.hit
    assert not explanation.logsource.met
    assert explanation.logsource.rule == Logsource(product="windows")
    assert explanation.logsource.products == ("linux",)
    assert only(explanation).met


def test_what_decides_leaves_out_what_does_not_matter(explained) -> None:
    detection = {"sel": {"a": "x", "b": ["y", "z"]}, "filter": {"c": "w"}, "condition": "sel and not filter"}
    tests = [
        [one.field for one in deciding(only(explained(detection, fields)))]
        for fields in ({"a": "x", "b": "z", "c": "w"}, {"a": "x", "b": "n"}, {"a": "x", "b": "z"})
    ]
    assert tests == [["c"], ["b", "b"], ["a", "b", "c"]]


@pytest.mark.parametrize(
    ("selection", "test", "value"),
    [
        ({"a": "x"}, "equals", "x"), ({"a": ""}, "equals", ""), ({"a": "*"}, "like", "*"),
        ({"a": "**"}, "like", "**"), ({"a": "x*y?"}, "like", "x*y?"), ({"a": r"x\*"}, "equals", r"x\*"),
        ({"a|contains": "x"}, "contains", "x"), ({"a|startswith": "x"}, "startswith", "x"),
        ({"a|cased|endswith": "X"}, "endswith|cased", "X"), ({"a": 5}, "equals", "5"), ({"a": True}, "equals", "true"),
        ({"a": None}, "equals", "null"), ({"a|exists": False}, "exists", "false"), ({"a|re|i": "x+"}, "re|i", "x+"),
        ({"a|cidr": "10.0.0.0/8"}, "cidr", "10.0.0.0/8"), ({"a|lt": 5}, "lt", "5"), ({"a|hour": 8}, "hour", "8"),
        ({"a|hour|gte": 8}, "hour|gte", "8"), ({"a|fieldref": "b"}, "fieldref", "b"),
        ({"a|fieldref|startswith": "b"}, "fieldref|startswith", "b"),
    ],
)  # fmt: skip
def test_what_a_rule_wants_is_told_in_its_own_words(explained, selection, test, value) -> None:
    wanted = only(explained({"selection": selection}, {})).wanted
    assert (wanted.test, wanted.value) == (test, value)


def test_an_explanation_travels_as_json(explained) -> None:
    explanation = explained({"selection": {"a": ["x", None, 5]}}, {"a": 5})
    assert msgspec.json.decode(msgspec.json.encode(explanation), type=Explanation) == explanation


def test_a_type_that_no_rule_is_loaded_with_is_told_by_its_name() -> None:
    assert wanted_of(SigmaQueryExpression("x", "y")).test == "SigmaQueryExpression"
