"""Bytes cut into messages: the same ones however the bytes arrive."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.framing import FramingError, Part, RelpFrame, RelpSplitter, SyslogSplitter, oversized

LIMIT = 24
CUT = "cut: the connection ended within a message"
TOO_LONG = oversized(LIMIT)


def syslog(*chunks: bytes, limit: int = LIMIT, orderly: bool = True) -> list[Part]:
    splitter = SyslogSplitter(limit)
    parts = [part for chunk in chunks for part in splitter.feed(chunk)]
    rest = splitter.end(orderly=orderly)
    return [*parts, rest] if rest is not None else parts


def relp(*chunks: bytes, limit: int = LIMIT) -> list[RelpFrame | str]:
    splitter = RelpSplitter(limit)
    told: list[RelpFrame | str] = []
    try:
        for chunk in chunks:
            told.extend(splitter.feed(chunk))
    except FramingError as error:
        told.append(str(error))
    return told


def cuts(data: bytes, *places: int) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def whole(*raws: bytes) -> list[Part]:
    return [Part(raw) for raw in raws]


STREAMS = {
    "lines": (b"<13>a\n<13>b\n", whole(b"<13>a", b"<13>b")),
    "empty lines": (b"\n\n<13>a\n\n<13>b\n\n", whole(b"<13>a", b"<13>b")),
    "carriage returns": (b"<13>a\r\n", whole(b"<13>a\r")),
    "counts": (b"5 <13>a6 <13>bb", whole(b"<13>a", b"<13>bb")),
    "counted line feeds": (b"8 <13>a\nb\n5 <13>c", whole(b"<13>a\nb\n", b"<13>c")),
    "line feeds after counts": (b"5 <13>a\n6 <13>bb\n", whole(b"<13>a", b"<13>bb")),
    "both": (b"<13>a\n5 <13>b<13>c\n5 <13>d", whole(b"<13>a", b"<13>b", b"<13>c", b"<13>d")),
    "a count of nothing": (b"0 <13>a\n<13>b\n", whole(b"0 <13>a", b"<13>b")),
    "a date": (b"2026-11-22 06:31:07 a\n<13>b\n", whole(b"2026-11-22 06:31:07 a", b"<13>b")),
    "a number of things": (b"12 monkeys\n<13>b\n", whole(b"12 monkeys", b"<13>b")),
    "a number alone": (b"12\n<13>b\n", whole(b"12", b"<13>b")),
    "a number and a space": (b"12 \n<13>b\n", whole(b"12 ", b"<13>b")),
    "a count too high to be one": (b"12345678 <13>a\n<13>b\n", whole(b"12345678 <13>a", b"<13>b")),
    "a counted message without priority": (b"5 <13>a3 x\ny5 <13>b", whole(b"<13>a", b"x\ny", b"<13>b")),
    "bytes that are no text": (b"5 <13>\xff3 \x00\n\xff\n<13>b\n", whole(b"<13>\xff", b"\x00\n\xff", b"<13>b")),
    "a line of the limit": (b"<13>" + b"a" * 20 + b"\n<13>b\n", whole(b"<13>" + b"a" * 20, b"<13>b")),
    "a line too long": (
        b"<13>" + b"a" * 21 + b"\n<13>b\n",
        [Part(b"<13>" + b"a" * 20, TOO_LONG), Part(b"<13>b")],
    ),
    "a line much too long": (
        b"<13>" + b"a" * 99 + b"\n5 <13>b",
        [Part(b"<13>" + b"a" * 20, TOO_LONG), Part(b"<13>b")],
    ),
    "a count too long": (
        b"31 <13>" + b"a\n" * 13 + b"a5 <13>b",
        [Part(b"<13>" + b"a\n" * 10, TOO_LONG), Part(b"<13>b")],
    ),
    "a count too long before a line": (
        b"30 <13>" + b"a" * 26 + b"<13>b\n",
        [Part(b"<13>" + b"a" * 20, TOO_LONG), Part(b"<13>b")],
    ),
    "an end without a line feed": (b"<13>a\n<13>b", whole(b"<13>a", b"<13>b")),
    "one line without a line feed": (b"<13>a", whole(b"<13>a")),
    "a line without a line feed after counts": (b"5 <13>a<13>b", whole(b"<13>a", b"<13>b")),
    "text without a line feed": (b"12 monkeys", whole(b"12 monkeys")),
    "an end within a count": (b"<13>a\n12", [Part(b"<13>a"), Part(b"12", CUT)]),
    "an end after a count": (b"5 <13>a12 ", [Part(b"<13>a"), Part(b"12 ", CUT)]),
    "an end within a first counted message": (b"9 <13>b", [Part(b"9 <13>b", CUT)]),
    "an end within a counted message": (b"5 <13>a9 <13>b", [Part(b"<13>a"), Part(b"9 <13>b", CUT)]),
    "an end within a line too long": (b"<13>" + b"a" * 30, [Part(b"<13>" + b"a" * 20, TOO_LONG)]),
    "an end within a count too long": (b"40 <13>" + b"a" * 30, [Part(b"<13>" + b"a" * 20, TOO_LONG)]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_of_syslog_is_cut_into_its_messages(name):
    data, parts = STREAMS[name]
    assert syslog(data) == parts


@pytest.mark.parametrize("name", STREAMS)
def test_messages_do_not_depend_on_where_chunks_end(name):
    data, parts = STREAMS[name]
    assert all(syslog(*cuts(data, place)) == parts for place in range(len(data)))
    assert syslog(*(bytes([byte]) for byte in data)) == parts


@pytest.mark.parametrize("data", [b"<13>b", b"12 monkeys", b"12", b"9 <13>b"])
def test_what_a_broken_connection_ended_within_is_cut(data):
    assert syslog(b"<13>a\n" + data, orderly=False) == [Part(b"<13>a"), Part(data, CUT)]


@pytest.mark.parametrize("orderly", [True, False])
@pytest.mark.parametrize("data", [b"", b"<13>a\n", b"5 <13>a", b"<13>" + b"a" * 30])
def test_where_nothing_is_left_nothing_is_cut(data, orderly):
    assert CUT not in {part.fault for part in syslog(data, orderly=orderly)}


def test_a_line_that_begins_with_a_number_costs_only_itself_once_messages_are_counted():
    # After a counted message, a number is a count: the sender chose its framing.
    assert syslog(b"5 <13>a12 monkeys....<13>b\n") == whole(b"<13>a", b"monkeys....<", b"13>b")


MESSAGE = st.binary(max_size=LIMIT + 8).map(lambda raw: b"<13>" + raw)
COUNTED = MESSAGE.map(lambda raw: b"%d %b" % (len(raw), raw))
LINES = MESSAGE.map(lambda raw: raw.replace(b"\n", b"") + b"\n")
ANYTHING = st.lists(st.one_of(COUNTED, LINES, st.binary(max_size=9), st.just(b"12 "), st.just(b"7")), max_size=6)


@given(ANYTHING.map(b"".join), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_give_the_same_messages_in_any_chunks(data, places):
    parts = syslog(*cuts(data, *places))
    assert parts == syslog(data)
    assert all(len(part.raw) <= LIMIT for part in parts)
    assert sum(len(part.raw) for part in parts) <= len(data)


@given(st.lists(MESSAGE.filter(lambda raw: len(raw) <= LIMIT), max_size=8), st.booleans())
def test_what_is_framed_comes_out_again(messages, counted):
    lines = [raw.replace(b"\n", b"") for raw in messages]
    if counted:
        assert syslog(b"".join(b"%d %b" % (len(raw), raw) for raw in messages)) == whole(*messages)
    else:
        assert syslog(b"".join(raw + b"\n" for raw in lines)) == whole(*lines)


SYSLOG_1 = RelpFrame(1, "syslog", b"abc")
RELP_STREAMS = {
    "frames": (
        b"1 open 5 a=b\nc\n2 syslog 3 abc\n3 close 0\n",
        [RelpFrame(1, "open", b"a=b\nc"), RelpFrame(2, "syslog", b"abc"), RelpFrame(3, "close", b"")],
    ),
    "no data after a space": (b"1 close 0 \n", [RelpFrame(1, "close", b"")]),
    "data of line feeds": (b"1 syslog 3 \n\n\n\n", [RelpFrame(1, "syslog", b"\n\n\n")]),
    "a message of the limit": (b"1 syslog 24 " + b"a" * 24 + b"\n", [RelpFrame(1, "syslog", b"a" * 24)]),
    "a message too long": (
        b"1 syslog 30 " + b"a" * 24 + b"\n" * 7 + b"1 syslog 3 abc\n",
        [RelpFrame(1, "syslog", b"a" * 24, TOO_LONG), SYSLOG_1],
    ),
    "a frame that is not whole": (b"1 syslog 3 abc\n2 syslog 3 ab", [SYSLOG_1]),
    "a request of another protocol": (b"GET / HTTP/1.1\r\n\r\n", ["not RELP"]),
    "syslog without frames": (b"<13>a\n", ["not RELP"]),
    "garbage after a frame": (b"1 syslog 3 abc\n\xff\xfe", [SYSLOG_1, "not RELP"]),
    "a frame longer than it says": (
        b"1 syslog 3 abc\n2 syslog 2 abc\n",
        [SYSLOG_1, "a RELP frame does not end where it says"],
    ),
    "a frame without its data": (b"1 syslog 3\nabc\n", ["a RELP frame lacks its data"]),
    "a number of ten digits": (b"1234567890 syslog 1 a\n", ["not RELP"]),
    "a command too long": (b"1 " + b"a" * 33 + b" 0\n", ["not RELP"]),
    "a count that is none": (b"1 syslog x\n", ["not RELP"]),
}


@pytest.mark.parametrize("name", RELP_STREAMS)
def test_a_stream_of_relp_is_cut_into_its_frames(name):
    data, frames = RELP_STREAMS[name]
    assert relp(data) == frames


@pytest.mark.parametrize("name", RELP_STREAMS)
def test_frames_do_not_depend_on_where_chunks_end(name):
    data, frames = RELP_STREAMS[name]
    assert all(relp(*cuts(data, place)) == frames for place in range(len(data)))
    assert relp(*(bytes([byte]) for byte in data)) == frames


RELP_BYTES = st.lists(
    st.one_of(
        st.binary(max_size=LIMIT + 8).map(lambda data: b"7 syslog %d %b\n" % (len(data), data)),
        st.just(b"1 open 0\n"),
        st.binary(max_size=4),
    ),
    max_size=6,
).map(b"".join)


@given(RELP_BYTES, st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_give_the_same_frames_in_any_chunks(data, places):
    assert relp(*cuts(data, *places)) == relp(data)


def seconds(splitter: SyslogSplitter | RelpSplitter, data: bytes, chunk: int) -> float:
    begun = time.process_time()
    count = sum(len(list(splitter.feed(data[start : start + chunk]))) for start in range(0, len(data), chunk))
    assert count > 0
    return time.process_time() - begun


@pytest.mark.parametrize("small", [b"<13>aaaaaaaaaaaaaaa\n", b"19 <13>aaaaaaaaaaaaaaa"])
def test_many_small_messages_in_one_chunk_cost_in_proportion(small):
    splitter = SyslogSplitter(65536)
    assert seconds(splitter, small * 100_000, 2_200_000) < 2  # hundreds of seconds, were each to copy the rest


@pytest.mark.parametrize(
    ("splitter", "head"),
    [
        (SyslogSplitter(2 << 20), b"<13>"),
        (SyslogSplitter(2 << 20), b"1048580 <13>"),
        (RelpSplitter(2 << 20), b"1 syslog 1048576 "),
    ],
)
def test_a_message_of_a_megabyte_in_small_chunks_costs_in_proportion(splitter, head):
    assert seconds(splitter, head + b"a" * (1 << 20) + b"\n", 16) < 2
