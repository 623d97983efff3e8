from __future__ import annotations

import socket
from collections import Counter

import pytest
from corpus import sigmahq_ruleset

from core.rule_text import read_rule_files
from core.settings import HOME
from core.sigma import load_rules
from detections.convert import Converted, Lack, NotConverted, Target, convert

OURS = load_rules(read_rule_files([HOME / "detections" / "rules"])).rules
ESQL = "from * metadata _id, _index, _version | where "


@pytest.fixture
def made(rule, ruleset):
    """What a rule with this selection becomes; a query comes without what it asks of the log source."""

    def making(selection, target, **changed) -> object:
        text = rule(detection={"selection": selection, "condition": "selection"}, logsource={"product": "linux"})
        (loaded,) = ruleset(rule(**changed) if changed else text).rules
        found = convert(loaded, target)
        if isinstance(found, NotConverted):
            return found.kind
        (query,) = found.queries
        _, asked, condition = query.partition(_SOURCE[target])
        assert asked
        return condition

    return making


_SOURCE = {
    Target.LUCENE: "haidang.logsource.product:linux AND ",
    Target.EQL: 'any where haidang.logsource.product:"linux" and ',
    Target.ESQL: f'{ESQL}haidang.logsource.product=="linux" and ',
}


@pytest.mark.parametrize(
    ("target", "lacking", "regexes"),
    [
        (Target.LUCENE, {Lack.FIELDREF: 5, Lack.IGNORECASE: 2}, 118),
        (Target.EQL, {Lack.KEYWORDS: 107, Lack.FIELDREF: 5}, 120),
        (Target.ESQL, {Lack.KEYWORDS: 107, Lack.IGNORECASE: 2}, 118),
    ],
)
def test_every_public_rule_is_converted_or_told_by_kind(target, lacking, regexes) -> None:
    found = [convert(rule, target) for rule in sigmahq_ruleset().rules]
    assert len(found) == 3755
    assert Counter(one.kind for one in found if isinstance(one, NotConverted)) == lacking
    assert sum(one.regex for one in found if isinstance(one, Converted)) == regexes


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.info.name)
def test_our_rules_are_converted_or_told_by_kind(rule, target) -> None:
    found = convert(rule, target)
    assert not isinstance(found, NotConverted) or found.kind is not Lack.OTHER


