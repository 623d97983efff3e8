"""Opening the state database for its one writer: created, or brought up to date by alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from core.errors import IntegrityError
from core.files import make_folder
from core.stores.state import writing_engine

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


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
