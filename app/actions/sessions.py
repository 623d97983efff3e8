"""Actions of a session: beginning, second factor, own password, end. Only the console asks for them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlalchemy import Connection

from app.actions.calls import Answer, Call
from core.errors import RefusedError
from core.records import Record
from core.scope import Grant
from core.stores import signing_in, users
from core.stores.signing_in import Identity
from core.stores.users import User
from inventory.rights import ROLES, needs_second_factor, sole_role

Word = Annotated[str, msgspec.Meta(max_length=300)]
MAPPED_ROLES = frozenset(ROLES) - {"administrator", "wallboard"}
"""What groups at a provider can mean: administrators are made by two people, wallboards are bound to an address."""
_WRONG: Answer = {"refused": "wrong name or password"}


class Credentials(Record, frozen=True, kw_only=True):
    """A name and a password, and the address of who typed them."""

    name: Word
    password: Annotated[str, msgspec.Meta(max_length=1000)]
    address: Word = ""


class Code(Record, frozen=True, kw_only=True):
    """A one-time code of a second factor."""

    code: Word


class Vouched(Record, frozen=True, kw_only=True):
    """For whom an OpenID provider vouches: its issuer and the subject there, a name, and what its groups mean here.

    ``factor`` says whether the provider told that it asked for a second factor.
    """

    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    name: Word
    grants: tuple[Grant, ...] = ()
    factor: bool = False


def fits(connection: Connection, values: Credentials) -> bool:
    """Whether the password is right."""
    return users.password_fits(connection, values.name, values.password)


def begin(call: Call) -> Answer:
    """Signs in by password; ``factor`` of the answer says whether a code comes next."""
    asked: Credentials = call.values
    user = signing_in.sign_in(call.connection, call.now, asked.name, right=call.before, address=asked.address)
    # A refusal is an answer here, not an error: the failure counter and the audit entry must be committed.
    return msgspec.structs.asdict(user) if user else _WRONG


def code(call: Call) -> Answer:
    """Signs in by the code that follows the password."""
    user = signing_in.sign_in_by_code(call.connection, call.vault, call.now, call.by, call.values.code)
    return msgspec.structs.asdict(user) if user else {"refused": "wrong code"}


def vouched(call: Call) -> Answer:
    """Signs in for whom a provider vouches."""
    asked: Vouched = call.values
    for given in asked.grants:
        _check_mapped(call, given)
    identity = Identity(issuer=asked.issuer, subject=asked.subject, name=asked.name)

    def fault(user: User) -> str:
        return _fault(user, has_factor=asked.factor)

    found = signing_in.sign_in_vouched(call.connection, call.now, identity, asked.grants, fault)
    # As above, a refusal is an answer: the grants that were taken away must be committed.
    return {"refused": found} if isinstance(found, str) else msgspec.structs.asdict(found)


def begin_factor(call: Call) -> Answer:
    """Hands out a second factor, to be shown once."""
    return {"secret": signing_in.begin_factor(call.connection, call.vault, call.now, call.by)}


def confirm_factor(call: Call) -> Answer:
    """Takes it into use by its first code."""
    user = signing_in.confirm_factor(call.connection, call.vault, call.now, call.by, call.values.code)
    return msgspec.structs.asdict(user)


def end(call: Call) -> Answer:
    """Ends all sessions of the user."""
    users.end_sessions(call.connection, call.now, call.by, call.by)
    return {}


def change_password(call: Call) -> Answer:
    """Replaces the user's own password."""
    user = users.change_password(call.connection, call.now, call.values.name, call.values.password)
    return msgspec.structs.asdict(user)


def _check_mapped(call: Call, given: Grant) -> None:
    """Refuses what no group may mean, whatever the settings say."""
    if given.role not in MAPPED_ROLES:
        raise RefusedError(f"the role {given.role} is not had by a group: see [console.oidc] in haidang.toml")
    if given.unit and call.inventory.unit(given.unit) is None:
        raise RefusedError(f"there is no unit '{given.unit}': see [console.oidc] in haidang.toml")


def _fault(user: User, *, has_factor: bool) -> str:
    """Why the account may not sign in with what its groups and others have granted it."""
    if alone := sole_role(user.roles):
        return f"the role {alone} goes with no other: leave its group or the others"
    if needs_second_factor(user.grants) and not has_factor:
        return "your role needs a second factor, and the provider told of none"
    return ""
