"""The state database: SQLite in WAL mode through SQLAlchemy Core. Its writer opens it by ``core.stores.migrate``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool

from core.errors import UnavailableError


def read_state(path: Path, *, is_kept: bool = True) -> Engine:
    """An engine for readers, which cannot write; ``is_kept`` says whether its connections stay open between uses.

    Raises:
        UnavailableError: there is no database yet.
    """
    if not path.exists():
        raise UnavailableError(f"there is no state database at {path}: has 'haidang up' run with these settings?")
    url = URL.create("sqlite", database=_read_only(path), query={"uri": "true"})
    return _engine(url, _prepare_reader, None if is_kept else NullPool)


def copy_state(source: Path, target: Path) -> None:
    """Copies a live SQLite database, whole and consistent, by SQLite's own backup call."""
    with sqlite3.connect(_read_only(source), uri=True) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def writing_engine(path: Path) -> Engine:
    """An engine that writes a SQLite file durably: WAL, and on disk when a commit returns."""
    return _engine(URL.create("sqlite", database=str(path)), _prepare_writer)


def _read_only(path: Path) -> str:
    """The file's name as SQLite's URI, in which ``?``, ``#`` and ``%`` of a folder's name are written otherwise."""
    return f"file:{quote(str(path))}?mode=ro"


def _engine(
    url: URL, prepare: Callable[[sqlite3.Connection, ConnectionPoolEntry], None], pool: type[Pool] | None = None
) -> Engine:
    engine = create_engine(url, poolclass=pool)
    event.listen(engine, "connect", prepare)
    return engine


def _prepare_reader(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")


def _prepare_writer(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit that was answered is on disk
