"""Sigma's value types and modifiers, each with what it meets and what it just does not."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest

from detections.engine import ClosureEngine

NFD_NAME = unicodedata.normalize("NFD", "Nguyễn Thị Hằng")

CASES = {
    "text is met whole": ({"a": "root"}, "root", "roots"),
    "text is met in any case": ({"a": "Root"}, "rOOT", "r00t"),
    "Vietnamese is met in any case": ({"a": "ĐẶNG Ơn"}, "đặng ơN", "dang on"),
    "Vietnamese composed meets decomposed": ({"a": "nguyễn thị hằng"}, NFD_NAME, "Nguyễn Thị Hăng"),
    "Vietnamese decomposed meets composed": ({"a|contains": NFD_NAME}, "bà Nguyễn Thị Hằng", "bà Nguyen Thi Hang"),
    "a letter is not met by its marks": ({"a|startswith": "e"}, "ex", unicodedata.normalize("NFD", "ế")),
    "the dotted capital I keeps its dot": ({"a": "İstanbul"}, "İSTANBUL", "istanbul"),
    "sharp s is lowered and not folded further": ({"a": "Straße"}, "STRAßE", "STRASSE"),
    "a list of values is any": ({"a": ["x", "y"]}, "y", "z"),
    "a list in the event is any element": ({"a": "y"}, ["x", "y"], ["x", "yy"]),
    "star is any text": ({"a": "a*z"}, "abcz", "abcy"),
    "star is also no text": ({"a": "a*z"}, "az", "a"),
    "star alone is any value, also empty": ({"a": "*"}, "", None),
    "question mark is one character": ({"a": "a?c"}, "abc", "ac"),
    "question mark is one letter with its marks": ({"a": "V?t"}, unicodedata.normalize("NFD", "Vệt"), "Việt"),
    "star meets line breaks": ({"a": "a*z"}, "a\nz", "a\ny"),
    "an escaped star is a star": ({"a": r"a\*z"}, "a*z", "abz"),
    "an escaped question mark is a question mark": ({"a": r"a\?"}, "a?", "ab"),
    "an escaped backslash before a star": ({"a": r"C:\\*"}, "C:\\Windows", "C:*"),
    "a plain backslash is one": ({"a": r"C:\Windows"}, "c:\\windows", "c:\\\\windows"),
    "other signs of expressions are plain": ({"a": "a.b+[c]*"}, "a.b+[c]d", "axb+[c]d"),
    "contains": ({"a|contains": "user"}, "new USER: x", "new usr"),
    "contains with a wildcard inside": ({"a|contains": "new*:"}, "a new user: b", "a : new user"),
    "startswith": ({"a|startswith": "new"}, "New user", "a new user"),
    "endswith": ({"a|endswith": ".exe"}, "a.EXE", "a.exe "),
    "contains all": ({"a|contains|all": ["x", "y"]}, "axby", "axb"),
    "cased": ({"a|cased": "Root"}, "Root", "root"),
    "cased contains": ({"a|contains|cased": "Đăng"}, "Hải Đăng", "hải đăng"),
    "cased still composes": ({"a|cased": "Đặng"}, unicodedata.normalize("NFD", "Đặng"), "đặng"),
    "a number meets a number": ({"a": 4625}, 4625, 4624),
    "a number meets its text": ({"a": 4625}, "4625", "04625"),
    "a number meets a whole float": ({"a": 4625}, 4625.0, 4625.5),
    "text meets a number": ({"a": "4625"}, 4625, 46250),
    "text meets a whole float": ({"a": "4625"}, 4625.0, 4625.5),
    "a number does not meet a boolean": ({"a": 1}, 1, True),
    "a negative number": ({"a": -1}, -1, 1),
    "a fraction": ({"a": 0.5}, "0.5", "0.50"),
    "a boolean meets a boolean": ({"a": True}, True, False),
    "a boolean meets its text": ({"a": True}, "TRUE", "yes"),
    "text meets a boolean": ({"a": "false"}, False, True),
    "a boolean does not meet a number": ({"a": True}, True, 1),
    "re searches": ({"a|re": r"us[e3]r\d"}, "a user1 b", "a user b"),
    "re minds case": ({"a|re": "User"}, "User", "user"),
    "re with i does not": ({"a|re|i": "User"}, "uSER", "usr"),
    "re anchors whole text": ({"a|re": "^b"}, "b\na", "a\nb"),
    "re with m anchors lines": ({"a|re|m": "^b"}, "a\nb", "a b"),
    "re dot stops at lines": ({"a|re": "a.b"}, "a-b", "a\nb"),
    "re with s does not": ({"a|re|s": "a.b"}, "a\nb", "ab"),
    "re with i and s": ({"a|re|i|s": "A.b"}, "a\nB", "a\n\nB"),
    "re composes": ({"a|re": "^Đ.ng$"}, unicodedata.normalize("NFD", "Đặng"), "Đ ặng"),
    "re meets a number": ({"a|re": "^46"}, 4625, 5625),
    "cidr of IPv4": ({"a|cidr": "10.0.0.0/8"}, "10.255.0.1", "11.0.0.1"),
    "cidr of IPv6": ({"a|cidr": "2001:db8::/32"}, "2001:DB8:0:1::9", "2001:db9::1"),
    "cidr of IPv4 meets the mapped address": ({"a|cidr": "10.0.0.0/8"}, "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
    "cidr of one address": ({"a|cidr": "192.0.2.1/32"}, "192.0.2.1", "192.0.2.2"),
    "cidr meets no text": ({"a|cidr": "0.0.0.0/0"}, "192.0.2.1", "localhost"),
    "cidr meets no other version": ({"a|cidr": "::/0"}, "::1", "192.0.2.1"),
    "any of several cidrs": ({"a|cidr": ["10.0.0.0/8", "172.16.0.0/12"]}, "172.31.0.1", "172.32.0.1"),
    "lt": ({"a|lt": 5}, 4, 5),
    "lte": ({"a|lte": 5}, 5, 6),
    "gt": ({"a|gt": 5}, 5.5, 5),
    "gte": ({"a|gte": 5}, "5", "4.9"),
    "comparison meets no text": ({"a|gt": 0}, "1e3", "many"),
    "comparison meets no boolean": ({"a|gt": 0}, 1, True),
    "comparison of numbers, not of text": ({"a|lt": 10}, "9", "10"),
    "comparison is exact for large numbers": ({"a|gt": 9007199254740992}, "9007199254740993", "9007199254740992"),
    "neq": ({"a|neq": "x"}, "y", "X"),
    "neq of several is none of them": ({"a|neq": ["x", "y"]}, "z", "y"),
    "neq meets a missing field": ({"a|neq": "x"}, None, "x"),
    "neq with contains": ({"a|contains|neq": "x"}, "abc", "axc"),
    "null meets None": ({"a": None}, None, "x"),
    "null meets an empty list": ({"a": None}, [], ["x"]),
    "null does not meet empty text": ({"a": None}, None, ""),
    "empty text meets empty text": ({"a": ""}, "", " "),
    "empty text does not meet null": ({"a": ""}, "", None),
    "a value or null": ({"a": ["x", None]}, None, "y"),
    "windash meets any dash": ({"a|contains|windash": " -enc "}, "ps /enc x", "ps +enc x"),
    "windash under all": ({"a|contains|all|windash": ["-a", "-b"]}, "/a -b", "/a b"),
    "base64": ({"a|base64": "xin chào"}, "eGluIGNow6Bv", "eGluIGNow6B"),
    "base64offset": ({"a|base64offset|contains": "/bin/sh"}, "eCAvYmluL3NoIHk=", "eCAvYmluL3MgeQ=="),
    "wide": ({"a|wide|base64offset|contains": "cmd"}, "YwBtAGQA", "Y21k"),
    "utf16be": ({"a|utf16be|base64offset|contains": "cmd"}, "AGMAbQBk", "YwBtAGQA"),
    "utf16 text": ({"a|utf16": "ab"}, "\xff\xfea\0b\0", "a\0b\0"),
    "minute": ({"a|minute": 31}, "2026-11-22T08:31:07+07:00", "2026-11-22T08:32:07+07:00"),
    "hour is Vietnam's": ({"a|hour": 8}, "2026-11-22T01:31:07Z", "2026-11-22T08:31:07Z"),
    "hour without a zone is Vietnam's": ({"a|hour": 8}, "2026-11-22 08:31:07", "2026-11-22 01:31:07"),
    "hour of nanoseconds": ({"a|hour": 8}, 1_795_311_067_000_000_000, 1_795_315_867_000_000_000),
    "day is Vietnam's": ({"a|day": 23}, "2026-11-22T17:00:00Z", "2026-11-22T16:59:59Z"),
    "week": ({"a|week": 47}, "2026-11-22", "2026-11-23"),
    "month": ({"a|month": 11}, "2026-11-30", "2026-12-01"),
    "year": ({"a|year": 2027}, "2026-12-31T17:00:00Z", "2026-12-31T16:00:00Z"),
    "a part of no time": ({"a|hour": 0}, "2026-11-22", "midnight"),
    "a part of a time out of range": ({"a|year": 1970}, 0, 10**30),
    "a part compared": ({"a|hour|gte": 18}, "2026-11-22T18:00:00+07:00", "2026-11-22T17:59:59+07:00"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_value_meets(name, hits) -> None:
    selection, met, _ = CASES[name]
    assert hits(selection, {"a": met})


@pytest.mark.parametrize("name", CASES)
def test_a_value_does_not_meet(name, hits) -> None:
    selection, _, near = CASES[name]
    assert not hits(selection, {"a": near})


@pytest.mark.parametrize(
    "selection",
    [
        {"a": "*"}, {"a": ""}, {"a": 0}, {"a": False}, {"a|re": ".*"}, {"a|cidr": "::/0"}, {"a|lt": 1},
        {"a|hour|gte": 0}, {"a|fieldref": "b"}, {"a|exists": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_missing_field_meets_nothing_and_its_negation_always(selection, hits, condition_hits) -> None:
    assert not hits(selection, {"b": ""})
    assert condition_hits({"selection": selection, "condition": "not selection"}, {"b": ""})


def test_a_missing_field_is_null(hits) -> None:
    assert hits({"a": None}, {})


@pytest.mark.parametrize(("value", "there"), [("x", True), ("", True), (None, True), ([], True)])
def test_exists_asks_for_the_field_and_not_its_value(value, there, hits) -> None:
    assert hits({"a|exists": True}, {"a": value}) is there
    assert hits({"a|exists": False}, {"a": value}) is not there
    assert hits({"a|exists": False}, {"b": value})


@pytest.mark.parametrize(
    ("modifiers", "other", "met"),
    [
        ("fieldref", "ROOT", True), ("fieldref", "roots", False), ("fieldref", ["x", "root"], True),
        ("fieldref|startswith", "ro", True), ("fieldref|startswith", "oot", False),
        ("fieldref|endswith", "oot", True), ("fieldref|endswith", "ro", False),
        ("fieldref|contains", "oo", True), ("fieldref|contains", "rt", False),
        ("fieldref", None, False), ("fieldref|neq", "other", True), ("fieldref|neq", "root", False),
    ],
)  # fmt: skip
def test_a_field_is_compared_with_another(modifiers, other, met, hits) -> None:
    assert hits({f"a|{modifiers}": "b"}, {"a": "root", "b": other}) is met


def test_the_time_of_the_event_is_its_timestamp_unless_decoded(hits) -> None:
    assert hits({"@timestamp|hour": 8}, {})
    assert hits({"@timestamp|hour": 23}, {"@timestamp": "2026-11-22T23:00:00+07:00"})
    assert not hits({"@timestamp|hour": 8}, {"@timestamp": "2026-11-22T23:00:00+07:00"})


def test_field_names_mind_case(hits) -> None:
    assert not hits({"User.name": "x"}, {"user.name": "x"})


def test_an_unknown_place_is_missing_and_a_known_one_is_a_field(hits, rule, ruleset, event) -> None:
    assert hits({"site": None, "unit|exists": False}, {})
    known = msgspec.structs.replace(event(), site="tha", device="sv-tha")
    text = rule(detection={"selection": {"site": "THA", "device|exists": True}, "condition": "selection"})
    assert ClosureEngine(ruleset(text)).match(known)
