"""Credential sets in the state database, sealed by the vault, and what they are for. The centre is the only writer.

What comes in is sealed already; what is listed are names, kinds and targets. The audit chain tells which set was
changed, never of what: not even a digest, by which a short community could be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select, update

from core import audit
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.scope import EVERYTHING, Scope
from core.sealed import SealedSet, SealedSets
from core.stores.tables import credential_targets as targets
from core.stores.tables import credentials, users
from core.vault import Secret, Vault, key_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_SEALED: tuple[tuple[Table, str, str], ...] = ((credentials, "body", "credential/"), (users, "totp", "totp/"))
"""All that the vault has sealed: table and column, and how what a row's sealed form is bound to begins."""


class Target(NamedTuple):
    """That a credential set is for a device, a prefix, a site or a family."""

    kind: str
    target: str
    credential: str


class CredentialSet(Record, frozen=True, kw_only=True):
    """What may be told of a credential set.

    Attributes:
        kind: snmp_v3, ssh_key ...; the secrets themselves are sealed.
        targets: kind and target of each thing it is for.
        time: when it was put or replaced, nanoseconds UTC.
        actor: by whom.
    """

    name: str
    kind: str
    targets: tuple[tuple[str, str], ...]
    time: int
    actor: str


def subject(name: str) -> str:
    """How a credential set is named in the audit chain, and what its sealed form is bound to.

    Raises:
        RefusedError: it cannot be the name of one.
    """
    if not _NAME.fullmatch(name):
        raise RefusedError("this is no name of a credential set: use up to 40 of a-z, 0-9, '.', '-' and '_'")
    return f"credential/{name}"


def add_set(connection: Connection, now: int, actor: str, name: str, kind: str, sealed: bytes) -> None:
    """Puts a new credential set; ``sealed`` was sealed as ``subject(name)``.

    Raises:
        RefusedError: the name is taken or cannot be one.
    """
    of = subject(name)
    if connection.execute(select(credentials.c.name).where(credentials.c.name == name)).first():
        raise RefusedError(f"there is already a credential set '{name}': say that it is to be replaced")
    values = {"name": name, "kind": kind, "body": sealed, "time": now, "actor": actor}
    connection.execute(insert(credentials).values(values))
    audit.append(connection, now, actor, "credential.add", of, kind)


def replace_set(connection: Connection, now: int, actor: str, name: str, kind: str, sealed: bytes) -> None:
    """Puts other secrets in a credential set; its targets stay.

    Raises:
        NotFoundError: there is no such set.
    """
    _must_be_there(connection, name)
    _wipe_what_goes(connection)
    values = {"kind": kind, "body": sealed, "time": now, "actor": actor}
    connection.execute(update(credentials).where(credentials.c.name == name).values(values))
    audit.append(connection, now, actor, "credential.replace", subject(name), kind)


def remove_set(connection: Connection, now: int, actor: str, name: str) -> None:
    """Removes a credential set with its targets.

    Raises:
        NotFoundError: there is no such set.
    """
    _must_be_there(connection, name)
    _wipe_what_goes(connection)
    connection.execute(delete(targets).where(targets.c.credential == name))
    connection.execute(delete(credentials).where(credentials.c.name == name))
    audit.append(connection, now, actor, "credential.remove", subject(name))


def assign(connection: Connection, now: int, actor: str, target: Target) -> None:
    """Says that a credential set is for this target.

    Raises:
        NotFoundError: there is no such set.
        RefusedError: it is for it already.
    """
    _must_be_there(connection, target.credential)
    if _is_assigned(connection, target):
        raise RefusedError(f"credential set '{target.credential}' is for {_told(target)} already")
    connection.execute(insert(targets).values(target._asdict()))
    audit.append(connection, now, actor, "credential.assign", subject(target.credential), _told(target))


def unassign(connection: Connection, now: int, actor: str, target: Target) -> None:
    """Says that a credential set is no longer for this target.

    Raises:
        NotFoundError: there is no such set, or it is not for it.
    """
    _must_be_there(connection, target.credential)
    if not _is_assigned(connection, target):
        raise NotFoundError(f"credential set '{target.credential}' is not for {_told(target)}")
    connection.execute(delete(targets).where(*_is(target)))
    audit.append(connection, now, actor, "credential.unassign", subject(target.credential), _told(target))


