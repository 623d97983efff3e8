from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import VIETNAM, from_datetime
from inventory.calendars import Calendars, parse_hours, parse_weekdays
from inventory.objects import Calendar, CalendarDay
from inventory.records import Inventory, Site


def site(name, calendar):
    return Site(id=name, name=name, unit="tc", address_space="wan", tier="DC", calendar=calendar)


def day(first, last, kind, name):
    return CalendarDay(calendar="hc", valid_from=first, valid_to=last, kind=kind, name=name, source="ví dụ")


# The days are examples of the form, not anybody's decision.
CALENDARS = Calendars(
    Inventory(
        sites=(site("hn", "hc"), site("dc", "trực"), site("hp", "")),
        calendars=(
            Calendar(id="hc", name="Hành chính", weekdays="1-5", hours="07:30-11:30,13:00-16:30"),
            Calendar(id="trực", name="Trực 24/7", weekdays="1-7", hours="00:00-24:00"),
        ),
        calendar_days=(
            day("2030-02-02", "2030-02-08", "holiday", "Tết Nguyên đán"),
            day("2030-02-16", "2030-02-16", "working", "Làm bù"),
        ),
    )
)


def at(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=VIETNAM))


@pytest.mark.parametrize(
    ("moment", "working"),
    [
        ("2030-01-31T07:29:59", False),
        ("2030-01-31T07:30:00", True),
        ("2030-01-31T11:29:59", True),
        ("2030-01-31T11:30:00", False),
        ("2030-01-31T16:29", True),
        ("2030-01-31T23:00", False),
        ("2030-02-02T09:00", False),
        ("2030-02-04T09:00", False),
        ("2030-02-11T09:00", True),
        ("2030-02-16T09:00", True),
        ("2030-02-16T12:00", False),
        ("2030-02-17T09:00", False),
    ],
)
def test_a_site_works_by_weekday_and_hour_but_not_at_tet_and_on_a_day_made_up_for(moment, working):
    assert CALENDARS.is_working("hn", at(moment)) is working


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - a zone is set below
def test_a_site_that_is_watched_day_and_night_always_works(moment):
    assert CALENDARS.is_working("dc", from_datetime(moment.replace(tzinfo=VIETNAM))) is True


def test_where_no_calendar_is_known_nothing_is_claimed():
    assert CALENDARS.is_working("hp", at("2030-01-31T09:00")) is None
    assert CALENDARS.is_working("nowhere", at("2030-01-31T09:00")) is None


def test_days_and_hours_are_read():
    assert parse_weekdays("1-3,5") == {1, 2, 3, 5}
    assert parse_hours("07:30-11:30,13:00-24:00") == ((450, 690), (780, 1440))
