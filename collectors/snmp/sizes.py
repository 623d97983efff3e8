"""How many values to ask one device for at once: what it answers decides. Pure."""

from __future__ import annotations

BEGIN = 60
"""Values whose answer fits an Ethernet frame: 60 counters with their names take about 1,400 octets."""

MOST = 90
"""Beyond it answers come in fragments, which links lose, and little is won: a datagram's cost is spread already."""

_CALM = 16
_FORGET = 1440
"""Good answers before it grows, and before a size that failed is tried again (a day of one request a minute)."""


class Sizes:
    """The size of requests to one device: slowly grown while all is well, towards what is known to fail.

    When a larger one fails, the last that was good for a while is taken again; when that fails as well, half of it.
    """

    def __init__(self, size: int = BEGIN) -> None:
        self.size = size
        self._proven = 0
        self._ceiling = MOST
        self._calm = 0
        self._since_failure = 0

    def answered(self, count: int) -> None:
        """A request for so many values was answered in full."""
        if count < self.size:
            return  # the rest of a list says nothing of the size
        self._calm += 1
        self._since_failure += 1
        if self._since_failure >= _FORGET:
            self._since_failure, self._ceiling = 0, MOST
        if self._calm >= _CALM and self.size < self._ceiling:
            self._proven, self._calm = self.size, 0
            self.size += max(1, min(self.size // 8, (self._ceiling - self.size) // 2))

    def failed(self, count: int) -> None:
        """A request for so many was not answered: it may have been too big."""
        self._proven = self._proven if self._proven < count else 0
        self._limit(count - 1, self._proven or count // 2)

    def truncated(self, came: int) -> None:
        """Only the first so many of a request were answered."""
        self._proven = min(self._proven, came)
        self._limit(came, came)

    def _limit(self, ceiling: int, size: int) -> None:
        self._ceiling = max(1, min(self._ceiling, ceiling))
        self.size = max(1, min(self.size, size))
        self._calm = self._since_failure = 0
