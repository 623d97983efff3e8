"""The centre's two doors: the relay on a loopback port for lanes, the API on a Unix socket for people's tools."""

from __future__ import annotations

import hmac
import pwd
import socket
import struct
from asyncio import Transport
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from litestar import Litestar, Request, Response, get, post
from prometheus_client import CollectorRegistry, generate_latest
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.actions import ACTIONS, Call
from app.centre import Centre
from core.centre import ACTOR_HEADER
from core.errors import HaidangError, NotFoundError, RefusedError, UnavailableError
from core.outbox import Batch
from core.snapshots import Snapshot
from core.stores import users
from inventory.rights import may

MOST_BYTES = 16 << 20
"""Of one request's body."""

_STATUS = {NotFoundError: 404, RefusedError: 409, UnavailableError: 503}


class Caller(msgspec.Struct, frozen=True):
    """Who calls: a user, the console acting for users, or an administrator of this machine who is no user."""

    name: str
    kind: Literal["user", "console", "local"]


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


def people_app(
    centre: Centre,
    console_token: str,
    identify: Callable[[int], Caller],
    site: Callable[[str], str | None],
    refresh: Callable[[], None] = lambda: None,
) -> Litestar:
    """The API: one POST an action of ``app.actions``; ``refresh`` puts into use what an action changed of the rules."""

    @post("/api/{name:str}", sync_to_thread=True)
    def act(request: Request[Any, Any, Any], name: str, body: bytes) -> Response[dict[str, object]]:
        action = ACTIONS.get(name)
        if action is None:
            raise NotFoundError(f"there is no action '{name}'")
        caller = _caller(request, console_token, identify)
        values = msgspec.json.decode(body, type=action.takes)

        if not action.right and caller.kind != "console":
            raise RefusedError("only the console does this")
        before = centre.read(lambda connection: action.outside(connection, values))

        def work(connection: Any, now: int) -> dict[str, object]:
            actor = _actor(connection, caller, request.headers.get(ACTOR_HEADER, ""), action.right)
            return action.do(Call(connection, now, actor, values, before, site))

        answer = centre.change(work)
        if action.changes_rules:
            refresh()
        refused = answer.get("refused")
        return Response({"reason": refused} if refused else answer, status_code=403 if refused else 200)

    return _app([act])


def local_caller(owner: int, accounts: dict[str, str]) -> Callable[[int], Caller]:
    """Maps the local account of a caller to a user.

    The settings' ``centre.accounts`` come first; else root and the account that runs the centre are administrators
    under the name ``local:ACCOUNT``; nobody else is anybody.
    """

    def identify(uid: int) -> Caller:
        try:
            account = pwd.getpwuid(uid).pw_name
        except KeyError:
            account = str(uid)
        if account in accounts:
            return Caller(accounts[account], "user")
        if uid in {0, owner}:
            return Caller(f"local:{account}", "local")
        raise RefusedError(f"the local account '{account}' is mapped to no user: see [centre.accounts] in haidang.toml")

    return identify


def _caller(request: Request[Any, Any, Any], console_token: str, identify: Callable[[int], Caller]) -> Caller:
    if "Authorization" in request.headers:
        _check_token(request, console_token)
        return Caller("console", "console")
    return identify(request.scope["state"]["peer_uid"])


def _actor(connection: Any, caller: Caller, named: str, right: str) -> str:
    """In whose name the action is done, if that user may do it.

    Raises:
        RefusedError: the user may not.
    """
    if not right:
        return named
    name = named if caller.kind == "console" else caller.name
    if not may(_role(connection, caller, name), right):
        raise RefusedError(f"'{name}' may not do this: it needs the right {right}")
    return name


def _role(connection: Any, caller: Caller, name: str) -> str:
    """The role as it is now; none for who is disabled or must first choose a password."""
    if caller.kind == "local":
        return "administrator"
    user = users.read_user(connection, name)
    return "" if user.disabled or user.must_change else user.role


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
        },
    )


def _refused(_: Request[Any, Any, Any], error: HaidangError) -> Response[dict[str, str]]:
    return Response({"reason": str(error)}, status_code=_STATUS.get(type(error), 500))


def _malformed(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, str]]:
    return Response({"reason": str(error)}, status_code=400)
