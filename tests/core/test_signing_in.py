"""Signing in by password, by code, and vouched for; every way in is written down."""

from __future__ import annotations

import pyotp
import pytest
from argon2 import PasswordHasher

from core import audit
from core.clock import SECOND
from core.errors import IntegrityError, RefusedError
from core.scope import Grant
from core.stores import signing_in, users
from core.stores.grants import put_grant
from core.stores.signing_in import LOCKED, NO_ROLE, STEP_SECONDS, Identity
from core.stores.tables import users as table
from core.stores.users import NewUser
from core.vault import Vault

GOOD = "một câu dài dễ nhớ"
STEP = STEP_SECONDS * SECOND
ISSUER = "https://id.example"
HUONG = Identity(issuer=ISSUER, subject="248289761001", name="huong")
ANALYST, VIEWER, UNIT = Grant("analyst"), Grant("viewer"), Grant("viewer", "tha")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Hashes with the least work, so that tests are quick."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "secrets")


@pytest.fixture
def lan(connection):
    """A user's one-time password."""
    return users.add_user(connection, 1, "admin", NewUser(name="lan", grant=ANALYST))


@pytest.fixture
def totp(connection, vault, lan, now):  # noqa: ARG001 - whose it is
    """The telephone of lan, whose second factor is in use."""
    made = pyotp.TOTP(signing_in.begin_factor(connection, vault, now, "lan"))
    signing_in.confirm_factor(connection, vault, now, "lan", at(made, now))
    return made


def sign_in(connection, now, name, password, address=""):
    right = users.password_fits(connection, name, password)
    return signing_in.sign_in(connection, now, name, right=right, address=address)


def at(totp, now):
    return totp.at(now // SECOND)


def said(connection):
    return [(entry.actor, entry.action, entry.object) for entry in audit.read_chain(connection)]


def details(connection):
    return [entry.detail for entry in audit.read_chain(connection)]


def test_five_wrong_passwords_in_a_row_lock_the_account(connection, lan):
    for _ in range(5):
        assert sign_in(connection, 2, "lan", "wrong") is None
    assert sign_in(connection, 3, "lan", lan) is None
    assert not users.read_user(connection, "lan").disabled
    assert sign_in(connection, 2 + LOCKED - 1, "lan", lan) is None
    assert sign_in(connection, 2 + LOCKED, "lan", lan) is not None


def test_a_right_password_forgives_the_wrong_ones_before_it(connection, lan):
    for _ in range(3):
        for _ in range(4):
            assert sign_in(connection, 2, "lan", "wrong") is None
        assert sign_in(connection, 3, "lan", lan) is not None


def test_attempts_enter_the_audit_chain_but_not_names_that_nobody_has(connection, lan):
    before = len(said(connection))
    sign_in(connection, 2, "lan", lan)
    sign_in(connection, 3, "lan", "wrong")
    sign_in(connection, 4, "mật-khẩu-gõ-nhầm-ô", "wrong")
    assert said(connection)[before:] == [("lan", "session.begin", "user/lan"), ("lan", "session.refused", "user/lan")]


def test_who_is_disabled_may_not_sign_in(connection, lan):
    users.disable_user(connection, 2, "admin", "lan")
    assert sign_in(connection, 3, "lan", lan) is None


def test_the_last_sign_in_is_kept(connection, lan):
    sign_in(connection, 7, "lan", lan)
    sign_in(connection, 8, "lan", "wrong")
    assert users.read_user(connection, "lan").seen == 7


def test_a_wallboard_signs_in_at_its_address_alone(connection):
    new = NewUser(name="bang", grant=Grant("wallboard"), address="192.0.2.7")
    password = users.add_user(connection, 1, "admin", new)
    assert sign_in(connection, 2, "bang", password, "192.0.2.8") is None
    assert details(connection)[-1] == "from 192.0.2.8"
    signed_in = sign_in(connection, 3, "bang", password, "192.0.2.7")
    assert not signed_in.must_change


def test_an_account_whose_stored_password_is_broken_stays_closed(connection, lan):
    connection.execute(table.update().values(password="broken"))
    assert sign_in(connection, 2, "lan", lan) is None


@pytest.mark.usefixtures("lan")
def test_a_second_factor_counts_from_its_first_code_on(connection, vault, now):
    totp = pyotp.TOTP(signing_in.begin_factor(connection, vault, now, "lan"))
    assert users.read_user(connection, "lan").factor == "pending"
    with pytest.raises(RefusedError, match="the code is wrong"):
        signing_in.confirm_factor(connection, vault, now, "lan", "000000")
    assert signing_in.sign_in_by_code(connection, vault, now, "lan", at(totp, now)) is None
    assert signing_in.confirm_factor(connection, vault, now, "lan", at(totp, now)).factor == "on"


@pytest.mark.usefixtures("lan")
def test_a_new_secret_takes_the_place_of_one_that_waits(connection, vault, now):
    first = pyotp.TOTP(signing_in.begin_factor(connection, vault, now, "lan"))
    second = pyotp.TOTP(signing_in.begin_factor(connection, vault, now, "lan"))
    assert first.secret != second.secret
    with pytest.raises(RefusedError):
        signing_in.confirm_factor(connection, vault, now, "lan", at(first, now))
    signing_in.confirm_factor(connection, vault, now, "lan", at(second, now))


@pytest.mark.usefixtures("totp")
def test_with_a_second_factor_the_password_alone_is_no_sign_in(connection, lan, now):
    before = said(connection)
    assert sign_in(connection, now, "lan", lan).factor == "on"
    assert said(connection) == before
    assert users.read_user(connection, "lan").seen == 0


def test_a_code_signs_in_once(connection, vault, totp, now):
    later = now + STEP
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", at(totp, later)).name == "lan"
    assert said(connection)[-1] == ("lan", "session.begin", "user/lan")
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", at(totp, later)) is None
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", at(totp, now)) is None  # nor an earlier one


def test_the_code_that_confirmed_it_does_not_sign_in(connection, vault, totp, now):
    assert signing_in.sign_in_by_code(connection, vault, now, "lan", at(totp, now)) is None


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephones_clock_may_be_a_step_off(connection, vault, totp, now, steps, taken):
    later = now + 10 * STEP
    code = at(totp, later + steps * STEP)
    assert (signing_in.sign_in_by_code(connection, vault, later, "lan", code) is not None) is taken


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "abcdef", "0" * 300])
@pytest.mark.usefixtures("totp")
def test_what_is_no_code_is_a_wrong_one(connection, vault, now, code):
    assert signing_in.sign_in_by_code(connection, vault, now + STEP, "lan", code) is None


