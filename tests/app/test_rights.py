"""Who may do what: every action there is, by every kind of caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.actions.accesses import OfAccess
from app.actions.accounts import OfGrant, OfNewUser, OfUser
from app.actions.calls import Nothing
from app.actions.credentials import OfCredential, OfDevice, OfSet, OfTarget
from app.actions.incidents import OfIncident, Report
from app.actions.inventory import OfRecords, OfRows
from app.actions.requests import OfRequest
from app.actions.retention import OfRetention
from app.actions.reviews import OfQuarter, OfVerdict
from app.actions.rules import OfPack, OfQuarantine, OfRules, OfVersion
from app.actions.sessions import Code, Credentials, Vouched
from app.actions.table import ACTIONS
from app.callers import Caller
from app.centre import Centre
from core.clock import HeldClock
from core.scope import Grant
from core.settings import Settings
from inventory.rights import ROLES, may

VALUES: dict[type, dict[str, object]] = {
    Credentials: {"name": "an", "password": "x" * 12},
    Report: {"title": "Mất mạng"},
    OfIncident: {"id": 1},
    OfUser: {"name": "moi"},
    OfNewUser: {"name": "moi"},
    OfGrant: {"name": "moi"},
    OfRequest: {"id": 1},
    Code: {"code": "123456"},
    Vouched: {"issuer": "https://a", "subject": "b", "name": "c"},
    Nothing: {},
    OfPack: {"name": "sigmahq", "content": ""},
    OfVersion: {"name": "sigmahq"},
    OfRules: {"rules": ["x"]},
    OfQuarantine: {"reason": "x"},
    OfVerdict: {"user": "moi", "verdict": "keep"},
    OfQuarter: {"quarter": "2026-Q4"},
    OfRetention: {"name": "events", "days": 365},
    OfRows: {"content": ""},
    OfRecords: {"keys": [["sites", "tha"]], "reason": "x"},
    OfCredential: {"name": "moi", "credential": {"kind": "snmp_v2c", "community": "x"}},
    OfSet: {"name": "moi"},
    OfTarget: {"name": "moi", "kind": "site", "target": "tha"},
    OfDevice: {"device": "sw-1"},
    OfAccess: {"what": "search", "object": "events"},
}
"""Values that each kind of action takes."""

USERS = {role: role for role in ROLES} | dict.fromkeys(("disabled", "unsettled", "factorless"), "engineer")
"""Users by name with their role; the last three may do nothing in spite of it."""


def nothing(*_: object) -> None:
    """Asks for nothing before."""


def nobody(_: object) -> tuple[str, ...]:
    """Needs no second person."""
    return ()


def allowed(role: str, right: str) -> bool:
    return may((Grant(role),), right)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory, rules, opened, add_user) -> Iterator[Any]:
    """An API whose actions only say in whose name they were done."""
    settings = Settings(data=tmp_path_factory.mktemp("harmless"))
    centre = Centre(settings, rules, HeldClock(1))
    for name, role in USERS.items():
        unlike = {"disabled": int(name == "disabled"), "must_change": int(name == "unsettled")}
        add_user(centre, name, role, **unlike, **({"totp": None} if name == "factorless" else {}))
    with pytest.MonkeyPatch.context() as patch, opened(centre) as door:
        for name, action in ACTIONS.items():
            patch.setitem(
                ACTIONS, name, replace(action, do=lambda call: {"actor": call.by}, outside=nothing, concerns=nobody)
            )
        yield door
    centre.close()


OPEN_TO_MANY = {"requests.withdraw", "requests.list", "users.list", "access.note"}
"""Actions that change nothing of the platform but what is one's own."""


def test_every_action_but_those_of_a_session_needs_a_right_that_some_role_has():
    assert {name for name, action in ACTIONS.items() if not action.right} == {
        name for name in ACTIONS if name.startswith("session.")
    }
    for name in (name for name, action in ACTIONS.items() if action.right):
        assert any(allowed(role, ACTIONS[name].right) for role in ROLES), name
        assert name in OPEN_TO_MANY or not allowed("viewer", ACTIONS[name].right), name


