"""What somebody could put into a backup."""

from __future__ import annotations

import shutil
import sqlite3


def write_ahead_log(state, folder):
    """A log by which SQLite would make every user of this database an intruder."""
    folder.mkdir()
    shutil.copyfile(state, folder / "state.db")
    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE users SET name = 'intruder'")
        connection.commit()
        content = (folder / "state.db-wal").read_bytes()
    connection.close()
    return content
