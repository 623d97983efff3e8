from __future__ import annotations

import unicodedata

import pytest

from core.records import Logsource
from core.rule_text import read_rule_files
from core.settings import HOME
from detections.examples import SUFFIX, read_examples
from detections.lint import TEXTS, Report, lint
from detections.lint_values import plain
from detections.truth import MOST, constant

WHOLE = {
    "description": "x", "level": "low", "date": "2026-11-24", "author": "An", "tags": ["attack.t1110"],
    "logsource": {"product": "windows", "service": "security"},
}  # fmt: skip
OTHER = "22222222-2222-4222-8222-222222222222"
RULES = HOME / "detections" / "rules"


@pytest.fixture
def found(rule):
    """The kinds of findings about a rule that lacks nothing, with these keys changed, and what they say."""

    def finding(**changed: object) -> dict[str, str]:
        report = lint({"x.yml": rule(**{**WHOLE, **changed})})
        return {one.code: one.text for one in report.findings}

    return finding


def detection(selection: object, condition: object = "selection", **more: object) -> dict[str, object]:
    return {"detection": {"selection": selection, **more, "condition": condition}}


def test_our_own_rules_have_nothing_to_find() -> None:
    seen = [example.event() for path in sorted(RULES.rglob(f"*{SUFFIX}")) for example in read_examples(path)]
    report = lint(read_rule_files([RULES, HOME / "correlation" / "rules"]), seen)
    assert report.rules >= 8
    assert report.findings == ()


def test_a_rule_that_lacks_nothing_gives_no_finding(found) -> None:
    assert found(**detection({"event.code": "4625"})) == {}


def test_findings_say_file_rule_and_how_grave_they_are(rule) -> None:
    report: Report = lint({"a/x.yml": rule(**{**WHOLE, "author": None}, **detection({"event.code": 1}))})
    (one,) = report.findings
    assert (one.level, one.code, one.file, one.rule) == ("warning", "missing", "a/x.yml", "A test")
    assert one.text == "thiếu mục / lacks: author"


@pytest.mark.parametrize("name", ["description", "level", "date", "author", "tags"])
def test_what_people_need_is_missed(found, name) -> None:
    assert found(**{name: None}, **detection({"event.code": 1})) == {"missing": f"thiếu mục / lacks: {name}"}


def test_a_rule_of_ours_needs_its_words_in_vietnamese_and_its_guides(rule) -> None:
    text = rule(**WHOLE, haidang={"object": ["host.name"], "guide_en": ["x"]}, **detection({"event.code": 1}))
    told = [one.text.rpartition(" ")[2] for one in lint({"x.yml": text}).findings if one.level == "error"]
    assert told == ["guide_vi", "title_vi"]


def test_a_refused_file_is_told_with_its_reason(rule) -> None:
    files = {"a.yml": rule(id=None), "b.yml": rule(**detection({"a|re": "(?=x)"}))}
    told = lint(files).findings
    assert [(one.level, one.code, one.file) for one in told] == [
        ("error", "refused", "a.yml"), ("error", "refused", "b.yml"),
    ]  # fmt: skip
    assert "has no id" in told[0].text


def test_an_id_that_is_given_twice_is_an_error_and_a_title_a_warning(rule) -> None:
    twice = lint({"a.yml": rule(**WHOLE), "b.yml": rule(**WHOLE)}).findings
    assert [one.code for one in twice if one.file == "b.yml"] == ["refused"]
    titles = lint({"a.yml": rule(**WHOLE), "b.yml": rule(**WHOLE, id=OTHER)}).findings
    assert [one.file for one in titles if one.code == "same_title"] == ["a.yml", "b.yml"]


def test_a_rule_that_needs_values_of_the_site_is_no_error(rule) -> None:
    (one,) = lint({"x.yml": rule(**detection({"a|expand": "%admins%"}))}).findings
    assert (one.level, one.code) == ("warning", "needs_values")
    assert one.text.endswith(": %admins%")


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("attack.t1110.001", True), ("attack.T1110", True), ("attack.credential-access", True), ("attack.g0016", True),
        ("attack.credential_access", False), ("attack.t11", False), ("attack.guessing", False), ("cve.2024-1234", True),
        ("cve.2024.1234", False), ("tlp.amber", True), ("car.2013-05-004", True), ("detection.dfir", True),
        ("stp.2a", True), ("mine.x", False),
    ],
)  # fmt: skip
def test_tags_have_a_known_form(found, tag, known) -> None:
    assert ("tag" not in found(tags=[tag], **detection({"event.code": 1}))) == known


