"""Accounts and their passwords; signing in is in test_signing_in."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from core import audit
from core.errors import NotFoundError, RefusedError
from core.scope import Grant
from core.stores import users
from core.stores.grants import put_grant
from core.stores.signing_in import MOST_FAILURES, sign_in
from core.stores.tables import users as table
from core.stores.users import IDLE, NewUser

GOOD = "một câu dài dễ nhớ"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Hashes with the least work, so that tests are quick."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


def add(connection, name, role="analyst", now=1, **values):
    return users.add_user(connection, now, "admin", NewUser(name=name, grant=Grant(role), **values))


@pytest.fixture
def lan(connection):
    """A user's one-time password."""
    return add(connection, "lan")


def test_a_one_time_password_works_until_it_is_changed_and_must_be(connection, lan):
    assert users.password_fits(connection, "lan", lan)
    assert users.read_user(connection, "lan").must_change
    changed = users.change_password(connection, 3, "lan", GOOD)
    assert (changed.must_change, changed.roles) == (False, ("analyst",))
    assert not users.password_fits(connection, "lan", lan)
    assert users.password_fits(connection, "lan", GOOD)


def test_a_one_time_password_is_stored_nowhere(connection, lan):
    stored = connection.execute(table.select()).one()
    assert stored.password.startswith("$argon2id$")
    assert all(lan not in str(value) for value in stored)
    assert all(lan not in entry.detail for entry in audit.read_chain(connection))


def test_no_two_one_time_passwords_are_equal(connection):
    given = {add(connection, f"user{number}") for number in range(20)}
    assert len(given) == 20
    assert {len(password) for password in given} == {19}


def test_an_account_and_its_first_grant_enter_the_audit_chain(connection):
    add(connection, "lan")
    assert [(one.actor, one.action, one.object) for one in audit.read_chain(connection)] == [
        ("admin", "user.add", "user/lan"),
        ("admin", "user.grant", "user/lan"),
    ]


def test_a_reset_gives_a_new_password_and_opens_a_locked_account(connection, lan):
    for _ in range(MOST_FAILURES):
        sign_in(connection, 2, "lan", right=False)
    assert sign_in(connection, 3, "lan", right=True) is None
    fresh = users.reset_user(connection, 3, "admin", "lan")
    assert not users.password_fits(connection, "lan", lan)
    assert users.password_fits(connection, "lan", fresh)
    assert sign_in(connection, 4, "lan", right=True).must_change


ENDS = {
    "disable": lambda connection: users.disable_user(connection, 9, "admin", "lan"),
    "reset": lambda connection: users.reset_user(connection, 9, "admin", "lan"),
    "a new password": lambda connection: users.change_password(connection, 9, "lan", GOOD),
    "the end of all": lambda connection: users.end_sessions(connection, 9, "admin", "lan"),
}


@pytest.mark.usefixtures("lan")
@pytest.mark.parametrize("action", ENDS.values(), ids=ENDS)
def test_sessions_end(connection, action):
    before = users.read_user(connection, "lan").session
    action(connection)
    assert users.read_user(connection, "lan").session > before


@pytest.mark.parametrize("password", ["", "x" * 11])
def test_a_short_password_is_refused(connection, lan, password):
    with pytest.raises(RefusedError, match="at least 12 characters"):
        users.change_password(connection, 2, "lan", password)
    assert users.password_fits(connection, "lan", lan)


@pytest.mark.usefixtures("lan")
def test_the_present_password_is_no_new_one(connection):
    users.change_password(connection, 2, "lan", GOOD)
    with pytest.raises(RefusedError, match="the present one: choose another"):
        users.change_password(connection, 3, "lan", GOOD)


def test_who_has_no_password_of_his_own_changes_and_is_given_none(connection):
    users.add_vouched(connection, 1, "huong", "https://id.example", "1")
    add(connection, "bang", "wallboard", address="192.0.2.7")
    for name in ("huong", "bang"):
        with pytest.raises(RefusedError, match="no password that it could change"):
            users.change_password(connection, 2, name, GOOD)
    with pytest.raises(RefusedError, match=r"signs in by https://id\.example"):
        users.reset_user(connection, 2, "admin", "huong")


