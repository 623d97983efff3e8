"""The forms that are read at once mean what the steps say, and any text has parts within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs import syslog
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


AT_ONCE = [
    "<38>Nov 22 06:31:07 sv-tha sshd[2231]: x",
    "<38>Nov  2 06:31:07 su: x",
    "<38>2026-11-22T06:31:07.104512+07:00 10.21.4.10 postfix/smtpd[12]: x",
    "<189>45: rt-hp: *Nov 22 06:45:07.123 XYZ: %SYS-5-CONFIG_I: x",
    "<189>45: Nov 22 06:45:07: %LINK-3-UPDOWN[slot 2]: x",
    "<166>Nov 22 2026 06:31:07 fw1 : %ASA-6-302013: x",
]


@pytest.mark.parametrize("line", AT_ONCE)
def test_what_most_senders_write_is_read_at_once(line):
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert syslog._program_at_once(line, SEEN, zone) or syslog._device_at_once(line, SEEN, zone)


LINE = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "<34>",
                "<999>",
                "1 ",
                "- ",
                "[a b=",
                '"',
                "\\",
                "]",
                "Nov 22 06:31:07",
                "Feb 29 23:59:60",
                " 0001",
                "9999-12-31T23:59:60",
                "0001-01-01T00:00:00",
                "+14:00",
                "-14:00",
                ".999999999",
                " UTC:",
                " +14:00:",
                "45: ",
                "rt: ",
                "*",
                "%A-5-B: ",
                " h p[1]: ",
                "\ufeff",
                "٣",
            ]
        ),
    ),
    max_size=12,
).map("".join)


@given(st.one_of(st.text(), LINE), st.integers(0, YEAR_2200), st.sampled_from(["Asia/Ho_Chi_Minh", "UTC"]))
def test_any_text_has_parts_within_bounds(text, seen, zone):
    message = take(text, seen, zone)
    assert 0 <= message.facility <= 23
    assert 0 <= message.severity <= 7
    assert len(message.host) <= 255
    assert len(message.program) <= 128
    assert len(message.pid) <= 128
    assert len(message.code) <= 400
    assert len(message.structured) <= len(text)
    assert len(message.text) <= len(text)
    assert text.endswith(message.text)


HEAD = st.tuples(
    st.sampled_from(["<38>", "<007>", "<192>", ""]),
    st.sampled_from(["", "", "45: ", "rt: ", "45: rt: ", "*"]),
    st.sampled_from(
        [
            "Nov 22 06:31:07",
            "Nov  2 06:31:07",
            "Nov 2 06:31:07",
            "Foo 22 06:31:07",
            "Nov 31 06:31:07",
            "Nov 22 2026 06:31:07",
            "Mar 29 01:59:60",
            "Jul  4 00:00:00",
            "2026-11-22T06:31:60.5+07:00",
            "2026-11-22T06:31:07Z",
        ]
    ),
    st.sampled_from(["", "", ".123", " 2024", " ICT", " ABC", " +07:00", ":"]),
    st.sampled_from([" ", " h ", " h: ", " h : ", "  h ", ": ", " 2001:db8::7 ", " dead:beef ", " 2024 ", " CRON: "]),
    st.sampled_from(["su: x", "sshd[2]: x", "sshd[]: ", "p:x", "p: %x", "%SYS-5-A: x", "%A-6-1[s]:x", "x y", "a]: x"]),
).map("".join)


@given(st.one_of(HEAD, LINE), st.integers(0, YEAR_2200), st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin"]))
def test_what_is_read_at_once_is_what_the_steps_say(text, seen, name):
    zone = ZoneInfo(name)
    steps = syslog._rfc5424(text, zone) or syslog._step_by_step(text, seen, zone)
    for at_once in (syslog._program_at_once(text, seen, zone), syslog._device_at_once(text, seen, zone)):
        assert at_once in {None, steps}
