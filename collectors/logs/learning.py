"""What is usual for a source, learnt from its own past: how long it pauses, how much it sends. Pure."""

from __future__ import annotations

import msgspec

from core.clock import HOUR, MINUTE, SECOND

DAYS = 8
"""Days of which the longest pause counts."""

_HOURS = 24 * 7
"""Hours of which the busiest counts."""

_DAY = 24 * HOUR
_FACTOR = 3.0
_SHORTEST, _LONGEST = 300.0, 72 * 3600.0
"""A silence is thrice the longest usual pause, in seconds; never less than five minutes or more than three days."""

UNLEARNT = 24 * 3600.0
"""Seconds that a source may be silent of which too little is known."""

_LEAST_PAUSES = 20
_LEAST_AGE = HOUR
_LEAST_DAY = _DAY
"""What must be known before a limit is learnt, and before an amount is."""

_DOUBLE = 2.0
_SETTLED = 1.5
_LEAST_RATE = 0.5
"""A source surges at twice the rate of its busiest hour, and has settled below one and a half of it; below one message
in two seconds nothing is a surge."""


class Habit(msgspec.Struct, kw_only=True):
    """What is remembered of one source.

    Attributes:
        first: when it was first heard, nanoseconds UTC.
        pauses: how many pauses between messages were seen.
        longest: for each day number the longest pause in seconds.
        hours: for each hour number how many messages came.
    """

    first: int
    pauses: int = 0
    longest: dict[int, float] = msgspec.field(default_factory=dict)
    hours: dict[int, int] = msgspec.field(default_factory=dict)

    def heard(self, pause: int, now: int, count: int) -> None:
        """So many messages came until now, the longest pause between them so many nanoseconds."""
        day, hour = now // _DAY, now // HOUR
        self.pauses += 1
        self.longest[day] = max(self.longest.get(day, 0.0), pause / SECOND)
        self.hours[hour] = self.hours.get(hour, 0) + count
        if len(self.longest) > DAYS:
            del self.longest[min(self.longest)]
        if len(self.hours) > _HOURS:
            del self.hours[min(self.hours)]

    def silence(self, now: int) -> float | None:
        """Seconds of silence that are unusual for it; None while too little is known."""
        if self.pauses < _LEAST_PAUSES or now - self.first < _LEAST_AGE or not self.longest:
            return None
        return min(max(_FACTOR * max(self.longest.values()), _SHORTEST), _LONGEST)

    def usual(self, now: int) -> float:
        """Messages a second in its busiest whole hour; 0 while less than a day is known."""
        if now - self.first < _LEAST_DAY:
            return 0.0
        whole = [count for hour, count in self.hours.items() if hour < now // HOUR]
        return max(whole, default=0) * SECOND / HOUR


def is_surge(rate: float, usual: float, *, surging: bool) -> bool:
    """Whether so many messages a second are a surge for a source whose busiest hour had ``usual``."""
    if not usual or rate < _LEAST_RATE:
        return False
    return rate >= usual * (_SETTLED if surging else _DOUBLE)


class Rate:
    """Messages a second over the last five minutes, counted by the minute."""

    MINUTES = 5

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, now: int, count: int) -> None:
        """So many came now."""
        minute = now // MINUTE
        self._counts[minute] = self._counts.get(minute, 0) + count
        if len(self._counts) > self.MINUTES + 1:
            del self._counts[min(self._counts)]

    def of(self, now: int, minutes: int) -> float:
        """Messages a second in the last whole minutes and the present one."""
        minute = now // MINUTE
        count = sum(count for at, count in self._counts.items() if at >= minute - minutes)
        return count * SECOND / (minutes * MINUTE + now % MINUTE)
