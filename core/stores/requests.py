"""Requests that wait for a second person, in the state database. The centre is the only writer."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from core import audit
from core.clock import HOUR
from core.errors import NotFoundError
from core.records import Record
from core.stores.tables import requests

LIFE = 7 * 24 * HOUR
"""Nanoseconds after which a request that nobody decided has lapsed."""


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class Asked(NamedTuple):
    """An action's name, its values as JSON, and why it is wanted."""

    action: str
    body: bytes
    reason: str


class Request(Record, frozen=True, kw_only=True):
    """What one person asks for and another decides."""

    id: int
    time: int
    actor: str
    action: str
    body: bytes
    reason: str
    state: RequestState
    decided: int = 0
    decided_by: str = ""
    answer: str = ""

    def is_open(self, now: int) -> bool:
        """Whether it still waits."""
        return self.state is RequestState.OPEN and self.time >= now - LIFE

    @property
    def values(self) -> dict[str, Any]:
        """The action's values."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


def put(connection: Connection, now: int, actor: str, asked: Asked) -> int:
    """Keeps a request; returns its number."""
    row = {"time": now, "actor": actor, **asked._asdict(), "state": RequestState.OPEN.value}
    number = int(connection.execute(insert(requests).values(row).returning(requests.c.id)).scalar_one())
    audit.append(connection, now, actor, "request.ask", f"request/{number}", f"{asked.action}: {asked.body.decode()}")
    return number


def read(connection: Connection, number: int) -> Request:
    """The request of that number.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(select(requests).where(requests.c.id == number)).first()
    if row is None:
        raise NotFoundError(f"there is no request {number}")
    return _request(row)


def list_requests(connection: Connection, actor: str = "", limit: int = 200) -> list[Request]:
    """The latest requests, open ones first; only this actor's where one is named."""
    is_decided = requests.c.state != RequestState.OPEN.value
    query = select(requests).order_by(is_decided, requests.c.id.desc()).limit(limit)
    rows = connection.execute(query.where(requests.c.actor == actor) if actor else query)
    return [_request(row) for row in rows]


def decide(connection: Connection, now: int, actor: str, request: Request, state: RequestState, text: str) -> None:
    """Closes the request."""
    changed = {"state": state.value, "decided": now, "decided_by": actor, "answer": text}
    connection.execute(update(requests).where(requests.c.id == request.id).values(changed))
    verb = "approve" if state is RequestState.APPROVED else "refuse"
    audit.append(connection, now, actor, f"request.{verb}", f"request/{request.id}", text)


def _request(row: Row[Any]) -> Request:
    return Request(**{**row._mapping, "state": RequestState(row.state)})  # noqa: SLF001 - SQLAlchemy's public name
