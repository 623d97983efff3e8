"""What the centre lets a provider vouch for, whatever the console says."""

from __future__ import annotations

import pytest

from core.scope import Grant
from core.stores.grants import put_grant
from core.stores.users import count_users, read_user

HUONG = {"issuer": "https://id.example", "subject": "1", "name": "huong"}


def vouch(door, *grants, **values):
    given = [{"role": role} for role in grants]
    return door.ask("session.vouched", {**HUONG, "grants": given, **values}, console=True)


def test_who_is_vouched_for_signs_in_with_what_the_groups_mean(door):
    answer = vouch(door, "analyst").json()
    assert (answer["name"], answer["grants"]) == ("huong", [{"role": "analyst", "unit": ""}])


@pytest.mark.parametrize("role", ["administrator", "wallboard", "machine", "nonsense"])
def test_no_group_means_what_only_people_give(door, reading, role):
    answer = vouch(door, role)
    assert answer.status_code == 409
    assert answer.json()["reason"] == f"the role {role} is not had by a group: see [console.oidc] in haidang.toml"
    with reading.connect() as connection:
        assert count_users(connection) == 0


def test_a_group_at_an_unknown_unit_means_nothing(door):
    answer = door.ask("session.vouched", {**HUONG, "grants": [{"role": "viewer", "unit": "nowhere"}]}, console=True)
    assert "there is no unit 'nowhere'" in answer.json()["reason"]


@pytest.mark.parametrize("role", ["engineer", "approver"])
def test_a_grave_role_signs_in_by_a_second_factor_alone(door, role):
    refused = vouch(door, role)
    assert (refused.status_code, refused.json()["reason"]) == (
        403,
        "your role needs a second factor, and the provider told of none",
    )
    assert vouch(door, role, factor=True).status_code == 200


def test_what_others_granted_needs_the_second_factor_too(door, centre):
    vouch(door, "viewer")
    centre.change(lambda connection, now: put_grant(connection, now, "admin", "huong", Grant("engineer")))
    assert vouch(door, "viewer").status_code == 403
    assert vouch(door, "viewer", factor=True).status_code == 200


def test_roles_that_go_with_no_other_do_not_come_by_groups_either(door):
    answer = vouch(door, "auditor", "analyst")
    assert answer.json()["reason"] == "the role auditor goes with no other: leave its group or the others"


def test_what_a_refused_sign_in_took_away_stays_away(door, reading):
    vouch(door, "analyst")
    assert vouch(door).status_code == 403
    with reading.connect() as connection:
        assert read_user(connection, "huong").grants == ()


def test_nobody_but_the_console_vouches(door):
    answer = door.ask("session.vouched", {**HUONG, "grants": [{"role": "analyst"}]})
    assert answer.json()["reason"] == "only the console does this"
