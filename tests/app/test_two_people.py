"""What needs two people: asked by one, done once another approves it, never by one alone."""

from __future__ import annotations

import pytest

from app.callers import Caller
from core import audit
from core.clock import HOUR
from core.scope import EVERYTHING, Grant
from core.stores import requests, users
from core.stores.grants import put_grant, remove_grant
from core.stores.tables import audit as chain
from core.stores.users import NewUser

GRANT = {"name": "moi", "role": "administrator"}
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def _people(centre, add_user):
    """Two administrators, approvers of the sector and of a province, an analyst; ``moi`` has no right yet."""
    add_user(centre, "quantri", "administrator")
    add_user(centre, "quantri2", "administrator")
    add_user(centre, "quantri_tha", "administrator", "vks-tha")
    add_user(centre, "duyet", "approver")
    add_user(centre, "duyet_tha", "approver", "vks-tha")
    add_user(centre, "an", "analyst")
    add_user(centre, "moi", "viewer")
    centre.change(lambda connection, now: remove_grant(connection, now, "test", "moi", Grant("viewer")))


@pytest.fixture
def ask(door):
    """Has an action done in the name of a user of the console; ``user`` ``local`` is this machine's root."""

    def asking(user, action, /, **values):
        if user == "local":
            door.caller = Caller("local:root", "local")
            return door.ask(action, values)
        return door.ask(action, values, console=True, actor=user)

    return asking


@pytest.fixture
def grants_of(centre):
    return lambda name: centre.read(lambda connection: users.read_user(connection, name)).grants


@pytest.fixture
def request_of(centre):
    return lambda number=1: centre.read(lambda connection: requests.read(connection, number))


@pytest.fixture
def actions_of(centre):
    """What was done, by the audit chain, since the accounts were made."""

    def look():
        rows = centre.read(lambda connection: connection.execute(chain.select().order_by(chain.c.seq)).all())
        return [(row.actor, row.action, row.object) for row in rows if row.actor not in {"test", "haidang"}]

    return look


def test_an_administrator_is_made_by_two_people(ask, grants_of, actions_of, request_of):
    assert ask("quantri", "users.grant", **GRANT).json() == {"request": 1}
    assert grants_of("moi") == ()
    answer = ask("duyet", "requests.approve", id=1, text="đúng người")
    assert answer.json() == {"request": 1, "name": "moi", "changed": True}
    assert grants_of("moi") == (Grant("administrator"),)
    assert (request_of().state, request_of().decided_by, request_of().answer) == ("approved", "duyet", "đúng người")
    assert actions_of() == [
        ("quantri", "request.ask", "request/1"),
        ("quantri", "user.grant", "user/moi"),
        ("quantri", "session.end", "user/moi"),
        ("duyet", "request.approve", "request/1"),
    ]


def test_asking_tries_it_and_leaves_nothing_behind(ask, centre, grants_of):
    before = centre.read(audit.head).seq
    ask("quantri", "users.grant", **GRANT)
    assert grants_of("moi") == ()
    assert centre.read(audit.head).seq == before + 1  # the request alone


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "nobody", "role": "administrator"}, "there is no user 'nobody'"),
        (
            {"name": "an", "role": "administrator"},
            "the role administrator goes with no other: use an account of its own",
        ),
        ({"name": "moi", "role": "administrator", "unit": "moon"}, "there is no unit 'moon': see 'haidang units list'"),
        ({"name": "quantri", "role": "administrator"}, "nobody changes his own rights: ask another administrator"),
    ],
)
def test_what_could_not_be_done_is_not_even_asked_for(ask, centre, values, reason):
    assert ask("quantri", "users.grant", **values).json() == {"reason": reason}
    assert centre.read(lambda connection: requests.list_requests(connection, EVERYTHING)) == []


def test_a_new_account_waits_without_the_right_of_an_administrator(ask, grants_of):
    answer = ask("quantri", "users.add", name="nua", role="administrator").json()
    assert set(answer) == {"name", "password", "request"}
    assert grants_of("nua") == ()
    ask("duyet", "requests.approve", id=1)
    assert grants_of("nua") == (Grant("administrator"),)


def test_other_roles_need_one_person(ask, grants_of):
    assert ask("quantri", "users.grant", name="moi", role="viewer").json() == {"name": "moi", "changed": True}
    assert grants_of("moi") == (Grant("viewer"),)


@pytest.mark.parametrize("user", ["quantri", "quantri2", "an", "local"])
def test_who_is_no_approver_does_not_approve_not_even_root(ask, grants_of, user):
    ask("quantri", "users.grant", **GRANT)
    answer = ask(user, "requests.approve", id=1)
    assert (answer.status_code, "needs the right approve" in answer.json()["reason"]) == (409, True)
    assert grants_of("moi") == ()


