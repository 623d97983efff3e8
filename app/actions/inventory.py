"""Actions on the inventory: what an import would change, the import, and the taking away, which needs two people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from app.actions.calls import Answer, Call
from app.actions.packed_rows import unpack_rows
from core.errors import ContentError, NotFoundError, RefusedError
from core.records import Record
from core.scope import Scope
from core.stores.inventory import delete_records, inventory_mark, put_records, read_records
from inventory.changes import Change, Plan, discreet, plan, row_key
from inventory.checks import REFERENCES
from inventory.formats.rows import Row, Rows
from inventory.records import Device, Inventory, Prefix, Site, fold_name
from inventory.registry import TABLES, by_key
from inventory.stored import decode_inventory, puts_of, without
from inventory.unit_check import check_roots
from inventory.whose import foreign_spaces, is_at_others, narrowed, units_of

MOST_TOLD = 1000
"""Changes and problems of each kind that an answer names; all are counted."""
MOST_REMOVED = 10_000
"""Records that may be asked to be taken away at once, and that an answer names as missing."""

_ByKey: TypeAlias = Mapping[str, Mapping[str, Record]]
"""The records of an inventory, as ``by_key`` gives them."""


class Before(NamedTuple):
    """What was found before: the mark of the inventory, it itself, the rows, and their plan or why there is none."""

    mark: str
    present: Inventory
    rows: Rows
    found: Plan | ContentError


class OfRows(Record, frozen=True, kw_only=True):
    """Rows to be imported, as ``encode_rows`` packs them; ``remove`` asks what has no row any more."""

    content: bytes
    remove: bool = False


class OfRecords(Record, frozen=True, kw_only=True):
    """Records to be taken away, each a table and a key, and why."""

    keys: Annotated[tuple[tuple[str, str], ...], msgspec.Meta(min_length=1, max_length=MOST_REMOVED)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


def compare(connection: Connection, asked: OfRows) -> Before:
    """What the import would change, with the mark of what it was compared with.

    Raises:
        RefusedError: the rows are too many, or damaged.
    """
    rows = unpack_rows(asked.content)
    mark, present = inventory_mark(connection), decode_inventory(read_records(connection))
    try:
        return Before(mark, present, rows, plan(present, rows, remove=asked.remove))
    except ContentError as error:
        return Before(mark, present, rows, error)  # it is told to who may hear it


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
    there = by_key(present)
    for kind, key in asked.keys:
        record = there.get(kind, {}).get(key)
        if record is None or not call.scope.holds(units_of(present, kind, record)):
            raise NotFoundError(f"there is no {kind} '{key}' within your units")
    _must_not_be_needed(call.scope, present, there, set(asked.keys))
    delete_records(call.connection, call.now, call.by, asked.keys, asked.reason)
    return {"deleted": len(asked.keys)}


def concerns_of_deletion(call: Call) -> Collection[str]:
    """The units whose records they are."""
    asked: OfRecords = call.values
    there = by_key(call.inventory)
    found = [(kind, there.get(kind, {}).get(key)) for kind, key in asked.keys]
    units = [units_of(call.inventory, kind, record) for kind, record in found if record is not None]
    return frozenset[str]().union(*units) or {""}


def _checked(call: Call) -> Plan:
    """The plan, if it still holds and all of it lies within the actor's units."""
    _must_be_stored(call)
    before: Before = call.before
    if before.mark != inventory_mark(call.connection):
        raise RefusedError("the inventory was changed meanwhile: try again")
    if call.scope.is_everything:
        return _planned(before.found)
    reach = _Reach(before.present, call.scope)
    reach.must_hold_rows(before.rows)
    found = reach.discreet(before.found)
    reach.must_hold(found)
    return found


def _planned(found: Plan | ContentError) -> Plan:
    if isinstance(found, ContentError):
        raise RefusedError(str(found)) from found
    return found