def test_conversion_asks_nothing_of_a_network(ruleset, rule, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (loaded,) = ruleset(rule(tags=["attack.t1110"])).rules
    assert all(isinstance(convert(loaded, target), Converted) for target in Target)


def test_the_rule_itself_stays_as_it_is(rule, ruleset) -> None:
    (loaded,) = ruleset(rule()).rules
    first, again = (convert(loaded, Target.EQL) for _ in range(2))
    assert first == again
    assert loaded.sigma.detection.detections.keys() == {"selection"}


def test_a_query_asks_for_each_term_of_the_log_source(rule, ruleset) -> None:
    terms = {"product": "windows", "category": "process_creation", "service": "sysmon"}
    (loaded,) = ruleset(rule(logsource=terms)).rules
    found = convert(loaded, Target.LUCENE)
    assert isinstance(found, Converted)
    for term, text in terms.items():
        assert f"haidang.logsource.{term}:{text}" in found.queries[0]


def test_each_condition_of_a_rule_is_a_query(rule, ruleset) -> None:
    detection = {"one": {"a": "b"}, "two": {"a": "c"}, "condition": ["one", "two"]}
    (loaded,) = ruleset(rule(detection=detection)).rules
    found = convert(loaded, Target.EQL)
    assert isinstance(found, Converted)
    assert [query.rpartition(" ")[2] for query in found.queries] == ['a:"b"', 'a:"c"']


def test_one_of_them_does_not_mean_the_log_source(made) -> None:
    detection = {"one": {"a": "b"}, "two": {"c": "d"}, "condition": "1 of them"}
    assert made(None, Target.EQL, detection=detection) == '(a:"b" or c:"d")'


def test_a_field_gets_its_ecs_name(made) -> None:
    assert made({"CommandLine": "x"}, Target.EQL) == 'process.command_line:"x"'


@pytest.mark.parametrize(
    ("selection", "lucene", "eql", "esql"),
    [
        ({"a": "x"}, "a:x", 'a:"x"', 'a=="x"'),
        ({"a": "x*y"}, "a:x*y", 'a:"x*y"', 'a like "x*y"'),
        ({"a": ""}, 'a:""', 'a==""', 'a==""'),
        ({"a": None}, "(NOT _exists_:a)", "(?a == null)", "a is null"),
        ({"a": True}, "a:true", "a == true", "a==true"),
        ({"a": 4688}, "a:4688", 'a:"4688"', 'a=="4688"'),
        ({"a": [1, 2]}, "(a:(1 OR 2))", '(a like~ ("1", "2"))', '(a in ("1", "2"))'),
        ({"x.port": 80}, "x.port:80", "x.port == 80", "x.port==80"),
        ({"x.port": [1, 2]}, "(x.port:(1 OR 2))", "(x.port == 1 or x.port == 2)", "(x.port in (1, 2))"),
        ({"a|lt": 5}, "a:<5", "a < 5", "a<5"),
        ({"a|neq": "x"}, "(NOT a:x)", '(not a:"x")', 'not a=="x"'),
        ({"a|cidr": "10.0.0.0/8"}, r"a:10.0.0.0\/8", 'cidrMatch(a, "10.0.0.0/8")', 'cidr_match(a, "10.0.0.0/8")'),
        ({"a|re": 'x"/'}, r'a:/x"\//', r'a regex "x\"/"', r'a rlike "x\"/"'),
        ({"a|re|i": "x"}, Lack.IGNORECASE, 'a regex~ "x"', Lack.IGNORECASE),
        ({"a|re|m": "x"}, Lack.FLAGS, Lack.FLAGS, Lack.FLAGS),
        ({"a|exists": True}, "_exists_:a", Lack.EXISTS, "a is not null"),
        ({"a|cased": "X"}, Lack.CASED, 'a == "X"', Lack.CASED),
        ({"a|hour": 8}, Lack.TIME, Lack.TIME, Lack.TIME),
        ({"a|hour|lt": 8}, Lack.TIME, Lack.TIME, Lack.TIME),
        ({"a|fieldref": "b"}, Lack.FIELDREF, Lack.FIELDREF, "a==b"),
        ({"a|fieldref|endswith": "b"}, Lack.FIELDREF, Lack.FIELDREF, Lack.FIELDREF),
        (["x"], "*x*", Lack.KEYWORDS, Lack.KEYWORDS),
    ],
    ids=str,
)
def test_a_value_in_each_language(made, selection, lucene, eql, esql) -> None:
    assert made(selection, Target.LUCENE) == lucene
    assert made(selection, Target.EQL) == eql
    assert made(selection, Target.ESQL) == esql


def test_values_that_become_several_are_any_of_them(made) -> None:
    several = {"a|base64offset|contains": "abc"}
    assert made(several, Target.LUCENE) == "(a:(*YWJj* OR *FiY* OR *hYm*))"
    assert made(several, Target.EQL) == '(a like~ ("*YWJj*", "*FiY*", "*hYm*"))'
    assert made(several, Target.ESQL) == '(a like "*YWJj*" or a like "*FiY*" or a like "*hYm*")'


def test_a_regular_expression_is_marked_to_be_read_again(rule, ruleset) -> None:
    for selection, marked in (({"a|re": "x+"}, True), ({"a": "x"}, False)):
        (loaded,) = ruleset(rule(detection={"selection": selection, "condition": "selection"})).rules
        found = convert(loaded, Target.LUCENE)
        assert isinstance(found, Converted)
        assert found.regex is marked