def test_who_asked_does_not_approve_although_he_has_become_an_approver(ask, centre, grants_of):
    ask("quantri", "users.grant", **GRANT)

    def turn(connection, now):
        put_grant(connection, now, "test", "quantri", Grant("approver"))

    centre.change(turn)
    answer = ask("quantri", "requests.approve", id=1)
    assert answer.json()["reason"].startswith("what one asked for oneself another person decides")
    assert grants_of("moi") == ()


def test_what_root_asks_for_needs_a_person_as_well(ask, grants_of, request_of):
    assert ask("local", "users.grant", **GRANT).json() == {"request": 1}
    assert request_of().actor == "local:root"
    assert ask("duyet", "requests.approve", id=1).status_code == 200
    assert grants_of("moi") == (Grant("administrator"),)


def test_an_approver_decides_within_his_units_alone(ask, grants_of):
    ask("quantri", "users.grant", **GRANT)
    ask("quantri", "users.grant", **GRANT, unit="vks-nan")
    ask("quantri_tha", "users.add", name="moi_tha", role="administrator", unit="vks-tha")
    assert [one["id"] for one in ask("duyet_tha", "requests.list").json()["requests"]] == [3]
    for number in (1, 2):
        for verb in ("approve", "refuse"):
            answer = ask("duyet_tha", f"requests.{verb}", id=number)
            assert answer.json() == {"reason": "this concerns units that are not yours to decide on"}
    assert ask("duyet_tha", "requests.approve", id=3).status_code == 200
    assert grants_of("moi_tha") == (Grant("administrator", "vks-tha"),)
    assert [one["state"] for one in ask("duyet_tha", "requests.list").json()["requests"]] == ["approved"]


def test_a_refused_request_is_closed(ask, grants_of, request_of):
    ask("quantri", "users.grant", **GRANT)
    assert ask("duyet", "requests.refuse", id=1, text="chưa có quyết định").json() == {"request": 1}
    assert (request_of().state, request_of().answer) == ("refused", "chưa có quyết định")
    assert ask("duyet", "requests.approve", id=1).json() == {"reason": "request 1 is no longer open"}
    assert grants_of("moi") == ()


def test_who_asked_and_nobody_else_takes_it_back(ask, request_of):
    ask("quantri", "users.grant", **GRANT)
    refused = ask("quantri2", "requests.withdraw", id=1).json()["reason"]
    assert refused == "what one asked for oneself another person decides; only who asked takes it back"
    assert ask("quantri", "requests.withdraw", id=1).json() == {"request": 1}
    assert (request_of().state, request_of().decided_by) == ("refused", "quantri")
    assert ask("duyet", "requests.approve", id=1).status_code == 409


def test_after_seven_days_it_has_lapsed(ask, clock, grants_of):
    ask("quantri", "users.grant", **GRANT)
    clock.forward(7 * DAY)
    (waiting,) = ask("duyet", "requests.list").json()["requests"]
    assert waiting["state"] == "open"
    clock.forward(1)
    for user, verb in (("duyet", "approve"), ("duyet", "refuse"), ("quantri", "withdraw")):
        assert ask(user, f"requests.{verb}", id=1).json() == {"reason": "request 1 is no longer open"}
    (lapsed,) = ask("duyet", "requests.list").json()["requests"]
    assert lapsed["state"] == "lapsed"
    assert grants_of("moi") == ()


@pytest.mark.parametrize("loss", ["disable", "revoke", "reset"])
def test_what_its_asker_may_no_longer_do_is_not_done(ask, grants_of, loss):
    ask("quantri", "users.grant", **GRANT)
    values = {"name": "quantri"} | ({"role": "administrator"} if loss == "revoke" else {})
    assert ask("quantri2", f"users.{loss}", **values).status_code == 200
    answer = ask("duyet", "requests.approve", id=1)
    assert answer.json() == {"reason": "'quantri', who asked for it, may no longer do this"}
    assert grants_of("moi") == ()


CHANGES = {
    "reset": ("users.reset", {"name": "moi"}),
    "disabled": ("users.disable", {"name": "moi"}),
    "granted": ("users.grant", {"name": "moi", "role": "viewer"}),
}


@pytest.mark.parametrize(("action", "values"), CHANGES.values(), ids=CHANGES)
def test_it_lapses_when_the_account_is_changed_meanwhile(ask, grants_of, action, values):
    ask("quantri", "users.grant", **GRANT)
    assert ask("quantri2", action, **values).status_code == 200
    for user, verb in (("duyet", "approve"), ("duyet", "refuse"), ("quantri", "withdraw")):
        reason = "the account was changed after request 1 was made: it has lapsed, ask anew"
        assert ask(user, f"requests.{verb}", id=1).json() == {"reason": reason}
    (lapsed,) = ask("duyet", "requests.list").json()["requests"]
    assert lapsed["state"] == "lapsed"
    assert Grant("administrator") not in grants_of("moi")


