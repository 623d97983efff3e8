"""Walks that end: whatever a device answers, a table is read in order, each row once, and at most so many. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

Value: TypeAlias = int | float | str | bytes | None


class Walked(msgspec.Struct):
    """What came of a walk.

    Attributes:
        rows: object identifiers with their values, in the order of the identifiers.
        duplicates: rows that came twice.
        disordered: whether it was given up because an identifier did not increase.
        cut: whether it was given up because there were more rows than allowed.
    """

    rows: list[tuple[str, Value]] = msgspec.field(default_factory=list)
    duplicates: int = 0
    disordered: bool = False
    cut: bool = False


class Walk:
    """Takes the answers of one walk in.

    Args:
        most: rows that it may have.
    """

    def __init__(self, most: int) -> None:
        self.walked = Walked()
        self._most = most
        self._last: tuple[int, ...] = ()

    def take(self, answer: Iterable[tuple[str, Value] | None]) -> bool:
        """Takes one answer in, of which None is the end; whether to ask for more."""
        came = False
        for row in answer:
            if row is None:
                return False
            came = True
            if not self._take(*row):
                return False
        return came

    def _take(self, oid: str, value: Value) -> bool:
        key = tuple(map(int, oid.split(".")))
        if key == self._last:
            self.walked.duplicates += 1
            self.walked.disordered = True
            return False
        if key < self._last:
            self.walked.disordered = True
            return False
        if len(self.walked.rows) >= self._most:
            self.walked.cut = True
            return False
        self._last = key
        self.walked.rows.append((oid, value))
        return True
