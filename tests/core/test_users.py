from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from core import audit
from core.errors import NotFoundError, RefusedError
from core.stores import users
from core.stores.tables import users as table

GOOD = "một câu dài dễ nhớ"


def sign_in(connection, now, name, password):
    return users.sign_in(connection, now, name, right=users.password_fits(connection, name, password))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Hashes with the least work, so that tests are quick."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def lan(connection):
    """A user's one-time password."""
    return users.add_user(connection, 1, "admin", "lan", "operator")


def said(connection):
    return [(entry.actor, entry.action, entry.object) for entry in audit.read_chain(connection)]


def test_a_one_time_password_works_once_it_must_be_changed(connection, lan):
    signed_in = sign_in(connection, 2, "lan", lan)
    assert signed_in.must_change
    users.change_password(connection, 3, "lan", GOOD)
    assert sign_in(connection, 4, "lan", lan) is None
    again = sign_in(connection, 5, "lan", GOOD)
    assert (again.must_change, again.role) == (False, "operator")


def test_a_one_time_password_is_stored_nowhere(connection, lan):
    stored = connection.execute(table.select()).one()
    assert stored.password.startswith("$argon2id$")
    assert all(lan not in str(value) for value in stored)
    assert all(lan not in entry.detail for entry in audit.read_chain(connection))


def test_no_two_one_time_passwords_are_equal(connection):
    given = {users.add_user(connection, 1, "admin", f"user{number}", "operator") for number in range(20)}
    assert len(given) == 20
    assert {len(password) for password in given} == {19}


def test_five_wrong_passwords_in_a_row_lock_the_account(connection, lan):
    for _ in range(5):
        assert sign_in(connection, 2, "lan", "wrong") is None
    assert sign_in(connection, 3, "lan", lan) is None
    assert not users.read_user(connection, "lan").disabled
    assert sign_in(connection, 2 + users.LOCKED - 1, "lan", lan) is None
    assert sign_in(connection, 2 + users.LOCKED, "lan", lan) is not None


def test_a_right_password_forgives_the_wrong_ones_before_it(connection, lan):
    for _ in range(3):
        for _ in range(4):
            assert sign_in(connection, 2, "lan", "wrong") is None
        assert sign_in(connection, 3, "lan", lan) is not None


def test_a_reset_opens_a_locked_account_with_a_new_password(connection, lan):
    for _ in range(5):
        sign_in(connection, 2, "lan", "wrong")
    fresh = users.reset_user(connection, 3, "admin", "lan")
    assert sign_in(connection, 4, "lan", lan) is None
    assert sign_in(connection, 5, "lan", fresh).must_change


def test_attempts_enter_the_audit_chain_but_not_names_that_nobody_has(connection, lan):
    sign_in(connection, 2, "lan", lan)
    sign_in(connection, 3, "lan", "wrong")
    sign_in(connection, 4, "mật-khẩu-gõ-nhầm-ô", "wrong")
    assert said(connection) == [
        ("admin", "user.add", "user/lan"),
        ("lan", "session.begin", "user/lan"),
        ("lan", "session.refused", "user/lan"),
    ]


ENDS = {
    "disable": lambda connection: users.disable_user(connection, 9, "admin", "lan"),
    "reset": lambda connection: users.reset_user(connection, 9, "admin", "lan"),
    "a new password": lambda connection: users.change_password(connection, 9, "lan", GOOD),
}


@pytest.mark.parametrize("action", ENDS.values(), ids=ENDS)
def test_sessions_end(connection, lan, action):
    before = sign_in(connection, 2, "lan", lan).session
    action(connection)
    assert users.read_user(connection, "lan").session > before


def test_who_is_disabled_may_not_sign_in(connection, lan):
    users.disable_user(connection, 2, "admin", "lan")
    assert sign_in(connection, 3, "lan", lan) is None


@pytest.mark.parametrize("password", ["", "x" * 11])
def test_a_short_password_is_refused(connection, lan, password):
    with pytest.raises(RefusedError, match="at least 12 characters"):
        users.change_password(connection, 2, "lan", password)
    assert sign_in(connection, 3, "lan", lan) is not None


@pytest.mark.parametrize("name", ["", "a b", "lan!", "1lan", "nguyễn", "../x", "lan\n"])
def test_a_name_that_is_no_plain_word_is_refused(connection, name):
    with pytest.raises(RefusedError, match="use letters, digits and _"):
        users.add_user(connection, 1, "admin", name, "operator")
    assert users.count_users(connection) == 0


def test_a_name_is_given_once(connection, lan):
    with pytest.raises(RefusedError, match="already a user 'lan'"):
        users.add_user(connection, 2, "admin", "lan", "viewer")
    assert sign_in(connection, 3, "lan", lan).role == "operator"


def test_accounts_are_listed_by_name(connection):
    for name in ("minh", "an", "hoa"):
        users.add_user(connection, 1, "admin", name, "viewer")
    assert [user.name for user in users.list_users(connection)] == ["an", "hoa", "minh"]
    assert users.count_users(connection) == 3


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


def test_an_account_whose_stored_password_is_broken_stays_closed(connection, lan):
    connection.execute(table.update().values(password="broken"))
    assert sign_in(connection, 2, "lan", lan) is None
