from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import HOUR, MINUTE, SECOND, HeldClock, SystemClock, from_datetime, iso, to_datetime, vietnam


@pytest.mark.parametrize(
    ("nanoseconds", "utc", "local"),
    [
        (0, "1970-01-01T00:00:00.000000Z", "01/01/1970 08:00:00"),
        (1_795_312_267_000_001_999, "2026-11-22T01:51:07.000001Z", "22/11/2026 08:51:07"),
        (1_798_736_399_999_999_999, "2026-12-31T16:59:59.999999Z", "31/12/2026 23:59:59"),
        (-1, "1969-12-31T23:59:59.999999Z", "01/01/1970 07:59:59"),
    ],
)
def test_a_time_is_stored_in_utc_and_read_in_vietnam(nanoseconds, utc, local):
    assert iso(nanoseconds) == utc
    assert vietnam(nanoseconds) == local


@settings(max_examples=200, deadline=None)
@given(st.integers(86_400, 7_258_118_400), st.integers(0, 999_999), st.integers(-14, 14))
def test_a_datetime_comes_back_exact_to_the_microsecond(seconds, micro, hours):
    aware = datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours))).replace(microsecond=micro)
    assert to_datetime(from_datetime(aware)) == aware


def test_a_datetime_comes_back_in_utc():
    assert to_datetime(5 * SECOND).tzinfo is UTC


def test_a_held_clock_stands_still_until_it_is_moved():
    clock = HeldClock(100)
    assert (clock.now(), clock.now()) == (100, 100)
    clock.forward(HOUR + MINUTE + SECOND)
    assert clock.now() == 100 + 3661 * SECOND


def test_the_system_clock_is_that_of_the_machine():
    before = time.time_ns()
    assert before <= SystemClock().now() <= time.time_ns()
