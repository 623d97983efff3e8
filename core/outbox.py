"""The outbox of a lane: what travels to the centre, on disk until the centre has it, and 72 hours longer.

A row's number only grows within an epoch; a lane restored from a backup begins a new epoch, so numbers are never
given twice. The same transaction that adds rows notes how far the spool has been judged: nothing is judged twice
or left out, whatever dies when.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from core.clock import HOUR, SECOND, Clock
from core.errors import IntegrityError
from core.files import make_folder
from core.records import FORMAT, Record
from core.stores.spool import Position
from core.stores.state import read_state, writing_engine

KEEP = 72 * HOUR
"""How long acknowledged rows stay, for a centre that is restored from a backup."""

_metadata = MetaData()
_rows = Table(
    "rows",
    _metadata,
    Column("seq", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("acknowledged", BigInteger),
    sqlite_autoincrement=True,
)
_notes = Table("notes", _metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False))


class Row(Record, frozen=True, kw_only=True):
    """One thing for the centre: its number, its identity, its kind (``alert``, ``partition``) and its encoded body."""

    seq: int = 0
    key: str
    kind: str
    body: bytes


class Batch(Record, frozen=True, kw_only=True):
    """Rows on their way; ``since`` is the number after which they begin, ``format`` the version of the bodies."""

    lane: str
    epoch: str
    since: int
    rows: tuple[Row, ...] = ()
    format: int = FORMAT


class Receipt(Record, frozen=True, kw_only=True):
    """The centre's answer: the last number it has of the lane's epoch, and whether the batch was taken.

    A batch that does not begin after that number is not taken: the lane goes on from ``last``.
    """

    last: int
    taken: bool


class Outbox:
    """Rows in a SQLite file; one process owns it.

    Raises:
        IntegrityError: the file is not an outbox, or another version of the platform wrote it.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        make_folder(path.parent)
        self._engine = writing_engine(path)
        self._clock = clock
        self._noted = 0
        try:
            _metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                written = _note(connection, "format", str(FORMAT))
                self.epoch = _note(connection, "epoch", uuid.uuid4().hex)
        except DatabaseError as error:
            self._engine.dispose()
            reason = str(error).splitlines()[0]
            raise IntegrityError(f"{path} cannot be used: {reason}: restore it from a backup") from error
        if written != str(FORMAT):
            raise IntegrityError(f"{path} has format {written}, this version reads {FORMAT}")

    def put(self, rows: Sequence[Row], judged: Position | None = None, *, soon: bool = False) -> None:
        """Adds rows, leaving out those whose key is there already, and notes how far the spool is judged.

        ``soon``: without rows it is enough to note that once a second; who judges again finds the same.
        """
        now = self._clock.now()
        if soon and not rows and now - self._noted < SECOND:
            return
        self._noted = now
        with self._engine.begin() as connection:
            if rows:
                values = [{"key": row.key, "kind": row.kind, "body": row.body} for row in rows]
                connection.execute(upsert(_rows).on_conflict_do_nothing(), values)
            if judged is not None:
                _write_note(connection, "judged", f"{judged.segment}/{judged.offset}")

    def noted(self, name: str) -> str:
        """What the lane has noted under this name; empty if nothing."""
        with self._engine.connect() as connection:
            return connection.execute(select(_notes.c.value).where(_notes.c.name == name)).scalar() or ""

    def note(self, name: str, value: str) -> None:
        """Notes something for the next process."""
        with self._engine.begin() as connection:
            _write_note(connection, name, value)

    def judged(self) -> Position:
        """Where judging goes on after a restart."""
        with self._engine.connect() as connection:
            value = connection.execute(select(_notes.c.value).where(_notes.c.name == "judged")).scalar()
        segment, _, offset = (value or "0/0").partition("/")
        return Position(int(segment), int(offset))

    def after(self, last: int, most: int = 500, most_bytes: int = 4 << 20) -> list[Row]:
        """The rows after this number, oldest first, within both bounds but at least one."""
        query = select(_rows.c.seq, _rows.c.key, _rows.c.kind, _rows.c.body)
        with self._engine.connect() as connection:
            found = connection.execute(query.where(_rows.c.seq > last).order_by(_rows.c.seq).limit(most)).all()
        rows: list[Row] = []
        size = 0
        for row in found:
            size += len(row.body)
            if rows and size > most_bytes:
                break
            rows.append(Row(seq=row.seq, key=row.key, kind=row.kind, body=row.body))
        return rows

    def acknowledge(self, through: int) -> None:
        """The centre has all up to this number; rows acknowledged for longer than 72 hours go."""
        now = self._clock.now()
        fresh = (_rows.c.seq <= through) & _rows.c.acknowledged.is_(None)
        with self._engine.begin() as connection:
            connection.execute(update(_rows).where(fresh).values(acknowledged=now))
            connection.execute(delete(_rows).where(_rows.c.acknowledged < now - KEEP))

    def waiting(self) -> int:
        """How many rows the centre has not acknowledged."""
        query = select(func.count()).select_from(_rows).where(_rows.c.acknowledged.is_(None))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def waiting_of(self, kind: str) -> set[str]:
        """Keys of the rows of this kind that the centre has not acknowledged."""
        query = select(_rows.c.key).where(_rows.c.kind == kind, _rows.c.acknowledged.is_(None))
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def close(self) -> None:
        """Closes the file."""
        self._engine.dispose()


def waiting_keys(path: Path) -> set[str]:
    """Keys of the rows in this file that the centre has not acknowledged; none where there is no file."""
    if not path.exists():
        return set()
    engine = read_state(path)
    with engine.connect() as connection:
        keys = set(connection.execute(select(_rows.c.key).where(_rows.c.acknowledged.is_(None))).scalars())
    engine.dispose()
    return keys


def renew_epoch(path: Path) -> None:
    """After a restore from a backup: numbers given since the backup must not be taken for these."""
    engine = writing_engine(path)
    with engine.begin() as connection:
        _write_note(connection, "epoch", uuid.uuid4().hex)
    engine.dispose()


def _note(connection: Connection, name: str, default: str) -> str:
    found = connection.execute(select(_notes.c.value).where(_notes.c.name == name)).scalar()
    if found is None:
        connection.execute(insert(_notes).values(name=name, value=default))
    return found or default


def _write_note(connection: Connection, name: str, value: str) -> None:
    statement = upsert(_notes).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
