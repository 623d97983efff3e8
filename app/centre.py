"""The centre, the only writer of state: it takes hits from lanes, correlates, keeps incidents, users and the audit."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from app.choice import Chosen
from app.pipeline import understand
from app.retaining import decode_removal
from core import audit
from core.actors import PLATFORM
from core.clock import HOUR, SECOND, Clock
from core.errors import RefusedError
from core.outbox import Batch, Receipt, Row
from core.records import FORMAT, Alert
from core.retention import REMOVE_ACTION
from core.scope import Grant
from core.secrets import secret
from core.settings import Settings
from core.sigma import RuleSet
from core.stores import users
from core.stores.catalogue import count_hits, put_catalogue
from core.stores.manifest import decode_partition
from core.stores.migrate import open_state
from core.stores.tables import hits, relay_positions
from core.stores.users import NewUser
from core.terminal import say
from correlation.correlator import Correlator
from correlation.rules import prepare

KEEP_HITS = 96 * HOUR
"""How long hits stay: longer than a lane may send them again."""

REBUILD_BATCH = 5000
"""Hits that are judged at once when windows are rebuilt; the result does not depend on it."""

FIRST_ADMINISTRATOR = "admin"

Result = TypeVar("Result")


class Centre:
    """All of the centre's state and what may be done to it; methods may be called from several threads.

    Raises:
        UnavailableError: the data folder cannot be written.
        IntegrityError: the database cannot be used.
    """

    def __init__(self, settings: Settings, rules: RuleSet, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = Lock()
        self._engine = open_state(settings.state)
        self._anchors = audit.Anchors(settings.anchors, secret(settings.secrets, "audit.key"))
        self._moved = False
        self._reopen = int(settings.centre.reopen_hours * HOUR)
        self._set_rules(rules)
        self.change(self._note_key)

    def first_administrator(self) -> str | None:
        """Adds the first administrator if there is no user yet and returns the one-time password, only then."""
        return self.change(self._add_first_administrator)

    def change(self, work: Callable[[Connection, int], Result]) -> Result:
        """Does the work in one transaction, given the time; then signs the audit chain's new head."""
        with self._lock:
            self._moved = False
            with self._engine.begin() as connection:
                result = work(connection, self._clock.now())
            if self._moved:  # set by _receive, and only now is the database where the windows are
                self._stale = False
            with self._engine.connect() as connection:
                self._write_anchor(connection)
        return result

    def now(self) -> int:
        """The time by the centre's clock, nanoseconds UTC."""
        return self._clock.now()

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Does work that only reads, without waiting for changes."""
        with self._engine.connect() as connection:
            return work(connection)

    def receive(self, batch: Batch) -> Receipt:
        """Takes a lane's batch: all of it or, where its beginning does not fit, nothing."""
        return self.change(lambda connection, now: self._receive(connection, batch, now))

    def set_rules(self, rules: RuleSet) -> None:
        """Correlates by these rules from now on, over the hits of the last days."""
        with self._lock:
            self._set_rules(rules)

    def publish(self, chosen: Chosen) -> None:
        """Makes this the catalogue that people see."""
        self.change(lambda connection, _: put_catalogue(connection, chosen.catalogue, chosen.every))

    def anchor(self) -> None:
        """Signs the head of the audit chain, so that an hour without changes has its anchor too."""
        with self._lock, self._engine.connect() as connection:
            self._write_anchor(connection)

    @property
    def evicted(self) -> int:
        """Cases that the correlator gave up for want of room."""
        return self._correlator.evicted

    def close(self) -> None:
        """Closes the database."""
        self._engine.dispose()

    def _set_rules(self, rules: RuleSet) -> None:
        self.rules, refused = prepare(rules)
        self._correlations = {rule.info.id for rule in self.rules if not rule.plain}
        for file, reason in refused:
            say(f"rule {file}: {reason}: it is not used")
        self._stale = True
        self._refresh()

    def _refresh(self) -> None:
        """Builds the correlator's windows anew where a failed transaction left them ahead of the database."""
        if not self._stale:
            return
        self._correlator = Correlator(self.rules, int(self.settings.lateness_seconds * SECOND))
        with self._engine.connect() as connection:
            rows = connection.execute(select(hits.c.time, hits.c.body).order_by(hits.c.time))
            for part in rows.partitions(REBUILD_BATCH):
                self._correlator.update([msgspec.msgpack.decode(row.body, type=Alert) for row in part], part[-1].time)
        self._stale = False

    def _receive(self, connection: Connection, batch: Batch, now: int) -> Receipt:
        if batch.format != FORMAT:
            raise RefusedError(f"lane {batch.lane} sends format {batch.format}, this centre reads {FORMAT}")
        last = _position(connection, batch)
        if batch.since != last:
            return Receipt(last=last, taken=False)
        fresh = [hit for row in batch.rows if row.kind == "alert" for hit in _kept(connection, row, now)]
        for row in batch.rows:
            if row.kind in _ENTERED:
                _ENTERED[row.kind](connection, batch.lane, row, now)
        if fresh:
            self._refresh()
            self._stale = self._moved = True  # until the transaction is through, the windows are ahead of the database
            alerts = understand(connection, self._correlator, fresh, now, self._reopen)
            fired = [alert for alert in alerts if alert.rule in self._correlations]
            count_hits(connection, [hit.rule for hit in (*fresh, *fired)], now)
            connection.execute(delete(hits).where(hits.c.time < now - KEEP_HITS))
        if batch.rows:
            _move(connection, batch, batch.rows[-1].seq)
        return Receipt(last=batch.rows[-1].seq if batch.rows else last, taken=True)

    def _add_first_administrator(self, connection: Connection, now: int) -> str | None:
        if users.count_users(connection):
            return None
        new = NewUser(name=FIRST_ADMINISTRATOR, grant=Grant("administrator"))
        return users.add_user(connection, now, PLATFORM, new)

    def _note_key(self, connection: Connection, now: int) -> None:
        """The chain says by which key its heads are signed; a restore begins a new one."""
        if audit.signing_keys(connection)[-1:] != [self._anchors.public_key]:
            audit.append(connection, now, PLATFORM, audit.KEY_ACTION, "audit", self._anchors.public_key)

    def _write_anchor(self, connection: Connection) -> None:
        head = audit.head(connection)
        if head is not None:
            self._anchors.write(head, self._clock.now())


