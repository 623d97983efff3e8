from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ContentError, UnavailableError
from core.records import Logsource, Severity
from core.rule_text import MAX_FILE, in_order, read_rule_files
from core.sigma import RuleSet, load_rules
from detections.engine import ClosureEngine

OTHER = "22222222-2222-4222-8222-222222222222"
THIRD = "33333333-3333-4333-8333-333333333333"


SAMPLE = b"""
title: a
id: 33333333-3333-4333-8333-333333333333
logsource: {product: a}
detection: {s: {a|contains: [b, 1, null]}, t: {a|re: b+}, condition: 1 of s* or not t}
tags: [attack.t1110]
haidang: {object: [a]}
"""


def correlation(identity: str, *rules: str, **changed: object) -> bytes:
    body = {"type": "temporal", "rules": list(rules), "group-by": ["host.name"], "timespan": "5m"}
    return yaml.safe_dump({"title": "Both", "id": identity, "correlation": {**body, **changed}}).encode()


def reason(text: bytes) -> str:
    refused = load_rules({"x.yml": text}).refused
    assert [file for file, _ in refused] == ["x.yml"]
    return refused[0].reason


def test_a_rule_tells_what_the_platform_needs(rule) -> None:
    ours = {
        "title_vi": unicodedata.normalize("NFD", "Dò mật khẩu"), "object": ["source.ip"], "cause": "guessing",
        "guide_vi": ["Một", "Hai"], "guide_en": ["One", "Two"], "signal": True,
    }  # fmt: skip
    text = rule(name="x", level="critical", tags=["attack.t1110.001", "attack.T1078", "attack.impact"], haidang=ours)
    info = load_rules({"a/x.yml": text}).rules[0].info
    assert (info.id, info.name, info.file) == ("11111111-1111-4111-8111-111111111111", "x", "a/x.yml")
    assert info.title == {"vi": "Dò mật khẩu", "en": "A test"}
    assert (info.level, info.techniques) == (Severity.CRITICAL, ("T1110.001", "T1078"))
    assert info.logsource == Logsource(product="linux")
    assert (info.cause, info.object, info.signal) == ("guessing", ("source.ip",), True)
    assert info.guide == {"vi": ("Một", "Hai"), "en": ("One", "Two")}


def test_a_rule_of_others_gets_defaults(rule) -> None:
    info = load_rules({"x.yml": rule()}).rules[0].info
    assert info.title == {"vi": "A test", "en": "A test"}
    assert (info.level, info.cause, info.object, info.signal) == (Severity.MEDIUM, info.id, ("host.name",), False)
    assert load_rules({"x.yml": rule(name="named")}).rules[0].info.cause == "named"


