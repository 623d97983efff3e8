from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from core.clock import HOUR, HeldClock
from core.errors import IntegrityError
from core.outbox import KEEP, Outbox, Row, renew_epoch
from core.stores.spool import Position


def rows(*keys):
    return [Row(key=key, kind="alert", body=key.encode()) for key in keys]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lane" / "outbox.db"


@pytest.fixture
def reopen(path, clock):
    """Opens the file as a new process would, closing what was open before."""
    opened = []

    def make():
        for before in opened:
            before.close()
        opened.append(Outbox(path, clock))
        return opened[-1]

    yield make
    for outbox in opened:
        outbox.close()


@pytest.fixture
def outbox(reopen):
    return reopen()


def keys(found):
    return [row.key for row in found]


def test_rows_come_back_in_the_order_they_were_put_with_growing_numbers(outbox):
    outbox.put(rows("a", "b"))
    outbox.put(rows("c"))
    found = outbox.after(0)
    assert found == [
        Row(seq=number, key=key, kind="alert", body=key.encode()) for number, key in enumerate("abc", start=1)
    ]
    assert keys(outbox.after(2)) == ["c"]
    assert outbox.after(3) == []


def test_a_key_is_put_once(outbox):
    outbox.put(rows("a", "a"))
    outbox.put([*rows("a"), *rows("b")])
    assert keys(outbox.after(0)) == ["a", "b"]


def test_a_number_is_never_given_twice_even_after_rows_have_gone(outbox, reopen, clock):
    outbox.put(rows("a", "b"))
    outbox.acknowledge(2)
    clock.forward(KEEP + 1)
    outbox.acknowledge(2)
    assert outbox.after(0) == []
    again = reopen()
    again.put(rows("c"))
    assert [row.seq for row in again.after(0)] == [3]


def test_the_judged_position_comes_back(outbox, reopen):
    assert outbox.judged() == Position(0, 0)
    outbox.put(rows("a"), judged=Position(1_795_312_267_000_000_000, 42))
    outbox.put(rows("b"))
    assert reopen().judged() == Position(1_795_312_267_000_000_000, 42)


def test_rows_and_the_judged_position_are_stored_together_or_not_at_all(outbox, path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'full'); END")
        other.commit()
        with pytest.raises(Exception, match="full"):
            outbox.put(rows("a"), judged=Position(1, 1))
    assert outbox.after(0) == []
    assert outbox.judged() == Position(0, 0)


def test_a_batch_is_bounded_by_number_and_by_size_and_holds_at_least_one(outbox):
    outbox.put(rows(*(f"{number:03}" for number in range(20))))
    assert len(outbox.after(0, most=7)) == 7
    assert len(outbox.after(0, most_bytes=9)) == 3
    assert len(outbox.after(0, most_bytes=1)) == 1


def test_acknowledged_rows_wait_no_more_and_stay_for_a_restored_centre(outbox):
    outbox.put(rows("a", "b", "c"))
    outbox.acknowledge(2)
    assert outbox.waiting() == 1
    assert keys(outbox.after(0)) == ["a", "b", "c"]


def test_acknowledged_rows_leave_after_72_hours_and_not_before(outbox, clock):
    outbox.put(rows("a", "b"))
    outbox.acknowledge(1)
    clock.forward(72 * HOUR)
    outbox.acknowledge(1)
    assert keys(outbox.after(0)) == ["a", "b"]
    clock.forward(1)
    outbox.acknowledge(1)
    assert keys(outbox.after(0)) == ["b"]


def test_what_was_never_acknowledged_stays_for_good(outbox, clock):
    outbox.put(rows("a"))
    clock.forward(1000 * HOUR)
    outbox.acknowledge(0)
    assert keys(outbox.after(0)) == ["a"]


def test_acknowledging_again_does_not_keep_rows_longer(outbox, clock):
    outbox.put(rows("a"))
    outbox.acknowledge(1)
    clock.forward(71 * HOUR)
    outbox.acknowledge(1)
    clock.forward(2 * HOUR)
    outbox.acknowledge(1)
    assert outbox.after(0) == []


def test_an_epoch_stays_until_it_is_renewed(outbox, reopen, path):
    outbox.put(rows("a"))
    before = outbox.epoch
    assert reopen().epoch == before
    renew_epoch(path)
    again = reopen()
    assert again.epoch != before
    assert keys(again.after(0)) == ["a"]


def test_two_lanes_have_two_epochs(outbox, tmp_path, clock):
    other = Outbox(tmp_path / "other.db", clock)
    assert other.epoch != outbox.epoch
    other.close()


def test_an_outbox_of_another_format_is_refused(outbox, path):
    outbox.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE notes SET value = '2' WHERE name = 'format'")
        other.commit()
    with pytest.raises(IntegrityError, match=r"outbox\.db has format 2, this version reads 1"):
        Outbox(path, HeldClock(0))


def test_a_file_that_is_no_outbox_is_refused(tmp_path, clock):
    (tmp_path / "outbox.db").write_bytes(b"not a database " * 100)
    with pytest.raises(IntegrityError, match=r"outbox\.db cannot be used: .*restore it from a backup"):
        Outbox(tmp_path / "outbox.db", clock)
