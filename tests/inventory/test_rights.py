"""Who may do what is one table."""

from __future__ import annotations

import pytest

from inventory.rights import ROLES, may


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("read", {"viewer", "analyst", "administrator"}),
        ("incident.write", {"analyst", "administrator"}),
        ("users.write", {"administrator"}),
        ("rules.write", {"administrator"}),
        ("logs.write", {"administrator"}),
        ("delete.everything", set()),
    ],
)
def test_each_action_is_for_its_roles_and_no_other(action, allowed):
    assert {role for role in (*ROLES, "", "root") if may(role, action)} == allowed
