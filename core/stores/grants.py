"""Grants in the state database: which role an account has at which unit. The centre is the only writer."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from core import audit
from core.errors import NotFoundError
from core.scope import Grant
from core.stores.tables import grants


def grants_of(connection: Connection, name: str | None = None) -> dict[str, tuple[Grant, ...]]:
    """The grants of this account, or of all, by the account's name."""
    query = select(grants).order_by(grants.c.role, grants.c.unit)
    found: dict[str, tuple[Grant, ...]] = {}
    for row in connection.execute(query if name is None else query.where(grants.c.user == name)):
        found[row.user] = (*found.get(row.user, ()), Grant(row.role, row.unit))
    return found


def put_grant(connection: Connection, now: int, actor: str, name: str, grant: Grant) -> bool:
    """Gives the account the role at the unit; returns whether it had not been so before."""
    if grant in grants_of(connection, name).get(name, ()):
        return False
    row = {"user": name, "role": grant.role, "unit": grant.unit, "time": now, "actor": actor}
    connection.execute(insert(grants).values(row))
    audit.append(connection, now, actor, "user.grant", f"user/{name}", _text(grant))
    return True


def remove_grant(connection: Connection, now: int, actor: str, name: str, grant: Grant) -> None:
    """Takes the role at the unit away.

    Raises:
        NotFoundError: the account does not have it.
    """
    wanted = (grants.c.user == name) & (grants.c.role == grant.role) & (grants.c.unit == grant.unit)
    if not connection.execute(delete(grants).where(wanted)).rowcount:
        raise NotFoundError(f"'{name}' has no role {_text(grant)}")
    audit.append(connection, now, actor, "user.revoke", f"user/{name}", _text(grant))


def replace_grants(connection: Connection, now: int, actor: str, name: str, wanted: Iterable[Grant]) -> None:
    """Makes what this actor granted to the account equal to what is wanted; what others granted stays."""
    rows = connection.execute(select(grants).where((grants.c.user == name) & (grants.c.actor == actor)))
    given = {Grant(row.role, row.unit) for row in rows}
    for grant in sorted(given - set(wanted)):
        remove_grant(connection, now, actor, name, grant)
    for grant in sorted(set(wanted) - given):
        put_grant(connection, now, actor, name, grant)


def roles_text(given: Iterable[Grant]) -> str:
    """Roles, each with its unit: ``analyst (vks-tha), viewer``."""
    return ", ".join(f"{one.role} ({one.unit})" if one.unit else one.role for one in given)


def _text(grant: Grant) -> str:
    return f"{grant.role} at {grant.unit or 'the whole sector'}"
