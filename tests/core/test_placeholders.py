"""Placeholders get the site's values; a rule that lacks one is listed with its name."""

from __future__ import annotations

import pytest
import yaml
from corpus import sigmahq_folders

from core.errors import ContentError
from core.placeholders import VALUES_FILE, placeholders, read_values, site_values
from core.records import Event, Logsource
from core.rule_text import read_rule_files
from core.sigma import load_rules
from detections.engine import ClosureEngine

RULE = b"""
title: A domain of ours
id: 11111111-1111-4111-8111-111111111111
logsource: {product: linux}
detection:
    ours: {a|expand|endswith: '%domains%'}
    here: {b|expand: '%sites%'}
    condition: ours or here
"""


def hits(loaded, **fields) -> bool:
    event = Event(id="e", time=0, seen=0, logsource=Logsource(product="linux"), fields=fields, raw=b"")
    return bool(ClosureEngine(loaded).match(event))


def test_each_value_of_the_site_is_looked_for() -> None:
    values = b"domains: [.vks.example, .toaan.example]\nsites: 7\n"
    loaded = load_rules({"a.yml": RULE, VALUES_FILE: values})
    assert loaded.refused == ()
    assert hits(loaded, a="mail.vks.example")
    assert hits(loaded, a="x.toaan.example")
    assert hits(loaded, b="7")
    assert not hits(loaded, a="mail.example")


@pytest.mark.parametrize("values", [b"", b"sites: 7", b"domains: []\nsites: 7"])
def test_a_rule_that_lacks_values_is_refused_and_says_which(values) -> None:
    (refused,) = load_rules({"a.yml": RULE, VALUES_FILE: values}).refused
    assert refused.file == "a.yml"
    assert "%domains%" in refused.reason


@pytest.mark.parametrize("content", [["a"], {"a": {"b": 1}}, {"a": ["x"] * 10_001}, "text"])
def test_a_file_that_is_no_map_of_values_is_told(content) -> None:
    with pytest.raises(ContentError, match=VALUES_FILE):
        site_values(content)
    loaded = load_rules({"a.yml": RULE, VALUES_FILE: yaml.safe_dump(content).encode()})
    assert [one.file for one in loaded.refused] == [VALUES_FILE, "a.yml"]


def test_a_site_without_a_file_has_no_values(tmp_path) -> None:
    assert read_values(None) == {}
    with pytest.raises(ContentError, match="absent"):
        read_values(tmp_path / "absent.yml")


def test_of_the_public_rules_25_need_values_and_load_with_a_site_file() -> None:
    documents = read_rule_files(sigmahq_folders())
    loaded = load_rules(documents)
    assert (len(documents), len(loaded.rules), len(loaded.refused)) == (3780, 3755, 25)
    assert all(one.reason.startswith("needs values of the site for %") for one in loaded.refused)
    names = {name.strip("%,") for one in loaded.refused for name in one.reason.split() if name.startswith("%")}
    with_values = load_rules(documents | {VALUES_FILE: yaml.safe_dump({name: ["a", "b"] for name in names}).encode()})
    assert (len(with_values.rules), with_values.refused) == (3780, ())
    assert not any(placeholders(rule.sigma) for rule in with_values.rules)
