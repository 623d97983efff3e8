"""The book of sources: what comes from whom, and when that changes. Time is handed in, nothing is read or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from collectors.logs.learning import UNLEARNT, Habit, Rate, is_surge
from core.clock import HOUR, SECOND
from core.sources import Source, Sources, SourceState

MOST = 4000
"""Sources that are kept apart; of more only the number is told."""

_MOST_TOLD = 20
"""Unknown senders that are told in an hour: addresses in datagrams can be forged, and each would be a finding."""

_HERE = frozenset(("127.0.0.1", "::1"))
"""This machine itself, which needs no place in the inventory."""

_KINDS = 3
_SMOOTH = 0.1
"""Share of a new lag in the smoothed one."""


class Change(StrEnum):
    """What an event of the service ``source`` says of a source."""

    SILENT = "source_silent"
    RETURNED = "source_returned"
    SURGING = "source_surging"
    SETTLED = "source_settled"
    UNKNOWN = "source_unknown"


class Told(NamedTuple):
    """A change of a source's state, and one sentence about it."""

    change: Change
    source: Source
    text: str


class Heard(NamedTuple):
    """What the latest message of a source says of it.

    Attributes:
        way: how it came.
        kind: what it is, as ``product/service``; empty if nobody understood it.
        told: its own time, nanoseconds UTC; None if it tells none.
        seen: when it was received.
        device: whose it is by the inventory or, failing that, by its own word.
        site: the site by the inventory.
    """

    way: str
    kind: str
    told: int | None
    seen: int
    device: str
    site: str


class Limit(NamedTuple):
    """How long a source may be silent, in seconds, and where that is said."""

    seconds: float
    said: str


class Entry:
    """One source: what is shown of it, what is learnt, and what came since that was last brought together.

    Args:
        source: as it was.
        habit: what was learnt of it.
        listening: since when somebody listens.
    """

    def __init__(self, source: Source, habit: Habit, listening: int) -> None:
        self.source = source
        self.habit = habit
        self.rate = Rate()
        self.kinds: Counter[str] = Counter(dict.fromkeys(source.kinds, 1))
        self.counts: Counter[str] = Counter()
        self.last = max(source.last, listening)
        self._fresh = 0
        self._pause = 0
        self._look: Callable[[], Heard] | None = None

    def hear(self, seen: int, count: int, look: Callable[[], Heard]) -> None:
        """So many messages came; ``look`` tells of the latest and is called only where that is asked."""
        self._pause = max(self._pause, seen - self.last)
        self.last = max(self.last, seen)
        self._fresh += count
        self._look = look

    def bring_together(self) -> None:
        """Takes in what came since the last time."""
        counts, self.counts = self.counts, Counter()
        added = {what: getattr(self.source, what) + count for what, count in counts.items()}
        if added:
            self.source = msgspec.structs.replace(self.source, **added)
        if self._look is not None:
            heard, self._look = self._look(), None
            self._learn(heard)

    def _learn(self, heard: Heard) -> None:
        source, count, self._fresh = self.source, self._fresh, 0
        pause, self._pause = self._pause, 0
        if source.state is not SourceState.SILENT:  # an outage is not a habit
            self.habit.heard(pause, heard.seen, count)
        self.rate.add(heard.seen, count)
        if heard.kind:
            self.kinds[heard.kind] += count
        self.source = msgspec.structs.replace(
            source,
            last=self.last,
            device=heard.device or source.device,
            site=heard.site,
            known=bool(heard.site),
            kinds=tuple(kind for kind, _ in self.kinds.most_common(_KINDS)),
            ways=source.ways if heard.way in source.ways else tuple(sorted({*source.ways, heard.way})),
            **_times(source, heard),
        )


