from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SECOND, HeldClock
from core.errors import IntegrityError, UnavailableError
from core.stores.spool import MAGIC, Position, Spool, read_segment, segment_number, segments

FRAME = 8
"""Bytes before each payload: its length and checksum."""


@pytest.fixture
def reopen(tmp_path):
    """Opens the folder as a new process would."""
    opened = []

    def make(clock):
        opened.append(Spool(tmp_path, clock))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


@pytest.fixture
def spool(reopen, clock):
    return reopen(clock)


def write(spool, *payloads, head=b"head"):
    spool.open(head)
    for payload in payloads:
        spool.append([payload])
    spool.close()
    return segments(spool._folder)[-1]


def test_records_come_back_in_order_after_reopening(spool, reopen, tmp_path, clock):
    write(spool, b"a", b"", b"ccc")
    write(reopen(clock), b"d")
    found = [read_segment(path) for path in segments(tmp_path)]
    assert [payload for segment in found for payload in segment.payloads] == [b"a", b"", b"ccc", b"d"]
    assert [segment.head for segment in found] == [b"head", b"head"]
    assert [segment.torn for segment in found] == [0, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=300), max_size=5), max_size=6))
def test_whatever_is_appended_comes_back(tmp_path_factory, batches):
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, HeldClock(5))
    spool.open(b"")
    for batch in batches:
        spool.append(batch)
    spool.close()
    assert read_segment(segments(folder)[0]).payloads == [payload for batch in batches for payload in batch]


def test_a_tail_torn_at_any_byte_is_not_read_and_nothing_before_it_is_lost(spool):
    path = write(spool, b"first", b"second", b"the last")
    content = path.read_bytes()
    last = len(content) - FRAME - len(b"the last")
    for end in range(last, len(content)):
        path.write_bytes(content[:end])
        segment = read_segment(path)
        assert segment.payloads == [b"first", b"second"]
        assert segment.torn == end - last


def test_a_flipped_byte_stops_the_reading_there(spool):
    path = write(spool, b"first", b"second", b"third")
    content = bytearray(path.read_bytes())
    second = len(MAGIC) + FRAME + len(b"head") + FRAME + len(b"first")
    for place in range(second, second + FRAME + len(b"second")):
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        assert read_segment(path).payloads == [b"first"]


def test_numbers_only_grow_even_if_the_clock_is_set_back(spool, reopen, tmp_path, clock):
    numbers = []
    for step in (SECOND, -3600 * SECOND, 0, -SECOND, 7200 * SECOND):
        clock.forward(step)
        spool.open(b"")
        numbers.append(spool.next.segment)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == clock.now()
    assert reopen(HeldClock(1)).closed() == segments(tmp_path)


def test_a_number_names_a_segment_after_a_restart_with_the_clock_set_back(spool, reopen):
    first = segment_number(write(spool, b"a"))
    later = reopen(HeldClock(5))
    later.open(b"")
    assert later.next == Position(first + 1, 0)


def test_the_next_position_counts_records(spool, clock):
    spool.open(b"")
    spool.append([b"a", b"b"])
    spool.append([])
    spool.append([b"c"])
    assert spool.next == Position(clock.now(), 3)


def test_the_present_segment_is_not_closed_and_all_others_are(spool, tmp_path):
    spool.open(b"")
    assert spool.closed() == []
    spool.open(b"")
    assert spool.closed() == segments(tmp_path)[:1]


@pytest.mark.parametrize("content", [b"", b"HDSPOOL", b"HDSPOOL2" + b"\0" * 8, b"PAR1" * 10])
def test_a_foreign_file_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / f"{7:020d}.spool"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"00007\.spool is not a spool segment of format HDSPOOL1"):
        read_segment(path)


def test_a_segment_without_its_head_is_refused(spool):
    path = write(spool, b"a")
    path.write_bytes(path.read_bytes()[: len(MAGIC) + 3])
    with pytest.raises(IntegrityError, match="has no head"):
        read_segment(path)


def test_an_unfinished_new_segment_is_no_segment(tmp_path):
    (tmp_path / f"{7:020d}.new").write_bytes(MAGIC)
    assert segments(tmp_path) == []


def test_a_closed_spool_takes_nothing(spool):
    with pytest.raises(IntegrityError, match="not open"):
        spool.append([b"a"])


def full_disk(_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_after_a_failed_write_nothing_more_goes_into_the_segment(spool, tmp_path, monkeypatch):
    spool.open(b"")
    spool.append([b"a"])
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk)
        with pytest.raises(UnavailableError, match="No space left"):
            spool.append([b"lost"])
    with pytest.raises(IntegrityError):
        spool.append([b"would be behind a torn frame"])
    spool.open(b"")
    spool.append([b"b"])
    assert read_segment(segments(tmp_path)[-1]).payloads == [b"b"]
