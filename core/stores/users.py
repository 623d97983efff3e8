"""Users in the state database, and their passwords (argon2id, RFC 9106). The centre is the only writer."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, func, insert, select, update

from core import audit
from core.clock import MINUTE
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.stores.tables import users

SHORTEST_PASSWORD = 12
MOST_FAILURES = 5
LOCKED = 15 * MINUTE
"""Wrong passwords in a row after which the account is locked, and for how long, nanoseconds."""

_hasher = PasswordHasher()


class User(Record, frozen=True, kw_only=True):
    """An account. ``session`` grows when all its sessions end."""

    name: str
    role: str
    must_change: bool
    disabled: bool
    session: int


def list_users(connection: Connection) -> list[User]:
    """All accounts by name, without their passwords."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def read_user(connection: Connection, name: str) -> User:
    """The account of that name.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        raise NotFoundError(f"there is no user '{name}'")
    return _user(row)


def count_users(connection: Connection) -> int:
    """How many accounts there are."""
    return int(connection.execute(select(func.count()).select_from(users)).scalar_one())


def add_user(connection: Connection, now: int, actor: str, name: str, role: str) -> str:
    """Adds an account and returns its one-time password, which is stored nowhere.

    Raises:
        RefusedError: the name is taken or not a plain word.
    """
    if not name.isidentifier() or not name.isascii():
        raise RefusedError(f"'{name}' is no user name: use letters, digits and _")
    if connection.execute(select(users.c.name).where(users.c.name == name)).first():
        raise RefusedError(f"there is already a user '{name}'")
    password = _one_time_password()
    connection.execute(
        insert(users).values(
            name=name,
            role=role,
            password=_hasher.hash(password),
            must_change=1,
            disabled=0,
            failures=0,
            locked_until=0,
            session=1,
        )
    )
    audit.append(connection, now, actor, "user.add", f"user/{name}", role)
    return password


def reset_user(connection: Connection, now: int, actor: str, name: str) -> str:
    """Gives the account a new one-time password, ends its sessions and enables it; returns the password.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    password = _one_time_password()
    _set(
        connection,
        user,
        password=_hasher.hash(password),
        must_change=1,
        disabled=0,
        failures=0,
        locked_until=0,
        session=user.session + 1,
    )
    audit.append(connection, now, actor, "user.reset", f"user/{name}")
    return password


def disable_user(connection: Connection, now: int, actor: str, name: str) -> None:
    """Ends the account's sessions and refuses new ones.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    _set(connection, user, disabled=1, session=user.session + 1)
    audit.append(connection, now, actor, "user.disable", f"user/{name}")


def change_password(connection: Connection, now: int, name: str, password: str) -> User:
    """Replaces the account's password by one that its owner chose.

    Raises:
        RefusedError: the password is too short.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise RefusedError(f"a password has at least {SHORTEST_PASSWORD} characters")
    user = read_user(connection, name)
    if password_fits(connection, name, password):
        raise RefusedError("the new password is the present one: choose another")
    _set(connection, user, password=_hasher.hash(password), must_change=0, failures=0, session=user.session + 1)
    audit.append(connection, now, name, "user.password", f"user/{name}")
    return read_user(connection, name)


def password_fits(connection: Connection, name: str, password: str) -> bool:
    """Whether this is the account's password. Slow on purpose, so it is asked outside of changes."""
    encoded = connection.execute(select(users.c.password).where(users.c.name == name)).scalar()
    return _verify(encoded or _decoy(), password) and encoded is not None


def sign_in(connection: Connection, now: int, name: str, *, right: bool) -> User | None:
    """The account if the password was right and it may sign in, else None; both enter the audit chain.

    After ``MOST_FAILURES`` wrong passwords in a row no password is right for ``LOCKED``.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        return None  # names that nobody has are not written down: anyone could fill the chain with them
    user = _user(row)
    if not right and now >= row.locked_until:
        failures = (row.failures + 1) % MOST_FAILURES
        _set(connection, user, failures=failures, locked_until=0 if failures else now + LOCKED)
    if not right or user.disabled or now < row.locked_until:
        audit.append(connection, now, name, "session.refused", f"user/{name}")
        return None
    _set(connection, user, failures=0)
    audit.append(connection, now, name, "session.begin", f"user/{name}")
    return user


def end_sessions(connection: Connection, now: int, name: str) -> None:
    """Ends all sessions of the account.

    Raises:
        NotFoundError: there is no such user.
    """
    user = read_user(connection, name)
    _set(connection, user, session=user.session + 1)
    audit.append(connection, now, name, "session.end", f"user/{name}")


def _set(connection: Connection, user: User, **values: object) -> None:
    connection.execute(update(users).where(users.c.name == user.name).values(**values))


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


def _user(row: object) -> User:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's public name
    return User(
        name=values["name"],
        role=values["role"],
        must_change=bool(values["must_change"]),
        disabled=bool(values["disabled"]),
        session=values["session"],
    )
