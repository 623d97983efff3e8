"""Names of sources as metric labels: bounded, since an address in a datagram can be anything."""

from __future__ import annotations

_MOST = 2000


class SourceNames:
    """Gives the first 2,000 sources their own label, all others share one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def label(self, source: str) -> str:
        """The label for this source."""
        if source not in self._known:
            if len(self._known) >= _MOST:
                return "other"
            self._known.add(source)
        return source
