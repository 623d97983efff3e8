"""Which files of a series table count, and which of them a question is answered from.

Each file has the number of the swap that made it. A roll-up is believed for an hour only while no file of rows of that
hour has a higher number: late rows thereby amend what is read at once, and the roll-up itself when it is made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from core.clock import HOUR, VIETNAM, from_datetime, to_datetime
from core.records import Record
from core.stores.manifest import SpooledManifest, load_manifest
from core.stores.series_tables import Stage

DAY = 24 * HOUR
AHEAD = 7 * HOUR
"""Days and months are those of Vietnam, which has no summer time."""

ROWS: tuple[Stage, ...] = ("piece", "raw")
"""Stages that hold rows as they came."""

Span = tuple[int, int]
"""From and until, nanoseconds."""


class SeriesPartition(Record, frozen=True, kw_only=True):
    """One Parquet file of a table.

    Attributes:
        name: file name below the table's folder.
        stage: what it holds.
        start: of the hour, day or month whose rows it holds, nanoseconds; ``until`` is its end.
        count: rows in it.
        number: of the swap before which it was made.
        made: when, nanoseconds.
        serves_minute: whether its rows come no faster than about one a minute, so that no minutes are rolled up.
        empty: hours of its span of which there were no rows at all.
    """

    name: str
    stage: Stage
    start: int
    until: int
    count: int
    number: int
    made: int
    serves_minute: bool = False
    empty: tuple[int, ...] = ()

    def hours(self) -> range:
        """The hours it covers, since 1970 UTC."""
        return range(self.start // HOUR, self.until // HOUR)

    def filled(self) -> set[int]:
        """Those of which it has rows."""
        return set(self.hours()).difference(self.empty)


class SeriesManifest(SpooledManifest, frozen=True, kw_only=True):
    """All files of one table that count, and the number of the last swap."""

    number: int = 0
    partitions: tuple[SeriesPartition, ...] = ()


class Source(NamedTuple):
    """A file, and the spans of it that answer; all of it if ``whole``."""

    part: SeriesPartition
    spans: tuple[Span, ...]
    whole: bool


class Cover(NamedTuple):
    """Files whose spans do not overlap, and the spans in which rows of the spool count."""

    sources: list[Source]
    spooled: tuple[Span, ...]


def present(folder: Path) -> SeriesManifest:
    """The table's manifest."""
    return load_manifest(folder, SeriesManifest)


def day_start(time: int) -> int:
    """When the day of Vietnam began."""
    return (time + AHEAD) // DAY * DAY - AHEAD


def month_start(time: int, months: int = 0) -> int:
    """When the month of Vietnam began, or the one so many months later."""
    local = to_datetime(time).astimezone(VIETNAM)
    years, month = divmod(local.month - 1 + months, 12)
    return from_datetime(datetime(local.year + years, month + 1, 1, tzinfo=VIETNAM))


def newest_rows(partitions: Iterable[SeriesPartition]) -> dict[int, int]:
    """The highest number among the files of rows of each hour."""
    newest: dict[int, int] = {}
    for part in partitions:
        if part.stage in ROWS:
            hour = part.start // HOUR
            newest[hour] = max(newest.get(hour, 0), part.number)
    return newest


def stale_hours(part: SeriesPartition, newest: Mapping[int, int], spooled: Collection[int] = ()) -> list[int]:
    """Hours of a roll-up of which there are rows that it has not seen."""
    return [hour for hour in part.hours() if newest.get(hour, 0) > part.number or hour in spooled]


def cover(partitions: Sequence[SeriesPartition], spooled: Collection[int], span: Span, order: Sequence[Stage]) -> Cover:
    """What answers for the span: each part of it from the first stage of the order that has it.

    ``spooled`` are the hours of rows that lie in the spool only. Stage ``raw`` in the order means all files of rows.
    """
    newest = newest_rows(partitions)
    left: list[Span] = [span]
    sources: list[Source] = []
    rows_in: tuple[Span, ...] = ()
    for stage in order:
        if stage == "raw":
            rows_in = tuple(left)
            files = [part for part in partitions if part.stage in ROWS]
            sources += [source for part in files if (source := _source(part, left))]
            left = _without(left, {(part.start, part.until) for part in files})
            continue
        for part in sorted((part for part in partitions if part.stage == stage), key=lambda part: -part.number):
            usable = _usable(part, newest, spooled)
            spans = [clipped for one in usable for clipped in _clipped(left, one)]
            if part.stage in {"day", "month"} and spans != _clipped([span], (part.start, part.until)):
                continue  # a row of it stands for all of its span, of which something is known already
            if spans:
                sources.append(Source(part, tuple(spans), spans == [(part.start, part.until)]))
                left = _without(left, spans)
    return Cover(sources, rows_in)


def _usable(part: SeriesPartition, newest: Mapping[int, int], spooled: Collection[int]) -> list[Span]:
    stale = stale_hours(part, newest, spooled)
    if stale and part.stage in {"day", "month"}:
        return []
    return _without([(part.start, part.until)], [(hour * HOUR, (hour + 1) * HOUR) for hour in stale])


def _source(part: SeriesPartition, left: list[Span]) -> Source | None:
    spans = _clipped(left, (part.start, part.until))
    return Source(part, tuple(spans), spans == [(part.start, part.until)]) if spans else None


def _clipped(spans: Iterable[Span], bounds: Span) -> list[Span]:
    cut = [(max(start, bounds[0]), min(until, bounds[1])) for start, until in spans]
    return [(start, until) for start, until in cut if start < until]


def _without(spans: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    left = list(spans)
    for start, until in taken:
        if any(one[0] < until and start < one[1] for one in left):
            before = [(one[0], min(one[1], start)) for one in left]
            after = [(max(one[0], until), one[1]) for one in left]
            left = sorted(one for one in {*before, *after} if one[0] < one[1])
    return left
