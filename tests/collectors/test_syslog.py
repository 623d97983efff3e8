"""Syslog messages taken apart, as they are and as devices send them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.syslog import Message, parse
from core.clock import VIETNAM, from_datetime

SEEN = from_datetime(datetime(2026, 11, 22, 6, 31, 9, tzinfo=VIETNAM))
YEAR_2200 = 7_258_118_400_000_000_000


def take(text: str, seen: int = SEEN, zone: str = "Asia/Ho_Chi_Minh") -> Message:
    return parse(text, seen, ZoneInfo(zone))


def vietnam(*parts: int) -> int:
    return from_datetime(datetime(*parts, tzinfo=VIETNAM))


def utc(*parts: int) -> int:
    return from_datetime(datetime(*parts, tzinfo=UTC))


def test_a_message_of_rfc_5424_has_all_its_parts():
    text = (
        "<165>1 2026-11-22T06:31:09.104512+07:00 sv-hcm.vks.gov.vn evntslog 911 ID47 "
        '[exampleSDID@32473 iut="3" eventSource="Application"][x y="z"] An application event'
    )
    assert take(text) == Message(
        facility=20,
        severity=5,
        time=vietnam(2026, 11, 22, 6, 31, 9) + 104_512_000,
        host="sv-hcm.vks.gov.vn",
        program="evntslog",
        pid="911",
        code="ID47",
        structured='[exampleSDID@32473 iut="3" eventSource="Application"][x y="z"]',
        text="An application event",
    )


def test_nil_values_are_absent():
    assert take("<13>1 - - - - - -") == Message(1, 5, None, "", "", "", "", "", "")


def test_the_message_may_be_missing_after_structured_data():
    assert take("<13>1 - - - - - [a]") == Message(1, 5, None, "", "", "", "", "[a]", "")


@pytest.mark.parametrize(
    "structured",
    [r'[a b="\]"]', r'[a b="\""]', r'[a b="\\"]', r'[a b="]["]', '[a b="line\nbreak"]', '[a][b][c d=""]', "[]"],
)
def test_escaped_quotes_and_brackets_do_not_end_structured_data(structured):
    message = take(f"<13>1 - h p - - {structured} the text")
    assert (message.structured, message.text) == (structured, "the text")


@pytest.mark.parametrize("broken", ['[a b="x', '[a b="x]', "[a", r'[a b="\"] x'])
def test_structured_data_that_does_not_end_is_text(broken):
    message = take(f"<13>1 - h p - - {broken}")
    assert (message.host, message.structured, message.text) == ("h", "", broken)


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert take("<13>1 - h p - - - \ufeffĐăng nhập").text == "Đăng nhập"


@pytest.mark.parametrize(
    "text",
    [
        "<13>1 2026-11-22T06:31:09Z",
        "<13>1 - h p",
        "<13>2 - h p - - - x",
        f"<13>1 - {'h' * 256} p - - - x",
        "<13>1  - h p - - - x",
    ],
)
def test_what_is_not_quite_rfc_5424_is_all_text(text):
    message = take(text)
    assert (message.time, message.host, message.program) == (None, "", "")
    assert message.text == text.removeprefix("<13>")


@pytest.mark.parametrize("stamp", ["now", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T06:31:61Z"])
def test_a_message_of_rfc_5424_without_a_possible_time_keeps_its_other_parts(stamp):
    message = take(f"<13>1 {stamp} h p 7 - - x")
    assert (message.time, message.host, message.program, message.pid, message.text) == (None, "h", "p", "7", "x")


def test_a_time_of_rfc_5424_without_offset_is_meant_in_the_senders_zone():
    assert take("<13>1 2026-11-22T06:31:09 h p - - - x").time == vietnam(2026, 11, 22, 6, 31, 9)


def test_a_message_of_rfc_3164_has_host_tag_and_pid():
    assert take("<38>Nov 22 06:31:07 sv-tha sshd[2231]: Failed password") == Message(
        facility=4,
        severity=6,
        time=vietnam(2026, 11, 22, 6, 31, 7),
        host="sv-tha",
        program="sshd",
        pid="2231",
        code="",
        structured="",
        text="Failed password",
    )


@pytest.mark.parametrize(
    ("rest", "host", "program", "pid", "text"),
    [
        ("sshd[2231]: x", "", "sshd", "2231", "x"),
        ("su: x", "", "su", "", "x"),
        ("10.21.4.10 su: x", "10.21.4.10", "su", "", "x"),
        ("2001:db8::7 su: x", "2001:db8::7", "su", "", "x"),
        ("sv-tha sudo:  van_a : TTY=pts/0", "sv-tha", "sudo", "", " van_a : TTY=pts/0"),
        ("sv-tha rsyslogd: a: b", "sv-tha", "rsyslogd", "", "a: b"),
        ("sv-tha postfix/smtpd[12]: x", "sv-tha", "postfix/smtpd", "12", "x"),
        ("sv-tha no tag here", "sv-tha", "", "", "no tag here"),
        ("sv-tha systemd[1]:", "sv-tha", "systemd", "1", ""),
        ("sv-tha gdm-password][12]: x", "sv-tha", "gdm-password]", "12", "x"),
        ("sv-tha su[]: x", "sv-tha", "su", "", "x"),
        (f"sv-tha {'t' * 128}[12]: x", "sv-tha", "t" * 128, "12", "x"),
        (f"sv-tha {'t' * 129}: x", "sv-tha", "", "", f"{'t' * 129}: x"),
        ("sv-tha CRON: x", "sv-tha", "CRON", "", "x"),
        ("CRON: x", "", "CRON", "", "x"),
        ("dhcpd:DHCPACK on x", "", "dhcpd", "", "DHCPACK on x"),
        ("fe80::7%eth0 su: x", "fe80::7%eth0", "su", "", "x"),
        ("ICT: sv-tha su: x", "sv-tha", "su", "", "x"),
        ("sv-tha su: %s", "sv-tha", "su", "", "%s"),
        ("", "", "", "", ""),
    ],
)
def test_host_and_tag_of_rfc_3164_may_each_be_missing(rest, host, program, pid, text):
    message = take(f"<38>Nov 22 06:31:07 {rest}")
    assert (message.host, message.program, message.pid, message.text) == (host, program, pid, text)
    assert message.time == vietnam(2026, 11, 22, 6, 31, 7)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("Nov  2 06:31:07", vietnam(2026, 11, 2, 6, 31, 7)),
        ("Nov 2 06:31:07", vietnam(2026, 11, 2, 6, 31, 7)),
        ("Nov 22 06:31:07.5", vietnam(2026, 11, 22, 6, 31, 7) + 500_000_000),
        ("Nov 22 06:31:07.123456789", vietnam(2026, 11, 22, 6, 31, 7) + 123_456_789),
        ("Nov 22 2024 06:31:07", vietnam(2024, 11, 22, 6, 31, 7)),
        ("Nov 22 06:31:07 2024", vietnam(2024, 11, 22, 6, 31, 7)),
        ("2026-11-22T06:31:07.104512+07:00", vietnam(2026, 11, 22, 6, 31, 7) + 104_512_000),
        ("2026-11-21T23:31:07Z", vietnam(2026, 11, 22, 6, 31, 7)),
        ("2026-11-22T06:31:07.000000001", vietnam(2026, 11, 22, 6, 31, 7) + 1),
        ("2026-11-22 06:31:07,250", vietnam(2026, 11, 22, 6, 31, 7) + 250_000_000),
    ],
)
def test_a_time_is_exact_to_its_last_digit(stamp, expected):
    message = take(f"<38>{stamp} sv-tha sshd[1]: x")
    assert (message.time, message.host, message.program, message.text) == (expected, "sv-tha", "sshd", "x")


@pytest.mark.parametrize("stamp", ["Nov 22 06:31:07", "2026-11-22T06:31:07+07:00"])
def test_a_space_may_stand_before_the_time(stamp):
    assert take(f"<38> {stamp} h p: x") == take(f"<38>{stamp} h p: x")
    assert take("<38> Notes: x").text == " Notes: x"


def test_a_time_without_zone_is_meant_in_the_sources_zone():
    assert take("<38>Nov 22 06:31:07 h p: x", zone="UTC").time == utc(2026, 11, 22, 6, 31, 7)
    assert take("<38>2026-11-22 06:31:07 h p: x", zone="UTC").time == utc(2026, 11, 22, 6, 31, 7)
    assert take("<38>Nov 22 06:31:07 h p: x").time == utc(2026, 11, 21, 23, 31, 7)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("Dec 31 23:59:60", vietnam(2027, 1, 1)),
        ("Jan  1 06:59:60", vietnam(2027, 1, 1, 7)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1)),
    ],
)
def test_a_leap_second_is_the_next_second(stamp, expected):
    message = take(f"<38>{stamp} h p: x", seen=vietnam(2027, 1, 1, 0, 0, 1))
    assert (message.time, message.program) == (expected, "p")


@pytest.mark.parametrize(
    ("stamp", "seen", "year"),
    [
        ("Dec 31 23:59:58", vietnam(2027, 1, 1, 0, 0, 1), 2026),
        ("Jan  1 00:00:01", vietnam(2026, 12, 31, 23, 59, 58), 2027),
        ("Dec 31 23:59:58", vietnam(2026, 12, 31, 23, 59, 59), 2026),
        ("Jan  1 00:00:01", vietnam(2027, 1, 1, 0, 0, 2), 2027),
        ("Jul  1 00:00:00", vietnam(2026, 12, 29), 2026),
        ("Jul  1 00:00:00", vietnam(2026, 1, 1), 2026),
        ("Jul  4 00:00:00", vietnam(2026, 1, 1), 2025),
    ],
)
def test_the_year_is_the_one_that_brings_the_time_nearest_to_its_receipt(stamp, seen, year):
    message = take(f"<38>{stamp} h p: x", seen=seen)
    assert message.time is not None
    assert datetime.fromtimestamp(message.time // 10**9, VIETNAM).year == year


def test_the_29th_of_february_has_the_leap_year_near_it():
    assert take("<38>Feb 29 12:00:00 h p: x", seen=vietnam(2028, 3, 1)).time == vietnam(2028, 2, 29, 12)
    assert take("<38>Feb 29 12:00:00 h p: x", seen=vietnam(2027, 12, 31)).time == vietnam(2028, 2, 29, 12)


def test_the_29th_of_february_far_from_any_leap_year_is_no_time():
    assert take("<38>Feb 29 12:00:00 h p: x", seen=vietnam(2026, 3, 1)).time is None


@pytest.mark.parametrize("stamp", ["Foo 22 06:31:07", "Nov 31 06:31:07", "Nov 22 24:00:00", "Nov 22 06:61:00"])
def test_an_impossible_time_is_text(stamp):
    message = take(f"<38>{stamp} h p: x")
    assert message.time is None
    assert stamp.split()[0] in message.text


@pytest.mark.parametrize(
    ("text", "facility", "severity", "rest"),
    [
        ("<0>x: y", 0, 0, "y"),
        ("<191>x: y", 23, 7, "y"),
        ("<192>x: y", 1, 5, "y"),
        ("<999>x: y", 1, 5, "y"),
        ("<1000>x", 1, 5, "<1000>x"),
        ("<>x", 1, 5, "<>x"),
        ("<١>x", 1, 5, "<١>x"),
        ("x: y", 1, 5, "y"),
    ],
)
def test_a_priority_out_of_range_is_none(text, facility, severity, rest):
    message = take(text)
    assert (message.facility, message.severity, message.text) == (facility, severity, rest)


@pytest.mark.parametrize(
    ("lead", "host", "time"),
    [
        ("45: Nov 22 06:45:07.123: ", "", vietnam(2026, 11, 22, 6, 45, 7)),
        ("000045: *Nov 22 06:45:07.123: ", "", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: .Nov 22 06:45:07.123: ", "", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: rt-hp: Nov 22 06:45:07.123: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("rt-hp: *Nov 22 06:45:07.123: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: rt-hp: *Nov 22 06:45:07.123 ICT: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: rt-hp: *Nov 21 23:45:07.123 UTC: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: rt-hp: *Nov 22 06:45:07.123 +07:00: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: rt-hp: *Nov 22 06:45:07.123 XYZ: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("45: Nov 22 2025 06:45:07.123 UTC: ", "", utc(2025, 11, 22, 6, 45, 7)),
        ("Nov 22 06:45:07.123: ", "", vietnam(2026, 11, 22, 6, 45, 7)),
        ("Nov 22 06:45:07.123 rt-hp ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("Nov 22 06:45:07.123 rt-hp: ", "rt-hp", vietnam(2026, 11, 22, 6, 45, 7)),
        ("Nov 22 2026 06:45:07.123 fw1 : ", "fw1", vietnam(2026, 11, 22, 6, 45, 7)),
    ],
)
def test_a_cisco_line_is_taken_apart_whatever_leads_it(lead, host, time):
    message = take(f"<189>{lead}%SYS-5-CONFIG_I: Configured from console")
    assert (message.time, message.host) == (time + 123_000_000, host)
    assert (message.code, message.text) == ("SYS-5-CONFIG_I", "Configured from console")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("%SYS-5-CONFIG_I: x", "SYS-5-CONFIG_I"),
        ("%ASA-6-302013: x", "ASA-6-302013"),
        ("%SEC_LOGIN-5-LOGIN_SUCCESS: x", "SEC_LOGIN-5-LOGIN_SUCCESS"),
        ("%SPA-1-LINK-3-UPDOWN: x", "SPA-1-LINK-3-UPDOWN"),
        ("%LINK-3-UPDOWN[slot 2]: x", "LINK-3-UPDOWN"),
        ("%LINK-8-UPDOWN: x", ""),
        ("%link-3-updown: x", ""),
    ],
)
def test_a_mnemonic_is_the_messages_code(text, code):
    message = take(f"<189>45: Nov 22 06:45:07.123: {text}")
    assert message.code == code
    assert message.text == "x" or not code


@pytest.mark.parametrize("text", ["hello", "Đăng nhập thất bại", "{}", "<", "   x", "a" * 100_000, "\n\n"])
def test_text_that_is_nothing_of_the_sort_is_all_text(text):
    assert take(text) == Message(1, 5, None, "", "", "", "", "", text)


@pytest.mark.parametrize(
    ("seen", "year"),
    [(utc(2026, 12, 31, 5, 59, 59), 2026), (utc(2026, 12, 31, 6, 0, 1), 2027), (utc(2026, 12, 30), 2026)],
)
def test_the_year_may_change_within_a_day(seen, year):
    for line in ("<38>Jul  1 18:00:00 h p: x", "<38>1: h: Jul  1 18:00:00: %A-5-B: x"):
        assert take(line, seen, "UTC").time == utc(year, 7, 1, 18)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants bounds without zone
    st.integers(0, 999_999_999),
)
def test_any_time_survives_to_the_nanosecond(moment, nanosecond):
    whole = moment.replace(microsecond=0)
    message = take(f"<13>1 {whole:%Y-%m-%dT%H:%M:%S}.{nanosecond:09}Z h p - - - x")
    assert message.time == from_datetime(whole) + nanosecond
