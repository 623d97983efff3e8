"""A device put to the test: whether it answers, which credential set it takes, how it is read, and what that yields."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from app.ping import ping
from app.snmp.plan import SnmpCredential
from app.snmp.sessions import Found, Tried, Way, try_sets
from collectors.snmp.failures import Failure
from collectors.snmp.layouts import Layout
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.readings import Reading, Table
from collectors.snmp.session import Sessions
from core.clock import MILLISECOND, SystemClock
from core.records import Record
from inventory.credentials import kind_of

NO_SET = "no_credential_set"
UNKNOWN_FAMILY = "unknown_family"
GOOD = "good"
TAKEN = "taken"


class TriedSet(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What came of a credential set: ``taken``, or why it was not."""

    name: str
    kind: str
    version: str
    outcome: str
    text: str
    ms: float


class ColumnRead(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A column that was read, and how many values it had."""

    name: str
    values: int


class TableRead(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A table that was read."""

    name: str
    rows: int
    columns: tuple[ColumnRead, ...]


class Report(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What was found out.

    Attributes:
        verdict: ``good``, ``unknown_family``, ``no_credential_set``, or why it could not be read, a ``Failure``.
        ping: what came of an ICMP echo, an ``Echo``; ``ping_ms`` until its answer.
        credential: the name of the set that was taken; empty if none was.
        rtt_ms: until the first answer of the poll; ``took_ms`` for all of it, learning the device included.
    """

    device: str
    site: str
    address: str
    port: int
    verdict: str
    ping: str
    ping_ms: float | None = None
    credentials: tuple[TriedSet, ...] = ()
    credential: str = ""
    object_id: str = ""
    descr: str = ""
    system_name: str = ""
    profile: str = ""
    title: str = ""
    family_known: bool = False
    tables: tuple[TableRead, ...] = ()
    varbinds: int = 0
    requests: int = 0
    missing: int = 0
    timeouts: int = 0
    rtt_ms: float = 0.0
    took_ms: float = 0.0

    @property
    def is_read(self) -> bool:
        """Whether the device can be polled."""
        return self.verdict in {GOOD, UNKNOWN_FAMILY}


class _Read(NamedTuple):
    """A device as it was read, and how many milliseconds that took."""

    layout: Layout
    reading: Reading
    ms: float


async def examine_device(name: str, site: str, way: Way, sets: Mapping[str, SnmpCredential]) -> Report:
    """Asks the device: by ICMP, then with each credential set until one is taken, then for all that its profile has."""
    echoing = asyncio.create_task(asyncio.to_thread(ping, way.address))
    tried: list[Tried] = []
    found = await try_sets(Sessions(), way, sets, tried.append)
    read = await _read(name, site, found) if isinstance(found, Found) else found
    echo = await echoing
    report = Report(
        device=name,
        site=site,
        address=way.address,
        port=way.port,
        verdict=str(read) if isinstance(read, Failure) else GOOD if read.layout.known else UNKNOWN_FAMILY,
        ping=str(echo.echo),
        ping_ms=echo.ms,
        credentials=tuple(_told(one, sets[one.name]) for one in tried),
        credential=found.name if isinstance(found, Found) else "",
    )
    if not sets:
        return msgspec.structs.replace(report, verdict=NO_SET)
    return report if isinstance(read, Failure) else _with(report, read)


async def _read(name: str, site: str, found: Found) -> _Read | Failure:
    """All that the profile has."""
    poller = DevicePoller(Polled(device=name, site=site), found.session, shipped_profiles(), SystemClock())
    begun = time.monotonic()
    try:
        reading = await poller.poll()
    finally:
        poller.close()
    if isinstance(reading, Failure) or poller.layout is None:
        return reading if isinstance(reading, Failure) else Failure.MALFORMED
    return _Read(poller.layout, reading, (time.monotonic() - begun) * 1000)


def _with(report: Report, read: _Read) -> Report:
    identity, tally = read.layout.identity, read.reading.tally
    return msgspec.structs.replace(
        report,
        object_id=identity.object_id,
        descr=identity.descr,
        system_name=identity.name,
        profile=read.layout.profile.name,
        title=read.layout.profile.title,
        family_known=read.layout.known,
        tables=tuple(_table(name, table) for name, table in read.reading.tables.items()),
        varbinds=tally.varbinds + tally.walked,
        requests=tally.requests,
        missing=tally.missing,
        timeouts=tally.timeouts,
        rtt_ms=round(read.reading.rtt_ns / MILLISECOND, 3),
        took_ms=round(read.ms, 3),
    )


def _table(name: str, table: Table) -> TableRead:
    """The columns with how many rows had a value, those that only change with the device among them."""
    counted = {**table.labels, **table.columns}
    columns = (ColumnRead(name=one, values=sum(cell is not None for cell in cells)) for one, cells in counted.items())
    return TableRead(name=name, rows=len(table.names), columns=tuple(columns))


def _told(tried: Tried, credential: SnmpCredential) -> TriedSet:
    return TriedSet(
        name=tried.name,
        kind=kind_of(credential),
        version=tried.version,
        outcome=TAKEN if tried.failure is None else str(tried.failure),
        text="" if tried.failure is None else tried.failure.text,
        ms=round(tried.seconds * 1000, 3),
    )
