"""How far an input that can be read again was stored: a followed file's offset, a request's messages.

Marks lie in the spool beside what they tell of and in each segment's head, so after a kill they say what is on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

MOST = 8192
"""Inputs of a kind that are remembered; the one that was longest without news goes first."""


class Marks:
    """The latest mark of each input; for several threads.

    Args:
        content: marks as they were.
    """

    def __init__(self, content: Mapping[str, int] | None = None) -> None:
        self._lock = Lock()
        self._kinds: dict[str, dict[str, int]] = {}
        for stream, mark in (content or {}).items():
            self._of(stream)[stream] = mark

    def set(self, stream: str, mark: int) -> None:
        """The input is stored up to here."""
        with self._lock:
            known = self._of(stream)
            known.pop(stream, None)
            known[stream] = mark
            while len(known) > MOST:
                known.pop(next(iter(known)))

    def get(self, stream: str) -> int:
        """How far the input is stored; 0 if nothing is known of it."""
        return self._of(stream).get(stream, 0)

    def forget(self, streams: Iterable[str]) -> None:
        """These will not be read again."""
        with self._lock:
            for stream in streams:
                self._of(stream).pop(stream, None)

    def forget_kind(self, kind: str) -> None:
        """No input of this kind will be read again."""
        with self._lock:
            self._kinds.pop(kind, None)

    def content(self) -> dict[str, int]:
        """All marks, the longest without news first."""
        with self._lock:
            return {stream: mark for known in self._kinds.values() for stream, mark in known.items()}

    def _of(self, stream: str) -> dict[str, int]:
        """The marks of the stream's kind, which its name begins with: requests must not push out quiet files."""
        return self._kinds.setdefault(stream.partition("/")[0], {})
