"""Keywords, null, lists, wildcards, conditions and files of several documents, in each engine."""

from __future__ import annotations

import unicodedata

import pytest
import yaml
from corpus import ENGINES

from core.sigma import load_rules

OTHER = "22222222-2222-4222-8222-222222222222"
NFD = unicodedata.normalize("NFD", "thất bại")

SELECTIONS = {
    "null is met by a missing field": ({"a": None}, {}, {"a": ""}),
    "null is met by null": ({"a": None}, {"a": None}, {"a": "null"}),
    "null is met by an empty list": ({"a": None}, {"a": []}, {"a": [""]}),
    "empty text is met by empty text only": ({"a": ""}, {"a": ""}, {"a": None}),
    "empty text is not met by a missing field": ({"a": ""}, {"a": ["x", ""]}, {}),
    "no value at all is null": ({"a": []}, {}, {"a": "x"}),
    "a value or null": ({"a": ["x", None]}, {}, {"a": "y"}),
    "the items of a map are all": ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "1", "b": "1"}),
    "the maps of a list are any": ([{"a": "1"}, {"b": "2"}], {"b": "2"}, {"b": "1"}),
    "a list of maps and keywords is any": ([{"a": "1"}, "từ khoá"], {"c": "một TỪ KHOÁ"}, {"c": "1"}),
    "a field may be named twice with other modifiers": (
        {"a|startswith": "x", "a|endswith": "y"}, {"a": "x y"}, {"a": "y x"},
    ),
    "a star is any text, also none": ({"a": "x*y"}, {"a": "XY"}, {"a": "xyz"}),
    "a star alone is any value, but a value": ({"a": "*"}, {"a": ""}, {"a": None}),
    "a question mark is one character": ({"a": "x?y"}, {"a": "xệy"}, {"a": "xy"}),
    "an escaped star is a star": ({"a": r"x\*y"}, {"a": "x*y"}, {"a": "xzy"}),
    "an escaped question mark is one": ({"a": r"x\?y"}, {"a": "x?y"}, {"a": "xzy"}),
    "two backslashes and a star are one and any text": ({"a": r"x\\*"}, {"a": r"x\y"}, {"a": "x*"}),
    "three backslashes and a star are one and a star": ({"a": r"x\\\*"}, {"a": r"x\*"}, {"a": r"x\y"}),
    "a backslash before another sign is one": ({"a": r"C:\x"}, {"a": r"c:\X"}, {"a": r"C:\\x"}),
    "a number is met by its text": ({"a": 1}, {"a": "1"}, {"a": "01"}),
    "a number is met by a whole fraction": ({"a": 1}, {"a": 1.0}, {"a": 1.5}),
    "one is not true": ({"a": 1}, {"a": 1}, {"a": True}),
    "zero is not false": ({"a": 0}, {"a": 0}, {"a": False}),
    "true is not one": ({"a": True}, {"a": "TRUE"}, {"a": 1}),
    "text of a number is met by the number": ({"a": "4625"}, {"a": 4625}, {"a": 46250}),
    "the capital I with a dot is its own letter": ({"a": "İ"}, {"a": "İ"}, {"a": "i"}),
    "the Kelvin sign is a k": ({"a": "k"}, {"a": "\N{KELVIN SIGN}"}, {"a": "\N{LATIN SMALL LETTER K WITH ACUTE}"}),
    "the long s is not an s": ({"a": "ſ"}, {"a": "ſ"}, {"a": "s"}),
    "the sharp s is not two": ({"a": "ß"}, {"a": "ẞ"}, {"a": "ss"}),
    "keywords are any": (["x1", "y1"], {"c": "a Y1"}, {"c": "a y 1"}),
    "keywords meet decomposed text": (["thất bại"], {"c": NFD}, {"c": "that bai"}),
    "keywords with all are all, in any fields": ({"|all": ["x1", "y1"]}, {"c": "x1", "d": "y1"}, {"c": "x1"}),
    "a keyword does not go from one field to the next": (["x*y"], {"c": "x1y"}, {"c": "x", "d": "y"}),
    "a keyword is not looked for in names of fields": (["c1"], {"d": "c1"}, {"c1": "d"}),
    "a keyword that is a number": ([4625], {"c": 4625}, {"c": 462}),
    "a keyword that is an expression": ({"|re": r"x\d"}, {"c": "ax1"}, {"c": "ax"}),
}  # fmt: skip

