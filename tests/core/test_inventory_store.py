"""The inventory's records in the state database: kept, replaced, taken away; each change is in the chain."""

from __future__ import annotations

import pytest

from core import audit
from core.errors import NotFoundError
from core.stores.inventory import Put, delete_records, inventory_mark, put_records, read_records


@pytest.fixture
def connection(state):
    with state.begin() as opened:
        yield opened


def put(key: str, body: bytes = b"1", kind: str = "sites", verb: str = "add") -> Put:
    return Put(kind=kind, key=key, body=body, verb=verb, detail="name: '' -> 'x'")


def test_records_come_back_by_table_in_the_order_in_which_they_came(connection):
    put_records(connection, 1, "an", [put("b"), put("a", b"2"), put("rt", b"3", "devices")])
    put_records(connection, 2, "an", [put("b", b"4", verb="change")])
    assert read_records(connection) == {"sites": [b"4", b"2"], "devices": [b"3"]}


def test_every_change_is_a_link_in_the_audit_chain_and_moves_the_mark(connection):
    before = inventory_mark(connection)
    put_records(connection, 1, "an", [put("a")])
    added = inventory_mark(connection)
    delete_records(connection, 2, "binh", [("sites", "a")], "gone")
    assert len({before, added, inventory_mark(connection)}) == 3
    assert [(one.actor, one.action, one.object, one.detail) for one in audit.read_chain(connection)] == [
        ("an", "inventory.add", "sites/a", "name: '' -> 'x'"),
        ("binh", "inventory.delete", "sites/a", "gone"),
    ]
    assert read_records(connection) == {}


def test_what_is_not_there_cannot_be_taken_away(connection):
    with pytest.raises(NotFoundError, match="no sites/a"):
        delete_records(connection, 1, "an", [("sites", "a")], "gone")
