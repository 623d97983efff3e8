"""Requests that wait for a second person, in the state database. The centre is the only writer."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, literal, select, update

from core import audit
from core.clock import HOUR
from core.errors import NotFoundError
from core.records import Record
from core.scope import Scope
from core.stores.tables import audit as chain
from core.stores.tables import requests
from core.stores.users import CHANGES

LIFE = 7 * 24 * HOUR
"""Nanoseconds after which a request that nobody decided has lapsed."""


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class Asked(NamedTuple):
    """What is asked for.

    Attributes:
        action: its name.
        body: its values as JSON.
        reason: why it is wanted.
        units: which it concerns; the empty one among them where it is the whole sector.
        subject: what must not be changed by others until it is decided, by its name in the audit chain.
    """

    action: str
    body: bytes
    reason: str
    units: tuple[str, ...] = ("",)
    subject: str = ""


class Request(Record, frozen=True, kw_only=True):
    """What one person asks for and another decides.

    Attributes:
        is_stale: its subject was changed after it was asked for.
    """

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
    units: tuple[str, ...] = ("",)
    subject: str = ""
    is_stale: bool = False

    def is_open(self, now: int) -> bool:
        """Whether it still waits."""
        return self.state is RequestState.OPEN and self.time >= now - LIFE and not self.is_stale

    def state_at(self, now: int) -> str:
        """Its state at this time: ``lapsed`` for one that was open for too long, or whose subject was changed."""
        has_lapsed = self.state is RequestState.OPEN and not self.is_open(now)
        return "lapsed" if has_lapsed else self.state.value

    def is_within(self, scope: Scope) -> bool:
        """Whether all that it concerns lies within the scope."""
        return scope.holds(self.units)

    @property
    def values(self) -> dict[str, Any]:
        """The action's values; none where they can no longer be read."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}


def put(connection: Connection, now: int, actor: str, asked: Asked) -> int:
    """Keeps a request; returns its number."""
    units = msgspec.json.encode(sorted(asked.units) or [""]).decode()
    row = {"time": now, "actor": actor, **asked._asdict(), "units": units, "state": RequestState.OPEN.value}
    number = int(connection.execute(insert(requests).values(row).returning(requests.c.id)).scalar_one())
    audit.append(connection, now, actor, "request.ask", f"request/{number}", f"{asked.action}: {asked.body.decode()}")
    return number


def read(connection: Connection, number: int) -> Request:
    """The request of that number.

    Raises:
        NotFoundError: there is none.
    """
    found = _where(connection, requests.c.id == number)
    if not found:
        raise NotFoundError(f"there is no request {number}")
    return found[0]


def list_requests(connection: Connection, scope: Scope, actor: str = "", limit: int = 200) -> list[Request]:
    """The latest requests, open ones first: those that lie within the scope, and the actor's own."""
    columns = (requests.c.id, requests.c.actor, requests.c.units)  # the values of many would be long to read
    rows = connection.execute(select(*columns).order_by(*_ORDER))
    seen = (row.id for row in rows if (actor and row.actor == actor) or scope.holds(_units(row.units)))
    return _where(connection, requests.c.id.in_(list(islice(seen, limit))))


def list_about(connection: Connection, now: int, subject: str) -> list[Request]:
    """The requests about this subject that still wait."""
    wanted = (requests.c.subject == subject) & (requests.c.state == RequestState.OPEN.value)
    return [one for one in _where(connection, wanted) if one.is_open(now)]


def decide(connection: Connection, now: int, actor: str, request: Request, state: RequestState, text: str) -> None:
    """Closes the request."""
    changed = {"state": state.value, "decided": now, "decided_by": actor, "answer": text}
    connection.execute(update(requests).where(requests.c.id == request.id).values(changed))
    verb = "approve" if state is RequestState.APPROVED else "refuse"
    audit.append(connection, now, actor, f"request.{verb}", f"request/{request.id}", text)


def _where(connection: Connection, wanted: ColumnElement[bool]) -> list[Request]:
    rows = connection.execute(select(requests, _IS_STALE).where(wanted).order_by(*_ORDER))
    return [_request(row) for row in rows]


def _request(row: Row[Any]) -> Request:
    told = {"state": RequestState(row.state), "units": _units(row.units), "is_stale": bool(row.is_stale)}
    return Request(**{**row._mapping, **told})  # noqa: SLF001 - SQLAlchemy's public name


def _units(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...]) or ("",)


_ORDER = (requests.c.state != RequestState.OPEN.value, requests.c.id.desc())
_asking = chain.alias()
_ASKED = (
    select(_asking.c.seq)
    .where(_asking.c.object == literal("request/").concat(requests.c.id), _asking.c.action == "request.ask")
    .limit(1)
    .correlate(requests)
    .scalar_subquery()
)
_IS_STALE = (
    select(chain.c.seq)
    .where(chain.c.object == requests.c.subject, chain.c.action.in_(CHANGES), chain.c.seq > _ASKED)
    .correlate(requests)
    .exists()
    .label("is_stale")
)
"""Read from the chain, so that no way of changing an account is forgotten."""
