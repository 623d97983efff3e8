"""For how long data is kept, by class: ``retention.toml`` names the classes, people set the days.

Nothing younger than its class's legal minimum is ever removed, whatever was set. Source: TCVN 14423:2026, 6.8.2.1:
logs are kept for at least six months. Until it is set otherwise they are kept for a year.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from core.clock import HOUR
from core.errors import ContentError, RefusedError
from core.records import Record
from core.stores.manifest import Partition

EVENTS = "events"
DAY = 24 * HOUR
MOST_DAYS = 36_500

REMOVE_ACTION = "partition.remove"
"""The action of an audit entry by which a partition was removed because of its age."""


class DataClass(Record, frozen=True, kw_only=True):
    """A class of data: its name in both languages, days at least (by which clause) and days until it is set."""

    vi: str
    en: str
    minimum: int
    default: int
    clause: str


class Removal(Record, frozen=True, kw_only=True):
    """A closed partition that a lane takes out, and by how many days of keeping."""

    partition: Partition
    days: int


@cache
def classes() -> Mapping[str, DataClass]:
    """All classes of data by their ids."""
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: msgspec.convert(table, type=DataClass) for name, table in tables.items()}


def check_days(name: str, days: int) -> None:
    """Whether the class may be kept for so many days.

    Raises:
        RefusedError: there is no such class, or that is less than the law asks for or more than can be meant.
    """
    known = classes().get(name)
    if known is None:
        raise RefusedError(f"'{name}' is no class of data: use {', '.join(classes())}")
    if days < known.minimum:
        raise RefusedError(f"{name} are kept for at least {known.minimum} days ({known.clause})")
    if days > MOST_DAYS:
        raise RefusedError(f"{name} can be kept for at most {MOST_DAYS} days")


def keep_days(name: str, said: Mapping[str, int]) -> int | None:
    """For how many days a lane keeps this class by what it was told, never below the minimum; None: for ever."""
    return max(said[name], classes()[name].minimum) if name in said else None


def is_expired(partition: Partition, now: int, days: int) -> bool:
    """Whether all that is in it was received, and happened, more than so many days ago."""
    return max((partition.hour + 1) * HOUR, partition.last) < now - days * DAY


def encode_days(days: Mapping[str, int]) -> bytes:
    """Days by class as the content of a snapshot."""
    return msgspec.msgpack.encode(dict(days), order="sorted")


def decode_days(content: bytes) -> dict[str, int]:
    """The days by class in a snapshot.

    Raises:
        ContentError: the snapshot holds none.
    """
    try:
        return msgspec.msgpack.decode(content, type=dict[str, int])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"the snapshot of the retention cannot be read: {error}") from error
