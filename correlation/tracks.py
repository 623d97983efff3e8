"""What the correlator holds of one rule in one group: the hits that can still matter, and what was told of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from core.records import Alert
from correlation.evidence import FIRST, LAST, Place, order, places_of
from correlation.windows import Episode, Firing

Cut = tuple[int, str]
"""A place in the order of hits: (time, id)."""

NO_CUT: Cut = (-(1 << 63), "")
MOST_HITS = 5000


class Track:
    """The hits of one step, in order of (time, id); the same hit is taken once."""

    def __init__(self) -> None:
        self._hits: list[Alert] = []
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._hits)

    def add(self, hit: Alert) -> bool:
        """Takes a hit; False if it was there already."""
        if hit.id in self._ids:
            return False
        insort(self._hits, hit, key=order)
        self._ids.add(hit.id)
        return True

    def times(self) -> list[int]:
        """Event times in rising order."""
        return [hit.start for hit in self._hits]

    def within(self, start: int, end: int) -> list[Alert]:
        """The hits in [start, end]."""
        return [hit for hit in self._hits if start <= hit.start <= end]

    def forget_before(self, cut: Cut) -> None:
        """Drops the hits before this place."""
        first = bisect_left(self._hits, cut, key=order)
        if first:
            self._ids.difference_update(hit.id for hit in self._hits[:first])
            del self._hits[:first]

    def overflow(self, most: int) -> Cut:
        """Where to cut so that the last half of ``most`` hits stays; no cut while there are no more than ``most``."""
        return order(self._hits[-(most // 2)]) if len(self._hits) > most else NO_CUT

    @property
    def newest(self) -> int:
        """Event time of the last hit."""
        return self._hits[-1].start if self._hits else 0


class Folded:
    """The beginning of an episode that goes on: its first and last hits, of the others their number and places."""

    def __init__(self, episode: Episode, hits: Iterable[Alert], before: Folded | None) -> None:
        known = sorted([*(before.hits if before else ()), *hits], key=order)
        self.episode = episode
        self.hits: Sequence[Alert] = known if len(known) <= FIRST + LAST else [*known[:FIRST], *known[-LAST:]]
        self.left_out: int = (before.left_out if before else 0) + len(known) - len(self.hits)
        self.places: set[Place] = (before.places if before else set()) | places_of(known)


class Case:
    """One rule in one group. Before ``cut`` all is settled: hits are gone, and alerts that ended there stay."""

    def __init__(self) -> None:
        self.tracks: dict[str, Track] = {}
        self.firings: list[Firing] = []
        self.episodes: list[Episode] = []
        self.told: dict[str, Alert] = {}
        self.folded: Folded | None = None
        self.cut = NO_CUT
        self.newest = 0
        self.touched = 0

    def folded_in(self, episode: Episode) -> Folded | None:
        """What was folded of this episode."""
        inside = self.folded is not None and episode.start <= self.folded.episode.start <= episode.end
        return self.folded if inside else None

    def across(self, cut: Cut) -> Episode | None:
        """The episode that began before this place and has not ended there."""
        return next((episode for episode in self.episodes if episode.start <= cut[0] <= episode.end), None)

    def settle(self, cut: Cut, hits: Iterable[Alert]) -> None:
        """Moves the cut on: folds these hits of the episode across it, forgets what was told of those before it."""
        episode = self.across(cut)
        before = self.folded_in(episode) if episode else None
        old = [hit for hit in hits if order(hit) < cut]
        self.folded = Folded(episode, old, before) if episode and (old or before) else None
        self.cut = cut
        self.told = {identity: alert for identity, alert in self.told.items() if alert.end >= cut[0]}
        for track in self.tracks.values():
            track.forget_before(cut)
