"""The book of sources: silence, surges and strangers are told once, by what is usual for each."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.book import MOST, Book, Change, Heard
from collectors.logs.gate import Limits, Shares
from collectors.logs.learning import UNLEARNT, Habit, Rate, is_surge
from core.clock import HOUR, MINUTE, SECOND
from core.sources import Sources, SourceState

NOW = 1_795_312_267_000_000_000
HERE = "192.0.2.1"


def hear(one: Book, address: str, seen: int, count: int = 1, told: int | None = None, **changed) -> None:
    """The same, and nobody looks at it yet."""
    usual = {"way": "udp", "kind": "linux/sshd", "device": "sv", "site": "hn"}
    one.hear(address, seen, count, lambda: Heard(**{**usual, "seen": seen, "told": told, **changed}))


def heard(one: Book, address: str, seen: int, count: int = 1, told: int | None = None, **changed) -> None:
    """The book hears of so many messages."""
    hear(one, address, seen, count, told, **changed)
    one.content(seen, lambda _: ("", "lane"))  # as the lane does every other second


def book(**limits: float) -> Book:
    return Book(Sources(), {}, NOW, {address.replace("_", "."): limit for address, limit in limits.items()})


def changes(one: Book, now: int) -> list[tuple[str, str]]:
    return [(told.change.value, told.source.address) for told in one.changes(now)]


def shown(one: Book, now: int):
    (source,) = one.content(now, lambda _: ("Asia/Ho_Chi_Minh", "lane")).sources
    return source


def test_a_source_that_is_silent_for_longer_than_its_limit_is_told_once_and_again_when_it_returns():
    one = Book(Sources(), {}, NOW, {HERE: 60.0})
    heard(one, HERE, NOW, 1)
    assert changes(one, NOW + 60 * SECOND) == []
    assert changes(one, NOW + 61 * SECOND) == [("source_silent", HERE)]
    assert changes(one, NOW + 600 * SECOND) == []
    assert shown(one, NOW).state is SourceState.SILENT
    heard(one, HERE, NOW + 700 * SECOND, 1)
    assert changes(one, NOW + 701 * SECOND) == [("source_returned", HERE)]
    assert changes(one, NOW + 702 * SECOND) == []
    assert changes(one, NOW + 800 * SECOND) == [("source_silent", HERE)]


def test_a_restart_tells_no_silence_again_and_counts_none_in_which_nobody_listened():
    one = Book(Sources(), {}, NOW, {HERE: 60.0, "192.0.2.2": 60.0})
    heard(one, HERE, NOW, 1)
    heard(one, "192.0.2.2", NOW + 61 * SECOND, 1)
    assert changes(one, NOW + 62 * SECOND) == [("source_silent", HERE)]
    kept = one.content(NOW + 63 * SECOND, lambda _: ("", "lane"))
    again = Book(kept, one.habits(), NOW + HOUR, {HERE: 60.0, "192.0.2.2": 60.0})
    assert changes(again, NOW + HOUR + 10 * SECOND) == []
    assert changes(again, NOW + HOUR + 61 * SECOND) == [("source_silent", "192.0.2.2")]
    heard(again, HERE, NOW + 2 * HOUR, 1)
    assert ("source_returned", HERE) in changes(again, NOW + 2 * HOUR)


def test_the_limit_is_learnt_from_the_longest_usual_pause():
    one = Book(Sources(), {}, NOW, {})
    for minute in range(0, 121, 4):
        heard(one, HERE, NOW + minute * MINUTE, 1)
    at = NOW + 120 * MINUTE
    assert (shown(one, at).limit, shown(one, at).limit_from) == (720.0, "learnt")
    assert changes(one, at + 12 * MINUTE) == []
    assert changes(one, at + 13 * MINUTE) == [("source_silent", HERE)]
    heard(one, HERE, at + 300 * MINUTE, 1)
    assert shown(one, at + 300 * MINUTE).limit == 720.0  # an outage is not a habit


def test_of_a_source_that_is_new_a_day_of_silence_is_told():
    one = Book(Sources(), {}, NOW, {})
    heard(one, HERE, NOW, 5)
    source = shown(one, NOW)
    assert (source.limit, source.limit_from, source.state) == (UNLEARNT, "default", SourceState.LEARNING)


def test_a_source_that_sends_twice_its_busiest_hour_is_told_once_and_again_when_it_settles():
    habit = Habit(first=NOW - 48 * HOUR, hours={NOW // HOUR - back: 3600 for back in range(1, 40)})
    one = Book(Sources(), {}, NOW, {HERE: 1e9})
    heard(one, HERE, NOW, 1)
    one._entries[HERE].habit = habit
    end = NOW
    for second in range(10, 300, 10):
        end = NOW + second * SECOND
        heard(one, HERE, end, 30)
    assert changes(one, end) == [("source_surging", HERE)]
    assert changes(one, end) == []
    assert shown(one, end).usual == 1.0
    for second in range(300, 1200, 10):
        end = NOW + second * SECOND
        heard(one, HERE, end, 5)
    assert changes(one, end) == [("source_settled", HERE)]


@pytest.mark.parametrize(
    ("rate", "usual", "surging", "expected"),
    [
        (2.0, 1.0, False, True),
        (1.9, 1.0, False, False),
        (1.6, 1.0, True, True),
        (1.4, 1.0, True, False),
        (100.0, 0.0, False, False),
        (0.4, 0.1, False, False),
    ],
)
def test_what_a_surge_is(rate, usual, surging, expected):
    assert is_surge(rate, usual, surging=surging) is expected


def test_a_sender_that_the_inventory_does_not_know_is_told_once_and_so_many_in_an_hour():
    one = book()
    for number in range(30):
        heard(one, f"203.0.113.{number}", NOW, 1, site="")
    heard(one, HERE, NOW, 1)
    assert [change for change, _ in changes(one, NOW)] == ["source_unknown"] * 20
    assert changes(one, NOW) == []
    heard(one, "203.0.113.99", NOW + HOUR, 1, site="")
    assert changes(one, NOW + HOUR) == [("source_unknown", "203.0.113.99")]


def test_this_machine_itself_is_no_stranger():
    one = book()
    for address in ("127.0.0.1", "::1", "127.0.0.9"):
        heard(one, address, NOW, site="")
    assert changes(one, NOW) == [("source_unknown", "127.0.0.9")]


def test_what_is_counted_and_heard_is_shown():
    one = book()
    one.count("received", Counter({HERE: 5}), NOW)
    one.count("stored", Counter({HERE: 4}), NOW)
    one.count("dropped", Counter({HERE: 1}), NOW)
    one.count("understood", Counter({HERE: 3}), NOW)
    heard(one, HERE, NOW, 1, kind="")
    heard(one, HERE, NOW + SECOND, 3, way="relp")
    source = shown(one, NOW + SECOND)
    assert (source.received, source.stored, source.dropped, source.understood) == (5, 4, 1, 3)
    assert (source.kinds, source.ways, source.device, source.site) == (("linux/sshd",), ("relp", "udp"), "sv", "hn")
    assert (source.first, source.last, source.zone) == (NOW, NOW + SECOND, "Asia/Ho_Chi_Minh")


def test_lag_is_smoothed_and_the_offset_is_the_least_lag():
    one = book()
    for number in range(100):
        seen = NOW + number * SECOND
        heard(one, HERE, seen, 1, told=seen - (3 if number % 2 else 5) * SECOND)
    source = shown(one, NOW + 100 * SECOND)
    assert 3 < source.lag < 5
    assert -3.3 < source.offset <= -3
    for number in range(100, 200):
        seen = NOW + number * SECOND
        heard(one, HERE, seen, 1, told=seen + 120 * SECOND)
    assert shown(one, NOW + 200 * SECOND).offset == pytest.approx(120, abs=1)


def test_so_many_sources_are_kept_apart_and_the_others_are_counted():
    one = book()
    for number in range(MOST + 7):
        hear(one, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", NOW, 1)
    found = one.content(NOW, lambda _: ("", "lane"))
    assert (len(found.sources), found.unlisted) == (MOST, 7)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Sources) == found


def test_a_rate_is_of_the_last_minutes():
    rate = Rate()
    for second in range(600):
        rate.add(second * SECOND, 2)
    assert rate.of(600 * SECOND, 1) == pytest.approx(2, rel=0.05)
    assert rate.of(600 * SECOND + 10 * MINUTE, 5) == 0
    assert len(rate._counts) <= Rate.MINUTES + 1


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=400))
def test_a_habit_stays_small_and_its_limit_within_bounds(pauses):
    habit, last = Habit(first=0), 0
    for pause in pauses:
        last += pause * 60 * SECOND
        habit.heard(pause * 60 * SECOND, last, 1)
    limit = habit.silence(last)
    assert limit is None or 300 <= limit <= 72 * 3600
    assert len(habit.longest) <= 8
    assert len(habit.hours) <= 168


def test_a_source_over_its_limit_waits_for_a_token():
    limits = Limits(10, {"192.0.2.2": 0})
    assert [limits.delay(HERE, NOW) for _ in range(100)] == [0.0] * 100
    assert limits.delay(HERE, NOW) == pytest.approx(0.1)
    assert limits.delay(HERE, NOW + SECOND) == 0.0
    assert [limits.delay("192.0.2.2", NOW) for _ in range(500)] == [0.0] * 500
    assert not Limits(0, {}).any


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=300))
def test_shares_admit_everyone_up_to_half_and_nobody_beyond_all(sources):
    shares, held = Shares(200), []
    for source in sources:
        if shares.admits(source):
            shares.enter(source)
            held.append(source)
        else:
            assert len(held) >= 100
    assert len(held) <= 200
    for source in held:
        shares.leave(source)
    assert all(shares.admits(one) for one in "abc")


def test_changes_are_said_in_words():
    one = Book(Sources(), {}, NOW, {HERE: 60.0})
    heard(one, HERE, NOW, 1)
    (told,) = one.changes(NOW + 90 * SECOND)
    assert (told.change, told.text) == (Change.SILENT, "sv has sent nothing for 1.5 minutes")
