"""The times that programs write into their own files."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.files.linetimes import line_time
from core.clock import VIETNAM, from_datetime

AT = from_datetime(datetime(2026, 11, 25, 22, 20, 0, tzinfo=VIETNAM))


@pytest.mark.parametrize(
    "line",
    [
        '192.0.2.1 - - [25/Nov/2026:22:20:00 +0700] "GET / HTTP/1.1" 200 5',
        '192.0.2.1 - - [25/Nov/2026:15:20:00 +0000] "GET / HTTP/1.1" 200 5',
        "1795620000.000    456 192.0.2.31 TCP_MISS/200 88211 GET http://x/ - HIER_DIRECT/192.0.2.9 text/html",
        "2026/11/25 22:20:00 [error] 12#12: *1 open() failed",
        "[Wed Nov 25 22:20:00.000000 2026] [core:error] [pid 1] x",
        "[Wed Nov 25 22:20:00 2026] [error] x",
        "25-Nov-2026 22:20:00.000 queries: info: client @0x1 192.0.2.1#1: query: x IN A",
        "10,11/25/26,22:20:00,Assign,192.0.2.7,may-01,001122334455",
        "11/25/2026 10:20:00 PM 0E98 PACKET  000001 UDP Rcv 192.0.2.1",
        "2026-11-25T15:20:00Z x",
        "2026-11-25 22:20:00,000 x",
    ],
)
def test_a_line_tells_its_time(line):
    assert line_time(line) == AT


@pytest.mark.parametrize(
    "line", ["", "x 2026-11-25", "[99/Nov/2026:22:20:00 +0700]", "2026-13-25T15:20:00Z", "[24/Nov/1013:06:31:07 +0700]"]
)
def test_a_line_without_a_time_that_can_be_tells_none(line):
    assert line_time(line) is None


@given(st.text(max_size=60))
def test_any_line_has_a_time_or_none(text):
    time = line_time(text)
    assert time is None or isinstance(time, int)