def test_a_correlation_hits_what_it_groups_by(rule) -> None:
    loaded = load_rules({"a.yml": rule(name="one"), "b.yml": correlation(OTHER, "one")})
    assert loaded.correlations[0].info.object == ("host.name",)
    assert loaded.correlations[0].info.logsource == Logsource()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"detection": {"selection": {"a|expand": "%admins%"}, "condition": "selection"}}, "%admins%"),
        ({"detection": {"selection": {"a|re|expand": "^%admins%$"}, "condition": "selection"}}, "%admins%"),
        ({"detection": {"selection": {"a|re": "x" * 2001}, "condition": "selection"}}, "longer than 2000"),
        ({"detection": {"selection": {"a|re": "("}, "condition": "selection"}}, "invalid"),
        ({"detection": {"selection": {"a|cidr": "10.0.0.1/8"}, "condition": "selection"}}, "CIDR"),
        ({"detection": {"selection": {"a|unknown": "x"}, "condition": "selection"}}, "unknown"),
        ({"detection": {"selection": {"a|lt": "x"}, "condition": "selection"}}, "incompatible"),
        ({"detection": {"selection": {"a|contains|windash": " -a" * 7}, "condition": "selection"}}, "dashes"),
        ({"detection": {"selection": {"a": "x"}, "condition": "other"}}, "other"),
        ({"detection": {"selection": {"a": "x"}, "condition": "selection and"}}, "Expected"),
        ({"detection": {"selection": {"a": "x"}, "condition": "1 of nothing*"}}, "selects nothing"),
        ({"detection": {"selection": {"a": "x"}, "condition": "selection and not 1 of n*"}}, "selects nothing"),
        ({"detection": {"selection": {"a": "x"}, "condition": "not " * 3000 + "selection"}}, "RecursionError"),
        ({"detection": {"selection": {"a": "x"}, "condition": "selection | count() > 5"}}, "pipe"),
        ({"detection": {"selection": [None], "condition": "selection"}}, "need a field"),
        ({"detection": {"selection": {"|fieldref": "b"}, "condition": "selection"}}, "need a field"),
        ({"detection": {"condition": "selection"}}, "No detections"),
        ({"logsource": {}}, "empty"),
        ({"id": "7"}, "UUID"),
        ({"id": None}, "no id"),
        ({"title": None}, "title"),
        ({"level": "severe"}, "severe"),
        ({"haidang": {"titel_vi": "x"}}, "titel_vi"),
        ({"haidang": {"object": "source.ip"}}, "object"),
        ({"haidang": None}, "null"),
    ],
    ids=str,
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_refused_with_its_reason(changed, said, rule) -> None:
    assert said in reason(rule(**changed))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"title: [", "expected"),
        (b"\xff\xfe\x00", ""),
        (b"\x00", ""),
        (b"", "no rule"),
        (b"---\n", "no rule"),
        (b"just words", "not a Sigma rule"),
        (b"- a\n- b", "not a Sigma rule"),
        (b"title: a\ntitle: b", "the key 'title' is given twice"),
        (b"[" * 300_000, "nest"),
        (b"{a: " * 60_000, "nested deeper"),
        (b"- " * 100_000, "nested deeper"),
        (b"a: &a [x]\nb: [" + b"*a," * 17 + b"]", "YAML aliases"),
        (b"#" * (MAX_FILE + 1), "larger than"),
        (b"!!python/object/apply:os.getcwd []", "constructor"),
        (b"? [a]\n: b", ""),
        (b"title: f\nlogsource: {product: a}\nfilter: {rules: any, s: {a: b}, condition: t}", "'t'"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_that_is_not_a_rule_is_refused_with_its_reason(text, said) -> None:
    told = reason(text)
    assert said in told
    assert "\n" not in told
    assert told


def test_a_few_aliases_are_allowed(rule) -> None:
    text = rule().replace(b"a: b", b"a: &list [b, c]\n    d: *list")
    assert b"*list" in text
    assert load_rules({"x.yml": text}).refused == ()


def test_a_refused_rule_does_not_stop_others(rule) -> None:
    ruleset = load_rules({"a.yml": b"title: [", "b.yml": rule(), "c.yml": b""})
    assert [loaded.info.file for loaded in ruleset.rules] == ["b.yml"]
    assert [file for file, _ in ruleset.refused] == ["a.yml", "c.yml"]


def test_a_file_may_hold_several_rules_and_is_used_whole_or_not(rule) -> None:
    both = b"---\n".join([rule(), rule(id=OTHER)])
    assert len(load_rules({"x.yml": both}).rules) == 2
    ruleset = load_rules({"x.yml": b"---\n".join([rule(), rule(id=OTHER, level="severe")])})
    assert (ruleset.rules, len(ruleset.refused)) == ((), 1)


def test_ids_and_names_are_unique(rule) -> None:
    ruleset = load_rules({"a.yml": rule(name="one"), "b.yml": rule(), "c.yml": rule(id=OTHER, name="one")})
    assert [loaded.info.file for loaded in ruleset.rules] == ["a.yml"]
    assert [file for file, _ in ruleset.refused] == ["b.yml", "c.yml"]
    assert all("a.yml" in said for _, said in ruleset.refused)
    assert "already" in reason(b"---\n".join([rule(), rule()]))


def test_a_correlation_knows_its_rules_by_name_and_id(rule) -> None:
    first = "11111111-1111-4111-8111-111111111111"
    ruleset = load_rules(
        {
            "a.yml": correlation(THIRD, "two", first.upper()),
            "b.yml": correlation(OTHER, "one"),
            "c.yml": rule(name="one"),
            "d.yml": rule(id="44444444-4444-4444-8444-444444444444", name="two"),
        }
    )
    assert ruleset.refused == ()
    by_id = {loaded.info.id: loaded.references for loaded in ruleset.correlations}
    assert by_id[OTHER] == {"one": first}
    assert by_id[THIRD] == {"two": "44444444-4444-4444-8444-444444444444", first.upper(): first}


def test_the_rules_of_an_extended_condition_are_known(rule) -> None:
    text = correlation(OTHER, "one", condition="one and not two").replace(b"  rules:\n  - one\n", b"")
    assert b"rules" not in text
    told = reason(text)
    assert "one, two" in told
    found = load_rules({"a.yml": rule(name="one"), "b.yml": rule(id=THIRD, name="two"), "c.yml": text})
    assert list(found.correlations[0].references) == ["one", "two"]


def test_a_correlation_stands_after_those_it_refers_to(rule) -> None:
    upper = correlation(THIRD, "lower")
    lower = correlation(OTHER, "one").replace(b"title: Both", b"title: Both\nname: lower")
    ruleset = load_rules({"a.yml": upper, "b.yml": lower, "c.yml": rule(name="one")})
    assert [loaded.info.id for loaded in ruleset.correlations] == [OTHER, THIRD]


def test_a_correlation_of_missing_rules_is_refused_and_all_that_refer_to_it(rule) -> None:
    lower = correlation(OTHER, "one", "absent").replace(b"title: Both", b"title: Both\nname: lower")
    ruleset = load_rules({"a.yml": rule(name="one"), "b.yml": lower, "c.yml": correlation(THIRD, "lower")})
    assert ruleset.correlations == ()
    assert [(file, said.split(": ")[1]) for file, said in ruleset.refused] == [("b.yml", "absent"), ("c.yml", "lower")]


def test_an_alias_of_a_missing_rule_is_refused(rule) -> None:
    text = correlation(OTHER, "one", aliases={"address": {"one": "source.ip", "absent": "client.ip"}})
    assert load_rules({"a.yml": rule(name="one"), "b.yml": text}).refused[0].reason.endswith(": absent")


def test_correlations_that_refer_to_each_other_are_refused(rule) -> None:
    ruleset = load_rules({"a.yml": correlation(OTHER, THIRD), "b.yml": correlation(THIRD, OTHER), "c.yml": rule()})
    assert [file for file, _ in ruleset.refused] == ["a.yml", "b.yml"]
    assert len(ruleset.rules) == 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_text_stops_the_loader(data) -> None:
    base = correlation(OTHER, "one") + b"---\n" + SAMPLE
    start = data.draw(st.integers(0, len(base)))
    end = data.draw(st.integers(start, min(len(base), start + 12)))
    text = (
        base[:start]
        + data.draw(st.binary(max_size=3) | st.sampled_from([b"[]", b"{}", b"~", b"1", b"- a"]))
        + base[end:]
    )
    ruleset = load_rules({"x.yml": text})
    assert isinstance(ruleset, RuleSet)
    assert ruleset.refused or ruleset.rules


def test_a_packs_file_never_goes_before_one_of_the_site_and_packs_go_as_they_are_given() -> None:
    files = ["packs/zz/b.yml", "site/rules/b.yml", "packs/zz/a.yml", "packs/aa/a.yml", "a/rules/b.yml"]
    assert in_order(files) == [
        "a/rules/b.yml",
        "site/rules/b.yml",
        "packs/zz/a.yml",
        "packs/zz/b.yml",
        "packs/aa/a.yml",
    ]


def test_rule_files_are_read_below_all_folders(tmp_path: Path) -> None:
    for name in ("detections/rules/identity/a.yml", "correlation/rules/b.yml", "detections/rules/a.events.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    found = read_rule_files([tmp_path / "detections/rules", tmp_path / "correlation/rules"])
    assert found == {
        "detections/rules/identity/a.yml": b"detections/rules/identity/a.yml",
        "correlation/rules/b.yml": b"correlation/rules/b.yml",
    }


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="nowhere: there is no such folder"):
        read_rule_files([tmp_path / "nowhere"])


def test_two_files_of_one_name_are_named(tmp_path: Path) -> None:
    folders = [tmp_path / side / "site" / "rules" for side in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "a.yml").write_text("x")
    with pytest.raises(ContentError, match=r"site/rules/a\.yml"):
        read_rule_files(folders)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(UnavailableError, match=r"a\.yml"):
        read_rule_files([tmp_path])


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"#" * (MAX_FILE * 2))
    (text,) = read_rule_files([tmp_path]).values()
    assert "larger than" in reason(text)


