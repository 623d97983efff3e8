"""Who a local account of this machine is, and what it may do now."""

from __future__ import annotations

import pwd
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import Connection

from app.actions.calls import CallerKind
from core.actors import LOCAL
from core.errors import RefusedError
from core.scope import Grant
from core.stores.users import read_user
from inventory.rights import is_settled


class Caller(msgspec.Struct, frozen=True):
    """Who calls: a user, the console acting for users, or an administrator of this machine who is no user."""

    name: str
    kind: CallerKind


def local_caller(owner: int, accounts: Mapping[str, str]) -> Callable[[int], Caller]:
    """Maps the local account of a caller to a user.

    The settings' ``centre.accounts`` come first; else root and the account that runs the centre act for the machine
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
            return Caller(f"{LOCAL}{account}", "local")
        raise RefusedError(f"the local account '{account}' is mapped to no user: see [centre.accounts] in haidang.toml")

    return identify


def grants_now(connection: Connection, name: str) -> tuple[Grant, ...]:
    """The user's grants; none for who is disabled or has not settled how to sign in.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    return user.grants if not user.disabled and not user.must_change and is_settled(user) else ()