@pytest.mark.parametrize(
    ("logsource", "told"),
    [
        ({"product": "windows"}, ""), ({"category": "process_creation"}, ""),
        ({"product": "windows", "category": "process_creation"}, ""), ({"product": "winows"}, "product winows"),
        ({"product": "windows", "service": "sceurity"}, "service sceurity"), ({"category": "x"}, "category x"),
    ],
)  # fmt: skip
def test_a_log_source_that_nothing_has_is_told(found, logsource, told) -> None:
    text = found(logsource=logsource, **detection({"event.code": 1})).get("logsource", "")
    assert text.rpartition(": ")[2] == told


def test_sources_and_fields_of_seen_events_are_known(rule, event) -> None:
    source = {"product": "huawei", "service": "vrp"}
    files = {"x.yml": rule(**{**WHOLE, "logsource": source}, **detection({"Odd": 1}))}
    seen = event({"Odd": 1}, logsource=Logsource(**source))
    assert [one.code for one in lint(files).findings if one.code == "field"] == ["field"]
    assert lint(files, [seen]).findings == ()


def test_a_field_that_nothing_gives_is_told(found) -> None:
    told = found(**detection({"CommandLine": "xyz", "Comandline": "xyz", "a.b": "x", "site": "x"}))
    assert told["field"].endswith(": Comandline")
    assert found(**detection({"user.name|fieldref": "Usr"}))["field"].endswith(": Usr")


def test_a_selection_that_no_condition_uses_is_an_error(found) -> None:
    assert found(**detection({"event.code": 1}, filter={"event.code": 2}))["unused"].endswith(": filter")
    assert found(**detection({"event.code": 1}, "1 of sel*", sel_b={"event.code": 2})) == {}


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("selection and not selection", "never"), ("selection or not selection", "always"),
        ("selection and same", None), ("selection and not same", "never"), ("not selection", "empty_event"),
        ("1 of s* and not selection and not same", "never"), ("selection and not other", None),
    ],
)  # fmt: skip
def test_a_condition_that_does_not_depend_on_the_event(found, condition, code) -> None:
    parts = {"same": {"EventID": "ABC"}, "other": {"event.code": "abd"}}
    told = found(**detection({"event.code": "abc"}, condition, **parts)).keys() - {"unused"}
    assert told == ({code} if code else set())


def test_a_condition_of_many_tests_is_looked_at_by_its_selections(rule, ruleset) -> None:
    many = {"event.code": [str(number) for number in range(MOST + 1)]}
    for condition, told in (("selection and not selection", False), ("all of them or not 1 of sel*", True)):
        (loaded,) = ruleset(rule(**detection(many, condition))).rules
        assert constant(loaded) is told
    several = {f"s{number}": {"event.code": str(number)} for number in range(MOST + 1)}
    (loaded,) = ruleset(rule(detection={**several, "condition": "all of them and not s1"})).rules
    assert constant(loaded) is None


def test_keywords_and_values_that_become_several_are_tests_too(rule, ruleset) -> None:
    for selection in (["x", 5], {"a|windash": "-x"}):
        (loaded,) = ruleset(rule(**detection(selection, "selection and not selection"))).rules
        assert constant(loaded) is False


@pytest.mark.parametrize(
    ("selection", "code", "told"),
    [
        ({"a.b|contains": ["/c", "xyz"]}, "short_contains", "a.b: '/c'"), (["ab"], "short_contains", "keyword: 'ab'"),
        ({"a.b": "*xyz*"}, "wildcards", "a.b: *xyz*"), ({"a.b|re": "^abc"}, "plain_regex", "^abc -> startswith|cased"),
    ],
)  # fmt: skip
def test_values_that_are_better_written_otherwise(found, selection, code, told) -> None:
    assert found(**detection(selection))[code].endswith(told)


@pytest.mark.parametrize("selection", [{"a.b|contains": "abc"}, {"a.b": "x"}, {"a.b|re": "x+"}, {"a.b|re|i": "abc"}])
def test_values_that_are_well_written(found, selection) -> None:
    assert found(**detection(selection)) == {}


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        ("abc", "contains|cased"), (".*abc.*", "contains|cased"), ("^abc", "startswith|cased"),
        (r"\.exe$", "endswith|cased"), ("^abc$", "cased"), ("^.*abc", "contains|cased"),
        ("^abc.*$", "startswith|cased"),
        (r"a\\b", "contains|cased"), ("a.c", ""), (r"\d", ""), ("a|b", ""), ("[ab]", ""), ("", ""), ("^", ""),
    ],
)  # fmt: skip
def test_what_a_plain_regular_expression_says_by_a_modifier(pattern, instead) -> None:
    assert plain(pattern) == instead


def test_text_that_is_not_in_normal_form_c_is_told_by_its_line(rule) -> None:
    text = rule(**WHOLE, **detection({"event.code": 1})) + unicodedata.normalize("NFD", "# Việt").encode()
    (one,) = lint({"x.yml": text}).findings
    line = len(text.splitlines())
    assert (one.code, one.text) == ("not_nfc", f"{TEXTS['not_nfc'][1]}: dòng / line {line}")
