"""Requests of an earlier version say afterwards which units and which account they concern."""

from __future__ import annotations

from migrating import database_of
from sqlalchemy import text

from core.scope import Scope
from core.stores import requests
from core.stores.migrate import open_state

INSERT = text(
    "INSERT INTO requests (time, actor, action, body, reason, state) VALUES (1, 'an', :action, :body, '', 'open')"
)
OLD = (
    ("users.grant", b'{"name":"moi","role":"administrator","unit":"vks-tha"}'),
    ("users.grant", b'{"name":"moi","role":"administrator"}'),
    ("inventory.delete", b'{"keys":[["sites","tha"]],"reason":"x"}'),
)


def test_open_requests_are_brought_along(tmp_path):
    path = tmp_path / "state.db"
    with database_of(path, "0003") as connection:
        for action, body in OLD:
            connection.execute(INSERT, {"action": action, "body": body})
    engine = open_state(path)
    with engine.connect() as connection:
        found = [requests.read(connection, number) for number in (1, 2, 3)]
    engine.dispose()
    assert [(one.units, one.subject) for one in found] == [(("vks-tha",), "user/moi"), (("",), "user/moi"), (("",), "")]
    assert [one.is_within(Scope(sites=frozenset(), units=frozenset({"vks-tha"}))) for one in found] == [
        True,
        False,
        False,
    ]
