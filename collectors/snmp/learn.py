"""First contact: what a device is, which rows it has and what they are called; and when that must be learnt anew."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from collectors.snmp.convert import converter, read_text
from collectors.snmp.failures import Failure
from collectors.snmp.gets import Fetch
from collectors.snmp.layouts import Cells, Found, Identity, Layout, TableLayout, layout_table
from collectors.snmp.profiles import ENTITIES, INTERFACES, MOST_ROWS, SYSTEM, Column, Profile, Profiles, Table
from collectors.snmp.readings import Tally
from collectors.snmp.session import UPTIME, Session, Values
from collectors.snmp.sizes import Sizes
from collectors.snmp.uptimes import has_restarted
from collectors.snmp.walks import Value, Walked

OBJECT_ID = "1.3.6.1.2.1.1.2.0"
DESCR = "1.3.6.1.2.1.1.1.0"
NAME = "1.3.6.1.2.1.1.5.0"
"""SNMPv2-MIB::sysObjectID.0, sysDescr.0 and sysName.0."""

INTERFACES_CHANGED = "1.3.6.1.2.1.31.1.5.0"
INTERFACE_COUNT = "1.3.6.1.2.1.2.1.0"
"""IF-MIB::ifTableLastChange.0 and ifNumber.0."""


class Signs(msgspec.Struct, frozen=True):
    """By what a device tells that its tables may have changed."""

    uptime: int | None = None
    changed: int | None = None
    count: int | None = None

    @classmethod
    def of(cls, values: Values) -> Signs:
        """Those among the values of a poll."""
        return cls(*(_whole(values.get(oid)) for oid in (UPTIME, INTERFACES_CHANGED, INTERFACE_COUNT)))

    def restarted(self, before: Signs, elapsed: int) -> bool:
        """Whether the device has started anew in so many nanoseconds."""
        return has_restarted(before.uptime, self.uptime, elapsed)

    def rearranged(self, before: Signs) -> bool:
        """Whether its interfaces may be others than they were."""
        return (self.changed, self.count) != (before.changed, before.count)


async def identify(session: Session, tally: Tally) -> Identity | Failure:
    """What the device says of itself: the smallest question that tells whether a credential is right."""
    fetch = Fetch(session, Sizes(), tally, lambda: 1)
    failure = await fetch.run([OBJECT_ID, DESCR, NAME])
    if failure is not None:
        return failure
    object_id = fetch.values.get(OBJECT_ID)
    return Identity(
        object_id=object_id if isinstance(object_id, str) else "",
        descr=read_text(fetch.values.get(DESCR)),
        name=read_text(fetch.values.get(NAME)),
    )


async def learn(session: Session, profiles: Profiles, tally: Tally) -> Layout | Failure:
    """All of a device: its profile, the tables it has, their rows and names."""
    identity = await identify(session, tally)
    if isinstance(identity, Failure):
        return identity
    profile, known = profiles.choose(identity.object_id)
    tables: dict[str, TableLayout] = {}
    for table in _in_order(profile):
        found = await learn_table(session, table, tables.get(ENTITIES), tally)
        if isinstance(found, Failure):
            return found
        if found is not None:
            tables[table.name] = found
    return Layout(identity, profile, list(tables.values()), known=known)


async def learn_table(
    session: Session, table: Table, entities: TableLayout | None, tally: Tally
) -> TableLayout | Failure | None:
    """One table of the device; None if it does not have it."""
    reader = _Reader(session, table, tally)
    found = await (reader.columns() if table.rows else reader.scalars())
    if isinstance(found, Failure):
        return found
    return layout_table(table, reader.indexes, found, entities)


async def has_same_interfaces(session: Session, layout: Layout, tally: Tally) -> bool | Failure:
    """Whether the device's interfaces are still where they were, by their names; two walks."""
    known = layout.tables.get(INTERFACES)
    if known is None:
        return False
    reader = _Reader(session, known.table, tally)
    found = await reader.columns(known.table.named)
    if isinstance(found, Failure):
        return found
    if tuple(reader.indexes) != known.indexes:
        return False
    return all(
        _cells(column, reader.indexes, found[column.name]) == known.labels.get(column.name)
        for column in known.table.columns
        if column.name in found
    )


class _Reader:
    """Reads one table of one device by walks, which tell without an error what is there."""

    def __init__(self, session: Session, table: Table, tally: Tally) -> None:
        self.indexes: list[str] = []
        self._session = session
        self._table = table
        self._tally = tally

    async def scalars(self) -> dict[str, Found] | Failure:
        """All scalars: those that the device has."""
        fetch = Fetch(self._session, Sizes(), Tally(), lambda: 1)
        failure = await fetch.run([f"{column.oid}.0" for column in self._table.columns])
        if failure is not None:
            return failure
        self.indexes = ["0"]
        came = {column.name: fetch.values.get(f"{column.oid}.0") for column in self._table.columns}
        return {name: Found({"0": value}) for name, value in came.items() if value is not None}

    async def columns(self, names: Iterable[str] = ()) -> dict[str, Found] | Failure:
        """The columns of these names, or all: that of the rows first, which says what rows there are."""
        wanted = set(names)
        rows = self._table.column(self._table.rows)
        found: dict[str, Found] = {}
        columns = [one for one in self._table.columns if one is not rows and (not wanted or one.name in wanted)]
        for column in [rows, *columns] if rows else columns:
            came = await self._column(column)
            if isinstance(came, Failure):
                return came
            if column is rows:
                self.indexes = list({**came.own, **came.other})
                if not self.indexes:
                    return {}
            if came.own or came.other:
                found[column.name] = came
        return found

    async def _column(self, column: Column) -> Found | Failure:
        own = await self._cells(column.oid)
        if isinstance(own, Failure):
            return own
        if column.other is None or (own and all(index in own for index in self.indexes)):
            return Found(own)
        other = await self._cells(column.other.oid)
        return other if isinstance(other, Failure) else Found(own, other)

    async def _cells(self, oid: str) -> Cells | Failure:
        self._tally.requests += 1
        walked = await self._session.walk(oid, MOST_ROWS)
        if isinstance(walked, Failure):
            return walked
        self._count(walked)
        return {found[len(oid) + 1 :]: value for found, value in walked.rows}

    def _count(self, walked: Walked) -> None:
        self._tally.walked += len(walked.rows)
        self._tally.duplicates += walked.duplicates
        self._tally.disordered += walked.disordered
        self._tally.cut += walked.cut


def _in_order(profile: Profile) -> list[Table]:
    """The system's scalars first, so that every poll begins with them; ENTITY-MIB before what is named by it."""
    ranks = {SYSTEM: 0, INTERFACES: 1, ENTITIES: 2}
    return sorted(profile.tables, key=lambda table: ranks.get(table.name, 3))


def _cells(column: Column, indexes: list[str], found: Found) -> tuple[object, ...]:
    return tuple(converter(column, [column.scale] * len(indexes))([found.own.get(index) for index in indexes]))


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None