FILTER = """
title: What the backup does
logsource: {product: linux}
filter:
    rules: ["11111111-1111-4111-8111-111111111111"]
    ours: {user: backup}
    condition: not ours
"""


def test_a_filter_leaves_events_out_of_the_rules_it_names(rule, event) -> None:
    loaded = load_rules({"a.yml": rule(), "f.yml": FILTER.encode()})
    assert loaded.refused == ()
    engine = ClosureEngine(loaded)
    assert engine.match(event({"a": "b", "user": "root"}))
    assert not engine.match(event({"a": "b", "user": "backup"}))


def test_a_filter_of_other_rules_changes_nothing(rule, event) -> None:
    other = rule(id="22222222-2222-4222-8222-222222222222")
    engine = ClosureEngine(load_rules({"a.yml": other, "f.yml": FILTER.encode()}))
    assert engine.match(event({"a": "b", "user": "backup"}))


def test_a_packs_filter_silences_no_rule_of_the_site_and_the_sites_filter_any(rule, event) -> None:
    calm, loud = event({"a": "b", "user": "backup"}), event({"a": "b", "user": "root"})
    theirs = ClosureEngine(load_rules({"rules/site/a.yml": rule(), "packs/x/f.yml": FILTER.encode()}))
    assert theirs.match(calm)
    own = ClosureEngine(load_rules({"packs/x/a.yml": rule(), "packs/x/f.yml": FILTER.encode()}))
    assert not own.match(calm)
    sites = ClosureEngine(load_rules({"packs/x/a.yml": rule(), "rules/site/f.yml": FILTER.encode()}))
    assert not sites.match(calm)
    assert sites.match(loud)


def test_a_filter_that_means_nothing_takes_no_rule_along(rule) -> None:
    loaded = load_rules({"a.yml": rule(), "f.yml": FILTER.replace("not ours", "not theirs").encode()})
    assert [one.info.file for one in loaded.rules] == ["a.yml"]
    assert [one.file for one in loaded.refused] == ["f.yml"]