@pytest.mark.parametrize("name", ["", "a b", "lan!", "1lan", "nguyễn", "../x", "lan\n"])
def test_a_name_that_is_no_plain_word_is_refused(connection, name):
    with pytest.raises(RefusedError, match="use letters, digits and _"):
        add(connection, name)
    assert users.count_users(connection) == 0


@pytest.mark.usefixtures("lan")
def test_a_name_is_given_once(connection):
    with pytest.raises(RefusedError, match="already a user 'lan'"):
        add(connection, "lan", "viewer")
    assert users.read_user(connection, "lan").roles == ("analyst",)


def test_accounts_are_listed_by_name_with_what_they_were_granted(connection):
    for name in ("minh", "an", "hoa"):
        add(connection, name, "viewer")
    put_grant(connection, 2, "admin", "hoa", Grant("analyst", "tha"))
    listed = users.list_users(connection)
    assert [user.name for user in listed] == ["an", "hoa", "minh"]
    assert listed[1].grants == (Grant("analyst", "tha"), Grant("viewer"))
    assert users.count_users(connection) == 3


def test_an_account_that_nobody_uses_for_45_days_is_disabled(connection, now):
    add(connection, "old", now=now - IDLE - 1)
    add(connection, "busy", now=now - IDLE - 1)
    sign_in(connection, now - 1, "busy", right=True)
    add(connection, "new", now=now)
    add(connection, "bang", "wallboard", now=now - 2 * IDLE, address="192.0.2.7")
    assert users.disable_idle(connection, now) == ["old"]
    assert users.disable_idle(connection, now) == []
    assert [user.name for user in users.list_users(connection) if user.disabled] == ["old"]


def test_administrators_of_the_whole_sector_are_counted(connection):
    add(connection, "one", "administrator")
    add(connection, "two", "administrator")
    users.add_user(connection, 1, "admin", NewUser(name="local", grant=Grant("administrator", "tha")))
    users.disable_user(connection, 2, "one", "two")
    assert users.administrators(connection) == 1


UNKNOWN = {
    "read": lambda connection: users.read_user(connection, "nobody"),
    "reset": lambda connection: users.reset_user(connection, 1, "admin", "nobody"),
    "disable": lambda connection: users.disable_user(connection, 1, "admin", "nobody"),
    "change": lambda connection: users.change_password(connection, 1, "nobody", GOOD),
}


@pytest.mark.parametrize("action", UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_user_is_named(connection, action):
    with pytest.raises(NotFoundError, match="there is no user 'nobody'"):
        action(connection)


def test_the_last_administrator_is_not_disabled_for_idling(connection):
    for name in ("one", "two"):
        users.add_user(connection, 1, "test", NewUser(name=name, grant=Grant("administrator")))
    assert users.disable_idle(connection, 2 + users.IDLE) == ["one"]
    assert not users.read_user(connection, "two").disabled


def test_an_account_owes_itself_for_thirty_days_to_who_made_granted_to_or_reset_it(connection):
    add(connection, "lan")
    put_grant(connection, 1, "binh", "lan", Grant("viewer"))
    assert users.is_made_by(connection, users.MADE_LATELY + 1, "lan", "admin")
    assert users.is_made_by(connection, users.MADE_LATELY + 1, "lan", "binh")
    assert not users.is_made_by(connection, users.MADE_LATELY + 2, "lan", "admin")
    assert not users.is_made_by(connection, 2, "lan", "khac")
    users.reset_user(connection, users.MADE_LATELY, "khac", "lan")
    assert users.is_made_by(connection, users.MADE_LATELY + 2, "lan", "khac")


def test_an_account_is_ones_own_work_until_another_changes_it(connection):
    add(connection, "lan")
    assert users.is_made_by_alone(connection, "lan", "admin")
    assert not users.is_made_by_alone(connection, "lan", "binh")
    put_grant(connection, 1, "binh", "lan", Grant("viewer"))
    assert not users.is_made_by_alone(connection, "lan", "admin")


def test_an_approver_of_the_sector_counts_while_the_account_is_not_disabled(connection):
    add(connection, "lan", "approver")
    put_grant(connection, 1, "admin", add(connection, "o_tinh") and "o_tinh", Grant("approver", "vks-tha"))
    assert users.has_sector_approver(connection)
    users.disable_user(connection, 2, "admin", "lan")
    assert not users.has_sector_approver(connection)
