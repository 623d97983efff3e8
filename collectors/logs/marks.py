"""How far an input that can be read again was stored: a followed file's offset, a request's messages.

Marks lie in the spool beside what they tell of and in each segment's head, so after a kill they say what is on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

MOST = 8192
"""Inputs that are remembered; the one that was longest without news goes first."""


class Marks:
    """The latest mark of each input; for several threads.

    Args:
        content: marks as they were.
    """

    def __init__(self, content: Mapping[str, int] | None = None) -> None:
        self._marks = dict(content or {})
        self._lock = Lock()

    def set(self, stream: str, mark: int) -> None:
        """The input is stored up to here."""
        with self._lock:
            self._marks.pop(stream, None)
            self._marks[stream] = mark
            while len(self._marks) > MOST:
                self._marks.pop(next(iter(self._marks)))

    def get(self, stream: str) -> int:
        """How far the input is stored; 0 if nothing is known of it."""
        return self._marks.get(stream, 0)

    def forget(self, streams: Iterable[str]) -> None:
        """These will not be read again."""
        with self._lock:
            for stream in streams:
                self._marks.pop(stream, None)

    def content(self) -> dict[str, int]:
        """All marks, the longest without news first."""
        with self._lock:
            return dict(self._marks)
