"""A track: the hits of one rule for one group, in order of time, as far back as they can still matter."""

from __future__ import annotations

from bisect import insort

from core.records import Alert

MOST_HITS = 5000
_FIRST = 50


class Track:
    """Hits in order of (time, id); the same hit is taken once."""

    def __init__(self) -> None:
        self._hits: list[Alert] = []
        self._ids: set[str] = set()
        self.left_out = 0
        self.touched = 0

    def add(self, hit: Alert, now: int, most: int = MOST_HITS) -> bool:
        """Takes a hit that arrived at ``now``; False if it was there already.

        Beyond ``most`` hits those after the first 50 are left out and only counted.
        """
        self.touched = now
        if hit.id in self._ids:
            return False
        insort(self._hits, hit, key=_order)
        self._ids.add(hit.id)
        if len(self._hits) > most:
            self._ids.discard(self._hits.pop(_FIRST).id)
            self.left_out += 1
        return True

    def times(self) -> list[int]:
        """Event times in rising order."""
        return [hit.start for hit in self._hits]

    def within(self, start: int, end: int) -> list[Alert]:
        """The hits in [start, end]."""
        return [hit for hit in self._hits if start <= hit.start <= end]

    def forget_before(self, time: int) -> None:
        """Drops hits older than this event time."""
        kept = [hit for hit in self._hits if hit.start >= time]
        if len(kept) < len(self._hits):
            self._hits, self._ids, self.left_out = kept, {hit.id for hit in kept}, 0

    @property
    def newest(self) -> int:
        """Event time of the last hit."""
        return self._hits[-1].start if self._hits else 0


def _order(hit: Alert) -> tuple[int, str]:
    return hit.start, hit.id
