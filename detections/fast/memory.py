"""Caches under one budget of bytes: what was not asked for since the budget was last half used up goes first."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ENTRY = 250
"""Bytes of an entry beside its key: two words in a dict, and a small set or tuple."""

_LARGEST = 16 * 1024
"""Bytes of the largest key that is kept: a larger one would push out a hundred that return."""

_AT_ONCE = 16
"""Entries of a dropped generation that go with each new entry: all at once no event should wait for."""


class Memory:
    """The budget that caches share.

    Args:
        limit: bytes, as estimated from the keys, that all caches together hold at most.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._used = 0
        self._caches: list[Cache[object, object]] = []
        self._shared: dict[object, object] = {}
        self._dropped: list[dict[object, object]] = []
        self.turns = 0

    def add(self, cache: Cache[K, V]) -> Cache[K, V]:
        """Puts a cache under the budget."""
        self._caches.append(cache)  # type: ignore[arg-type]
        return cache

    def charge(self, size: int) -> bool:
        """Takes room for a key of so many bytes; False if it is too large to be kept."""
        if size > _LARGEST:
            return False
        self._used += size + _ENTRY
        if self._used > self._half:
            self._turn()
        if self._dropped:
            self._let_go()
        return True

    def one(self, answer: V) -> V:
        """The one object for all equal answers: there are few, and the garbage collector looks at each object."""
        return self._shared.setdefault(answer, answer)  # type: ignore[return-value]

    def _turn(self) -> None:
        self.turns += 1
        self._shared = {}
        self._used = 0
        self._dropped = [cache.old for cache in self._caches if cache.old]
        for cache in self._caches:
            cache.old = cache.young
            cache.young = {}

    def _let_go(self) -> None:
        """Lets a few entries of what was dropped go."""
        dropped = self._dropped[-1]
        for _ in range(min(_AT_ONCE, len(dropped))):
            dropped.popitem()
        if not dropped:
            self._dropped.pop()


class Cache(Generic[K, V]):
    """Two generations: a new one is begun when the budget is half used up, and the one before the last is dropped."""

    __slots__ = ("_memory", "old", "young")

    def __init__(self, memory: Memory) -> None:
        self.young: dict[K, V] = {}
        self.old: dict[K, V] = {}
        self._memory = memory

    def put(self, key: K, value: V, size: int) -> None:
        """Keeps the value under a key of so many bytes."""
        if self._memory.charge(size):
            self.young[key] = self._memory.one(value)


def distinct(value: object) -> bool:
    """Whether the value equals, as a key, only itself: 0, 1, False and True meet each other and are not kept."""
    return isinstance(value, str) or value is None or value not in (0, 1)  # a list has no hash
