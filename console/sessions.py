"""Who is asking: sessions in encrypted cookies, checked against the user's row at every request, and the one guard.

Every route names in its ``opt`` the action it needs: ``PUBLIC`` for those before sign-in, ``OWN_ACCOUNT`` for any
user even before the first change of password, else an action of ``inventory.rights``. One without is refused. A route
that a page asks by itself says ``quiet``: it does not count as a sign of life.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware.session.client_side import CookieBackendConfig

from console.deps import Console, console_of
from core.clock import HOUR, MINUTE, SECOND, vietnam_day
from core.errors import NotFoundError
from core.scope import Grant, Scope
from core.stores.users import User, read_user
from inventory.addresses import parse_address
from inventory.rights import is_settled, may, scope_of

PUBLIC = "public"
OWN_ACCOUNT = "own account"
SESSION = 12 * HOUR
"""A long shift; then one signs in again. Nanoseconds, as all below."""
CODE_PATIENCE = 5 * MINUTE
"""Between the password and the code."""
IDLE = 15 * MINUTE
ADMINISTRATOR_IDLE = 5 * MINUTE
"""Without a sign of life after which a session ends (TCVN 14423:2026, 6.6.2)."""
COOKIE_SECONDS = 30 * 24 * 3600
"""Longer than any session: a wallboard's has no end."""
_MOST_NOTED = 10_000

_Connection = ASGIConnection[Any, Any, Any, Any]


class SignInNeeded(NotAuthorizedException):
    """There is no session, or it has ended."""


class SessionEnded(SignInNeeded):
    """There was a session; ``why`` it is over is ``idle`` or ``over``."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class PasswordChangeNeeded(PermissionDeniedException):
    """The user still has the one-time password."""


class FactorNeeded(PermissionDeniedException):
    """The user's roles ask for a second factor, and there is none yet."""


def session_config(console: Console) -> CookieBackendConfig:
    """Litestar's encrypted cookie sessions; the name keeps apart what other programs on this host set."""
    return CookieBackendConfig(
        secret=console.session_key,
        key="haidang_session",
        max_age=COOKIE_SECONDS,
        secure=console.secure,
        httponly=True,
        samesite="strict",
    )


def new_session(answer: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What the cookie holds of a user as the centre answered it. Rights are left out: the rows are asked each time."""
    mark = {"id": secrets.token_urlsafe(12), "name": answer["name"], "number": answer["session"]}
    return {**mark, "until": now + SESSION, "seen": now}


def half_session(answer: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What the cookie holds between the password and the code: whose code is awaited. It opens nothing else."""
    return {"half": answer["name"], "number": answer["session"], "until": now + CODE_PATIENCE}


def is_just_begun(console: Console, session: Mapping[str, Any]) -> bool:
    """Whether the password that began the session was typed a moment ago."""
    return bool(console.clock.now() < session["until"] - SESSION + CODE_PATIENCE)


def awaited(console: Console, session: Mapping[str, Any]) -> str:
    """Whose code is awaited; empty for nobody's."""
    if not session or "half" not in session or console.clock.now() >= session["until"]:
        return ""
    user = _user(console, session["half"])
    return user.name if user and not user.disabled and user.session == session["number"] else ""


def live_user(console: Console, session: Mapping[str, Any], address: str) -> User | None:
    """The session's user as its row now is; None once the session has ended, or elsewhere than at its address."""
    user = _user(console, session["name"]) if session and "id" in session else None
    if user is None or user.disabled or user.session != session["number"]:
        return None
    if user.address:
        return user if user.address == address else None
    is_over = console.clock.now() >= session["until"] or _is_idle(console, session, user)
    return None if is_over else user


def address_of(connection: _Connection) -> str:
    """The address from which the request came."""
    host = connection.client.host if connection.client else ""
    try:
        return str(parse_address(host))
    except ValueError:
        return host


def scope_for(console: Console, user: User, action: str) -> Scope:
    """Where the user may do this, today."""
    return scope_of(user.grants, action, console.inventory(), vietnam_day(console.clock.now()))


def check_right(connection: _Connection, handler: BaseRouteHandler) -> None:
    """The guard of all routes: finds the user and asks whether the route's action is allowed.

    Raises:
        SignInNeeded: nobody is signed in.
        PasswordChangeNeeded: only the change of the password is allowed now.
        FactorNeeded: only the second factor can be set up now.
        PermissionDeniedException: the user's roles do not allow the action, or the route names none.
    """
    action = str(handler.opt.get("action", ""))
    if action == PUBLIC:
        return
    user = _signed_in(connection, is_quiet=bool(handler.opt.get("quiet")))
    connection.scope["user"] = user
    if action == OWN_ACCOUNT:
        return
    if user.must_change:
        raise PasswordChangeNeeded
    if not is_settled(user):
        raise FactorNeeded
    if not may(user.grants, action):
        raise PermissionDeniedException


def _signed_in(connection: _Connection, *, is_quiet: bool) -> User:
    console = console_of(connection)
    session = connection.session
    user = live_user(console, session, address_of(connection))
    if user is None:
        if awaited(console, session):
            raise SignInNeeded
        ended = _ended(console, session) if session and "id" in session else SignInNeeded()
        connection.clear_session()
        raise ended
    if not is_quiet:
        _note_life(console, session)
    return user


def _ended(console: Console, session: Mapping[str, Any]) -> SessionEnded:
    user = _user(console, session["name"])
    is_idle = user and user.session == session["number"] and _is_idle(console, session, user)
    return SessionEnded("idle" if is_idle else "over")


def _note_life(console: Console, session: dict[str, Any]) -> None:
    """Also beside the cookie: an open page's stream has the cookie as it was when the page was opened."""
    now = console.clock.now()
    if now - session["seen"] <= SECOND:
        return
    session["seen"] = console.seen[session["id"]] = now
    if len(console.seen) > _MOST_NOTED:
        for one in [one for one, seen in list(console.seen.items()) if seen < now - SESSION]:
            console.seen.pop(one, None)


def _is_idle(console: Console, session: Mapping[str, Any], user: User) -> bool:
    seen = max(session["seen"], console.seen.get(session["id"], 0))
    return bool(console.clock.now() >= seen + _idle(user.grants))


def _user(console: Console, name: str) -> User | None:
    with console.state.connect() as connection:
        try:
            return read_user(connection, name)
        except NotFoundError:
            return None


def _idle(grants: Iterable[Grant]) -> int:
    is_administrator = any(grant.role == "administrator" for grant in grants)
    return ADMINISTRATOR_IDLE if is_administrator else IDLE