CONDITIONS = {
    "1 of a pattern is any": ("1 of sel_*", "b", ""),
    "any of a pattern is the same": ("any of sel_*", "a", "d"),
    "all of a pattern is every one": ("all of sel_*", "abc", "ab"),
    "1 of them leaves out what begins with an underscore": ("1 of them", "c", "d"),
    "all of them leaves it out too": ("all of them", "abc", "abd"),
    "not binds before and": ("not sel_a and sel_b", "b", "ab"),
    "and binds before or": ("sel_a or sel_b and sel_c", "a", "b"),
    "parentheses bind first": ("(sel_a or sel_b) and sel_c", "bc", "ab"),
    "a filter takes away": ("sel_a and not 1 of sel_b*", "a", "ab"),
    "not all of": ("not all of sel_*", "ab", "abc"),
    "not not": ("not (not sel_a)", "a", "b"),
    "a name with an underscore may be asked for": ("_hidden", "d", "abc"),
    "several conditions are any": (["sel_a and sel_b", "sel_c"], "c", "a"),
}


def engine_of(name, *texts):
    loaded = load_rules({f"{number}.yml": text for number, text in enumerate(texts)})
    assert loaded.refused == ()
    return ENGINES[name](loaded)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sentence", SELECTIONS)
def test_a_selection_meets_what_its_sentence_says_and_not_what_is_beside_it(sentence, name, rule, event):
    selection, met, beside = SELECTIONS[sentence]
    engine = engine_of(name, rule(detection={"selection": selection, "condition": "selection"}))
    assert engine.match(event(met))
    assert not engine.match(event(beside))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sentence", CONDITIONS)
def test_a_condition_joins_selections_as_its_sentence_says(sentence, name, rule, event):
    condition, met, beside = CONDITIONS[sentence]
    selections = {f"sel_{field}": {field: 1} for field in "abc"}
    engine = engine_of(name, rule(detection={**selections, "_hidden": {"d": 1}, "condition": condition}))
    assert engine.match(event(dict.fromkeys(met, 1)))
    assert not engine.match(event(dict.fromkeys(beside, 1)))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("raw", "met"),
    [
        (b"login THAT BAI", False), ("login THẤT BẠI".encode(), True), (f"x {NFD} y".encode(), True),
        (b'{"c": "th\\u1ea5t b\\u1ea1i"}', False), (b"\xff\xfe", False), (b"\xff th\xe1\xba\xa5t b\xe1\xba\xa1i", True),
    ],
)  # fmt: skip
def test_a_keyword_is_looked_for_in_a_raw_text_and_not_in_a_raw_json_object(raw, met, name, rule, event):
    engine = engine_of(name, rule(detection={"selection": ["thất bại"], "condition": "selection"}))
    assert bool(engine.match(event({"d": "x"}, raw))) is met


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    "raw", [rb'{"c":"th\u1ea5t b\u1EA1i"}', '{ "c" :\t"thất bại"}'.encode(), b'{"\\u0063":"' + NFD.encode() + b'"}']
)
def test_a_keyword_is_found_however_json_spells_it(raw, name, rule, event):
    engine = engine_of(name, rule(detection={"selection": ["thất bại"], "condition": "selection"}))
    assert engine.match(event({"c": "thất bại"}, raw))


@pytest.mark.parametrize("name", ENGINES)
def test_a_global_document_gives_what_the_rules_below_it_share(name, event):
    shared = {"action": "global", "title": "t", "logsource": {"product": "linux"}, "detection": {"condition": "s"}}
    first = {"id": "11111111-1111-4111-8111-111111111111", "detection": {"s": {"a": "1"}}}
    second = {"id": OTHER, "detection": {"s": {"a": "2"}}}
    engine = engine_of(name, yaml.safe_dump_all([shared, first, second]).encode())
    assert [info.id for info in engine.match(event({"a": "2"}))] == [OTHER]
    assert engine.match(event({"a": "3"})) == []


@pytest.mark.parametrize("name", ENGINES)
def test_a_repeated_document_is_the_one_before_with_its_changes(name, rule, event):
    again = {"action": "repeat", "id": OTHER, "detection": {"selection": {"a": "c"}}}
    engine = engine_of(name, rule() + b"---\n" + yaml.safe_dump(again).encode())
    assert [info.id for info in engine.match(event({"a": "c"}))] == [OTHER]


@pytest.mark.parametrize("name", ENGINES)
def test_a_rule_of_another_log_source_is_not_met(name, rule, event):
    engine = engine_of(name, rule(), rule(id=OTHER, logsource={"product": "windows"}))
    assert [info.id for info in engine.match(event({"a": "b"}))] == ["11111111-1111-4111-8111-111111111111"]
