"""Actions on accounts: made, granted, reset, disabled, within the units that the actor administers.

Nobody changes his own grants, and a new administrator or approver needs a second person. To who administers a unit an
account is his if all that it has, and all that is asked for it, lies within the unit; of others he is told nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import msgspec

from app.actions import requests
from app.actions.calls import Answer, Call
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.scope import Grant
from core.stores import grants, users
from core.stores.requests import list_about
from core.stores.users import NewUser, User
from inventory.addresses import parse_address
from inventory.rights import MACHINE, ROLES, SECOND_FACTOR, sole_role

Word = Annotated[str, msgspec.Meta(max_length=300)]
_BY_TWO = frozenset({"administrator", "approver"})
"""Roles that only two people give: who gives rights, and who is the second person."""


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
    """Makes an account with its first grant, only asked for where that takes two people; returns its password."""
    asked: OfNewUser = call.values
    wanted, units = _checked(call, asked), concerns_of_grant(call)
    new = NewUser(name=asked.name, grant=None if units else wanted, address=_address(asked))
    answer: Answer = {"name": asked.name, "password": users.add_user(call.connection, call.now, call.by, new)}
    if not units:
        return answer
    of_grant = OfGrant(name=asked.name, role=asked.role, unit=asked.unit)
    return answer | requests.ask(replace(call, values=of_grant), "users.grant", units, subject(call))


def grant(call: Call) -> Answer:
    """Gives an account a role at a unit."""
    asked: OfGrant = call.values
    wanted = _checked(call, asked)
    user = _other(call, asked.name)
    _must_go_together([*(given.role for given in user.grants), wanted.role])
    if (wanted.role == "wallboard") != bool(user.address):
        raise RefusedError("a wallboard has an account of its own, bound to its screen: add one with --address")
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
    """Gives another's account a new one-time password and takes its second factor away."""
    user = _other(call, call.values.name)
    return {"name": user.name, "password": users.reset_user(call.connection, call.now, call.by, user.name)}


def disable(call: Call) -> Answer:
    """Ends an account's sessions and refuses new ones."""
    user = _other(call, call.values.name)
    users.disable_user(call.connection, call.now, call.by, user.name)
    _must_keep_an_administrator(call, user)
    return {"name": user.name}


def enable(call: Call) -> Answer:
    """Lets a disabled account sign in again by the provider that vouches for it; a local one takes a reset."""
    user = _other(call, call.values.name)
    users.enable_vouched(call.connection, call.now, call.by, user.name)
    return {"name": user.name}


def sign_out(call: Call) -> Answer:
    """Ends all sessions of an account."""
    user = own_user(call, call.values.name)
    users.end_sessions(call.connection, call.now, call.by, user.name)
    return {"name": user.name}


def list_(call: Call) -> Answer:
    """The accounts that have a grant within the actor's units, with these grants alone."""
    found = [user for user in users.list_users(call.connection) if _is_within(call, user)]
    return {"users": [_shown(user, [given for given in user.grants if _allows(call, given)]) for user in found]}


def concerns_of_grant(call: Call) -> Collection[str]:
    """Who gives rights, and who is the second person, is made so by two people.

    This machine's own account appoints an approver of the whole sector by itself while there is none to be asked.
    """
    asked: OfGrant = call.values
    if asked.role not in _BY_TWO:
        return ()
    is_first = asked.role == "approver" and not asked.unit and not users.has_sector_approver(call.connection)
    return () if is_first and call.actor.grants == MACHINE else (asked.unit,)


def subject(call: Call) -> str:
    """The account, by its name in the audit chain."""
    return f"user/{call.values.name}"


def _shown(user: User, given: Sequence[Grant]) -> dict[str, object]:
    return {
        "name": user.name,
        "grants": [{"role": one.role, "unit": one.unit} for one in given],
        "roles": grants.roles_text(given),
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
    if not _allows(call, Grant(asked.role, asked.unit)):
        raise RefusedError("rights are given within one's own units only: see 'haidang units list'")
    if asked.unit and call.inventory.unit(asked.unit) is None:
        raise RefusedError(f"there is no unit '{asked.unit}': see 'haidang units list'")
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


def own_user(call: Call, name: str) -> User:
    """The account, if it is one that the actor administers.

    Raises:
        NotFoundError: it is not there or not his, which is told alike.
    """
    if call.scope.is_everything:
        return users.read_user(call.connection, name)
    with suppress(NotFoundError):
        user = users.read_user(call.connection, name)
        if is_own(call, user):
            return user
    raise NotFoundError(f"there is no user '{name}' whose rights are all within your units")


def is_own(call: Call, user: User) -> bool:
    """Whether all that the account has and that is asked for it lies within the actor's units.

    An account without grants is nobody's, but of who has just made it and waits for the second person.
    """
    if call.scope.is_everything:
        return True
    waiting = list_about(call.connection, call.now, f"user/{user.name}")
    is_reached = call.scope.holds(given.unit for given in user.grants)
    has_some = bool(user.grants) or users.is_made_by_alone(call.connection, user.name, call.by)
    return is_reached and has_some and all(request.is_within(call.scope) for request in waiting)


def _other(call: Call, name: str) -> User:
    if name == call.by:
        raise RefusedError("nobody changes his own rights: ask another administrator")
    return own_user(call, name)


def _is_within(call: Call, user: User) -> bool:
    return call.scope.is_everything or any(_allows(call, given) for given in user.grants)


def _allows(call: Call, given: Grant) -> bool:
    return call.scope.holds((given.unit,))


def _must_keep_an_administrator(call: Call, changed: User) -> None:
    if Grant("administrator") in changed.grants and not users.administrators(call.connection):
        raise RefusedError("that would leave no administrator of the whole sector")
