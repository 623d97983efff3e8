"""What a reader finds: events, and records that hold none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from core.records import Event


class Bad(NamedTuple):
    """A record without an event, and why."""

    file: str
    record: int
    reason: str


Found: TypeAlias = Event | Bad
Reader: TypeAlias = Callable[[Path], Iterator[Found]]
"""Raises UnavailableError where the file cannot be read, at the first event asked for."""


_SHOWN = 200  # characters of a reason


def bad(path: Path, record: int, reason: str) -> Bad:
    """A record of the file without an event."""
    return Bad(str(path), record, reason[:_SHOWN])


def identity(path: Path, record: int) -> str:
    """The id of the event in a record of a file."""
    return f"file/{path.name}/{record}"


def record_of(event: Event) -> int:
    """The number of the record that an event with such an id came from."""
    return int(event.id.rpartition("/")[2])
