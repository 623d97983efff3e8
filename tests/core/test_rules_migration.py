"""A database of the first revision keeps its alerts, each now with its rule beside it."""

from __future__ import annotations

import msgspec
from migrating import database_of
from sqlalchemy import text

from core.stores.migrate import open_state


def test_alerts_of_before_are_found_by_their_rule(tmp_path, alert):
    path = tmp_path / "state.db"
    with database_of(path, "0001") as connection:
        key = {"key": "k", "state": "new", "severity": 1, "updated": 1, "version": 1, "body": b""}
        connection.execute(
            text("INSERT INTO incidents VALUES (1, :key, :state, :severity, :updated, :version, :body)"), key
        )
        for number in range(3):
            row = {"id": str(number), "body": msgspec.msgpack.encode(alert(number, rule=f"rule-{number}"))}
            connection.execute(text("INSERT INTO alerts VALUES (:id, 1, 1, :body)"), row)
    again = open_state(path)
    with again.connect() as connection:
        rows = connection.execute(text("SELECT id, rule FROM alerts ORDER BY id")).all()
    again.dispose()
    assert [tuple(row) for row in rows] == [("0", "rule-0"), ("1", "rule-1"), ("2", "rule-2")]
