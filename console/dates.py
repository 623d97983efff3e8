"""Days as people choose and read them. Pure."""

from __future__ import annotations

from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 1945, 2100
"""Years of which somebody may want to see the sector."""


def parse_day(text: str) -> str:
    """The ISO date that was typed; empty if it is none of these years."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if FIRST_YEAR <= day.year <= LAST_YEAR else ""


def shown_day(day: str) -> str:
    """``2025-07-01`` as people read it: ``01/07/2025``; nothing stays nothing."""
    year, _, rest = day.partition("-")
    month, _, number = rest.partition("-")
    return f"{number}/{month}/{year}" if rest else day


def day_before(day: str) -> str:
    """The date before this one."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def days_until(day: str, today: str) -> int:
    """How many days are left; negative once it has gone by.

    Raises:
        ValueError: one of them is no date.
    """
    return (date.fromisoformat(day) - date.fromisoformat(today)).days
