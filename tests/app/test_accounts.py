"""Whose an account is: what an administrator at a unit can do to it, and what it can be made."""

from __future__ import annotations

import pytest

from core import audit
from core.scope import Grant
from core.stores import users
from core.stores.grants import put_grant, remove_grant
from core.stores.signing_in import Identity, sign_in_vouched

NOT_HIS = "there is no user '{}' whose rights are all within your units"
ON_AN_ACCOUNT = {
    "users.grant": {"role": "viewer", "unit": "vks-tha"},
    "users.revoke": {"role": "viewer", "unit": "vks-tha"},
    "users.reset": {},
    "users.disable": {},
    "users.enable": {},
    "users.signout": {},
}


@pytest.fixture(autouse=True)
def _people(centre, add_user):
    add_user(centre, "quantri", "administrator")
    add_user(centre, "quantri2", "administrator")
    add_user(centre, "quantri_tha", "administrator", "vks-tha")
    add_user(centre, "duyet", "approver")
    add_user(centre, "an", "analyst")
    add_user(centre, "xem_tha", "viewer", "vks-tha")


@pytest.fixture
def ask(door):
    return lambda user, action, /, **values: door.ask(action, values, console=True, actor=user)


@pytest.fixture
def user(centre):
    return lambda name: centre.read(lambda connection: users.read_user(connection, name))


@pytest.fixture
def entries(centre):
    """What is in the chain of an account: by whom, and what."""

    def look(name):
        chain = centre.read(lambda connection: list(audit.read_chain(connection)))
        return [(one.actor, one.action) for one in chain if one.object == f"user/{name}"]

    return look


@pytest.mark.parametrize("action", ON_AN_ACCOUNT)
def test_at_a_unit_nobody_touches_an_account_that_waits_to_become_administrator(ask, user, action):
    ask("quantri", "users.add", name="truong", role="administrator")
    before = user("truong")
    answer = ask("quantri_tha", action, name="truong", **ON_AN_ACCOUNT[action])
    assert (answer.status_code, answer.json()) == (404, {"reason": NOT_HIS.format("truong")})
    assert user("truong") == before
    assert ask("duyet", "requests.approve", id=1).status_code == 200


def test_at_a_unit_nobody_touches_an_own_account_for_which_more_is_asked(ask, user):
    made = ask("quantri_tha", "users.add", name="truong", role="administrator", unit="vks-tha").json()
    assert ask("quantri_tha", "users.reset", name="truong").status_code == 200  # it is his, and the request has lapsed
    assert ask("quantri", "users.grant", name="truong", role="administrator").json() == {"request": made["request"] + 1}
    assert ask("quantri_tha", "users.reset", name="truong").json() == {"reason": NOT_HIS.format("truong")}
    assert user("truong").grants == ()


@pytest.mark.parametrize("action", ON_AN_ACCOUNT)
def test_an_account_without_grants_is_nobodys_at_a_unit(ask, centre, user, action):
    centre.change(lambda connection, now: remove_grant(connection, now, "quantri", "an", Grant("analyst")))
    before = user("an")
    answer = ask("quantri_tha", action, name="an", **ON_AN_ACCOUNT[action])
    assert (answer.status_code, answer.json()) == (404, {"reason": NOT_HIS.format("an")})
    assert user("an") == before
    if action != "users.revoke":
        assert ask("quantri", action, name="an", **ON_AN_ACCOUNT[action]).status_code in {200, 409}


@pytest.mark.parametrize("action", ON_AN_ACCOUNT)
def test_at_a_unit_an_account_that_is_not_there_is_told_as_one_of_others(ask, action):
    told = [ask("quantri_tha", action, name=name, **ON_AN_ACCOUNT[action]) for name in ("an", "nobody")]
    assert [(one.status_code, one.json()["reason"]) for one in told] == [
        (404, NOT_HIS.format(name)) for name in ("an", "nobody")
    ]


def test_at_a_unit_a_unit_that_is_not_there_is_told_as_one_of_others(ask):
    told = [ask("quantri_tha", "users.add", name="moi", role="viewer", unit=unit) for unit in ("vks-nan", "moon", "")]
    assert {one.json()["reason"] for one in told} == {
        "rights are given within one's own units only: see 'haidang units list'"
    }


