"""Searches over stored events: what is found, in which order, step by step, and never less for the sake of an index."""

from __future__ import annotations

import random

import pytest

from core.clock import HOUR, MINUTE, SECOND
from core.errors import IntegrityError
from core.query import QueryError
from core.scope import EVERYTHING
from core.stores.event_search import Buckets, Cursor, Query, buckets_of

NOW = 1_795_312_267 * SECOND


FIELDS = {
    "message": 'Đăng nhập thất bại từ 203.0.113.7:1024, user_x\nC:\\Windows "a" v1.2.3',
    "user.name": "Nguyễn An",
    "source.ip": "203.0.113.7",
    "source.port": 1024,
    "event.ok": True,
    "tags": ["Một", 'h"ai'],
    "load": 1.5,
    "nothing": None,
    "source.mac": "00-1A-2B-3C-4D-5E",
}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("dang nhap", True),
        ("đăng", True),
        ("đang", False),
        ("nhap that", True),
        ('"nhap that"', True),
        ('"that nhap"', False),
        ("nha", False),
        ("nha*", True),
        ("n*p", True),
        ("*hap", True),
        ("n*bai", False),
        ("203.0.113.7", True),
        ("203.0.113", False),
        ("03.0.113.7", False),
        ("203.0.113.*", True),
        ("1024", True),
        ("102", False),
        ("user_x", True),
        ("user", False),
        ("1.2", False),
        ("v1.2.3", True),
        (r"c:\windows", True),
        ("windows", True),
        ('"\\"a\\""', True),
        ("user.name:'Nguyễn An'", False),
        ('user.name:"nguyen an"', True),
        ('user.name:"nguyễn an"', True),
        ('user.name:"nguyên an"', False),
        ("user.name:an", False),
        ("user.name:*an", True),
        ("user.name:*", True),
        ("gone:*", False),
        ("nothing:*", False),
        ("-gone:x", True),
        ("source.ip:203.0.113.7", True),
        ("source.ip:203.*", True),
        ("source.ip:3", False),
        ("source.port:1024", True),
        ("source.port:>1023", True),
        ("source.port:>1024", False),
        ("source.port:1..2000", True),
        ("user.name:>1", False),
        ("load:1.5", True),
        ("event.ok:true", True),
        ("tags:một", True),
        ('tags:"h\\"ai"', True),
        ("tags:m*", True),
        ("tags:hai", False),
        ("message:bai", True),
        ("message:nguyen", False),
        ("nguyen message:bai", True),
        ("site:THA", True),
        ("site:th", False),
        ("site:t*", True),
        ("product:linux device:sv", True),
        ("source.mac:00-1a-2b-3c-4d-5e", True),
        ("-nguyen", False),
        ("-nguyen OR bai", True),
        ("-(nguyen gone)", True),
        ("*", True),
        ("%", False),
        ("\\", True),
    ],
)
def test_a_query_means_the_same_wherever_an_event_lies(lane_store, text, is_found, stored):
    one = stored("one", FIELDS)
    for put in (lane_store.spooled, lane_store.minute, lane_store.hour):
        put(one)
        assert bool(lane_store.find(text)) == is_found


def test_a_query_that_cannot_be_read_is_told_before_anything_is_read(lane_store):
    with pytest.raises(QueryError, match="character 3"):
        lane_store.find('a "b')


def test_the_newest_come_first_although_files_overlap(lane_store, stored):
    times = list(range(60))
    random.Random(7).shuffle(times)  # noqa: S311 - the same order each time
    for start in range(0, 60, 12):
        lane_store.hour(*(stored(time, time=NOW + time) for time in times[start : start + 6]))
        lane_store.spooled(*(stored(time, time=NOW + time) for time in times[start + 6 : start + 12]))
    assert lane_store.find() == [str(time) for time in sorted(times, reverse=True)]
    assert lane_store.find(limit=5) == ["59", "58", "57", "56", "55"]


def test_of_equal_times_the_greater_id_comes_first_in_whatever_file_it_is(lane_store, stored):
    for name in ("b", "d", "a", "c"):
        lane_store.minute(stored(name))
    assert lane_store.find() == ["d", "c", "b", "a"]


