from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import ContentError, UnavailableError
from core.records import Logsource
from detections.examples import check, examples_file, read_event, read_examples

HIT = {"hit": True, "logsource": {"product": "linux"}, "fields": {"a": "b"}, "raw": "raw Đ"}
MISS = {**HIT, "hit": False, "fields": {"a": "c"}}
OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def file(tmp_path):
    """A file of these lines."""

    def writing(*lines: object) -> Path:
        path = tmp_path / "x.events.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return writing


def test_the_events_stand_beside_the_rule() -> None:
    assert examples_file(Path("a/link_down.yml")) == Path("a/link_down.events.jsonl")


def test_an_example_is_an_event(file) -> None:
    example, miss = read_examples(file(HIT, MISS))
    happened = example.event()
    assert (happened.logsource, happened.fields, happened.raw) == (
        Logsource(product="linux"), {"a": "b"}, "raw Đ".encode(),
    )  # fmt: skip
    assert (example.hit, miss.hit) == (True, False)


@pytest.mark.parametrize(
    "line",
    ["", "x", "[]", {"hit": True}, {**HIT, "more": 1}, {**HIT, "logsource": {"servcie": "x"}}, {**HIT, "hit": "yes"}],
)
def test_a_line_that_is_no_example_is_named(file, line) -> None:
    with pytest.raises(ContentError, match=r"x\.events\.jsonl:2: not an example"):
        read_examples(file(HIT, line))


def test_events_that_cannot_be_read_are_told(tmp_path) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        read_examples(tmp_path / "none")


def test_examples_that_go_as_they_say_give_no_failure(rule, ruleset, file) -> None:
    (loaded,) = ruleset(rule()).rules
    assert check(loaded, read_examples(file(HIT, MISS))) == []


def test_a_failure_names_the_line_and_the_part(rule, ruleset, file) -> None:
    (loaded,) = ruleset(rule()).rules
    failures = check(loaded, read_examples(file(HIT, {**HIT, "hit": False}, {**MISS, "hit": True})))
    assert [(one.line, one.expected, one.explanation.hit) for one in failures] == [(2, False, True), (3, True, False)]
    assert failures[1].explanation.conditions[0].found == "c"


def test_an_example_may_mean_one_rule_of_a_file(rule, ruleset, file) -> None:
    other = rule(id=OTHER, name="other", detection={"selection": {"a": "c"}, "condition": "selection"})
    first, second = ruleset(rule(name="first"), other).rules
    examples = read_examples(file({**HIT, "rule": "first"}, {**MISS, "hit": True, "rule": OTHER}))
    assert check(first, examples) == []
    assert check(second, examples) == []
    assert len(check(second, read_examples(file(HIT)))) == 1


def test_one_event_is_read_by_its_line(file) -> None:
    path = file({"logsource": {"product": "linux"}, "fields": {"a": "b"}}, HIT)
    assert read_event(path, 1).fields == {"a": "b"}
    assert read_event(path, 2).raw == "raw Đ".encode()
    with pytest.raises(ContentError, match="there is no line 3; the file has 2"):
        read_event(path, 3)


def test_a_flat_json_object_is_an_event_of_the_source_its_keys_tell(file) -> None:
    line = {"Channel": "Security", "EventID": 4688, "Data": ["a", 1, None], "More": {"x": 1}, "None": None}
    happened = read_event(file(line), 1)
    assert happened.logsource.product == "windows"
    assert happened.fields == {"Channel": "Security", "EventID": 4688, "Data": ["a", "1"], "More": None, "None": None}
    assert json.loads(happened.raw) == line


@pytest.mark.parametrize("line", ["x", "[]", {"fields": {"a": {"b": 1}}}, {"fields": {}, "logsource": {"x": "y"}}])
def test_a_line_that_is_no_event_is_named(file, line) -> None:
    with pytest.raises(ContentError, match=r"x\.events\.jsonl:1: not an event"):
        read_event(file(line), 1)
