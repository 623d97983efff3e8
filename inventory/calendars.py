"""Working time: is a site at work at a moment? Weekdays and hours, and the days that are not as their weekday says.

No holiday is shipped: the days of Tết and the days made up for are decided anew every year, and are rows of the table
``calendar_days`` with their source.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, timedelta

from core.clock import VIETNAM, to_datetime
from inventory.objects import Calendar, CalendarDay, DayKind
from inventory.records import Inventory

_WEEKDAYS = re.compile(r"[1-7](-[1-7])?(,[1-7](-[1-7])?)*")
_HOURS = re.compile(r"\d\d:\d\d-\d\d:\d\d(,\d\d:\d\d-\d\d:\d\d)*")
_DAY_MINUTES = 24 * 60
LONGEST_DAYS = 366
"""Most days that one row of ``calendar_days`` covers."""


def parse_weekdays(text: str) -> frozenset[int]:
    """The weekdays in ``1-5`` or ``1,3,5``; 1 is Monday (ISO 8601).

    Raises:
        ValueError: it is written otherwise, or a range runs backwards.
    """
    if not _WEEKDAYS.fullmatch(text):
        raise ValueError(f"bad weekdays {text!r}; expected 1-5 or 1,3,5 with 1 for Monday")
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) < int(first):
            raise ValueError(f"weekdays {part!r} run backwards; expected the earlier day first")
        days.update(range(int(first), int(last or first) + 1))
    return frozenset(days)


def parse_hours(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of minutes since midnight, the end not within, in ``07:30-11:30,13:00-16:30``.

    Raises:
        ValueError: it is written otherwise, is no time of day, or a span ends before it begins.
    """
    if not _HOURS.fullmatch(text):
        raise ValueError(f"bad hours {text!r}; expected 07:30-11:30,13:00-16:30")
    spans = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        span = (_minutes(first), _minutes(last))
        if span[0] >= span[1]:
            raise ValueError(f"hours {part!r} end before they begin; expected the earlier time first")
        spans.append(span)
    return tuple(spans)


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    total = hour * 60 + minute
    if minute > 59 or total > _DAY_MINUTES:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f"bad time {text!r}; expected 00:00 to 24:00")
    return total


def days_of(row: CalendarDay) -> list[date]:
    """The days that the row covers; its dates are real ones.

    Raises:
        ValueError: they are more than a year.
    """
    first, last = date.fromisoformat(row.valid_from), date.fromisoformat(row.valid_to)
    count = (last - first).days + 1
    if count > LONGEST_DAYS:
        raise ValueError(f"{count} days; expected at most {LONGEST_DAYS} in one row")
    return [first + timedelta(days=number) for number in range(count)]


class _WorkingTime:
    """One calendar, ready to be asked."""

    def __init__(self, calendar: Calendar, days: list[CalendarDay]) -> None:
        self._weekdays = parse_weekdays(calendar.weekdays)
        self._hours = parse_hours(calendar.hours)
        self._days: dict[date, DayKind] = {day: row.kind for row in days for day in days_of(row)}

    def holds(self, moment: datetime) -> bool:
        """Whether this moment, in Vietnam's zone, is working time."""
        kind = self._days.get(moment.date())
        if kind == "holiday" or (kind is None and moment.isoweekday() not in self._weekdays):
            return False
        minute = moment.hour * 60 + moment.minute
        return any(first <= minute < last for first, last in self._hours)


class Calendars:
    """The working time of every site of one inventory, whose rows have been checked."""

    def __init__(self, inventory: Inventory) -> None:
        days: defaultdict[str, list[CalendarDay]] = defaultdict(list)
        for row in inventory.calendar_days:
            days[row.calendar].append(row)
        times = {calendar.id: _WorkingTime(calendar, days[calendar.id]) for calendar in inventory.calendars}
        self._of_site = {site.id: times[site.calendar] for site in inventory.sites if site.calendar in times}

    def is_working(self, site: str, time: int) -> bool | None:
        """Whether the site is at work at this time (ns UTC); None where its working time is not known."""
        times = self._of_site.get(site)
        return None if times is None else times.holds(to_datetime(time).astimezone(VIETNAM))
