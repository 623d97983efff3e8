"""From two readings of counters to rates, or to the reason why there is none. Pure.

What may lie between two values of a counter: traffic; a wrap, which is traffic as well; a restart or a reset, of which
nobody knows how much was counted before it. A wrap of a 32-bit counter is only believed where the port cannot have
counted round twice in the time, and any rate only where the port can have been that fast. Else there is a gap: no rate,
with its reason. A false peak is worse than a gap, and a gap is told.

Source: RFC 2863, 3.1.5 and 3.1.6 (counter size and discontinuities).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

import msgspec

from collectors.snmp.readings import Cell
from collectors.snmp.uptimes import has_restarted, since
from core.clock import HOUR, SECOND
from core.records import Record

Rate: TypeAlias = float | None

LONGEST = HOUR
"""Nanoseconds over which a mean rate still says something."""

UNLIMITED = math.inf
"""The limit of a counter of which nobody knows how fast it may count."""

FASTEST = 1e12
"""What a counter of 64 bits without a limit may count in a second."""

_CLOCK_SLACK = 5 * SECOND
_HALF_TURN = 1 << 31


class Gap(StrEnum):
    """Why there is no rate."""

    FIRST = "first"
    RESTART = "restart"
    DISCONTINUITY = "discontinuity"
    RESET = "reset"
    WRAP = "wrap"
    SPEED = "speed"
    MISSING = "missing"
    CLOCK = "clock"
    LONG = "long"


class Counts(Record, frozen=True, kw_only=True):
    """Counters of some rows at one moment.

    Attributes:
        steady_ns: when, on a clock that is never set.
        uptime: of the device, in hundredths of a second; None if it does not say.
        names: of the rows; each once.
        columns: values by column; None where there is none.
        widths: 32 or 64 bits, by column and row; 0 where the row has no such counter.
        limits: by column, the most that each row can count in a second, or ``UNLIMITED``.
        discontinuity: of each row, uptime at which its counters were last set anew; None if it does not say.
    """

    steady_ns: int
    uptime: int | None
    names: tuple[str, ...]
    columns: dict[str, list[Cell]]
    widths: dict[str, tuple[int, ...]]
    limits: dict[str, Sequence[float]]
    discontinuity: Sequence[Cell] = ()


class Rates(msgspec.Struct, kw_only=True):
    """What was counted in a second.

    Attributes:
        seconds: that lie between the two readings; 0 if there is no time to count by.
        columns: rates by column and row.
        gaps: of each row why it lacks a rate; empty where it has all.
    """

    seconds: float
    columns: dict[str, list[Rate]]
    gaps: list[str]


def rates(before: Counts | None, after: Counts) -> Rates:
    """What each row counted in a second between two readings; a row is the same by its name.

    Args:
        before: the last reading that there was, however many were missed since; None if there was none.
        after: the reading that the rates are for.
    """
    rows = len(after.names)
    if before is None:
        return _none(after, Gap.FIRST)
    elapsed = after.steady_ns - before.steady_ns
    reason = _whole_gap(before, after, elapsed)
    if reason is not None:
        return _none(after, reason)
    gaps = [""] * rows
    old = before if before.names == after.names else _aligned(before, after.names)
    seconds = elapsed / SECOND
    blocked = _blocked(before, old, after)
    columns = {
        name: _column(_Pair(name, old, after, seconds), gaps, blocked)
        for name in after.columns
        if name in after.widths and name in old.columns
    }
    return Rates(seconds=seconds, columns=columns, gaps=gaps)


class _Pair:
    """One column of two readings."""

    __slots__ = ("after", "before", "limits", "old_widths", "seconds", "widths")

    def __init__(self, name: str, before: Counts, after: Counts, seconds: float) -> None:
        self.before = before.columns[name]
        self.after = after.columns[name]
        self.widths = after.widths[name]
        self.old_widths = before.widths.get(name, ())
        self.limits = after.limits[name]
        self.seconds = seconds


def _whole_gap(before: Counts, after: Counts, elapsed: int) -> Gap | None:
    """Why no row has a rate."""
    if elapsed <= 0:
        return Gap.CLOCK
    if has_restarted(before.uptime, after.uptime, elapsed):
        return Gap.RESTART
    if before.uptime is not None and after.uptime is not None:
        passed = since(before.uptime, after.uptime)
        if passed > elapsed + _CLOCK_SLACK + elapsed // 10:
            return Gap.CLOCK  # we were stopped, as a suspended machine is: our clock missed what the device counted
    return Gap.LONG if elapsed > LONGEST else None


def _none(after: Counts, reason: Gap) -> Rates:
    rows = len(after.names)
    columns: dict[str, list[Rate]] = {name: [None] * rows for name in after.columns if name in after.widths}
    return Rates(seconds=0.0, columns=columns, gaps=[str(reason)] * rows)


def _aligned(before: Counts, names: Sequence[str]) -> Counts:
    """The earlier reading in the order of the later one's rows."""
    places = {name: place for place, name in enumerate(before.names)}
    order = [places.get(name) for name in names]

    def picked(cells: Sequence[Cell]) -> list[Cell]:
        return [None if place is None or place >= len(cells) else cells[place] for place in order]

    return msgspec.structs.replace(
        before,
        names=tuple(names),
        columns={name: picked(cells) for name, cells in before.columns.items()},
        widths={
            name: tuple(0 if place is None else bits[place] for place in order) for name, bits in before.widths.items()
        },
        discontinuity=picked(before.discontinuity) if before.discontinuity else (),
    )


