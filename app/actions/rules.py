"""Actions on rules, and on what is in quarantine."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlalchemy import Connection

from app.actions.calls import Answer, Call
from app.packs import decode_files
from core.errors import ContentError, NotFoundError, RefusedError
from core.records import Record
from core.replays import Asked, ask
from core.stores import catalogue, rules


class OfPack(Record, frozen=True, kw_only=True):
    """A pack of rules to be imported: its name, where it came from, and its files as ``app.packs`` encodes them."""

    name: str
    source: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    content: bytes


class OfVersion(Record, frozen=True, kw_only=True):
    """Names a version of a pack: None the one before the active one, 0 none."""

    name: str
    number: Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)] | None = None


class OfRules(Record, frozen=True, kw_only=True):
    """Names rules by their ids, and the reason for what is done with them."""

    rules: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=20_000)]
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class OfQuarantine(Asked, frozen=True, kw_only=True):
    """Which messages in quarantine to read again, and why."""

    source: Annotated[str, msgspec.Meta(max_length=64)] = ""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


def unpack(_: Connection, values: OfPack) -> dict[str, bytes]:
    """The files of the pack.

    Raises:
        RefusedError: they cannot be read.
    """
    try:
        return decode_files(values.content)
    except ContentError as error:
        raise RefusedError(str(error)) from error


def import_pack(call: Call) -> Answer:
    """Makes a new version of a pack."""
    asked: OfPack = call.values
    made = rules.store_pack(call.connection, call.now, call.by, asked.name, asked.source, call.before)
    return msgspec.structs.asdict(made)


def roll_back(call: Call) -> Answer:
    """Makes another version of a pack the active one."""
    asked: OfVersion = call.values
    active = rules.roll_back(call.connection, call.now, call.by, asked.name, asked.number)
    return {"name": asked.name, "number": active.number if active else 0}


def enable(call: Call) -> Answer:
    """Switches rules on, with all of their files."""
    ids, unknown = catalogue.file_mates(call.connection, call.values.rules)
    gone = unknown & rules.off_ids(call.connection)  # of a pack that is out of use
    _must_know(unknown - gone)
    changed = rules.switch_on(call.connection, call.now, call.by, ids | gone, call.values.text)
    return {"changed": changed, "asked": len(set(call.values.rules))}


def disable(call: Call) -> Answer:
    """Switches rules off, with all of their files."""
    ids, unknown = catalogue.file_mates(call.connection, call.values.rules)
    _must_know(unknown)
    changed = rules.switch_off(call.connection, call.now, call.by, ids, call.values.text)
    stopped = [one.title for one in catalogue.dependents(call.connection, ids) if one.id not in ids]
    return {"changed": changed, "asked": len(set(call.values.rules)), "stopped": stopped}


def ask_replay(call: Call) -> Answer:
    """Asks the lane to read messages in quarantine again."""
    asked: OfQuarantine = call.values
    wanted = Asked(since=asked.since, until=asked.until, source=asked.source, reason=asked.reason)
    return {"number": ask(call.connection, call.now, call.by, wanted).number}


def _must_know(unknown: set[str]) -> None:
    if unknown:
        raise NotFoundError(f"there is no rule '{min(unknown)}'")