def test_a_code_may_be_typed_with_a_space(connection, vault, totp, now):
    code = at(totp, now + STEP)
    assert signing_in.sign_in_by_code(connection, vault, now + STEP, "lan", f"{code[:3]} {code[3:]}") is not None


def test_five_wrong_codes_lock_the_account_for_password_and_code(connection, vault, lan, totp, now):
    later = now + STEP
    for _ in range(5):
        assert signing_in.sign_in_by_code(connection, vault, later, "lan", "000000") is None
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", at(totp, later)) is None
    assert sign_in(connection, later, "lan", lan) is None
    later += LOCKED
    assert sign_in(connection, later, "lan", lan) is not None
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", at(totp, later)) is not None


@pytest.mark.usefixtures("totp")
def test_a_right_password_does_not_forgive_wrong_codes(connection, vault, lan, now):
    later = now + STEP
    for _ in range(4):
        assert signing_in.sign_in_by_code(connection, vault, later, "lan", "000000") is None
        assert sign_in(connection, later, "lan", lan) is not None
    assert signing_in.sign_in_by_code(connection, vault, later, "lan", "000000") is None
    assert sign_in(connection, later, "lan", lan) is None


@pytest.mark.usefixtures("totp")
def test_refused_codes_enter_the_audit_chain_without_the_code(connection, vault, now):
    signing_in.sign_in_by_code(connection, vault, now, "lan", "987654")
    assert said(connection)[-1] == ("lan", "session.refused", "user/lan")
    assert not any("987654" in detail for detail in details(connection))


def test_the_secret_lies_sealed_in_the_row_and_nowhere_else(connection, vault, totp):
    row = connection.execute(table.select()).one()
    assert all(
        totp.secret.encode() not in (value if isinstance(value, bytes) else str(value).encode()) for value in row
    )
    assert not any(totp.secret in detail for detail in details(connection))
    assert vault.decrypt(row.totp, "totp/lan").decode() == totp.secret


def test_one_accounts_sealed_secret_is_of_no_use_in_anothers_row(connection, vault, totp, now):
    users.add_user(connection, 1, "admin", NewUser(name="minh", grant=ANALYST))
    sealed = connection.execute(table.select().where(table.c.name == "lan")).one().totp
    connection.execute(table.update().where(table.c.name == "minh").values(totp=sealed, totp_used=1))
    with pytest.raises(IntegrityError):
        signing_in.sign_in_by_code(connection, vault, now + STEP, "minh", at(totp, now + STEP))