OWED = {
    "added": lambda centre: act(centre, lambda c, now, by: users.add_user(c, now, by, NewUser(name="duyet2"))),
    "granted": lambda centre: act(centre, lambda c, now, by: put_grant(c, now, by, "duyet", Grant("viewer"))),
    "reset": lambda centre: act(centre, lambda c, now, by: users.reset_user(c, now, by, "duyet")),
}


def act(centre, work):
    centre.change(lambda connection, now: work(connection, now, "quantri"))


@pytest.mark.parametrize("owed", OWED.values(), ids=OWED)
def test_who_has_lately_made_the_approver_is_not_another_person(ask, centre, clock, grants_of, owed):
    owed(centre)
    approver = "duyet2" if centre.read(lambda c: "duyet2" in {user.name for user in users.list_users(c)}) else "duyet"

    def settle(connection, now):
        put_grant(connection, now, "test", approver, Grant("approver"))
        users.set_columns(connection, approver, must_change=0, totp=b"sealed", totp_used=1)

    centre.change(settle)
    ask("quantri", "users.grant", **GRANT)
    refused = ask(approver, "requests.approve", id=1).json()["reason"]
    assert refused.startswith("'quantri', who asked for it, has made, granted to or reset your account within 30 days")
    assert grants_of("moi") == ()
    clock.forward(30 * DAY)  # since then he has seen to it that it is his own
    ask("quantri", "users.grant", **GRANT)
    assert ask(approver, "requests.approve", id=2).json() == {"reason": refused}
    clock.forward(1)
    assert ask(approver, "requests.approve", id=2).status_code == 200


def test_another_administrators_approver_approves(ask, centre):
    centre.change(lambda connection, now: put_grant(connection, now, "quantri2", "duyet", Grant("viewer")))
    ask("quantri", "users.grant", **GRANT)
    assert ask("duyet", "requests.approve", id=1).status_code == 200


@pytest.mark.parametrize("unit", ["", "vks-tha"])
def test_an_approver_is_made_by_two_people_also_where_the_account_is_new(ask, grants_of, unit):
    wanted = {"role": "approver", "unit": unit}
    assert ask("quantri", "users.grant", name="moi", **wanted).json() == {"request": 1}
    assert ask("quantri", "users.add", name="nua", **wanted).json()["request"] == 2
    assert ask("local", "users.grant", name="moi", **wanted).json() == {"request": 3}
    assert (grants_of("moi"), grants_of("nua")) == ((), ())
    assert ask("duyet", "requests.approve", id=2).status_code == 200
    assert grants_of("nua") == (Grant("approver", unit),)


def test_this_machines_account_alone_appoints_the_first_approver_of_the_sector(ask, grants_of):
    ask("quantri", "users.disable", name="duyet")
    assert ask("quantri", "users.grant", name="moi", role="approver").json() == {"request": 1}
    assert ask("local", "users.grant", name="moi", role="approver", unit="vks-nan").json() == {"request": 2}
    assert ask("local", "users.grant", name="moi", role="approver").json() == {"name": "moi", "changed": True}
    assert grants_of("moi") == (Grant("approver"),)
    assert ask("local", "users.add", name="nua", role="approver").json()["request"] == 3


@pytest.mark.parametrize(("action", "body"), [("users.forget", b"{}"), ("users.grant", b"no values")])
def test_what_this_version_cannot_read_is_listed_and_refused_but_not_done(ask, centre, action, body):
    asked = requests.Asked(action, body, "")
    centre.change(lambda connection, now: requests.put(connection, now, "quantri", asked))
    (shown,) = ask("duyet", "requests.list").json()["requests"]
    assert (shown["action"], shown["values"]) == (action, {})
    reason = "request 1 is of another version of the platform: refuse it, have it asked anew"
    assert ask("duyet", "requests.approve", id=1).json() == {"reason": reason}
    assert ask("duyet", "requests.refuse", id=1).json() == {"request": 1}


def test_approvers_see_all_requests_others_their_own(ask):
    ask("quantri", "users.grant", **GRANT)
    ask("quantri2", "users.grant", **GRANT)

    def seen(user):
        return [one["id"] for one in ask(user, "requests.list").json()["requests"]]

    assert (seen("duyet"), seen("quantri"), seen("an")) == ([2, 1], [1], [])
    (first,) = ask("quantri", "requests.list").json()["requests"]
    assert first["values"] == {"name": "moi", "role": "administrator"}
