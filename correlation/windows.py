"""Sliding windows over event time, as functions of the whole set of events.

The result depends on which events there are and not on the order in which they came: that is what makes live,
replayed and shuffled input give the same alerts. Windows are closed at both ends: [t - span, t] (Sigma
specification 2.1, "Correlation rules", ``timespan``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Firing(NamedTuple):
    """A moment at which a condition holds, and where the evidence for it begins."""

    start: int
    at: int


class Episode(NamedTuple):
    """Firings without a pause: one alert. Its evidence lies in [start, end], where that of no other does."""

    start: int
    end: int


def count_firings(times: Sequence[int], span: int, threshold: int) -> list[Firing]:
    """Each event at which at least ``threshold`` events lie within the window that ends with it.

    Args:
        times: event times in rising order, nanoseconds.
        span: length of the window, nanoseconds.
        threshold: how many events are enough, at least 1.
    """
    firings = []
    for last in range(threshold - 1, len(times)):
        at = times[last]
        if at - times[last - threshold + 1] <= span:
            firings.append(Firing(times[bisect_left(times, at - span)], at))
    return firings


def ordered_firings(steps: Sequence[Sequence[Firing]], span: int) -> list[Firing]:
    """Each firing of the last step that has all steps before it, in order, within the window.

    For every step the latest possible beginning of a chain is kept; firings at the same time count as in order,
    since many senders tell time to the second.
    """
    moments = sorted((firing.at, step, firing.start) for step, firings in enumerate(steps) for firing in firings)
    began: list[int | None] = [None] * len(steps)
    evidence: list[int] = [0] * len(steps)
    found = []
    for at, step, start in moments:
        if step == 0:
            began[0], evidence[0] = at, start
            continue
        before = began[step - 1]
        if before is None or at - before > span:
            continue
        began[step], evidence[step] = before, evidence[step - 1]
        if step == len(steps) - 1:
            found.append(Firing(evidence[step], at))
    return found


def episodes(firings: Iterable[Firing], span: int) -> list[Episode]:
    """Joins firings that follow each other within the span, or whose evidence overlaps."""
    joined: list[Episode] = []
    for start, at in sorted(firings):
        if joined and (at - joined[-1].end <= span or start <= joined[-1].end):
            joined[-1] = Episode(joined[-1].start, max(joined[-1].end, at))
        else:
            joined.append(Episode(start, at))
    return joined
