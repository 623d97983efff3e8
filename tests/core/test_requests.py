"""Requests that wait for a second person: kept, listed, decided, and how long they wait."""

from __future__ import annotations

import pytest

from core import audit
from core.errors import NotFoundError
from core.scope import EVERYTHING, NOTHING, Scope
from core.stores import requests
from core.stores.requests import LIFE, Asked, RequestState
from core.stores.users import CHANGES

GRANT = Asked("users.grant", b'{"name":"moi","role":"administrator","unit":""}', "thay người")


def test_a_request_keeps_what_was_asked_and_is_a_link_of_the_chain(state, now):
    with state.begin() as connection:
        number = requests.put(connection, now, "quantri", GRANT)
        found = requests.read(connection, number)
        entry = audit.head(connection)
    assert (found.id, found.time, found.actor, found.action) == (1, now, "quantri", "users.grant")
    assert (found.values, found.reason) == ({"name": "moi", "role": "administrator", "unit": ""}, "thay người")
    assert found.state is RequestState.OPEN
    assert entry
    assert (entry.actor, entry.action, entry.object) == ("quantri", "request.ask", "request/1")
    assert entry.detail.startswith("users.grant: {")


def test_it_waits_for_seven_days(state, now):
    with state.begin() as connection:
        found = requests.read(connection, requests.put(connection, now, "quantri", GRANT))
    assert [found.is_open(now + age) for age in (0, LIFE, LIFE + 1)] == [True, True, False]
    assert [found.state_at(now + age) for age in (0, LIFE, LIFE + 1)] == ["open", "open", "lapsed"]


@pytest.mark.parametrize(
    ("wanted", "action"), [(RequestState.APPROVED, "request.approve"), (RequestState.REFUSED, "request.refuse")]
)
def test_a_decision_says_by_whom_and_why(state, now, wanted, action):
    with state.begin() as connection:
        number = requests.put(connection, now, "quantri", GRANT)
        requests.decide(connection, now + 5, "duyet", requests.read(connection, number), wanted, "đúng")
        found = requests.read(connection, number)
        entry = audit.head(connection)
    assert (found.state, found.decided, found.decided_by, found.answer) == (wanted, now + 5, "duyet", "đúng")
    assert not found.is_open(now)
    assert found.state_at(now + LIFE + 1) == wanted.value
    assert entry
    assert (entry.actor, entry.action, entry.detail) == ("duyet", action, "đúng")


def test_open_ones_are_listed_first_then_the_latest(state, now):
    with state.begin() as connection:
        for actor in ("an", "binh", "an"):
            requests.put(connection, now, actor, GRANT)
        requests.decide(connection, now, "duyet", requests.read(connection, 3), RequestState.REFUSED, "")
        assert [one.id for one in requests.list_requests(connection, EVERYTHING)] == [2, 1, 3]
        assert [one.id for one in requests.list_requests(connection, NOTHING, "an")] == [1, 3]
        assert [one.id for one in requests.list_requests(connection, EVERYTHING, limit=1)] == [2]


def test_those_that_lie_within_the_scope_and_ones_own_are_listed_however_many_others_there_are(state, now):
    with state.begin() as connection:
        for units in (("vks-tha",), ("vks-tha", "vks-nan"), ("",), ("vks-nan",), ()):
            requests.put(connection, now, "an", Asked("inventory.delete", b"no values", "", units))
        scope = Scope(sites=frozenset(), units=frozenset({"vks-tha"}))
        assert [one.id for one in requests.list_requests(connection, scope, limit=1)] == [1]
        assert [one.id for one in requests.list_requests(connection, scope, "binh")] == [1]
        assert [one.id for one in requests.list_requests(connection, scope, "an")] == [5, 4, 3, 2, 1]
        assert requests.list_requests(connection, NOTHING) == []
        assert requests.list_requests(connection, EVERYTHING)[0].values == {}


@pytest.mark.parametrize("action", CHANGES)
def test_it_lapses_when_its_subject_is_changed_by_whatever_way(state, now, action):
    with state.begin() as connection:
        audit.append(connection, now, "quantri", action, "user/moi")  # before it was asked for
        number = requests.put(connection, now, "quantri", GRANT._replace(subject="user/moi"))
        other = requests.put(connection, now, "quantri", GRANT._replace(subject="user/khac"))
        audit.append(connection, now, "moi", "user.password", "user/moi")
        assert requests.read(connection, number).is_open(now)
        assert [one.id for one in requests.list_about(connection, now, "user/moi")] == [number]
        audit.append(connection, now, "quantri", action, "user/moi")
        assert not requests.read(connection, number).is_open(now)
        assert requests.read(connection, other).is_open(now)
        assert requests.list_about(connection, now, "user/moi") == []


def test_one_that_is_not_there_is_not_found(state):
    with state.connect() as connection, pytest.raises(NotFoundError, match="there is no request 7"):
        requests.read(connection, 7)