def test_a_second_factor_is_taken_away_by_a_reset_alone(connection, vault, totp, now):
    with pytest.raises(RefusedError, match="has a second factor already"):
        signing_in.begin_factor(connection, vault, now, "lan")
    users.reset_user(connection, now, "admin", "lan")
    assert users.read_user(connection, "lan").factor == ""
    assert signing_in.sign_in_by_code(connection, vault, now + STEP, "lan", at(totp, now + STEP)) is None
    assert signing_in.begin_factor(connection, vault, now, "lan")


@pytest.mark.usefixtures("lan")
def test_nothing_is_confirmed_that_does_not_wait(connection, vault, totp, now):
    with pytest.raises(RefusedError, match="no second factor that waits"):
        signing_in.confirm_factor(connection, vault, now + STEP, "lan", at(totp, now + STEP))


def test_who_is_vouched_for_gets_an_account_at_the_first_time(connection, vault):
    user = signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    assert (user.name, user.grants, user.issuer, user.must_change) == ("huong", (ANALYST,), ISSUER, False)
    assert said(connection)[-3:] == [
        ("huong", "user.add", "user/huong"),
        (f"oidc:{ISSUER}", "user.grant", "user/huong"),
        ("huong", "session.begin", "user/huong"),
    ]
    with pytest.raises(RefusedError, match="no second factor here"):
        signing_in.begin_factor(connection, vault, 3, "huong")


def test_a_vouched_account_is_known_by_its_subject_whatever_its_name(connection):
    signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    renamed = Identity(issuer=ISSUER, subject=HUONG.subject, name="huong_moi")
    assert signing_in.sign_in_vouched(connection, 3, renamed, [ANALYST]).name == "huong"
    assert users.count_users(connection) == 1


@pytest.mark.parametrize(
    "other",
    [
        Identity(issuer=ISSUER, subject="2", name="huong"),
        Identity(issuer="https://b.example", subject="1", name="huong"),
    ],
)
def test_nobody_takes_over_the_account_of_another(connection, other):
    signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    with pytest.raises(RefusedError, match="already a user 'huong'"):
        signing_in.sign_in_vouched(connection, 3, other, [ANALYST])


def test_nobody_takes_over_a_local_account(connection, lan):
    with pytest.raises(RefusedError, match="already a user 'lan'"):
        signing_in.sign_in_vouched(connection, 2, Identity(issuer=ISSUER, subject="1", name="lan"), [ANALYST])
    assert users.read_user(connection, "lan").issuer == ""
    assert sign_in(connection, 3, "lan", lan) is not None


def test_no_password_opens_a_vouched_account(connection):
    signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    assert sign_in(connection, 3, "huong", "") is None


def test_whoever_has_no_role_leaves_no_account_behind(connection):
    assert signing_in.sign_in_vouched(connection, 2, HUONG, []) == NO_ROLE
    assert users.count_users(connection) == 0


def test_grants_follow_the_groups_and_what_others_granted_stays(connection):
    signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    put_grant(connection, 3, "admin", "huong", UNIT)
    assert signing_in.sign_in_vouched(connection, 4, HUONG, [VIEWER]).grants == (VIEWER, UNIT)
    assert signing_in.sign_in_vouched(connection, 5, HUONG, []).grants == (UNIT,)


def test_other_sessions_end_when_groups_grant_less(connection):
    first = signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST, VIEWER])
    same = signing_in.sign_in_vouched(connection, 3, HUONG, [VIEWER, ANALYST, UNIT])
    assert same.session == first.session
    assert signing_in.sign_in_vouched(connection, 4, HUONG, [VIEWER]).session > first.session


def test_who_lost_all_roles_is_refused_and_signed_out(connection):
    first = signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    assert signing_in.sign_in_vouched(connection, 3, HUONG, []) == NO_ROLE
    assert users.read_user(connection, "huong").session > first.session
    assert details(connection)[-1] == NO_ROLE


def test_a_disabled_account_is_not_opened_by_its_provider(connection):
    signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST])
    users.disable_user(connection, 3, "admin", "huong")
    assert signing_in.sign_in_vouched(connection, 4, HUONG, [ANALYST]) == "the account is disabled"


def test_a_fault_of_the_grants_refuses_and_is_written_down(connection):
    refused = signing_in.sign_in_vouched(connection, 2, HUONG, [ANALYST], lambda user: f"no {user.roles[0]}")
    assert refused == "no analyst"
    assert said(connection)[-1] == ("huong", "session.refused", "user/huong")
