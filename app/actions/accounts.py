"""Actions on accounts: made, granted, reset, disabled, within the units that the actor administers.

Nobody changes his own grants, and a new administrator needs a second person.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated

import msgspec

from app.actions import requests
from app.actions.calls import Answer, Call
from core.errors import RefusedError
from core.records import Record
from core.scope import Grant
from core.stores import grants, users
from core.stores.users import NewUser, User
from inventory.addresses import parse_address
from inventory.rights import ROLES, SECOND_FACTOR, sole_role

Word = Annotated[str, msgspec.Meta(max_length=300)]


class OfUser(Record, frozen=True, kw_only=True):
    """Names a user."""

    name: Word


class OfGrant(Record, frozen=True, kw_only=True):
    """Names a user, a role, and the unit at which it is had; without one, the whole sector."""

    name: Word
    role: Word = "analyst"
    unit: Word = ""


class OfNewUser(OfGrant, frozen=True, kw_only=True):
    """A user to be made; ``address`` is a wallboard's."""

    address: Word = ""


def add(call: Call) -> Answer:
    """Makes an account with its first grant, which for an administrator is only asked for; returns its password."""
    asked: OfNewUser = call.values
    wanted, needs_second = _checked(call, asked), asked.role == "administrator"
    new = NewUser(name=asked.name, grant=None if needs_second else wanted, address=_address(asked))
    answer: Answer = {"name": asked.name, "password": users.add_user(call.connection, call.now, call.by, new)}
    if not needs_second:
        return answer
    of_grant = OfGrant(name=asked.name, role=asked.role, unit=asked.unit)
    return answer | requests.ask(replace(call, values=of_grant), "users.grant")


def grant(call: Call) -> Answer:
    """Gives an account a role at a unit."""
    asked: OfGrant = call.values
    wanted = _checked(call, asked)
    user = _other(call, asked.name)
    _must_go_together([*(given.role for given in user.grants), wanted.role])
    changed = grants.put_grant(call.connection, call.now, call.by, asked.name, wanted)
    if wanted.role in SECOND_FACTOR:  # who was let in without one comes in anew
        users.end_sessions(call.connection, call.now, call.by, asked.name)
    return {"name": asked.name, "changed": changed}


def revoke(call: Call) -> Answer:
    """Takes a role at a unit away; the account's sessions end."""
    asked: OfGrant = call.values
    user = _other(call, asked.name)
    grants.remove_grant(call.connection, call.now, call.by, user.name, Grant(asked.role, asked.unit))
    users.end_sessions(call.connection, call.now, call.by, user.name)
    _must_keep_an_administrator(call, user)
    return {"name": asked.name}


def reset(call: Call) -> Answer:
    """Gives an account a new one-time password and takes its second factor away."""
    user = _within(call, call.values.name)
    return {"name": user.name, "password": users.reset_user(call.connection, call.now, call.by, user.name)}


def disable(call: Call) -> Answer:
    """Ends an account's sessions and refuses new ones."""
    user = _other(call, call.values.name)
    users.disable_user(call.connection, call.now, call.by, user.name)
    _must_keep_an_administrator(call, user)
    return {"name": user.name}


def sign_out(call: Call) -> Answer:
    """Ends all sessions of an account."""
    user = _within(call, call.values.name)
    users.end_sessions(call.connection, call.now, call.by, user.name)
    return {"name": user.name}


def list_(call: Call) -> Answer:
    """The accounts that have a grant within the actor's units."""
    found = [user for user in users.list_users(call.connection) if _is_within(call, user)]
    return {"users": [_shown(user) for user in found]}


def concerns_of_grant(call: Call) -> Collection[str]:
    """Who may give rights himself is made so by two people."""
    asked: OfGrant = call.values
    return (asked.unit,) if asked.role == "administrator" else ()


def _shown(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "grants": [{"role": given.role, "unit": given.unit} for given in user.grants],
        "roles": ", ".join(f"{given.role} ({given.unit})" if given.unit else given.role for given in user.grants),
        "must_change": user.must_change,
        "disabled": user.disabled,
        "factor": user.factor,
        "issuer": user.issuer,
        "address": user.address,
        "seen": user.seen,
        "created": user.created,
    }


def _checked(call: Call, asked: OfGrant) -> Grant:
    """The grant, if it is one and the actor may give it."""
    if asked.role not in ROLES:
        raise RefusedError(f"'{asked.role}' is no role: use {', '.join(ROLES)}")
    if asked.unit and call.inventory.unit(asked.unit) is None:
        raise RefusedError(f"there is no unit '{asked.unit}': see 'haidang units list'")
    if not (call.scope.is_everything or (asked.unit and call.scope.allows_unit(asked.unit))):
        raise RefusedError("rights are given within one's own units only")
    return Grant(asked.role, asked.unit)


def _address(asked: OfNewUser) -> str:
    if (asked.role == "wallboard") != bool(asked.address):
        raise RefusedError("a wallboard, and nothing else, is bound to the address of its screen: see --address")
    try:
        return str(parse_address(asked.address)) if asked.address else ""
    except ValueError:
        raise RefusedError(f"'{asked.address}' is no IP address") from None


def _must_go_together(roles: list[str]) -> None:
    if alone := sole_role(roles):
        raise RefusedError(f"the role {alone} goes with no other: use an account of its own")


def _within(call: Call, name: str) -> User:
    """The account, if all of its grants are within the actor's units."""
    user = users.read_user(call.connection, name)
    outside = [given for given in user.grants if not _allows(call, given)]
    if outside:
        raise RefusedError(f"'{name}' has rights outside of your units: ask an administrator of the whole sector")
    return user


def _other(call: Call, name: str) -> User:
    if name == call.by:
        raise RefusedError("nobody changes his own rights: ask another administrator")
    return _within(call, name)


def _is_within(call: Call, user: User) -> bool:
    return call.scope.is_everything or any(_allows(call, given) for given in user.grants)


def _allows(call: Call, given: Grant) -> bool:
    return call.scope.is_everything or (bool(given.unit) and call.scope.allows_unit(given.unit))


def _must_keep_an_administrator(call: Call, changed: User) -> None:
    if Grant("administrator") in changed.grants and not users.administrators(call.connection):
        raise RefusedError("that would leave no administrator of the whole sector")
