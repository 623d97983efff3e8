"""Who is asking: sessions in encrypted cookies, checked against the user's row at every request, and the one guard.

Every route names in its ``opt`` the action it needs: ``PUBLIC`` for those before sign-in, ``OWN_ACCOUNT`` for any
user even before the first change of password, else an action of ``inventory.rights``. One without is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware.session.client_side import CookieBackendConfig
from sqlalchemy import Engine

from console.deps import Console, console_of
from core.clock import HOUR
from core.errors import NotFoundError
from core.scope import EVERYTHING, Scope
from core.stores.users import User, read_user
from inventory.rights import may

PUBLIC = "public"
OWN_ACCOUNT = "own account"
SESSION_HOURS = 12
"""A long shift; then one signs in again."""


class SignInNeeded(NotAuthorizedException):
    """There is no session, or it has ended."""


class PasswordChangeNeeded(PermissionDeniedException):
    """The user still has the one-time password."""


def session_config(console: Console) -> CookieBackendConfig:
    """Litestar's encrypted cookie sessions; the name keeps apart what other programs on this host set."""
    return CookieBackendConfig(
        secret=console.session_key,
        key="haidang_session",
        max_age=SESSION_HOURS * 3600,
        secure=console.secure,
        httponly=True,
        samesite="strict",
    )


def new_session(answer: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What the cookie holds of a user as the centre answered it. The role is left out: the row is asked each time."""
    return {"name": answer["name"], "number": answer["session"], "until": now + SESSION_HOURS * HOUR}


def live_user(state: Engine, session: Mapping[str, Any], now: int) -> User | None:
    """The session's user as its row now is; None once the session has ended."""
    if not session or now >= session["until"]:
        return None
    with state.connect() as connection:
        try:
            user = read_user(connection, session["name"])
        except NotFoundError:
            return None
    return None if user.disabled or user.session != session["number"] else user


def scope_of(_user: User) -> Scope:
    """What the user may see. Users belong to no unit yet, so it is everything."""
    return EVERYTHING


def check_right(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of all routes: finds the user and asks whether the route's action is allowed.

    Raises:
        SignInNeeded: nobody is signed in.
        PasswordChangeNeeded: only the change of the password is allowed now.
        PermissionDeniedException: the user's role does not allow the action, or the route names none.
    """
    action = str(handler.opt.get("action", ""))
    if action == PUBLIC:
        return
    console = console_of(connection)
    user = live_user(console.state, connection.session, console.clock.now())
    if user is None:
        connection.clear_session()
        raise SignInNeeded
    connection.scope["user"] = user
    if action == OWN_ACCOUNT:
        return
    if user.must_change:
        raise PasswordChangeNeeded
    if not may(user.role, action):
        raise PermissionDeniedException