def list_sets(connection: Connection, scope: Scope) -> list[CredentialSet]:
    """All credential sets by name, without their secrets; they are the whole sector's, so none in a part of it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for target in read_targets(connection, scope):
        found.setdefault(target.credential, []).append((target.kind, target.target))
    columns = (credentials.c.name, credentials.c.kind, credentials.c.time, credentials.c.actor)
    rows = connection.execute(select(*columns).order_by(credentials.c.name)) if scope.is_everything else ()
    return [
        CredentialSet(
            name=row.name, kind=row.kind, targets=tuple(found.get(row.name, ())), time=row.time, actor=row.actor
        )
        for row in rows
    ]


def read_targets(connection: Connection, scope: Scope) -> list[Target]:
    """What all credential sets are for, in order; likewise none in a part of the sector."""
    if not scope.is_everything:
        return []
    query = select(targets.c.kind, targets.c.target, targets.c.credential)
    return [Target(*row) for row in connection.execute(query.order_by(*query.selected_columns))]


def read_secret(connection: Connection, vault: Vault, name: str) -> Secret:
    """What was sealed in a credential set, for the platform's own use; never to be answered, told or stored.

    Raises:
        NotFoundError: there is no such set.
        IntegrityError: it cannot be opened; the text says what to do.
        UnavailableError: the vault's keys cannot be read.
    """
    row = connection.execute(select(credentials.c.body).where(credentials.c.name == name)).first()
    if row is None:
        raise _unknown(name)
    return Secret(vault.decrypt(row.body, subject(name)).decode())


def read_sealed(connection: Connection, kinds: Collection[str]) -> SealedSets:
    """The sets of these kinds as they are stored, with their targets, for the platform's own lanes."""
    query = select(credentials.c.name, credentials.c.kind, credentials.c.body).where(credentials.c.kind.in_(kinds))
    rows = connection.execute(query.order_by(credentials.c.name))
    sets = tuple(SealedSet(name=row.name, kind=row.kind, body=row.body) for row in rows)
    names = {one.name for one in sets}
    return SealedSets(sets=sets, targets=tuple(one for one in read_targets(connection, EVERYTHING) if one[2] in names))


def renew_all(connection: Connection, vault: Vault) -> int:
    """Seals all that the vault has sealed, second factors too, under its newest key; returns how many there are.

    Raises:
        IntegrityError: one cannot be opened; the text says what to do, and nothing is changed.
        UnavailableError: the vault's keys cannot be read.
    """
    _wipe_what_goes(connection)
    count = 0
    for table, column, begin in _SEALED:
        for name, sealed in list(_sealed(connection, table, column)):
            renewed = vault.renew(sealed, begin + name)
            connection.execute(update(table).where(table.c.name == name).values({column: renewed}))
            count += 1
    return count


def keys_in_use(connection: Connection) -> frozenset[str]:
    """The ids of the vault's keys by which something stored is sealed."""
    return frozenset(key_of(sealed) for table, column, _ in _SEALED for _, sealed in _sealed(connection, table, column))


def _sealed(connection: Connection, table: Table, column: str) -> Iterator[tuple[str, bytes]]:
    query = select(table.c.name, table.c[column]).where(table.c[column].is_not(None))
    for row in connection.execute(query):
        yield row[0], row[1]


def _wipe_what_goes(connection: Connection) -> None:
    """Has SQLite overwrite what this connection replaces or removes; else it stays in the file's free space."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _must_be_there(connection: Connection, name: str) -> None:
    if connection.execute(select(credentials.c.name).where(credentials.c.name == name)).first() is None:
        raise _unknown(name)


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"there is no credential set '{name}'")


def _is_assigned(connection: Connection, target: Target) -> bool:
    return connection.execute(select(targets.c.target).where(*_is(target))).first() is not None


def _is(target: Target) -> tuple[ColumnElement[bool], ...]:
    return tuple(targets.c[name] == value for name, value in target._asdict().items())


def _told(target: Target) -> str:
    return f"{target.kind} {target.target}"