def test_pages_follow_each_other_without_gap_or_repeat(lane_store, stored):
    for number in range(10):
        lane_store.minute(*(stored(f"{number}{letter}", time=NOW + number % 3) for letter in "abc"))
    whole, paged, after = lane_store.find(), [], None
    while page := lane_store.reader.search(EVERYTHING, Query(limit=4, after=after)):
        paged += [one.id for one in page]
        after = Cursor(page[-1].time, page[-1].id)
    assert paged == whole
    assert len(whole) == 30


def test_what_is_newest_is_told_before_older_files_are_read(lane_store, stored):
    for number in range(40):
        lane_store.minute(stored(number, time=NOW + number * MINUTE))
    steps = lane_store.reader.find(EVERYTHING, Query())
    first = next(steps)
    assert [one.id for one in first.events] == ["39", "38"]
    assert first.progress == (2, 40, 2, 40)
    assert not first.done
    *_, last = steps
    assert (last.progress, last.done, last.more) == ((40, 40, 40, 40), True, False)


def test_a_search_ends_with_its_limit_and_says_whether_there_is_more(lane_store, stored):
    for number in range(8):
        lane_store.minute(stored(number, time=NOW + number * MINUTE))
    for limit, more in ((3, True), (7, True), (8, False), (9, False)):
        *_, last = lane_store.reader.find(EVERYTHING, Query(limit=limit))
        assert (last.done, last.more) == (True, more)
    assert len([*lane_store.reader.find(EVERYTHING, Query(limit=1))]) == 1


def test_a_search_that_is_left_leaves_nothing_open(lane_store, stored):
    lane_store.minute(stored(1))
    steps = lane_store.reader.find(EVERYTHING, Query())
    next(steps)
    steps.close()
    lane_store.hour(stored(2))
    assert lane_store.find() == ["2", "1"]


def test_a_search_goes_on_over_files_that_are_merged_meanwhile(lane_store, stored):
    for number in range(30):
        lane_store.minute(stored(number, time=NOW + number * MINUTE))
    steps = lane_store.reader.find(EVERYTHING, Query())
    found = next(steps).events
    before = {path.name for path in lane_store.folder.glob("minute-*")}
    lane_store.hour(stored("later", time=NOW + HOUR))
    lane_store.minute(stored("last", time=NOW + HOUR))
    assert not before & {path.name for path in lane_store.folder.glob("minute-*")}
    found += [event for step in steps for event in step.events]
    assert [one.id for one in found] == [str(number) for number in reversed(range(30))]


def test_matches_are_counted_by_time_beyond_the_limit_too(lane_store, stored):
    for number in range(12):
        put = lane_store.minute if number % 2 else lane_store.hour
        put(*(stored(f"{number}/{n}", {"message": "x y"[n % 2 * 2]}, time=NOW + number * SECOND) for n in range(10)))
    for text, each in (("", 10), ("x", 5), ("gone", 0)):
        for limit in (0, 3, 1000):
            counts = {}
            for found in lane_store.reader.find(EVERYTHING, Query(text=text, limit=limit), Buckets(NOW, 4 * SECOND)):
                counts = {n: counts.get(n, 0) + found.counts.get(n, 0) for n in {*counts, *found.counts}}
            assert counts == (dict.fromkeys(range(3), 4 * each) if each else {})


@pytest.mark.parametrize(
    ("minutes", "most", "width"), [(15, 60, 30), (60, 60, 60), (24 * 60, 60, 1800), (7 * 24 * 60, 60, 3 * 3600)]
)
def test_buckets_are_of_a_width_that_people_count_in_and_begin_at_a_round_time_in_vietnam(minutes, most, width):
    start, found = buckets_of(NOW - minutes * MINUTE, NOW, most)
    assert found == width * SECOND
    assert (start + 7 * HOUR) % found == 0
    assert start <= NOW - minutes * MINUTE < start + found


def test_an_hour_whose_file_is_gone_is_said_and_not_passed_over(lane_store, stored):
    for number in range(12):
        lane_store.hour(stored(number, time=NOW + number))
    (lane_store.folder / lane_store.parts()[3].name).unlink()
    with pytest.raises(IntegrityError, match="is not whole: "):
        lane_store.find()
    assert lane_store.find(limit=2) == ["11", "10"]
