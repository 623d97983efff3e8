"""Requests: what one person asks for and another has to approve. Nobody approves what he asked for himself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated

import msgspec

from app.actions.calls import LOCAL, Action, Actor, Answer, Call
from core.errors import RefusedError
from core.records import Record
from core.stores import requests, users
from core.stores.requests import Request, RequestState
from inventory.rights import MACHINE, may


class OfRequest(Record, frozen=True, kw_only=True):
    """Names a request, and says why it is decided so."""

    id: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def ask(call: Call, name: str) -> Answer:
    """Keeps the action as a request; it is done once another person approves it."""
    asked = requests.Asked(name, msgspec.json.encode(call.values), getattr(call.values, "reason", ""))
    return {"request": requests.put(call.connection, call.now, call.by, asked)}


def list_(call: Call) -> Answer:
    """The requests, open ones first: all for who approves, else one's own."""
    approves = may(call.actor.grants, "approve")
    found = requests.list_requests(call.connection, actor="" if approves else call.by)
    return {"requests": [_shown(one, call.now) for one in found]}


def approve(call: Call, table: Mapping[str, Action]) -> Answer:
    """Does what was asked for, in the name of who asked."""
    request = _open(call)
    asked = _as_asked(call, request, table)
    _must_reach(call, table[request.action].concerns(asked))
    answer = table[request.action].do(asked)
    requests.decide(call.connection, call.now, call.by, request, RequestState.APPROVED, call.values.text)
    return {"request": request.id, **answer}


def refuse(call: Call, table: Mapping[str, Action]) -> Answer:
    """Closes a request without doing it."""
    request = _open(call)
    _must_reach(call, table[request.action].concerns(_as_asked(call, request, table)))
    return _close(call, request)


def withdraw(call: Call) -> Answer:
    """Takes one's own request back."""
    request = _open(call, is_own=True)
    return _close(call, request)


def _shown(request: Request, now: int) -> dict[str, object]:
    """The request with its values in place of its body; ``lapsed`` is the state of one that waited for too long."""
    told = msgspec.structs.asdict(request)
    del told["body"]
    has_lapsed = request.state is RequestState.OPEN and not request.is_open(now)
    return told | {"values": request.values} | ({"state": "lapsed"} if has_lapsed else {})


def _close(call: Call, request: Request) -> Answer:
    requests.decide(call.connection, call.now, call.by, request, RequestState.REFUSED, call.values.text)
    return {"request": request.id}


def _open(call: Call, *, is_own: bool = False) -> Request:
    """The request, if it still waits and the actor is who may decide it.

    Raises:
        RefusedError: it does not, or he is not.
    """
    request = requests.read(call.connection, call.values.id)
    if not request.is_open(call.now):
        raise RefusedError(f"request {request.id} is no longer open")
    if (request.actor == call.by) != is_own:
        raise RefusedError("what one asked for oneself another person decides; only who asked takes it back")
    return request


def _as_asked(call: Call, request: Request, table: Mapping[str, Action]) -> Call:
    """The call as who asked would make it now; what he may no longer do is not done."""
    action = table[request.action]
    actor = _asker(call, request)
    if not may(actor.grants, action.right):
        raise RefusedError(f"'{actor.name}', who asked for it, may no longer do this")
    values = msgspec.json.decode(request.body, type=action.takes)
    return replace(call, actor=actor, right=action.right, values=values)


def _asker(call: Call, request: Request) -> Actor:
    """Who asked, with the grants of today."""
    if request.actor.startswith(LOCAL):
        return Actor(request.actor, MACHINE)
    user = users.read_user(call.connection, request.actor)
    return Actor(user.name, () if user.disabled else user.grants)


def _must_reach(call: Call, concerned: Collection[str]) -> None:
    if not all(call.scope.is_everything or (unit and call.scope.allows_unit(unit)) for unit in concerned):
        raise RefusedError("this concerns units that are not yours to decide on")
