"""Accounts in the state database, and their passwords (argon2id, RFC 9106). The centre is the only writer.

Signing in is in ``core.stores.signing_in``.
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any, Literal, TypeAlias

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Row, func, insert, select, update

from core import audit
from core.actors import PLATFORM
from core.clock import HOUR
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.scope import Grant
from core.stores.grants import grants_of, put_grant
from core.stores.tables import grants as grants_table
from core.stores.tables import users

SHORTEST_PASSWORD = 12
IDLE = 45 * 24 * HOUR
"""Nanoseconds without a sign-in after which an account is disabled (TCVN 14423:2026, 6.6.2)."""
MADE_LATELY = 30 * 24 * HOUR
"""Nanoseconds for which an account counts as made by who added it, granted to it, reset or enabled it."""
CHANGES = ("user.grant", "user.revoke", "user.reset", "user.disable", "user.enable")
"""What others do to an account, in the audit chain."""
_MAKING = ("user.add", "user.grant", "user.reset", "user.enable")
PENDING = -1
"""In place of a time step: the second factor was handed out, and no code of it has come yet."""

Factor: TypeAlias = Literal["", "pending", "on"]

_hasher = PasswordHasher()


class User(Record, frozen=True, kw_only=True):
    """An account.

    Attributes:
        session: grows when all its sessions end.
        factor: whether it has a second factor (RFC 6238); pending until the first right code.
        address: of a wallboard: the only one from which it may sign in.
        issuer: the OpenID provider that vouches for it; empty for a local account.
        seen: its last sign-in, nanoseconds UTC; 0 for none.
    """

    name: str
    grants: tuple[Grant, ...]
    must_change: bool
    disabled: bool
    session: int
    factor: Factor = ""
    address: str = ""
    issuer: str = ""
    seen: int = 0
    created: int = 0

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of its roles, each once."""
        return tuple(sorted({grant.role for grant in self.grants}))


class NewUser(Record, frozen=True, kw_only=True):
    """An account to be made."""

    name: str
    grant: Grant | None = None
    address: str = ""


def list_users(connection: Connection) -> list[User]:
    """All accounts by name, without their passwords."""
    given = grants_of(connection)
    return [_user(row, given.get(row.name, ())) for row in connection.execute(select(users).order_by(users.c.name))]


def read_user(connection: Connection, name: str) -> User:
    """The account of that name.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        raise NotFoundError(f"there is no user '{name}'")
    return _user(row, grants_of(connection, name).get(name, ()))


def find_vouched(connection: Connection, issuer: str, subject: str) -> User | None:
    """The account that this provider vouches for under this identifier."""
    wanted = (users.c.issuer == issuer) & (users.c.subject == subject)
    name = connection.execute(select(users.c.name).where(wanted)).scalar()
    return read_user(connection, name) if name else None


def count_users(connection: Connection) -> int:
    """How many accounts there are."""
    return int(connection.execute(select(func.count()).select_from(users)).scalar_one())


def add_user(connection: Connection, now: int, actor: str, new: NewUser) -> str:
    """Adds an account and returns its one-time password, which is stored nowhere.

    Raises:
        RefusedError: the name is taken or not a plain word.
    """
    password = _one_time_password()
    must_change = not new.address  # a screen on a wall cannot choose one
    _insert(connection, now, new.name, password=_hasher.hash(password), must_change=must_change, address=new.address)
    audit.append(connection, now, actor, "user.add", f"user/{new.name}", new.address)
    if new.grant:
        put_grant(connection, now, actor, new.name, new.grant)
    return password


def add_vouched(connection: Connection, now: int, name: str, issuer: str, subject: str) -> User:
    """Adds an account without a password, for whom a provider vouches.

    Raises:
        RefusedError: the name is taken or not a plain word.
    """
    _insert(connection, now, name, password="", must_change=False, issuer=issuer, subject=subject)
    audit.append(connection, now, name, "user.add", f"user/{name}", issuer)
    return read_user(connection, name)


def reset_user(connection: Connection, now: int, actor: str, name: str) -> str:
    """Gives the account a new one-time password, ends its sessions, enables it, and takes away its second factor.

    Returns the password.

    Raises:
        NotFoundError: there is no such user.
        RefusedError: a provider vouches for it.
    """
    user = read_user(connection, name)
    if user.issuer:
        raise RefusedError(f"'{name}' signs in by {user.issuer}: its password is there")
    password = _one_time_password()
    changed: dict[str, object] = {"password": _hasher.hash(password), "must_change": int(not user.address)}
    changed |= {"disabled": 0, "failures": 0, "locked_until": 0, "session": user.session + 1, "created": now}
    set_columns(connection, name, **changed, totp=None, totp_used=0)
    audit.append(connection, now, actor, "user.reset", f"user/{name}")
    return password


def disable_user(connection: Connection, now: int, actor: str, name: str, reason: str = "") -> None:
    """Ends the account's sessions and refuses new ones.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    set_columns(connection, name, disabled=1, session=user.session + 1)
    audit.append(connection, now, actor, "user.disable", f"user/{name}", reason)


