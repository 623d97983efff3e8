"""The inventory as it rests in the state database: each record as MessagePack, by its table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from core.errors import IntegrityError
from core.stores.inventory import Put
from inventory.changes import Change, Plan
from inventory.checks import check_records
from inventory.convert import Problem
from inventory.records import Inventory
from inventory.registry import TABLES, by_key, key_of, records_of

_MOST_DETAIL = 1000
"""Characters of what changed that one link of the audit chain tells."""


def decode_inventory(stored: Mapping[str, Sequence[bytes]]) -> Inventory:
    """The inventory of the stored records.

    Raises:
        IntegrityError: a record cannot be read, or its table is unknown: another version wrote it.
    """
    made: dict[str, Any] = {}
    for kind, bodies in stored.items():
        if kind not in TABLES:
            raise IntegrityError(f"the stored inventory has a table {kind!r}, which this version does not know")
        decoder = msgspec.msgpack.Decoder(TABLES[kind].record)
        try:
            made[kind] = tuple(decoder.decode(body) for body in bodies)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IntegrityError(f"a stored record of {kind} cannot be read by this version: {error}") from error
    return Inventory(**made)


def puts_of(plan: Plan) -> Iterator[Put]:
    """What the plan adds and changes, as the store takes it."""
    records = by_key(plan.inventory)
    for verb, changes in (("add", plan.added), ("change", plan.changed)):
        for change in changes:
            body = msgspec.msgpack.encode(records[change.kind][change.key])
            yield Put(kind=change.kind, key=change.key, body=body, verb=verb, detail=_told(change))


def without(inventory: Inventory, keys: Collection[tuple[str, str]]) -> tuple[Inventory, list[Problem]]:
    """The inventory without these records, and why others would no longer fit: their place is their table and key."""
    kept = {
        kind: [record for record in found if (kind, key_of(kind, record)) not in keys]
        for kind, found in records_of(inventory)
    }
    placed = {kind: [(f"{kind} {key_of(kind, one)}", one) for one in found] for kind, found in kept.items()}
    made: dict[str, Any] = {kind: tuple(found) for kind, found in kept.items()}
    return Inventory(**made), check_records(placed).problems


def _told(change: Change) -> str:
    said = "; ".join(f"{column}: {before!r} -> {after!r}" for column, before, after in change.fields)
    return said if len(said) <= _MOST_DETAIL else said[:_MOST_DETAIL] + " …"
