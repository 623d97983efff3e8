"""Who may do what, and where: the one place where rights are decided. What is not named is not allowed.

A grant is a role at a unit. It holds for the unit's subtree as it is today, and for the former units that those in it
took over from: a successor sees the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from core.scope import EVERYTHING, Grant, Scope

if TYPE_CHECKING:
    from core.stores.users import User
    from inventory.records import Inventory

_LOOK = frozenset({"inventory.read", "incident.read", "rules.read", "sources.read", "figures.read"})

_ALLOWED: dict[str, frozenset[str]] = {
    "viewer": _LOOK,
    "analyst": _LOOK | {"event.read", "incident.write"},
    "engineer": _LOOK | {"event.read", "rules.write", "logs.write", "inventory.write", "credentials.write"},
    "approver": _LOOK | {"approve"},
    "leader": _LOOK - {"rules.read"},
    "administrator": frozenset({"inventory.read", "users.read", "users.write", "retention.write"}),
    "auditor": frozenset({"inventory.read", "users.read", "audit.read"}),
    "wallboard": frozenset({"figures.read"}),
}

_APART = frozenset({"administrator", "auditor", "wallboard"})
"""Roles that go with no other: who gives rights does not use them, who audits has done nothing to audit."""

SECTOR_WIDE = frozenset({"rules.write", "logs.write", "credentials.write", "retention.write", "audit.read"})
"""Actions on what belongs to no single unit: only a grant for the whole sector allows them."""

SECOND_FACTOR = frozenset({"administrator", "engineer", "approver"})
"""Roles whose local accounts sign in with a second factor (TCVN 14423:2026, 6.6.2)."""

ROLES = tuple(_ALLOWED)

MOST_UNITS_TOLD = 15
"""Units that are named where a scope is told in words; with more, their number stands for the rest."""
MOST_LETTERS_OF_UNIT = 100

MACHINE = (Grant("machine"),)
"""Whoever has this machine's root account or the platform's own: what its files hold is open to it anyway, and what
it does is written down; but it approves nothing."""
_MACHINE_ACTIONS = frozenset().union(*_ALLOWED.values()) - {"approve"}


def may(grants: Iterable[Grant], action: str) -> bool:
    """Whether one of the grants allows the action somewhere; an unknown role or action does not."""
    return any(_allows(grant, action) for grant in grants)


def scope_of(grants: Iterable[Grant], action: str, inventory: Inventory, day: str) -> Scope:
    """Where the grants allow the action on this day: the sites and units, former ones among them.

    All of the sector is within a grant without a unit, or at the one supreme unit that stands above all on the day. Of
    several such units, and of one that has ended, none stands above all.
    """
    given, org = [grant.unit for grant in grants if _allows(grant, action)], inventory.org
    if any(not unit or unit == org.top(day) for unit in given):
        return EVERYTHING
    units = frozenset[str]().union(*(org.reach(unit, day) for unit in given))
    return Scope(sites=inventory.sites_of(units), units=units, over=units.union(*(org.path(one, day) for one in units)))


def granted(grants: Iterable[Grant], action: str) -> str:
    """Where the grants allow the action, in words: ``everything``, or the first of the units and how many there are."""
    units = sorted({grant.unit for grant in grants if _allows(grant, action)})
    if "" in units:
        return "everything"
    told = ", ".join(unit[:MOST_LETTERS_OF_UNIT] for unit in units[:MOST_UNITS_TOLD])
    return told if len(units) <= MOST_UNITS_TOLD else f"{told}, … ({len(units)} units)"


def sole_role(roles: Collection[str]) -> str:
    """A role among these that does not go with the others; empty if they go together."""
    return next((role for role in sorted(roles) if role in _APART), "") if len(set(roles)) > 1 else ""


def needs_second_factor(grants: Iterable[Grant]) -> bool:
    """Whether an account with these grants signs in with a second factor."""
    return any(grant.role in SECOND_FACTOR for grant in grants)


def is_settled(user: User) -> bool:
    """Whether the account signs in with all that its roles ask for; a provider sees to that itself."""
    return user.factor == "on" or bool(user.issuer) or not needs_second_factor(user.grants)


def _allows(grant: Grant, action: str) -> bool:
    if grant.role == "machine":
        return action in _MACHINE_ACTIONS
    return action in _ALLOWED.get(grant.role, frozenset()) and not (grant.unit and action in SECTOR_WIDE)
