"""Requests to read messages in quarantine again, after a parser was mended; links of the audit chain are their list."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from core import audit
from core.errors import ContentError
from core.records import Record
from core.stores.tables import audit as chain

ACTION = "quarantine.replay"
"""The action of an audit entry that asks for one."""

_MOST = 200
"""The latest requests that lanes are told of."""


class Asked(Record, frozen=True, kw_only=True):
    """What to read again: messages that were received in this time (nanoseconds UTC), of one source or of all."""

    since: int = 0
    until: int = 1 << 62
    source: str = ""
    reason: str = ""


class Replay(Record, frozen=True, kw_only=True):
    """One request; ``number`` is that of its audit entry, so later ones have higher numbers."""

    number: int
    asked: Asked


def ask(connection: Connection, now: int, actor: str, asked: Asked) -> Replay:
    """Enters the request into the chain, where lanes find it."""
    detail = msgspec.json.encode(asked).decode()
    entry = audit.append(connection, now, actor, ACTION, f"quarantine/{asked.source or 'all'}", detail)
    return Replay(number=entry.seq, asked=asked)


def requests(connection: Connection) -> list[Replay]:
    """The latest requests, oldest first."""
    query = select(chain.c.seq, chain.c.detail).where(chain.c.action == ACTION).order_by(chain.c.seq.desc())
    rows = connection.execute(query.limit(_MOST)).all()
    return [Replay(number=row.seq, asked=msgspec.json.decode(row.detail, type=Asked)) for row in reversed(rows)]


def encode_replays(replays: list[Replay]) -> bytes:
    """Requests as the content of a snapshot."""
    return msgspec.msgpack.encode(replays)


def decode_replays(content: bytes) -> list[Replay]:
    """The requests in a snapshot.

    Raises:
        ContentError: the snapshot holds none.
    """
    try:
        return msgspec.msgpack.decode(content, type=list[Replay])
    except msgspec.MsgspecError as error:
        raise ContentError(f"the snapshot of replays cannot be read: {error}") from error
