from __future__ import annotations

import unicodedata

import pytest


def test_a_keyword_is_found_in_any_field_in_any_case(keyword_hits) -> None:
    assert keyword_hits(["mimikatz"], {"b": "run MIMIKATZ now"})
    assert keyword_hits(["mimikatz"], {"b": ["x", "mimikatz.exe"]})
    assert not keyword_hits(["mimikatz"], {"b": "mimi katz"})


def test_a_keyword_is_not_found_in_field_names(keyword_hits) -> None:
    assert not keyword_hits(["mimikatz"], {"mimikatz": "x"})


def test_a_keyword_is_found_in_the_raw_message(keyword_hits) -> None:
    assert keyword_hits(["%SYS-5-CONFIG_I"], {}, b"<189>45: %SYS-5-CONFIG_I: Configured")
    assert not keyword_hits(["%SYS-5-CONFIG_I"], {}, b"<189>45: %SYS-5-RESTART")


def test_a_raw_message_that_is_not_utf_8_is_still_searched(keyword_hits) -> None:
    assert keyword_hits(["failed"], {}, b"\xff\xfe login failed")


def test_a_keyword_meets_composed_and_decomposed_text(keyword_hits) -> None:
    raw = unicodedata.normalize("NFD", "Đăng nhập thất bại").encode()
    assert keyword_hits(["thất bại"], {}, raw)
    assert not keyword_hits(["thât bại"], {}, raw)


def test_a_keyword_must_be_within_one_value(keyword_hits) -> None:
    assert not keyword_hits(["new*user"], {"a": "new", "b": "user"})
    assert keyword_hits(["new*user"], {"a": "a new local user b"})


def test_any_keyword_is_enough_and_all_must_be_asked_for(keyword_hits) -> None:
    assert keyword_hits(["x1", "y1"], {"a": "y1"})
    assert not keyword_hits({"|all": ["x1", "y1"]}, {"a": "y1"})
    assert keyword_hits({"|all": ["x1", "y1"]}, {"a": "y1", "b": "x1"})


@pytest.mark.parametrize(
    ("keywords", "value", "met"),
    [
        ([4625], "id=4625;", True), ([4625], 4625, True), ([4625], "462 5", False),
        ([True], "is TRUE", True), ([True], True, True), ([True], False, False),
        ({"|re": r"4\d25"}, "id=4625", True), ({"|re": r"^4\d25"}, "id=4625", False),
        ({"|cased": "Root"}, "a Root b", True), ({"|cased": "Root"}, "a root b", False),
        ({"|contains|windash": "-enc"}, "ps /enc", True), ({"|contains|windash": "-enc"}, "ps enc", False),
        ({"|startswith": "b"}, "a b c", True), (["*"], "", True),
        ({"|hour": 8}, "2026-11-22T08:31:07+07:00", True), ({"|hour": 8}, "at 8 h", False),
        ({"|cidr": "10.0.0.0/8"}, "10.1.1.1", True), ({"|cidr": "10.0.0.0/8"}, "from 10.1.1.1", False),
    ],
)  # fmt: skip
def test_keywords_of_every_type(keywords, value, met, keyword_hits) -> None:
    assert keyword_hits(keywords, {"a": value}) is met