def _position(connection: Connection, batch: Batch) -> int:
    columns = relay_positions.c
    query = select(columns.last).where(columns.lane == batch.lane, columns.epoch == batch.epoch)
    return connection.execute(query).scalar() or 0


def _move(connection: Connection, batch: Batch, last: int) -> None:
    statement = upsert(relay_positions).values(lane=batch.lane, epoch=batch.epoch, last=last)
    connection.execute(statement.on_conflict_do_update(index_elements=["lane", "epoch"], set_={"last": last}))


def _kept(connection: Connection, row: Row, now: int) -> list[Alert]:
    """The hit in the row, noted down; nothing if it was there already."""
    hit = msgspec.msgpack.decode(row.body, type=Alert)
    statement = upsert(hits).values(id=hit.id, time=now, body=row.body).on_conflict_do_nothing()
    return [hit] if connection.execute(statement).rowcount else []


def _enter_removal(connection: Connection, lane: str, row: Row, now: int) -> None:
    removal = decode_removal(row.body)
    partition = removal.partition
    subject = f"partition/{lane}/{partition.name}"
    if not audit.has(connection, REMOVE_ACTION, subject):
        said = {"count": partition.count, "sha256": partition.sha256, "hour": partition.hour, "days": removal.days}
        audit.append(connection, now, f"lane/{lane}", REMOVE_ACTION, subject, msgspec.json.encode(said).decode())


def _enter_partition(connection: Connection, lane: str, row: Row, now: int) -> None:
    partition = decode_partition(row.body)
    subject = f"partition/{lane}/{partition.name}"
    if not audit.has(connection, "partition.close", subject):
        detail = msgspec.json.encode({"count": partition.count, "sha256": partition.sha256}).decode()
        audit.append(connection, now, f"lane/{lane}", "partition.close", subject, detail)


_ENTERED = {"partition": _enter_partition, "removal": _enter_removal}
"""What of a lane's rows goes into the audit chain, by kind."""
