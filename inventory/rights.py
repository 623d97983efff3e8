"""Who may do what, and see which sites: the one place where rights are decided. What is not named is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from inventory.records import Inventory

_ALLOWED = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset({"read", "incident.write"}),
    "administrator": frozenset({"read", "incident.write", "users.write", "audit.read"}),
}

ROLES = tuple(_ALLOWED)
"""The roles, in rising order."""


def may(role: str, action: str) -> bool:
    """Whether a user of this role may take this action; an unknown role or action may not."""
    return action in _ALLOWED.get(role, frozenset())


def scope_of(inventory: Inventory, unit_id: str) -> Scope:
    """What a user of this unit sees: the sites of the unit and of all below it.

    The supreme unit sees everything, also what belongs to no known site; an unknown unit sees nothing.
    """
    unit = inventory.unit(unit_id)
    if unit is None:
        return Scope(sites=frozenset())
    if unit.type == "supreme":
        return EVERYTHING
    units = {unit_id}
    for _ in inventory.units:
        below = {unit.id for unit in inventory.units if unit.parent in units}
        if below <= units:
            break
        units |= below
    return Scope(sites=frozenset(site.id for site in inventory.sites if site.unit in units))
