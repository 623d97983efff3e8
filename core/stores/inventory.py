"""The inventory's records in the state database, as rows of bytes: what they mean ``inventory`` knows.

The centre is the only writer. Every change is a link in the audit chain, and raises the mark by which readers know.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from core import audit
from core.errors import NotFoundError
from core.records import Record
from core.stores.tables import inventory, marks

_MARK = "inventory"


class Put(Record, frozen=True, kw_only=True):
    """A record to be kept, in the place of what has its key.

    Attributes:
        body: the record.
        verb: ``add`` or ``change``.
        detail: what changes, for the audit chain.
    """

    kind: str
    key: str
    body: bytes
    verb: str
    detail: str


def read_records(connection: Connection) -> dict[str, list[bytes]]:
    """All records by their table, in the order in which they came."""
    found: dict[str, list[bytes]] = {}
    for row in connection.execute(select(inventory.c.kind, inventory.c.body).order_by(text("rowid"))):
        found.setdefault(row.kind, []).append(row.body)
    return found


def put_records(connection: Connection, now: int, actor: str, puts: Iterable[Put]) -> None:
    """Keeps the records."""
    for put in puts:
        insert = upsert(inventory).values(kind=put.kind, key=put.key, body=put.body)
        changed = {"body": insert.excluded.body}
        connection.execute(insert.on_conflict_do_update(index_elements=["kind", "key"], set_=changed))
        audit.append(connection, now, actor, f"inventory.{put.verb}", f"{put.kind}/{put.key}", put.detail)
    _raise_mark(connection)


def delete_records(connection: Connection, now: int, actor: str, keys: Iterable[tuple[str, str]], reason: str) -> None:
    """Takes records away.

    Raises:
        NotFoundError: one of them is not there.
    """
    for kind, key in keys:
        wanted = (inventory.c.kind == kind) & (inventory.c.key == key)
        if not connection.execute(delete(inventory).where(wanted)).rowcount:
            raise NotFoundError(f"there is no {kind}/{key} in the inventory")
        audit.append(connection, now, actor, "inventory.delete", f"{kind}/{key}", reason)
    _raise_mark(connection)


def inventory_mark(connection: Connection) -> str:
    """Differs once a record has changed."""
    return str(connection.execute(select(marks.c.value).where(marks.c.name == _MARK)).scalar() or 0)


def _raise_mark(connection: Connection) -> None:
    insert = upsert(marks).values(name=_MARK, value=1)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": marks.c.value + 1}))
