"""Signing in: by password, with a one-time code where the account has a second factor (RFC 6238), or vouched for."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from typing import Protocol

import pyotp
from sqlalchemy import Connection, select

from core import audit
from core.clock import MINUTE, SECOND
from core.errors import RefusedError
from core.records import Record
from core.scope import Grant
from core.stores.grants import replace_grants
from core.stores.tables import users
from core.stores.users import PENDING, User, add_vouched, end_sessions, find_vouched, read_user, set_columns

MOST_FAILURES = 5
LOCKED = 15 * MINUTE
"""Wrong passwords or codes in a row after which the account is locked, and for how long, nanoseconds."""
NO_ROLE = "none of your groups has a role here"
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""How many steps a telephone's clock may be ahead or behind."""


class Identity(Record, frozen=True, kw_only=True):
    """Someone at an OpenID provider.

    Attributes:
        issuer: the provider.
        subject: its identifier of the person, which never changes and is never given to another.
        name: of the account here, should it be new.
    """

    issuer: str
    subject: str
    name: str


class Sealing(Protocol):
    """What keeps secrets unreadable in the database, as ``core.vault`` does."""

    def encrypt(self, plain: bytes, of: str) -> bytes:
        """The sealed form, bound to what it is of."""
        ...

    def decrypt(self, sealed: bytes, of: str) -> bytes:
        """What was sealed."""
        ...


def sign_in(connection: Connection, now: int, name: str, *, right: bool, address: str = "") -> User | None:
    """The account if the password was right and it may sign in, else None; both enter the audit chain.

    After ``MOST_FAILURES`` wrong passwords in a row no password is right for ``LOCKED``. An account with a second
    factor is not signed in yet: its code comes next.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None:
        return None  # names that nobody has are not written down: anyone could fill the chain with them
    user = read_user(connection, name)
    if not right and now >= row.locked_until:
        _count_failure(connection, now, name, row.failures)
    elsewhere = bool(user.address) and user.address != address
    if not right or elsewhere or user.disabled or now < row.locked_until:
        _refuse(connection, now, name, f"from {address}" if elsewhere else "")
        return None
    if user.factor != "on":
        _begin(connection, now, name)
    return user


def sign_in_by_code(connection: Connection, vault: Sealing, now: int, name: str, code: str) -> User | None:
    """The account if its password has been checked just before and this is its code; each code serves once.

    Wrong codes count like wrong passwords.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None or row.totp is None or row.totp_used == PENDING:
        return None
    is_closed = row.disabled or now < row.locked_until
    step = None if is_closed else _step_of(vault, name, row.totp, code, now)
    if step is None or step <= row.totp_used:
        if not is_closed:
            _count_failure(connection, now, name, row.failures)
        _refuse(connection, now, name, "code")
        return None
    set_columns(connection, name, totp_used=step)
    _begin(connection, now, name)
    return read_user(connection, name)


def begin_factor(connection: Connection, vault: Sealing, now: int, name: str) -> str:
    """Makes a new second factor, pending until its first code; returns the secret (base32) to be shown once.

    Raises:
        RefusedError: the account has one: only a reset by an administrator takes it away; or it can have none.
    """
    user = read_user(connection, name)
    if user.issuer or user.address:
        raise RefusedError(f"'{name}' has no second factor here")
    if user.factor == "on":
        raise RefusedError(f"'{name}' has a second factor already: an administrator can reset the account")
    made = pyotp.random_base32()
    set_columns(connection, name, totp=vault.encrypt(made.encode(), _of(name)), totp_used=PENDING)
    audit.append(connection, now, name, "user.factor", f"user/{name}", "begun")
    return made


def confirm_factor(connection: Connection, vault: Sealing, now: int, name: str, code: str) -> User:
    """Takes the second factor into use, if this is its code.

    Raises:
        RefusedError: it is not, or there is none pending.
    """
    row = connection.execute(select(users).where(users.c.name == name)).first()
    if row is None or row.totp is None or row.totp_used != PENDING:
        raise RefusedError(f"'{name}' has no second factor that waits for its first code")
    step = _step_of(vault, name, row.totp, code, now)
    if step is None:
        raise RefusedError("the code is wrong: look whether the telephone's clock is right, and enter the next one")
    set_columns(connection, name, totp_used=step)
    audit.append(connection, now, name, "user.factor", f"user/{name}", "in use")
    return read_user(connection, name)


def sign_in_vouched(
    connection: Connection,
    now: int,
    identity: Identity,
    grants: Collection[Grant],
    fault: Callable[[User], str] = lambda _: "",
) -> User | str:
    """The account that a provider vouches for, or why it may not sign in.

    The account is made when someone with a role comes for the first time; what the provider's groups grant becomes as
    it now is, and its other sessions end if that is less than before.

    Args:
        connection: in whose transaction it is done.
        now: nanoseconds UTC.
        identity: for whom the provider vouches.
        grants: what the provider's groups mean here.
        fault: why an account with these grants may not sign in; empty if it may.

    Raises:
        RefusedError: the name belongs to another account.
    """
    user = find_vouched(connection, identity.issuer, identity.subject)
    if user is None and not grants:
        return NO_ROLE  # leaves no account behind: everyone at the provider could fill the table
    if user is None:
        user = add_vouched(connection, now, identity.name, identity.issuer, identity.subject)
    before = set(user.grants)
    replace_grants(connection, now, f"oidc:{identity.issuer}", user.name, grants)
    user = read_user(connection, user.name)
    if before - set(user.grants):
        end_sessions(connection, now, user.name, user.name)
    if refused := _closed(user) or fault(user):
        _refuse(connection, now, user.name, refused)
        return refused
    _begin(connection, now, user.name)
    return read_user(connection, user.name)


def _closed(user: User) -> str:
    if user.disabled:
        return "the account is disabled"
    return "" if user.grants else NO_ROLE


def _begin(connection: Connection, now: int, name: str) -> None:
    set_columns(connection, name, failures=0, seen=now)
    audit.append(connection, now, name, "session.begin", f"user/{name}")


def _refuse(connection: Connection, now: int, name: str, detail: str) -> None:
    audit.append(connection, now, name, "session.refused", f"user/{name}", detail)


def _count_failure(connection: Connection, now: int, name: str, failures: int) -> None:
    count = (failures + 1) % MOST_FAILURES
    set_columns(connection, name, failures=count, locked_until=0 if count else now + LOCKED)


def _step_of(vault: Sealing, name: str, sealed: bytes, code: str, now: int) -> int | None:
    """The time step whose code this is, within the drift that is allowed."""
    totp = pyotp.TOTP(vault.decrypt(sealed, _of(name)).decode(), interval=STEP_SECONDS)
    present = now // SECOND // STEP_SECONDS
    wanted = code.replace(" ", "")
    steps = range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1)
    return next((s for s in steps if hmac.compare_digest(totp.at(s * STEP_SECONDS).encode(), wanted.encode())), None)


def _of(name: str) -> str:
    return f"totp/{name}"
