"""Quarterly reviews of accounts: begun, decided, signed; and accounts that nobody uses."""

from __future__ import annotations

import pytest

from core import audit
from core.clock import HOUR
from core.errors import NotFoundError, RefusedError
from core.scope import Grant
from core.stores import reviews, users
from core.stores.grants import put_grant, remove_grant, roles_text
from core.stores.reviews import ReviewRow, before, last_day, quarter_of
from core.stores.users import IDLE, NewUser

QUARTER = "2026-Q4"
DAY = 24 * HOUR


@pytest.fixture
def accounts(state, now):
    """An administrator and an analyst of one province."""
    with state.begin() as connection:
        users.add_user(connection, now, "test", NewUser(name="quantri", grant=Grant("administrator")))
        users.add_user(connection, now, "test", NewUser(name="an", grant=Grant("analyst", "vks-tha")))
        return users.list_users(connection)


@pytest.fixture
def begun(state, now, accounts):
    with state.begin() as connection:
        reviews.begin(connection, now, "quantri", QUARTER, accounts)


@pytest.fixture
def decide(state, now):
    def deciding(user, verdict="keep", actor="quantri", text=""):
        with state.begin() as connection:
            roles = roles_text(users.read_user(connection, user).grants)
            row = ReviewRow(user=user, roles=roles, verdict=verdict, text=text)
            reviews.decide(connection, now, actor, QUARTER, row)

    return deciding


@pytest.fixture
def sign(state, now):
    def signing(actor="duyet"):
        with state.begin() as connection:
            reviews.sign(connection, now, actor, QUARTER)

    return signing


@pytest.mark.parametrize(
    ("day", "quarter", "last", "earlier"),
    [
        ("2026-01-01", "2026-Q1", "2026-03-31", "2025-Q4"),
        ("2026-06-30", "2026-Q2", "2026-06-30", "2026-Q1"),
        ("2026-12-31", "2026-Q4", "2026-12-31", "2026-Q3"),
    ],
)
def test_a_day_is_in_a_quarter_at_whose_end_the_review_is_due(day, quarter, last, earlier):
    assert quarter_of(day) == quarter
    assert (last_day(quarter), before(quarter)) == (last, earlier)


@pytest.mark.usefixtures("begun")
def test_a_review_keeps_the_roles_as_they_were(state, now):
    with state.connect() as connection:
        review, rows = reviews.read_review(connection), reviews.read_rows(connection, QUARTER)
    assert (review.quarter, review.time, review.actor, review.signed) == (QUARTER, now, "quantri", 0)
    assert [(row.user, row.roles, row.verdict) for row in rows] == [
        ("an", "analyst (vks-tha)", ""),
        ("quantri", "administrator", ""),
    ]


@pytest.mark.usefixtures("begun")
def test_a_quarter_has_one_review(state, now, accounts):
    with state.begin() as connection, pytest.raises(RefusedError, match="the review of 2026-Q4 has begun already"):
        reviews.begin(connection, now, "quantri", QUARTER, accounts)


@pytest.mark.usefixtures("begun")
def test_a_verdict_may_be_taken_back_until_the_review_is_signed(state, decide, sign):
    decide("an", "disable", text="nghỉ việc")
    decide("an")
    decide("quantri", actor="binh")
    with state.connect() as connection:
        rows = {row.user: row for row in reviews.read_rows(connection, QUARTER)}
    assert (rows["an"].verdict, rows["an"].text, rows["an"].actor) == ("keep", "", "quantri")
    sign()
    with pytest.raises(RefusedError, match="the review of 2026-Q4 is signed"):
        decide("an", "disable")
    with pytest.raises(RefusedError, match="the review of 2026-Q4 is signed"):
        sign("khac")


@pytest.mark.usefixtures("begun")
def test_it_is_signed_once_every_account_has_a_verdict_by_who_decided_on_none(state, decide, sign, now):
    decide("an")
    with pytest.raises(RefusedError, match="1 accounts have no verdict yet, the first is 'quantri'"):
        sign()
    decide("quantri", actor="binh")
    decide("quantri", actor="khac")  # in place of binh's, who decided all the same
    for actor in ("quantri", "binh", "khac"):
        with pytest.raises(RefusedError, match="who decided on an account does not sign"):
            sign(actor)
    sign()
    with state.connect() as connection:
        review, entry = reviews.read_review(connection, QUARTER), audit.head(connection)
    assert (review.signed, review.signed_by) == (now, "duyet")
    assert entry
    assert (entry.actor, entry.action, entry.object) == ("duyet", "review.sign", f"review/{QUARTER}")


@pytest.mark.usefixtures("begun")
def test_accounts_and_roles_that_came_meanwhile_need_a_verdict_as_well(state, decide, sign, now):
    decide("an", "change", text="bớt vai trò")
    decide("quantri", actor="binh")
    with state.begin() as connection:
        users.add_user(connection, now, "test", NewUser(name="muon", grant=Grant("engineer")))
    with pytest.raises(RefusedError, match="1 accounts have no verdict yet, the first is 'muon'"):
        sign()
    decide("muon")
    with state.begin() as connection:
        put_grant(connection, now, "test", "muon", Grant("approver"))
        remove_grant(connection, now, "test", "an", Grant("analyst", "vks-tha"))  # as it was decided
    with pytest.raises(RefusedError, match="1 accounts have other roles since their verdict, the first is 'muon'"):
        sign()
    decide("muon")
    sign()


@pytest.mark.usefixtures("begun")
def test_who_owes_his_account_to_who_decided_does_not_sign(state, decide, sign, now):
    with state.begin() as connection:
        users.add_user(connection, now, "quantri", NewUser(name="duyet", grant=Grant("approver")))
    for user in ("an", "duyet"):
        decide(user)
    decide("quantri", actor="binh")
    with pytest.raises(RefusedError, match="'quantri', who decided on accounts, has made, granted to or reset"):
        sign()


def test_without_a_review_the_reader_is_told_how_one_begins(state):
    with state.connect() as connection:
        with pytest.raises(NotFoundError, match="there is no review: begin one with"):
            reviews.read_review(connection)
        with pytest.raises(NotFoundError, match="there is no review of 2026-Q1"):
            reviews.read_review(connection, "2026-Q1")


@pytest.mark.usefixtures("accounts")
def test_accounts_that_nobody_uses_for_45_days_are_disabled_and_wallboards_stay(state, now):
    with state.begin() as connection:
        screen = NewUser(name="man_hinh", grant=Grant("wallboard"), address="10.1.0.9")
        users.add_user(connection, now, "test", screen)
        users.set_columns(connection, "quantri", seen=now + 10 * DAY)
        assert users.disable_idle(connection, now + IDLE) == []
        assert users.disable_idle(connection, now + IDLE + 1) == ["an"]
        assert users.disable_idle(connection, now + IDLE + 2) == []
        entry, user = audit.head(connection), users.read_user(connection, "an")
        assert users.disable_idle(connection, now + 100 * DAY) == []  # the last administrator
    assert entry
    assert (entry.action, entry.object, entry.detail) == ("user.disable", "user/an", "no sign-in for 45 days")
    assert user.disabled
    assert user.session == 2
