"""Time as a thing that is handed in, so that tests hold it and never wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
"""Nanoseconds."""

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
"""The zone in which people read times and in which Sigma's hour and weekday are meant."""


class Clock(Protocol):
    """Tells the time of day."""

    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, as last set."""
        return self._now

    def forward(self, nanoseconds: int) -> None:
        """Moves the time on."""
        self._now += nanoseconds


def to_datetime(nanoseconds: int) -> datetime:
    """The instant in UTC, to the microsecond."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def from_datetime(moment: datetime) -> int:
    """Nanoseconds UTC of an aware datetime, exact to its microsecond."""
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * SECOND + moment.microsecond * 1000


def iso(nanoseconds: int) -> str:
    """ISO 8601 in UTC with microseconds: ``2026-11-22T06:30:00.000000Z``."""
    return to_datetime(nanoseconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def vietnam(nanoseconds: int) -> str:
    """As people read it: ``22/11/2026 13:30:00`` in Asia/Ho_Chi_Minh."""
    return to_datetime(nanoseconds).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")


def vietnam_day(nanoseconds: int) -> str:
    """The date in Asia/Ho_Chi_Minh: ``2026-11-22``."""
    return to_datetime(nanoseconds).astimezone(VIETNAM).strftime("%Y-%m-%d")
