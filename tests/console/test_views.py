"""What is shown of a record: bytes that hide nothing, ages, times and names."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest
from hypothesis import given, strategies

from console.views import View, age, exact_moment, in_language, moment_or_none, object_text, row, step, visible
from core.clock import HOUR, MINUTE, SECOND
from core.incident import TimelineEntry

VIEW = View(language="vi", sites={"hn": "Hà Nội"}, units={}, now=0)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain", "plain"),
        ("tiếng Việt".encode(), "tiếng Việt"),
        (b"a\x1b[31mb", "a‹ESC›[31mb"),
        (b"\x00\t\r\n\x07\x7f", "‹NUL›‹TAB›‹CR›‹LF›‹U+0007›‹U+007F›"),
        ("\u202egnp.exe\u200b\u2028".encode(), "‹U+202E›gnp.exe‹U+200B›‹U+2028›"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
    ],
)
def test_nothing_in_a_raw_line_hides(raw, shown):
    assert visible(raw) == shown


@given(strategies.binary(max_size=200))
def test_no_bytes_whatever_give_a_character_that_acts(raw):
    assert not {unicodedata.category(character) for character in visible(raw)} & {"Cc", "Cf", "Zl", "Zp"}
    assert not set(visible(raw)) & {chr(code) for code in (*range(0x20), 0x7F, 0x85, 0x202E, 0x2066, 0xFEFF)}


@pytest.mark.parametrize(
    ("nanoseconds", "unit", "count"),
    [
        (-HOUR, "now", 0),
        (59 * SECOND, "now", 0),
        (MINUTE, "minutes", 1),
        (HOUR - 1, "minutes", 59),
        (HOUR, "hours", 1),
        (24 * HOUR - 1, "hours", 23),
        (49 * HOUR, "days", 2),
    ],
)
def test_an_age_is_told_in_the_largest_whole_unit(nanoseconds, unit, count):
    told = age(nanoseconds)
    assert (told.unit, told.count) == (unit, count)


def test_an_event_time_is_vietnams_to_the_millisecond():
    told = exact_moment(1_795_300_000_123_456_789)
    assert (told.text, told.iso) == ("22/11/2026 05:26:40.123", "2026-11-21T22:26:40.123456Z")


def test_what_has_not_happened_has_no_time():
    assert moment_or_none(0) is None


def test_a_closing_tells_its_verdict_apart_from_its_words():
    told = step(TimelineEntry(time=1, actor="an", action="closed", detail="benign: a drill: all well"))
    assert (told.verdict, told.detail) == ("benign", "a drill: all well")
    told = step(TimelineEntry(time=1, actor="an", action="closed", detail="duplicate"))
    assert (told.verdict, told.detail) == ("duplicate", "")


def test_a_note_that_begins_like_a_verdict_is_a_note():
    told = step(TimelineEntry(time=1, actor="an", action="noted", detail="benign: perhaps"))
    assert (told.verdict, told.detail) == ("", "benign: perhaps")


def test_a_title_falls_back_to_the_language_it_has():
    assert in_language({"vi": "Một"}, "en", "") == "Một"
    assert in_language({"vi": "Một", "en": "One"}, "en", "") == "One"
    assert in_language({}, "vi", "") == ""
    assert in_language({"vi": (), "en": ("One",)}, "vi", ()) == ("One",)


def test_a_site_is_told_by_its_name_and_an_unknown_one_by_its_id(store):
    assert row(store(sites=("hn", "xx")), VIEW).place == "Hà Nội, xx"


def test_what_belongs_to_no_site_is_told_by_its_device(store):
    assert row(store(sites=(), devices=("fw-1",)), VIEW).place == "fw-1"


def test_a_closed_incident_was_open_until_it_was_resolved(store):
    later = msgspec.structs.replace(VIEW, now=9 * HOUR)
    assert row(store(detected=HOUR), later).age.count == 8
    assert row(store(detected=HOUR, resolved=3 * HOUR), later).age.count == 2


def test_a_part_of_a_device_is_named_by_its_value_alone():
    pairs = (("haidang.object", "rt-hn/Gi0/0/1"), ("source.ip", "203.0.113.7"), ("user.name", ""))
    assert object_text(pairs) == "rt-hn/Gi0/0/1 · source.ip 203.0.113.7 · user.name"
