"""Which rules are in use, and what becomes of every other."""

from __future__ import annotations

import msgspec
import pytest

from app.choice import choose
from core.placeholders import VALUES_FILE
from core.sigma import load_rules
from core.stores.catalogue import RuleState

ID = "8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a{:02d}"
RULE = """\
title: Rule {number}
id: {id}
name: rule_{number}
description: What it is
logsource:
    product: linux
detection:
    selection:
        message|contains: word{number}
    condition: selection
"""
CORRELATION = """\
title: Many {number}
id: {id}
name: rule_{number}
correlation:
    type: {kind}
    rules:
        - {reference}
    group-by:
        - source.ip
    timespan: 5m
    condition:
        gte: 10
"""


def rule(number):
    return RULE.format(number=number, id=ID.format(number)).encode()


def correlation(number, reference, kind="event_count"):
    return CORRELATION.format(number=number, id=ID.format(number), reference=reference, kind=kind).encode()


def chosen(documents, *off):
    return choose(documents, load_rules(documents), {ID.format(number) for number in off})


def states(choice):
    return {one.file: one.state for one in choice.catalogue}


ON, OFF, REFUSED = RuleState.ENABLED, RuleState.DISABLED, RuleState.REFUSED


def test_a_rule_that_is_switched_off_is_left_out_and_stays_in_the_catalogue():
    choice = chosen({"a.yml": rule(1), "b.yml": rule(2)}, 1)
    assert choice.documents == {"b.yml": rule(2)}
    assert [one.info.file for one in choice.rules.rules] == ["b.yml"]
    assert states(choice) == {"a.yml": OFF, "b.yml": ON}
    assert choice.refused == {}


def test_correlations_that_need_it_stop_with_it_directly_or_through_another():
    documents = {
        "a.yml": rule(1),
        "b.yml": correlation(2, "rule_1"),
        "c.yml": correlation(3, "rule_2"),
        "d.yml": rule(4),
        "e.yml": correlation(5, "rule_4"),
    }
    choice = chosen(documents, 1)
    assert choice.documents.keys() == {"d.yml", "e.yml"}
    assert choice.refused == {
        "b.yml": "refers to rules that are not in use: rule_1",
        "c.yml": "refers to rules that are not in use: rule_2",
    }
    assert states(choice)["c.yml"] is REFUSED


def test_what_is_chosen_gives_by_itself_just_what_is_in_use():
    documents = {
        "a.yml": rule(1),
        "b.yml": rule(2) + b"---\n" + correlation(3, "nobody"),
        "c.yml": correlation(4, "rule_2"),
        "d.yml": correlation(5, "rule_1"),
        "e.yml": b"title: [",
        "f.yml": rule(1),
    }
    choice = chosen(documents)
    loaded = load_rules(choice.documents)
    assert loaded.refused == ()
    assert [one.info for one in loaded.rules] == [one.info for one in choice.rules.rules]
    assert [one.info for one in loaded.correlations] == [one.info for one in choice.rules.correlations]
    assert choice.documents.keys() == {"a.yml", "d.yml"}


def test_a_file_is_used_whole_while_one_of_its_rules_is_on():
    documents = {"two.yml": rule(1) + b"---\n" + rule(2)}
    choice = chosen(documents, 1)
    assert choice.documents == documents
    assert choice.switched_half == ("two.yml",)
    assert [one.state for one in choice.catalogue] == [ON, ON]
    assert chosen(documents, 1, 2).documents == {}


def test_a_refused_file_tells_its_title_id_and_level_where_they_can_be_read():
    text = b"title: \xc4\x90\xc4\x83ng nh\xe1\xba\xadp  \r\nid: " + ID.format(7).encode() + b"\nlevel: high\nfoo: [\n"
    (entry,) = chosen({"x/broken.yml": text}).catalogue
    assert (entry.title["vi"], entry.id, entry.level, entry.state) == ("Đăng nhập", ID.format(7), "high", REFUSED)
    (entry,) = chosen({"x/dark.yml": b"\xff\0[id: ../x\nlevel: ?\n"}).catalogue
    assert (entry.title["vi"], entry.id) == ("dark", "")
    assert entry.reason


def test_a_refused_file_tells_what_its_yaml_says():
    text = b"""\
title: Login
id: %s
description: What it is
level: low
logsource: {product: windows, category: process_creation, service: 7}
tags: [attack.t1110.001, attack.execution, 5, attack.T1110.001]
detection: {selection: {a|nosuch: b}, condition: selection}
haidang: {title_vi: \xc4\x90\xc4\x83ng nh\xe1\xba\xadp}
""" % ID.format(7).upper().encode()
    (entry,) = chosen({"x/a.yml": text}).catalogue
    assert (entry.state, entry.id, entry.level) == (REFUSED, ID.format(7), "low")
    assert (entry.title, entry.description) == ({"vi": "Đăng nhập", "en": "Login"}, "What it is")
    source = entry.logsource
    assert (source.product, source.category, source.service) == ("windows", "process_creation", "")
    assert entry.techniques == ("T1110.001",)


@pytest.mark.parametrize(
    "text",
    [
        b"- a\n- b\n",
        b"title: [x]\nid: {a: b}\nlevel: [high]\nlogsource: linux\ntags: attack.t1110\nhaidang: 5\n",
        b"title: 2026-11-25\ndate: 2026-99-99\n",
        b"? [a, b]\n: c\n",
        b'title: "\\ud83d"\ndetection: x\n',
    ],
)
def test_a_refused_file_of_any_shape_gets_an_entry(text):
    (entry,) = chosen({"x/odd.yml": text}).catalogue
    assert entry.state is REFUSED
    assert entry.title["vi"]
    msgspec.msgpack.encode(entry)


def test_a_refused_rule_that_is_switched_off_is_both_and_a_copy_of_a_rule_is_not():
    documents = {"a.yml": rule(1), "packs/dup/a.yml": rule(1), "b.yml": b"title: x\nid: %s\n" % ID.format(2).encode()}
    choice = chosen(documents, 1, 2)
    assert {one.file: (one.state, one.off) for one in choice.catalogue} == {
        "a.yml": (OFF, True),
        "b.yml": (REFUSED, True),
        "packs/dup/a.yml": (REFUSED, False),
    }


def test_a_correlation_that_the_correlator_cannot_judge_is_shown_as_refused():
    choice = chosen({"a.yml": rule(1), "b.yml": correlation(2, "rule_1", "value_count")})
    assert states(choice)["b.yml"] is REFUSED


def test_a_rule_in_the_catalogue_tells_what_people_read():
    choice = chosen({"packs/hq/a.yml": rule(1), "b.yml": correlation(2, "rule_1")})
    first, second = choice.catalogue
    assert (first.id, first.pack, first.name, first.description) == (ID.format(1), "hq", "rule_1", "What it is")
    assert (second.kind, second.references) == ("correlation", (ID.format(1),))


@pytest.mark.parametrize("values", [b"name: [x]\n", b"name: [\n"])
def test_the_sites_values_are_no_rule(values):
    choice = chosen({VALUES_FILE: values, "a.yml": rule(1)})
    assert VALUES_FILE not in choice.every
    assert choice.documents.keys() >= {"a.yml"}