class Book:
    """All sources of one lane.

    Args:
        kept: as they were when the last process ended.
        habits: what was learnt of them.
        now: since when this process listens: nobody was silent before that.
        set_limits: by address, how long a source may be silent where the settings say so, in seconds.
    """

    def __init__(self, kept: Sources, habits: dict[str, Habit], now: int, set_limits: dict[str, float]) -> None:
        self._entries = {
            one.address: Entry(one, habits.get(one.address) or Habit(first=one.first), now) for one in kept.sources
        }
        self._limits = set_limits
        self._unlisted: set[str] = set()
        self._told_in: tuple[int, int] = (0, 0)
        self._fresh: list[Entry] = []

    def count(self, what: str, by_source: Mapping[str, int], now: int) -> None:
        """So many messages were ``received``, ``stored``, ``dropped`` and so on, by address."""
        for address, count in by_source.items():
            entry = self._entry(address, now)
            if entry is not None:
                entry.counts[what] += count

    def hear(self, address: str, seen: int, count: int, look: Callable[[], Heard]) -> None:
        """So many messages of the source came, the latest at ``seen``; ``look`` tells of that one."""
        entry = self._entry(address, seen)
        if entry is not None:
            entry.hear(seen, count, look)

    def changes(self, now: int) -> Iterator[Told]:
        """What has changed since the last call; each change once."""
        for entry in self._entries.values():
            entry.bring_together()
        yield from self._unknown(now)
        for entry in self._entries.values():
            after, told = _judged(entry, self._limit(entry, now), now)
            if after is not entry.source.state:
                entry.source = msgspec.structs.replace(entry.source, state=after, since=now)
            if told is not None:
                yield Told(told, entry.source, _sentence(told, entry, now))

    def content(self, now: int, zone_of: Callable[[str], tuple[str, str]]) -> Sources:
        """All that is shown; ``zone_of`` gives an address's zone and where that is said."""
        for entry in self._entries.values():
            entry.bring_together()
        shown = tuple(self._shown(entry, now, zone_of) for entry in self._entries.values())
        return Sources(written=now, sources=shown, unlisted=len(self._unlisted))

    def habits(self) -> dict[str, Habit]:
        """All that was learnt, by address."""
        return {address: entry.habit for address, entry in self._entries.items()}

    def _entry(self, address: str, now: int) -> Entry | None:
        entry = self._entries.get(address)
        if entry is None and len(self._entries) < MOST:
            source = Source(address=address, first=now, last=now, since=now)
            entry = self._entries[address] = Entry(source, Habit(first=now), now)
            self._fresh.append(entry)
        elif entry is None and len(self._unlisted) < MOST:
            self._unlisted.add(address)
        return entry

    def _unknown(self, now: int) -> Iterator[Told]:
        """New senders that the inventory does not know, so many in an hour."""
        fresh, self._fresh = self._fresh, []
        for entry in fresh:
            hour, told = self._told_in
            told = 0 if hour != now // HOUR else told
            if entry.source.known or entry.source.address in _HERE or not entry.source.ways or told >= _MOST_TOLD:
                continue
            self._told_in = (now // HOUR, told + 1)
            yield Told(Change.UNKNOWN, entry.source, _sentence(Change.UNKNOWN, entry, now))

    def _limit(self, entry: Entry, now: int) -> Limit:
        said = self._limits.get(entry.source.address)
        if said is not None:
            return Limit(said, "settings")
        learnt = entry.habit.silence(now)
        return Limit(UNLEARNT, "default") if learnt is None else Limit(learnt, "learnt")

    def _shown(self, entry: Entry, now: int, zone_of: Callable[[str], tuple[str, str]]) -> Source:
        limit = self._limit(entry, now)
        zone, said = zone_of(entry.source.address)
        return msgspec.structs.replace(
            entry.source,
            rate=round(entry.rate.of(now, 1), 3),
            usual=round(entry.habit.usual(now), 3),
            limit=limit.seconds,
            limit_from=limit.said,
            zone=zone,
            zone_from=said,
        )


def _judged(entry: Entry, limit: Limit, now: int) -> tuple[SourceState, Change | None]:
    """What is true of the source now, and what has to be told if that is new."""
    before = entry.source.state
    if before is SourceState.SILENT and entry.source.last <= entry.source.since:
        return before, None
    if (now - entry.last) / SECOND > limit.seconds:
        return SourceState.SILENT, None if before is SourceState.SILENT else Change.SILENT
    surging = before is SourceState.SURGING
    if is_surge(entry.rate.of(now, Rate.MINUTES), entry.habit.usual(now), surging=surging):
        return SourceState.SURGING, None if surging else Change.SURGING
    after = SourceState.LEARNING if limit.said == "default" else SourceState.ALIVE
    if before is SourceState.SILENT:
        return after, Change.RETURNED
    return after, Change.SETTLED if surging else None


def _times(source: Source, heard: Heard) -> dict[str, float]:
    """The source's lag and offset after one more message."""
    if heard.told is None:
        return {}
    lag = (heard.seen - heard.told) / SECOND
    smoothed = lag if source.lag is None else source.lag + _SMOOTH * (lag - source.lag)
    # The least lag is nearly the clock's offset; it rises slowly again, so that a clock that was set right shows.
    least = lag if source.offset is None else min(lag, -source.offset + _SMOOTH * (lag + source.offset))
    return {"lag": round(smoothed, 3), "offset": round(-least, 3)}


def _sentence(change: Change, entry: Entry, now: int) -> str:
    name = entry.source.device or entry.source.address
    minutes = round((now - entry.source.last) / SECOND / 60, 1)
    rate, usual = round(entry.rate.of(now, Rate.MINUTES), 1), round(entry.habit.usual(now), 1)
    return {
        Change.SILENT: f"{name} has sent nothing for {minutes} minutes",
        Change.RETURNED: f"{name} sends again",
        Change.SURGING: f"{name} sends {rate} messages a second, {usual} in its busiest hour",
        Change.SETTLED: f"{name} sends {rate} messages a second again",
        Change.UNKNOWN: f"{name} sends logs and is not in the inventory",
    }[change]
