"""The state database: SQLite in WAL mode through SQLAlchemy Core, brought up to date by alembic."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import IntegrityError, UnavailableError
from core.files import make_folder

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def open_state(path: Path) -> Engine:
    """The writer's engine; one process has it. Creates the database or brings it up to date.

    Raises:
        UnavailableError: the folder cannot be written.
        IntegrityError: the file is not our database, or a newer version of the platform wrote it.
    """
    make_folder(path.parent)
    engine = writing_engine(path)
    try:
        _upgrade(engine)
    except (DatabaseError, CommandError) as error:
        engine.dispose()
        reason = str(error).splitlines()[0]
        raise IntegrityError(f"{path} cannot be used: {reason}: restore it from a backup") from error
    return engine


def read_state(path: Path) -> Engine:
    """An engine for readers, which cannot write.

    Raises:
        UnavailableError: there is no database yet.
    """
    if not path.exists():
        raise UnavailableError(f"there is no state database at {path}: has 'haidang up' run with these settings?")
    return _engine(f"sqlite:///file:{path}?mode=ro&uri=true", _prepare_reader)


def copy_state(source: Path, target: Path) -> None:
    """Copies a live SQLite database, whole and consistent, by SQLite's own backup call."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def writing_engine(path: Path) -> Engine:
    """An engine that writes a SQLite file durably: WAL, and on disk when a commit returns."""
    return _engine(f"sqlite:///{path}", _prepare_writer)


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _engine(url: str, prepare: Callable[[sqlite3.Connection, ConnectionPoolEntry], None]) -> Engine:
    engine = create_engine(url)
    event.listen(engine, "connect", prepare)
    return engine


def _prepare_reader(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")


def _prepare_writer(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a commit that was answered is on disk