class _Reach:
    """What of the present inventory an actor may change who has some units, and what he may hear of the rest: nothing.

    Whether a row is his is asked of every one, also of those that say what is there already, and does not depend on
    what else it says: so nothing can be found out by trying.
    """

    def __init__(self, present: Inventory, scope: Scope) -> None:
        self._present = present
        self._scope = scope
        self._foreign = foreign_spaces(present, scope)
        self._there = by_key(present)
        self._seen = {kind: set(found) for kind, found in by_key(narrowed(present, scope)).items()}

    def must_hold_rows(self, rows: Rows) -> None:
        """Refuses rows that mean something of others, or refer to it.

        Raises:
            RefusedError: names the row and what it names.
        """
        known = {kind: self._seen[kind] | {row_key(kind, row) for row in rows.get(kind, ())} for kind in TABLES}
        for kind, found in rows.items():
            for row in found if kind in TABLES else ():
                self._must_hold_row(kind, row, known)

    def _must_hold_row(self, kind: str, row: Row, known: dict[str, set[str]]) -> None:
        key = row_key(kind, row)
        there = self._there[kind].get(key)
        if kind in _OF_THE_SECTOR or not (there is None or self._is_within(self._present, kind, there)):
            raise RefusedError(f"{row.place}: {kind} {key!r} is not within your units")
        for column, other in (*REFERENCES.get(kind, ()), *_INNER.get(kind, ())):
            named = row.cells.get(column, "")
            if named and (fold_name(named) if other == "devices" else named) not in known[other]:
                raise RefusedError(f"{row.place}: {column} {named!r} is not within your units")

    def must_hold(self, found: Plan) -> None:
        """Refuses a plan that changes what belongs to others, or takes addresses from them.

        Raises:
            RefusedError: names the row.
        """
        for change, record, known in _records(found, self._present):
            if not self._is_within(known, change.kind, record):
                raise RefusedError(f"{change.place}: {change.kind} {change.key!r} is not within your units")
            reason = self._trespass(change, record)
            if reason:
                raise RefusedError(f"{change.place}: {change.kind} {change.key!r}: {reason}")

    def _trespass(self, change: Change, record: Record) -> str:
        """Why addresses would be taken from others."""
        space = record.address_space if isinstance(record, Site) else record.space if isinstance(record, Prefix) else ""
        if space in self._foreign:
            return f"address space {space!r} is shared with other units: who has the whole sector changes what is in it"
        is_moved = bool({"address", "site"} & {column for column, _, _ in change.fields})
        if isinstance(record, Device) and is_moved and is_at_others(self._present, self._scope, record):
            return f"address {record.address} is within a prefix of another unit"
        return ""

    def discreet(self, found: Plan | ContentError) -> Plan:
        """The plan without what it tells of others.

        Raises:
            RefusedError: there is no plan, and why, told likewise.
        """
        if isinstance(found, ContentError):
            raise RefusedError(discreet(str(found), self._is_own)) from found
        problems = (replace(one, reason=discreet(one.reason, self._is_own)) for one in found.problems)
        own = (one for one in found.missing if self._is_own(one.kind, one.key))
        return found.told(missing=tuple(own), problems=tuple(problems))

    def _is_own(self, kind: str, key: str) -> bool:
        record = self._there.get(kind, {}).get(key)
        return record is not None and self._is_within(self._present, kind, record)

    def _is_within(self, inventory: Inventory, kind: str, record: Record) -> bool:
        return self._scope.holds(units_of(inventory, kind, record))


_INNER = {"places": (("parent", "places"),)}
"""Columns that name a row of the same table."""

_OF_THE_SECTOR = frozenset({"units", "unit_facts", "successions", "calendars", "calendar_days", "policies"})
"""Tables no row of which is a single unit's."""


def _records(found: Plan, present: Inventory) -> Iterator[tuple[Change, Record, Inventory]]:
    """Each record that is added, and each that is changed, as it was and as it will be."""
    for known in (present, found.inventory):
        records = by_key(known)
        for change in (*found.added, *found.changed):
            record = records[change.kind].get(change.key)
            if record is not None:
                yield change, record, known


def _must_not_be_needed(scope: Scope, present: Inventory, there: _ByKey, keys: Collection[tuple[str, str]]) -> None:
    """Refuses to take away what something depends on; what is beyond the scope is not named."""
    left, problems = without(present, keys)
    before = without(present, ())[1] if problems else []
    found = next((problem for problem in problems if problem not in before), None)
    if found is not None:
        kind, _, key = found.place.partition(" ")
        record = there.get(kind, {}).get(key)
        may_name = record is not None and scope.holds(units_of(present, kind, record))
        raise RefusedError(f"something depends on it: {found if may_name else 'it is beyond your units'}")
    if any(kind in {"units", "unit_facts"} for kind, _ in keys):
        try:
            check_roots(left.units, left.unit_facts)
        except ContentError as error:
            raise RefusedError(str(error)) from error


def _told(found: Plan) -> Answer:
    counts = {name: len(getattr(found, name)) for name in ("added", "changed", "missing", "problems")}
    most = dict.fromkeys(counts, MOST_TOLD) | {"missing": MOST_REMOVED}
    named = {name: msgspec.to_builtins(getattr(found, name)[: most[name]]) for name in counts}
    return {"counts": {**counts, "unchanged": found.unchanged}, **named}


def _must_be_stored(call: Call) -> None:
    if call.is_folder:
        raise RefusedError("the inventory is a folder of files (setting inventory): change its files")
