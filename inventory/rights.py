"""Who may do what: the one place where rights are decided. What is not named is not allowed."""

from __future__ import annotations

_ALLOWED = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset({"read", "incident.write"}),
    "administrator": frozenset({"read", "incident.write", "users.write", "rules.write", "logs.write"}),
}

ROLES = tuple(_ALLOWED)
"""The roles, in rising order."""


def may(role: str, action: str) -> bool:
    """Whether a user of this role may take this action; an unknown role or action may not."""
    return action in _ALLOWED.get(role, frozenset())
