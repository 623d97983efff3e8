"""The words: the same keys in both languages, and every key that is used is there."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from string import Formatter

import pytest
from msgspec.structs import replace

import console
from console.texts import LANGUAGES, load_texts, say, say_if_known, say_refusal
from core.errors import NotFoundError, RefusedError
from core.incident import Incident, State, TimelineEntry, Verdict
from core.records import Severity
from core.sigma import load_rules
from core.stores.incidents import commit
from core.stores.users import change_password, read_user
from correlation import incidents as edits

HERE = Path(console.__file__).parent
INCIDENT = Incident(
    id=7, cause="c", object=(), title={"vi": "Một"}, severity=Severity.LOW, occurred=0, detected=0, updated=0
)
CLOSED = replace(INCIDENT, state=State.CLOSED)
SOURCES = [*HERE.glob("*.py"), *(HERE / "templates").iterdir()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_the_same_values_put_in():
    vietnamese, english = load_texts("vi"), load_texts("en")
    assert vietnamese.keys() == english.keys()
    told_apart = {"detail"}  # the loader's own words, which are shown beside a refusal
    assert {key: placeholders(text) - told_apart for key, text in vietnamese.items()} == {
        key: placeholders(text) - told_apart for key, text in english.items()
    }


def test_no_text_is_empty():
    assert [(language, key) for language in LANGUAGES for key, text in load_texts(language).items() if not text] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_key_that_is_used_whole_is_there(source: Path):
    used = re.findall(r"""\bt\(["']([a-z_]+\.[a-z0-9_-]+)["'][,)]""", source.read_text("utf-8"))
    used += re.findall(r"""\bsay\(\w+(?:\(\w+\))?, ["']([a-z_]+\.[a-z0-9_-]+)["'][,)]""", source.read_text("utf-8"))
    assert [key for key in used if key not in load_texts("vi")] == []


@pytest.mark.parametrize(("prefix", "words"), [("severity", Severity), ("state", State), ("verdict", Verdict)])
def test_every_word_of_the_records_has_its_text(prefix, words):
    for word in words:
        assert f"{prefix}.{word.value}" in load_texts("vi")


def test_an_unknown_word_is_shown_as_it_came():
    assert say_if_known("vi", "timeline.merge", "merge") == "merge"
    assert say_if_known("vi", "timeline.noted", "noted") == "Ghi chú"


def test_values_are_put_in():
    assert say("en", "incident.title", number=7) == "Incident 7"


def test_every_refusal_is_found_by_the_centres_words_and_told_in_both_languages():
    for key, words in load_texts("en").items():
        if key.startswith("refusal."):
            values = {name: f"<{name}>" for name in placeholders(words)}
            assert say_refusal("en", words.format(**values)) == words.format(**values)
            assert say_refusal("vi", words.format(**values)) == load_texts("vi")[key].format(**values)


@pytest.mark.parametrize(
    ("refuse", "told"),
    [
        (lambda: edits.note(INCIDENT, " ", "an", 0), "ghi chú còn trống."),
        (lambda: edits.note(INCIDENT, "x" * 10_001, "an", 0), "nội dung có tối đa 10000 ký tự."),
        (lambda: edits.assign(CLOSED, "an", "an", 0), "sự cố số 7 đã đóng."),
        (lambda: edits.acknowledge(CLOSED, "an", 0), "sự cố số 7 đã đóng."),
        (
            lambda: edits.acknowledge(replace(CLOSED, state=State.ACKNOWLEDGED), "an", 0),
            "sự cố số 7 đã được tiếp nhận.",
        ),
        (lambda: edits.report("", Severity.LOW, "other", "an", 0), "tên sự cố phải có từ 1 đến 200 ký tự."),
        (
            lambda: edits.report("x", Severity.LOW, "radio", "an", 0),
            "không có kênh tiếp nhận 'radio': hãy chọn telephone, e-mail, other.",
        ),
    ],
)
def test_what_an_edit_refuses_is_told_in_vietnamese(refuse, told):
    with pytest.raises(RefusedError) as refused:
        refuse()
    assert say_refusal("vi", str(refused.value)) == told


def test_what_the_stores_refuse_is_told_in_vietnamese(state):
    with state.begin() as connection:
        with pytest.raises(NotFoundError) as unknown:
            read_user(connection, "gone")
        with pytest.raises(RefusedError) as short:
            change_password(connection, 0, "an", "short")
        with pytest.raises(RefusedError) as changed:
            commit(connection, INCIDENT, INCIDENT, TimelineEntry(time=0, actor="an", action="noted"))
    assert [say_refusal("vi", str(each.value)) for each in (unknown, short, changed)] == [
        "không có người dùng 'gone'.",
        "mật khẩu phải có ít nhất 12 ký tự.",
        "sự cố số 7 vừa được thay đổi: hãy xem lại.",
    ]


RULE = """
title: T
id: 11111111-1111-4111-8111-111111111111
logsource: {product: linux}
detection: {s: {a: b}, condition: s}
"""
CORRELATION = """
title: T
id: 11111111-1111-4111-8111-111111111111
correlation: {type: event_count, rules: [gone], group-by: [a], timespan: 5m, condition: {gte: 3}}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULE.replace("id:", "x:"), "quy tắc không có mã: hãy thêm một UUID ngẫu nhiên"),
        (RULE.replace("1111-1", "", 1), "mã của quy tắc không phải là UUID"),
        (RULE.replace("title: T", ""), "quy tắc không có tên"),
        (RULE + "level: urgent", "'urgent' không phải mức độ của Sigma"),
        (RULE.replace("{a: b}", '{"a|foo": b}'), "không có bổ tố (modifier) 'foo'"),
        (RULE.replace("{a: b}", '{"a|expand": "%x%"}'), "cần giá trị riêng của đơn vị cho %x%"),
        (RULE.replace("{a: b}", '{"a|re": "(?=x)"}'), "không dùng được biểu thức chính quy '(?=x)'"),
        (RULE + "level: low\nlevel: low", "khóa 'level' được ghi hai lần"),
        (RULE.replace("{product: linux}", "{}"), "nguồn nhật ký (logsource) còn trống"),
        (RULE.replace(", condition: s", ""), "quy tắc không có điều kiện (condition)"),
        ("detection: [x", "tệp không phải YAML hợp lệ"),
        ("detection: 'x", "tệp không phải YAML hợp lệ"),
        ("[1, 2]", "không phải quy tắc Sigma"),
        (CORRELATION, "cần những quy tắc không có, bị từ chối hoặc cần lại chính nó: gone"),
    ],
)
def test_what_the_loader_refuses_is_told_in_vietnamese(text, told):
    (refused,) = load_rules({"a.yml": text.encode()}).refused
    assert say_refusal("vi", refused.reason) == told


def test_the_id_of_another_rule_is_told_in_vietnamese():
    (refused,) = load_rules({"a.yml": RULE.encode(), "b.yml": RULE.encode()}).refused
    assert "đã là mã hoặc tên của một quy tắc trong a.yml" in say_refusal("vi", refused.reason)


@pytest.mark.parametrize(
    "reason", ["", "words of tomorrow", "incident 7 is closed, perhaps", "so incident 7 is closed"]
)
def test_a_reason_in_other_words_has_no_text(reason):
    assert say_refusal("vi", reason) == ""


def test_what_a_refusal_names_is_never_taken_for_a_placeholder():
    assert say_refusal("vi", "there is no user '{x}\n'") == "không có người dùng '{x}\n'."


def test_the_vietnamese_words_are_the_agreed_ones():
    words = (HERE / "i18n" / "vi.toml").read_text("utf-8")
    assert unicodedata.is_normalized("NFC", words)
    unwanted = r"luật|chứng cứ|phụ trách|bảng điều hành|khoá|huỷ"
    assert re.findall(unwanted, words, re.IGNORECASE) == []
