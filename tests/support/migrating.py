"""Databases of earlier versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from core.stores.migrate import MIGRATIONS
from core.stores.state import writing_engine


@contextmanager
def database_of(path: Path, revision: str) -> Iterator[Connection]:
    """A new database of that revision, to be filled as its version did."""
    engine = writing_engine(path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    engine.dispose()