def enable_vouched(connection: Connection, now: int, actor: str, name: str) -> None:
    """Lets an account sign in again for which a provider vouches.

    Raises:
        NotFoundError: there is no such user.
        RefusedError: the account has a password of its own, or is not disabled.
    """
    user = read_user(connection, name)
    if not user.issuer:
        raise RefusedError(f"'{name}' has a password here: a reset gives a new one and enables the account")
    if not user.disabled:
        raise RefusedError(f"'{name}' is not disabled")
    set_columns(connection, name, disabled=0, session=user.session + 1, seen=now)
    audit.append(connection, now, actor, "user.enable", f"user/{name}")


def is_made_by(connection: Connection, now: int, name: str, actor: str) -> bool:
    """Whether the account is lately what this actor made of it, who may still know its password."""
    return audit.has_done(connection, actor, f"user/{name}", _MAKING, now - MADE_LATELY)


def is_made_by_alone(connection: Connection, name: str, actor: str) -> bool:
    """Whether this actor added the account and nobody else has changed it since."""
    return audit.actors_of(connection, f"user/{name}", ("user.add", *CHANGES)) == {actor}


def disable_idle(connection: Connection, now: int) -> list[str]:
    """Disables every account that has not signed in for ``IDLE``; returns their names.

    Wallboards stay, and the last administrator, without whom nobody could enable the others.
    """
    idle = (users.c.disabled == 0) & (users.c.address == "")
    idle &= func.max(users.c.seen, users.c.created) < now - IDLE
    names = list(connection.execute(select(users.c.name).where(idle).order_by(users.c.name)).scalars())
    return [name for name in names if _disable_for_idling(connection, now, name)]


def _disable_for_idling(connection: Connection, now: int, name: str) -> bool:
    is_administrator = Grant("administrator") in read_user(connection, name).grants
    if is_administrator and administrators(connection) == 1:
        return False
    disable_user(connection, now, PLATFORM, name, "no sign-in for 45 days")
    return True


def change_password(connection: Connection, now: int, name: str, password: str) -> User:
    """Replaces the account's password by one that its owner chose.

    Raises:
        RefusedError: the password is too short, or a provider vouches for the account.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise RefusedError(f"a password has at least {SHORTEST_PASSWORD} characters")
    user = read_user(connection, name)
    if user.issuer or user.address:
        raise RefusedError(f"'{name}' has no password that it could change")
    if password_fits(connection, name, password):
        raise RefusedError("the new password is the present one: choose another")
    changed = {"password": _hasher.hash(password), "must_change": 0, "failures": 0, "session": user.session + 1}
    set_columns(connection, name, **changed)
    audit.append(connection, now, name, "user.password", f"user/{name}")
    return read_user(connection, name)


def password_fits(connection: Connection, name: str, password: str) -> bool:
    """Whether this is the account's password. Slow on purpose, so it is asked outside of changes."""
    encoded = connection.execute(select(users.c.password).where(users.c.name == name)).scalar()
    return _verify(encoded or _decoy(), password) and bool(encoded)


def end_sessions(connection: Connection, now: int, actor: str, name: str) -> None:
    """Ends all sessions of the account.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    set_columns(connection, name, session=user.session + 1)
    audit.append(connection, now, actor, "session.end", f"user/{name}")


def set_columns(connection: Connection, name: str, **values: object) -> None:
    """Writes columns of the account's row."""
    connection.execute(update(users).where(users.c.name == name).values(**values))


def administrators(connection: Connection) -> int:
    """How many accounts that are not disabled are administrators of the whole sector."""
    return _count(connection, Grant("administrator"))


def has_sector_approver(connection: Connection) -> bool:
    """Whether an account that is not disabled approves for the whole sector."""
    return _count(connection, Grant("approver")) > 0


def _count(connection: Connection, grant: Grant) -> int:
    """How many accounts that are not disabled have it."""
    wanted = (grants_table.c.role == grant.role) & (grants_table.c.unit == grant.unit) & (users.c.disabled == 0)
    query = select(func.count()).select_from(grants_table.join(users)).where(wanted)
    return int(connection.execute(query).scalar_one())


def _insert(connection: Connection, now: int, name: str, **values: object) -> None:
    if not name.isidentifier() or not name.isascii():
        raise RefusedError(f"'{name}' is no user name: use letters, digits and _")
    if name == PLATFORM:
        raise RefusedError(f"'{name}' is the platform's own name: use another")
    if connection.execute(select(users.c.name).where(users.c.name == name)).first():
        raise RefusedError(f"there is already a user '{name}'")
    row = {"name": name, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1, "created": now}
    connection.execute(insert(users).values(row | values))


def _verify(encoded: str, password: str) -> bool:
    try:
        return _hasher.verify(encoded, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    """Verified for unknown names, so that answers take equally long."""
    return _hasher.hash("decoy")


def _one_time_password() -> str:
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _factor(row: Row[Any]) -> Factor:
    if row.totp is None:
        return ""
    return "pending" if row.totp_used == PENDING else "on"


def _user(row: Row[Any], given: tuple[Grant, ...]) -> User:
    return User(
        name=row.name,
        grants=given,
        must_change=bool(row.must_change),
        disabled=bool(row.disabled),
        session=row.session,
        factor=_factor(row),
        address=row.address,
        issuer=row.issuer,
        seen=row.seen,
        created=row.created,
    )