def test_who_may_work_on_an_incident_says_nothing_of_who_is_there(ask, centre, add_user):
    add_user(centre, "pt_tha", "analyst", "vks-tha")
    ask("pt_tha", "incidents.create", title="x", site="tha")
    told = [ask("pt_tha", "incidents.assign", id=1, owner=name) for name in ("duyet", "nobody")]
    reasons = [one.json()["reason"].replace(name, "-") for one, name in zip(told, ("duyet", "nobody"), strict=True)]
    assert reasons == ["'-' cannot work on incidents: there is no such account with such a right here"] * 2


def test_at_a_unit_accounts_are_listed_with_what_they_have_within_it(ask, centre):
    centre.change(lambda connection, now: put_grant(connection, now, "quantri", "xem_tha", Grant("leader", "vks-nan")))
    listed = {one["name"]: one for one in ask("quantri_tha", "users.list").json()["users"]}
    assert set(listed) == {"quantri_tha", "xem_tha"}
    assert listed["xem_tha"]["grants"] == [{"role": "viewer", "unit": "vks-tha"}]
    assert listed["xem_tha"]["roles"] == "viewer (vks-tha)"
    whole = {one["name"]: one["roles"] for one in ask("quantri", "users.list").json()["users"]}
    assert whole["xem_tha"] == "leader (vks-nan), viewer (vks-tha)"


@pytest.mark.parametrize("who", ["quantri", "quantri_tha"])
def test_nobody_resets_himself(ask, user, who):
    before = user(who)
    answer = ask(who, "users.reset", name=who)
    assert answer.json() == {"reason": "nobody changes his own rights: ask another administrator"}
    assert user(who) == before


def test_an_openid_account_is_enabled_again(ask, centre, user, entries):
    huong = Identity(issuer="https://id.example", subject="1", name="huong")

    def come(connection, now):
        return sign_in_vouched(connection, now, huong, [Grant("viewer", "vks-tha")])

    centre.change(come)
    ask("quantri", "users.disable", name="huong")
    assert centre.change(come) == "the account is disabled"
    assert ask("quantri_tha", "users.enable", name="huong").json() == {"name": "huong"}
    assert entries("huong")[-1] == ("quantri_tha", "user.enable")
    assert ask("quantri", "users.enable", name="huong").json() == {"reason": "'huong' is not disabled"}
    assert centre.change(come).name == "huong"
    assert not user("huong").disabled


def test_a_local_account_is_enabled_by_a_reset_alone(ask, user):
    ask("quantri", "users.disable", name="an")
    reason = "'an' has a password here: a reset gives a new one and enables the account"
    assert ask("quantri", "users.enable", name="an").json() == {"reason": reason}
    assert user("an").disabled
    assert "password" in ask("quantri", "users.reset", name="an").json()
    assert not user("an").disabled


WALLBOARD = {"reason": "a wallboard has an account of its own, bound to its screen: add one with --address"}


@pytest.mark.parametrize("role", ["viewer", "analyst", "administrator"])
def test_a_wallboards_account_is_never_given_another_role(ask, user, role):
    tv = {"name": "tv1", "role": "wallboard", "unit": "vks-tha"}
    assert "password" in ask("quantri", "users.add", **tv, address="10.0.0.5").json()
    ask("quantri", "users.revoke", **tv)
    assert ask("quantri", "users.grant", name="tv1", role=role).json() == WALLBOARD
    assert user("tv1").grants == ()
    assert ask("quantri", "users.grant", **tv).json() == {"name": "tv1", "changed": True}


def test_a_persons_account_is_never_made_a_wallboard(ask, user):
    ask("quantri", "users.revoke", name="xem_tha", role="viewer", unit="vks-tha")
    assert ask("quantri", "users.grant", name="xem_tha", role="wallboard", unit="vks-tha").json() == WALLBOARD
    assert user("xem_tha").grants == ()


def test_a_review_is_not_signed_by_whom_a_decider_has_made(ask, centre):
    centre.change(lambda connection, now: put_grant(connection, now, "quantri", "duyet", Grant("viewer")))
    ask("quantri", "reviews.begin")
    for name in ("quantri2", "quantri_tha", "duyet", "an", "xem_tha"):
        assert ask("quantri", "reviews.decide", user=name, verdict="keep").status_code == 200
    ask("quantri2", "reviews.decide", user="quantri", verdict="keep")
    refused = ask("duyet", "reviews.sign").json()["reason"]
    assert refused.startswith("'quantri', who decided on accounts, has made, granted to or reset your account")
    for name in (
        "quantri2",
        "quantri_tha",
        "duyet",
        "an",
        "xem_tha",
    ):  # decided anew, and yet he has decided
        ask("quantri2", "reviews.decide", user=name, verdict="keep")
    assert ask("duyet", "reviews.sign").json()["reason"] == refused
