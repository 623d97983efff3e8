from __future__ import annotations

import pytest
from sigma.types import SigmaQueryExpression, SigmaString

from core.errors import ContentError
from core.records import Logsource
from detections.conditions import condition_test
from detections.values import keyword_test, value_test

X, Y, XY = {"x": "1"}, {"y": "1"}, {"x": "1", "y": "1"}


@pytest.mark.parametrize(
    ("condition", "met", "near"),
    [
        ("sel_x and sel_y", XY, X),
        ("sel_x or sel_y", Y, {}),
        ("sel_x and not sel_y", X, XY),
        ("not sel_x", Y, X),
        ("not (sel_x or sel_y)", {"z": "1"}, Y),
        ("not not sel_x", X, Y),
        ("sel_x or sel_y and sel_z", X, Y),
        ("1 of sel_*", Y, {"z": "2"}),
        ("any of sel_*", Y, {"z": "2"}),
        ("all of sel_*", {"x": "1", "y": "1", "z": "1"}, XY),
        ("1 of them", Y, {"w": "1"}),
        ("all of them", {"x": "1", "y": "1", "z": "1"}, XY),
        (["sel_x", "sel_y"], Y, {"z": "1"}),
    ],
    ids=str,
)
def test_a_condition(condition, met, near, condition_hits) -> None:
    detection = {
        "sel_x": {"x": "1"}, "sel_y": {"y": "1"}, "sel_z": {"z": "1"}, "_hidden": {"w": "1"}, "condition": condition,
    }  # fmt: skip
    assert condition_hits(detection, met)
    assert not condition_hits(detection, near)


def test_the_items_of_a_map_are_all(hits) -> None:
    assert hits({"x": "1", "y": "1"}, XY)
    assert not hits({"x": "1", "y": "1"}, X)


def test_the_maps_of_a_list_are_any(hits) -> None:
    assert hits([{"x": "1"}, {"y": "1", "z": "1"}], X)
    assert hits([{"x": "1"}, {"y": "1", "z": "1"}], {"y": "1", "z": "1"})
    assert not hits([{"x": "1"}, {"y": "1", "z": "1"}], Y)


def test_a_list_of_maps_and_keywords_is_any(hits) -> None:
    assert hits([{"x": "1"}, "keyword"], {"z": "a keyword"})
    assert hits([{"x": "1"}, "keyword"], X)
    assert not hits([{"x": "1"}, "keyword"], Y)


def test_a_filter_on_a_missing_field_does_not_hold_back_the_rule(condition_hits) -> None:
    detection = {"selection": {"x": "1"}, "filter": {"y|startswith": "C:"}, "condition": "selection and not filter"}
    assert condition_hits(detection, X)
    assert not condition_hits(detection, {"x": "1", "y": "c:\\x"})


def test_not_a_value_of_a_list_means_no_element_has_it(condition_hits) -> None:
    detection = {"selection": {"x": "1"}, "condition": "not selection"}
    assert condition_hits(detection, {"x": ["2", "3"]})
    assert not condition_hits(detection, {"x": ["2", "1"]})


@pytest.mark.parametrize("make", [value_test, keyword_test])
@pytest.mark.parametrize("value", [SigmaQueryExpression("x", "y"), SigmaString("a%b%").insert_placeholders()])
def test_a_value_that_nobody_can_evaluate_is_an_error_and_never_a_miss(make, value) -> None:
    with pytest.raises(ContentError):
        make(value)


def test_an_empty_part_of_a_condition_is_an_error() -> None:
    with pytest.raises(ContentError, match="NoneType"):
        condition_test(None, Logsource())
