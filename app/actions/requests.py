"""Requests: what one person asks for and another has to approve. Nobody approves what he asked for himself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated

import msgspec

from app.actions.calls import Action, Actor, Answer, Call
from app.callers import grants_now
from core.actors import LOCAL
from core.errors import RefusedError
from core.records import Record
from core.stores import requests, users
from core.stores.requests import Request, RequestState
from inventory.rights import MACHINE, may


class OfRequest(Record, frozen=True, kw_only=True):
    """Names a request, and says why it is decided so."""

    id: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def ask(call: Call, name: str, units: Collection[str], subject: str) -> Answer:
    """Keeps the action as a request; it is done once another person approves it.

    Args:
        call: the action as it was asked for.
        name: of the action.
        units: for which a second person has to approve, as ``Action.concerns`` tells them.
        subject: what must stay as it is until then, as ``Action.subject`` tells it.
    """
    body, reason = msgspec.json.encode(call.values), getattr(call.values, "reason", "")
    asked = requests.Asked(name, body, reason, tuple(units), subject)
    return {"request": requests.put(call.connection, call.now, call.by, asked)}


def list_(call: Call) -> Answer:
    """The requests, open ones first: one's own, and those that one may decide."""
    found = requests.list_requests(call.connection, call.scope_for("approve"), call.by)
    return {"requests": [_shown(one, call.now) for one in found]}


def approve(call: Call, table: Mapping[str, Action]) -> Answer:
    """Does what was asked for, in the name of who asked."""
    request = _open(call)
    _must_reach(call, request)
    _must_be_another(call, request)
    action = _action_of(request, table)
    asked = _as_asked(call, request, action)
    _must_reach(call, request, action.concerns(asked))
    answer = action.do(asked)
    requests.decide(call.connection, call.now, call.by, request, RequestState.APPROVED, call.values.text)
    return {"request": request.id, **answer}


def refuse(call: Call) -> Answer:
    """Closes a request without doing it."""
    request = _open(call)
    _must_reach(call, request)
    return _close(call, request)


def withdraw(call: Call) -> Answer:
    """Takes one's own request back."""
    request = _open(call, is_own=True)
    return _close(call, request)


def _shown(request: Request, now: int) -> dict[str, object]:
    """The request with its values in place of its body, and its state as it is now."""
    told = {name: getattr(request, name) for name in _TOLD}
    return told | {"values": request.values, "state": request.state_at(now)}


def _close(call: Call, request: Request) -> Answer:
    requests.decide(call.connection, call.now, call.by, request, RequestState.REFUSED, call.values.text)
    return {"request": request.id}


def _open(call: Call, *, is_own: bool = False) -> Request:
    """The request, if it still waits and the actor is who may decide it.

    Raises:
        RefusedError: it does not, or he is not.
    """
    request = requests.read(call.connection, call.values.id)
    if request.is_stale and request.state is RequestState.OPEN:
        raise RefusedError(f"the account was changed after request {request.id} was made: it has lapsed, ask anew")
    if not request.is_open(call.now):
        raise RefusedError(f"request {request.id} is no longer open")
    if (request.actor == call.by) != is_own:
        raise RefusedError("what one asked for oneself another person decides; only who asked takes it back")
    return request


def _action_of(request: Request, table: Mapping[str, Action]) -> Action:
    action = table.get(request.action)
    if action is None:
        raise _unknown(request)
    return action


def _as_asked(call: Call, request: Request, action: Action) -> Call:
    """The call as who asked would make it now; what he may no longer do is not done."""
    actor = _asker(call, request)
    if not may(actor.grants, action.right):
        raise RefusedError(f"'{actor.name}', who asked for it, may no longer do this")
    try:
        values = msgspec.json.decode(request.body, type=action.takes)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _unknown(request) from None
    return replace(call, actor=actor, right=action.right, values=values)


def _unknown(request: Request) -> RefusedError:
    return RefusedError(f"request {request.id} is of another version of the platform: refuse it, have it asked anew")


def _asker(call: Call, request: Request) -> Actor:
    """Who asked, with what he may do today."""
    is_machine = request.actor.startswith(LOCAL)
    return Actor(request.actor, MACHINE if is_machine else grants_now(call.connection, request.actor))


def _must_be_another(call: Call, request: Request) -> None:
    """Two people are not one: not where who asked has lately made the other's account, or may know its password."""
    if users.is_made_by(call.connection, call.now, call.by, request.actor):
        raise RefusedError(
            f"'{request.actor}', who asked for it, has made, granted to or reset your account within 30 days: "
            "it takes an approver whom another administrator or this machine's account has made"
        )


def _must_reach(call: Call, request: Request, concerned: Collection[str] = ()) -> None:
    if not (call.scope.holds(concerned) and request.is_within(call.scope)):
        raise RefusedError("this concerns units that are not yours to decide on")


_TOLD = ("id", "time", "actor", "action", "reason", "state", "decided", "decided_by", "answer")
