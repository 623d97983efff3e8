"""The centre's two doors: the relay on a loopback port for lanes, the API on a Unix socket for people's tools."""

from __future__ import annotations

import hmac
import socket
import struct
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Connection
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.actions import requests
from app.actions.calls import Action, Actor, Call
from app.actions.table import ACTIONS
from app.callers import Caller, grants_now
from app.centre import Centre
from core import audit
from core.centre import ACTOR_HEADER
from core.clock import MINUTE
from core.errors import HaidangError, NotFoundError, RefusedError, UnavailableError
from core.outbox import Batch
from core.snapshots import Snapshot
from core.vault import Vault
from inventory.records import Inventory
from inventory.rights import MACHINE, may

MOST_BYTES = 16 << 20
"""Of one request's body."""

REFUSED_ACTION = "right.refused"
"""An entry of the audit chain: someone asked for an action without having the right."""
REFUSALS_APART = MINUTE
"""Nanoseconds between two such entries of one actor and action."""

_STATUS = {NotFoundError: 404, RefusedError: 409, UnavailableError: 503}


class PeerCredentials(H11Protocol):
    """Tells the application which local account is at the other end of a Unix socket (unix(7), SO_PEERCRED)."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Notes the peer's user id for all requests of this connection."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.app_state = {**self.app_state, "peer_uid": struct.unpack("3i", credentials)[1]}


def relay_app(
    centre: Centre, token: str, snapshots: Callable[[str], Snapshot], registry: CollectorRegistry
) -> Litestar:
    """The relay: batches up, snapshots down, and /metrics."""

    @post("/relay", sync_to_thread=True)
    def relay(request: Request[Any, Any, Any], body: bytes) -> Response[bytes]:
        _check_token(request, token)
        receipt = centre.receive(msgspec.msgpack.decode(body, type=Batch))
        return Response(msgspec.msgpack.encode(receipt), media_type="application/msgpack", status_code=200)

    @get("/snapshots/{kind:str}", sync_to_thread=True)
    def snapshot(request: Request[Any, Any, Any], kind: str) -> Response[bytes]:
        _check_token(request, token)
        current = snapshots(kind)
        known = request.headers.get("If-None-Match") == current.version
        headers = {"ETag": current.version}
        return Response(b"" if known else current.content, headers=headers, status_code=304 if known else 200)

    @get("/metrics", sync_to_thread=False)
    def metrics() -> Response[bytes]:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return _app([relay, snapshot, metrics])


@dataclass(frozen=True)
class Surroundings:
    """What actions are given besides the database.

    Attributes:
        inventory: as it now is.
        vault: keeps secrets unreadable in the database.
        is_folder: the inventory is a folder of files.
        refresh: puts into use what an action changed of the rules.
    """

    inventory: Callable[[], Inventory]
    vault: Vault
    is_folder: bool = False
    refresh: Callable[[], None] = lambda: None


def people_app(
    centre: Centre, console_token: str, identify: Callable[[int], Caller], surroundings: Surroundings
) -> Litestar:
    """The API: one POST an action of ``app.actions.table``.

    The right is asked for before a body is decoded or anything read for the action, and again when it is done.
    """
    refusals = _Refusals(centre)

    @post("/api/{name:str}", sync_to_thread=True)
    def act(request: Request[Any, Any, Any], name: str, body: bytes) -> Response[dict[str, object]]:
        action = ACTIONS.get(name)
        if action is None:
            raise NotFoundError(f"there is no action '{name}'")
        caller, named = _caller(request, console_token, identify), request.headers.get(ACTOR_HEADER, "")
        if not action.right and caller.kind != "console":
            raise RefusedError("only the console does this")
        with refusals.noted(name):
            centre.read(lambda connection: _actor(connection, caller, named, action.right))
        values = msgspec.json.decode(body, type=action.takes)
        before = centre.read(lambda connection: action.outside(connection, values))
        inventory = surroundings.inventory()

        def work(connection: Connection, now: int) -> dict[str, object]:
            actor = _actor(connection, caller, named, action.right)
            given = (actor, action.right, values, before, inventory, surroundings.vault, surroundings.is_folder)
            return _do(name, action, Call(connection, now, *given, kind=caller.kind))

        answer = centre.change(work)
        if action.changes_rules:
            surroundings.refresh()
        refused = answer.get("refused")
        return Response({"reason": refused} if refused else answer, status_code=403 if refused else 200)

    return _app([act])


class _NoRightError(RefusedError):
    """The actor has not got the right."""

    def __init__(self, actor: str, right: str) -> None:
        super().__init__(f"'{actor}' may not do this: it needs the right {right}")
        self.actor = actor


class _Refusals:
    """Enters refusals for want of a right in the audit chain, so seldom that nobody can fill it by asking."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._noted: dict[tuple[str, str], int] = {}

    @contextmanager
    def noted(self, action: str) -> Iterator[None]:
        """Enters a refusal that is raised within."""
        try:
            yield
        except _NoRightError as error:
            self._note(error.actor, action)
            raise

    def _note(self, actor: str, action: str) -> None:
        now = self._centre.now()
        known = self._noted.get((actor, action))
        if known is not None and known <= now < known + REFUSALS_APART:
            return
        self._noted[actor, action] = now  # as many as there are accounts and actions
        self._centre.change(
            lambda connection, time: audit.append(connection, time, actor, REFUSED_ACTION, f"action/{action}")
        )


def _do(name: str, action: Action, call: Call) -> dict[str, object]:
    """Does the action, or keeps it as a request where it needs a second person: then only what could be done."""
    units = action.concerns(call)
    if not units:
        return action.do(call)
    with call.connection.begin_nested() as tried:
        action.do(call)
        tried.rollback()
    return requests.ask(call, name, units, action.subject(call))


def _caller(request: Request[Any, Any, Any], console_token: str, identify: Callable[[int], Caller]) -> Caller:
    if "Authorization" in request.headers:
        _check_token(request, console_token)
        return Caller("console", "console")
    return identify(request.scope["state"]["peer_uid"])


def _actor(connection: Connection, caller: Caller, named: str, right: str) -> Actor:
    """In whose name the action is done, if that user may do it.

    Raises:
        RefusedError: the user may not.
    """
    if not right:
        return Actor(named)
    name = named if caller.kind == "console" else caller.name
    actor = Actor(name, MACHINE if caller.kind == "local" else grants_now(connection, name))
    if not may(actor.grants, right):
        raise _NoRightError(name, right)
    return actor


def _check_token(request: Request[Any, Any, Any], token: str) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise RefusedError("the token is wrong")


def _app(handlers: list[Any]) -> Litestar:
    return Litestar(
        handlers,
        openapi_config=None,
        request_max_body_size=MOST_BYTES,
        exception_handlers={
            HaidangError: _refused,
            msgspec.MsgspecError: _malformed,
            UnicodeDecodeError: _malformed,  # msgspec raises it for text that is not UTF-8
            RecursionError: _malformed,  # and this for lists in lists in lists
        },
    )


def _refused(_: Request[Any, Any, Any], error: HaidangError) -> Response[dict[str, str]]:
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    return Response({"reason": str(error)}, status_code=status)


def _malformed(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    return Response({"reason": str(error)}, status_code=400)
