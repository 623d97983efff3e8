"""Requests that wait for a second person: kept, listed, decided, and how long they wait."""

from __future__ import annotations

import pytest

from core import audit
from core.errors import NotFoundError
from core.stores import requests
from core.stores.requests import LIFE, Asked, RequestState

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
    assert entry
    assert (entry.actor, entry.action, entry.detail) == ("duyet", action, "đúng")


def test_open_ones_are_listed_first_then_the_latest(state, now):
    with state.begin() as connection:
        for actor in ("an", "binh", "an"):
            requests.put(connection, now, actor, GRANT)
        requests.decide(connection, now, "duyet", requests.read(connection, 3), RequestState.REFUSED, "")
        assert [one.id for one in requests.list_requests(connection)] == [2, 1, 3]
        assert [one.id for one in requests.list_requests(connection, actor="an")] == [1, 3]
        assert [one.id for one in requests.list_requests(connection, limit=1)] == [2]


def test_one_that_is_not_there_is_not_found(state):
    with state.connect() as connection, pytest.raises(NotFoundError, match="there is no request 7"):
        requests.read(connection, 7)