def expected(user: str, right: str) -> tuple[int, dict[str, str]]:
    """What an action with this right, asked for in the name of this user, must be answered."""
    if user not in USERS:
        return 404, {"reason": f"there is no user '{user}'"}
    if user in ROLES and allowed(USERS[user], right):
        return 200, {"actor": user}
    return 409, {"reason": f"'{user}' may not do this: it needs the right {right}"}


def test_what_an_action_is_of_says_which_right_it_needs():
    of = {
        "session": "",
        "incidents": "incident.write",
        "users": "users.write",
        "rules": "rules.write",
        "quarantine": "logs.write",
        "requests": "approve",
        "credentials": "credentials.write",
        "inventory": "inventory.write",
        "retention": "retention.write",
        "reviews": "users.write",
    }
    others = {
        "users.list": "users.read",
        "requests.withdraw": "inventory.read",
        "requests.list": "inventory.read",
        "reviews.sign": "approve",
        "reviews.list": "users.read",
        "access.note": "inventory.read",
    }
    wanted = {name: others.get(name, of.get(name.partition(".")[0], "")) for name in ACTIONS}
    assert {name: action.right for name, action in ACTIONS.items()} == wanted


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("user", [*USERS, "nobody", ""])
def test_the_console_acts_for_a_user_exactly_as_the_users_rights_say(harmless, user: str, name: str):
    action = ACTIONS[name]
    answer = harmless.ask(name, VALUES[action.takes], console=True, actor=user)
    told = expected(user, action.right) if action.right else (200, {"actor": user})
    assert (answer.status_code, answer.json()) == told


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("user", [*USERS, "nobody"])
def test_a_local_account_acts_exactly_as_the_rights_of_its_user_say(harmless, user: str, name: str):
    action = ACTIONS[name]
    harmless.caller = Caller(user, "user")
    answer = harmless.ask(name, VALUES[action.takes], actor="administrator")  # whom it names does not count
    told = expected(user, action.right) if action.right else (409, {"reason": "only the console does this"})
    assert (answer.status_code, answer.json()) == told


@pytest.mark.parametrize("name", ACTIONS)
def test_the_machines_own_account_does_all_but_approve_under_its_own_name(harmless, name: str):
    action = ACTIONS[name]
    harmless.caller = Caller("local:root", "local")
    answer = harmless.ask(name, VALUES[action.takes], actor="administrator")
    if not action.right:
        assert (answer.status_code, answer.json()) == (409, {"reason": "only the console does this"})
    elif action.right == "approve":
        assert answer.json() == {"reason": "'local:root' may not do this: it needs the right approve"}
    else:
        assert (answer.status_code, answer.json()) == (200, {"actor": "local:root"})


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("token", ["wrong", "", "c0" * 31, "C0" * 32, "\xff"])
def test_a_wrong_token_is_refused_also_to_a_local_administrator(harmless, token: str, name: str):
    harmless.caller = Caller("local:root", "local")
    answer = harmless.ask(name, VALUES[ACTIONS[name].takes], token=token, actor="administrator")
    assert (answer.status_code, answer.json()) == (409, {"reason": "the token is wrong"})


@pytest.mark.parametrize("name", ACTIONS)
def test_a_caller_without_a_token_whose_account_is_nobodys_is_refused(harmless, name: str):
    harmless.caller = None
    answer = harmless.ask(name, VALUES[ACTIONS[name].takes], actor="administrator")
    assert answer.status_code == 409
    assert "mapped to no user" in answer.json()["reason"]


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_takes_only_what_it_names(harmless, name: str):
    takes, right = ACTIONS[name].takes, ACTIONS[name].right
    user = next((role for role in ROLES if allowed(role, right)), "administrator")
    for key in VALUES[takes]:
        wrong = {**VALUES[takes], key: [["a list"]]}
        told = 409 if key == "credential" else 400  # what is a secret says of itself what it should be
        assert harmless.ask(name, wrong, console=True, actor=user).status_code == told
