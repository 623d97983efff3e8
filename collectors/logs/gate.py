"""Who may come in: room in the queue is shared by source, so that one that is noisy harms no other. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from core.clock import SECOND

_LEAST = 64
"""Places in the queue that each source may always have while there is room at all."""

_MOST_BUCKETS = 65_536


class Shares:
    """The places of a queue, and who has them.

    While the queue is half empty anyone may come in. After that a source may have its share of the other half: a
    thousand messages of one box wait or go, and the one message of each other box comes in.

    Args:
        room: places of the queue.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting = 0
        self._of: dict[str, int] = {}

    @property
    def crowded(self) -> bool:
        """Whether who can wait should: shares will count soon."""
        return self._waiting * 4 >= self._room

    def admits(self, source: str) -> bool:
        """Whether one more message of the source may come in."""
        if self._waiting * 2 < self._room:
            return True
        if self._waiting >= self._room:
            return False
        return self._of.get(source, 0) < max(_LEAST, self._room // (2 * max(len(self._of), 1)))

    def enter(self, source: str) -> None:
        """A message of the source has come in."""
        self._waiting += 1
        self._of[source] = self._of.get(source, 0) + 1

    def leave(self, source: str) -> None:
        """A message of the source has left the queue."""
        self._waiting -= 1
        left = self._of[source] - 1
        if left:
            self._of[source] = left
        else:
            del self._of[source]


class Limits:
    """How many messages a second a source may send where a limit is set: a bucket of tokens for each, ten seconds deep.

    Args:
        limit: messages a second of each source; 0 sets none.
        of_source: limits of single sources, by address.
    """

    _DEPTH = 10.0

    def __init__(self, limit: float, of_source: Mapping[str, float]) -> None:
        self._limit = limit
        self._of_source = of_source
        self._buckets: dict[str, tuple[float, int]] = {}
        self.any = bool(limit) or any(of_source.values())

    def delay(self, source: str, now: int) -> float:
        """Takes a token for one message; the seconds until there is one, 0 if it was there and is taken."""
        limit = self._of_source.get(source, self._limit)
        if not limit:
            return 0.0
        if len(self._buckets) >= _MOST_BUCKETS and source not in self._buckets:
            self._buckets.clear()
        tokens, then = self._buckets.get(source, (limit * self._DEPTH, now))
        tokens = min(tokens + (now - then) / SECOND * limit, limit * self._DEPTH)
        wait = max(0.0, (1.0 - tokens) / limit)
        self._buckets[source] = (tokens if wait else tokens - 1.0, now)
        return wait
