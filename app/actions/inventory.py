"""Actions on the inventory: what an import would change, the import, and the taking away, which needs two people."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from typing import Annotated, TypeAlias

import msgspec
from sqlalchemy import Connection

from app.actions.calls import Answer, Call
from core.errors import ContentError, NotFoundError, RefusedError
from core.records import Record
from core.scope import Scope
from core.stores.inventory import delete_records, inventory_mark, put_records, read_records
from inventory.changes import Change, Plan, plan
from inventory.formats.rows import Row, Rows
from inventory.records import Inventory
from inventory.registry import key_of, records_of
from inventory.stored import decode_inventory, find_record, puts_of, without
from inventory.whose import is_within, units_of

MOST_BYTES = 256 << 20
"""Of rows, once unpacked."""
MOST_TOLD = 1000
"""Changes and problems of each kind that an answer names; all are counted."""

Before: TypeAlias = tuple[str, Inventory, Plan]


class OfRows(Record, frozen=True, kw_only=True):
    """Rows to be imported, as ``encode_rows`` packs them; ``remove`` asks what has no row any more."""

    content: bytes
    remove: bool = False


class OfRecords(Record, frozen=True, kw_only=True):
    """Records to be taken away, each a table and a key, and why."""

    keys: Annotated[tuple[tuple[str, str], ...], msgspec.Meta(min_length=1, max_length=10_000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


def encode_rows(rows: Rows) -> bytes:
    """Rows by table, packed to travel."""
    return zlib.compress(msgspec.msgpack.encode(rows), 1)


def decode_rows(content: bytes) -> Rows:
    """The rows that were packed.

    Raises:
        RefusedError: they are too many, or damaged.
    """
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(content, MOST_BYTES)
        if unpacking.unconsumed_tail:
            raise RefusedError(f"more than {MOST_BYTES >> 20} MB of rows: import them in parts")
        return msgspec.msgpack.decode(data, type=dict[str, list[Row]])
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RefusedError(f"the rows cannot be read: {error}") from error


def compare(connection: Connection, asked: OfRows) -> Before:
    """What the import would change, with the mark of what it was compared with."""
    mark, present = inventory_mark(connection), decode_inventory(read_records(connection))
    try:
        return mark, present, plan(present, decode_rows(asked.content), remove=asked.remove)
    except ContentError as error:
        raise RefusedError(str(error)) from error


def show(call: Call) -> Answer:
    """What the import would change, and nothing more."""
    return _told(_checked(call))


def import_(call: Call) -> Answer:
    """Does what can be done of the import; rows that are wrong are told and left out."""
    found = _checked(call)
    puts = list(puts_of(found))
    if puts:
        put_records(call.connection, call.now, call.by, puts)
    return _told(found)


def delete(call: Call) -> Answer:
    """Takes records away, if nothing that stays depends on them."""
    asked: OfRecords = call.values
    _must_be_stored(call)
    present = decode_inventory(read_records(call.connection))
    for kind, key in asked.keys:
        _must_be_within(call.scope, present, kind, key)
    before = without(present, ())[1]
    problems = [problem for problem in without(present, set(asked.keys))[1] if problem not in before]
    if problems:
        raise RefusedError(f"something depends on it: {problems[0]}")
    delete_records(call.connection, call.now, call.by, asked.keys, asked.reason)
    return {"deleted": len(asked.keys)}


def concerns_of_deletion(call: Call) -> Collection[str]:
    """The units whose records they are."""
    asked: OfRecords = call.values
    found = [(kind, find_record(call.inventory, kind, key)) for kind, key in asked.keys]
    units = [units_of(call.inventory, kind, record) for kind, record in found if record is not None]
    return frozenset[str]().union(*units) or {""}


def _checked(call: Call) -> Plan:
    """The plan, if it still holds and all of it lies within the actor's units."""
    _must_be_stored(call)
    before: Before = call.before
    mark, present, found = before
    if mark != inventory_mark(call.connection):
        raise RefusedError("the inventory was changed meanwhile: try again")
    if not call.scope.is_everything:
        for change, record, known in _records(found, present):
            units = units_of(known, change.kind, record)
            if not is_within(call.scope, units):
                raise RefusedError(f"{change.place}: {change.kind} {change.key!r} is not within your units")
    return found


def _records(found: Plan, present: Inventory) -> Iterator[tuple[Change, Record, Inventory]]:
    """Each record that is added, and each that is changed, as it was and as it will be."""
    for known in (present, found.inventory):
        records = {(kind, key_of(kind, record)): record for kind, rows in records_of(known) for record in rows}
        for change in (*found.added, *found.changed):
            record = records.get((change.kind, change.key))
            if record is not None:
                yield change, record, known


def _told(found: Plan) -> Answer:
    counts = {name: len(getattr(found, name)) for name in ("added", "changed", "missing", "problems")}
    named = {name: msgspec.to_builtins(getattr(found, name)[:MOST_TOLD]) for name in counts}
    return {"counts": {**counts, "unchanged": found.unchanged}, **named}


def _must_be_within(scope: Scope, present: Inventory, kind: str, key: str) -> None:
    record = find_record(present, kind, key)
    if record is None or not is_within(scope, units_of(present, kind, record)):
        raise NotFoundError(f"there is no {kind} '{key}' within your units")


def _must_be_stored(call: Call) -> None:
    if call.is_folder:
        raise RefusedError("the inventory is a folder of files (setting inventory): change its files")