def _blocked(before: Counts, old: Counts, after: Counts) -> Mapping[int, Gap]:
    """Rows that have no rate whatever their counters say: new ones, and those whose counters were set anew."""
    known = set(before.names) if before.names != after.names else None
    blocked = {row: Gap.FIRST for row, name in enumerate(after.names) if known is not None and name not in known}
    if old.discontinuity and after.discontinuity and list(old.discontinuity) != list(after.discontinuity):
        for row, (then, now) in enumerate(zip(old.discontinuity, after.discontinuity, strict=True)):
            if then != now and then is not None and now is not None:
                blocked.setdefault(row, Gap.DISCONTINUITY)
    return blocked


def _column(pair: _Pair, gaps: list[str], blocked: Mapping[int, Gap]) -> list[Rate]:
    """The rates of one column. Most columns are all traffic: that is tried first, by the whole column."""
    if not blocked and pair.widths == pair.old_widths:
        whole = _all_traffic(pair)
        if whole is not None:
            return whole
    found: list[Rate] = []
    for row in range(len(pair.after)):
        rate, gap = (None, blocked[row]) if row in blocked else _cell(pair, row)
        found.append(rate)
        if gap is not None and not gaps[row] and pair.widths[row]:
            gaps[row] = str(gap)
    return found


def _all_traffic(pair: _Pair) -> list[Rate] | None:
    """The rates if every row has only counted on, by what it can and with no wrap that may hide; else None."""
    try:
        counted: list[int] = [now - then for then, now in zip(pair.before, pair.after, strict=True)]  # type: ignore[operator,misc]
    except TypeError:
        return None  # a value is missing
    if not counted:
        return []
    seconds, most = pair.seconds, max(counted)
    if min(counted) < 0 or not _is_plain(pair, most):
        return None
    if most > min(pair.limits) * seconds and any(
        one > limit * seconds for one, limit in zip(counted, pair.limits, strict=True)
    ):
        return None
    return [one / seconds for one in counted]


def _is_plain(pair: _Pair, most: int) -> bool:
    """Whether counters that have counted at most so much cannot have gone round unseen."""
    if 32 not in pair.widths:  # noqa: PLR2004 - bits
        return most <= _unlimited(64, pair.seconds) and 0 not in pair.widths
    fastest = max(pair.limits)
    return most < _HALF_TURN and (fastest == UNLIMITED == min(pair.limits) or fastest * pair.seconds < 2 * _HALF_TURN)


def _unlimited(bits: int, seconds: float) -> float:
    """What a counter may have counted whose limit is not known: of 32 bits half a turn, so that a reset is no peak."""
    return _HALF_TURN if bits == 32 else FASTEST * seconds  # noqa: PLR2004 - bits


def _cell(pair: _Pair, row: int) -> tuple[Rate, Gap | None]:
    """One counter: its rate, or why it has none."""
    then, now, bits = pair.before[row], pair.after[row], pair.widths[row]
    if not bits:
        return None, None
    if not isinstance(then, int) or not isinstance(now, int):
        return None, Gap.FIRST if isinstance(now, int) and not _had(pair, row) else Gap.MISSING
    if pair.old_widths and pair.old_widths[row] != bits:
        return None, Gap.DISCONTINUITY
    limit, turn = pair.limits[row], 1 << bits
    most = _unlimited(bits, pair.seconds) if limit == UNLIMITED else limit * pair.seconds
    counted = (now - then) % turn
    if counted > most:
        return None, Gap.SPEED if now >= then else Gap.RESET
    if limit != UNLIMITED and most - counted >= turn:
        return None, Gap.WRAP  # it can have gone round once more than it seems
    return counted / pair.seconds, None


def _had(pair: _Pair, row: int) -> bool:
    return bool(pair.old_widths and pair.old_widths[row])
