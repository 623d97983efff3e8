from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from core.errors import IntegrityError, UnavailableError
from core.stores.migrate import open_state
from core.stores.state import copy_state, read_state
from core.stores.tables import metadata


def test_the_migrations_give_exactly_the_tables(state):
    with state.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    assert set(inspect(state).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_indexes_are_those_of_the_tables(state):
    for name, table in metadata.tables.items():
        found = {index["name"] for index in inspect(state).get_indexes(name)}
        assert found == {index.name for index in table.indexes}


def test_opening_again_changes_nothing(state, tmp_path):
    with state.begin() as connection:
        connection.execute(metadata.tables["relay_positions"].insert().values(lane="logs", epoch="e", last=7))
    again = open_state(tmp_path / "centre" / "state.db")
    with again.connect() as connection:
        assert connection.execute(text("SELECT last FROM relay_positions")).scalar_one() == 7
    again.dispose()


@pytest.mark.parametrize(("pragma", "expected"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_what_is_committed_is_on_disk(state, pragma, expected):
    with state.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == expected


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"this is not a database " * 200)
    with pytest.raises(IntegrityError) as error:
        open_state(path)
    said = str(error.value)
    assert said.startswith(f"{path} cannot be used: ")
    assert said.endswith(": restore it from a backup")
    assert "\n" not in said
    assert path.read_bytes() == b"this is not a database " * 200


def test_a_database_of_a_newer_version_is_one_clear_line(state, tmp_path):
    with state.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(IntegrityError, match=r"cannot be used: .*9999"):
        open_state(tmp_path / "centre" / "state.db")


@pytest.mark.usefixtures("state")
def test_a_reader_cannot_write(tmp_path):
    reader = read_state(tmp_path / "centre" / "state.db")
    with reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 0
        with pytest.raises(OperationalError, match="readonly database"):
            connection.execute(text("DELETE FROM users"))
    reader.dispose()


def test_a_reader_sees_what_was_committed_and_not_what_is_under_way(state, tmp_path):
    reader = read_state(tmp_path / "centre" / "state.db")
    count = text("SELECT count(*) FROM hits")
    with state.begin() as connection:
        connection.execute(metadata.tables["hits"].insert().values(id="a", time=1, body=b""))
        with reader.connect() as other:
            assert other.execute(count).scalar_one() == 0
    with reader.connect() as other:
        assert other.execute(count).scalar_one() == 1
    reader.dispose()


def test_without_a_database_a_reader_is_told_to_start_the_platform(tmp_path):
    with pytest.raises(UnavailableError, match="has 'haidang up' run with these settings"):
        read_state(tmp_path / "none.db")


@pytest.mark.parametrize("folder", ["tệp dữ liệu", "a#b", "a?b", "100%20"])
def test_any_folder_name_will_do(tmp_path, folder):
    path = tmp_path / folder / "state.db"
    open_state(path).dispose()
    reader = read_state(path)
    with reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 0
    reader.dispose()
    copy_state(path, tmp_path / "copy.db")
    assert path.exists()


def test_a_copy_of_a_live_database_is_whole(state, tmp_path):
    with state.begin() as connection:
        connection.execute(metadata.tables["hits"].insert().values(id="a", time=1, body=b"x"))
    copy_state(tmp_path / "centre" / "state.db", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT id, body FROM hits").fetchall() == [("a", b"x")]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
