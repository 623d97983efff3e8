"""The page of what needs a second person: approvers decide, who asked may take it back."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect

from console.deps import console_of
from console.forms import Form
from console.pages import Number
from console.problems import line_of, status_of
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import scope_for
from console.texts import say
from console.views import Moment, moment, visible
from core.errors import HaidangError
from core.records import Record
from core.stores.requests import Request, list_requests
from inventory.rights import may

MOST_LETTERS = 200
"""Of one value that is shown."""

_SEE = {"action": "inventory.read"}
_DECIDE = {"action": "approve"}
_UNPROCESSABLE = 422


class RequestView(Record, frozen=True, kw_only=True):
    """A request; ``state`` is also ``lapsed``, and ``values`` are names and texts of what was asked for."""

    number: int
    time: Moment
    actor: str
    action: str
    values: tuple[tuple[str, str], ...]
    reason: str
    state: str
    decided: Moment | None
    decided_by: str
    answer: str
    is_own: bool


@get("/requests", opt=_SEE, sync_to_thread=True)
def requests(request: AnyRequest) -> Answer:
    """One's own requests, and those that one may decide."""
    return _page(request)


@post("/requests/{number:int}/approve", opt=_DECIDE, sync_to_thread=True, status_code=200)
def approve(request: AnyRequest, number: Number, data: Form) -> Answer:
    """Has it done in the name of who asked."""
    return _decide(request, number, "requests.approve", data)


@post("/requests/{number:int}/refuse", opt=_DECIDE, sync_to_thread=True, status_code=200)
def refuse(request: AnyRequest, number: Number, data: Form) -> Answer:
    """Closes it with a reason."""
    if not data.get("text", "").strip():
        return _page(request, say(language_of(request), "requests.reason_missing"), _UNPROCESSABLE, number)
    return _decide(request, number, "requests.refuse", data)


@post("/requests/{number:int}/withdraw", opt=_SEE, sync_to_thread=True, status_code=200)
def withdraw(request: AnyRequest, number: Number) -> Answer:
    """Takes one's own back."""
    return _decide(request, number, "requests.withdraw", {})


def _decide(request: AnyRequest, number: int, action: str, typed: dict[str, str]) -> Answer:
    text = typed.get("text", "").strip()
    try:
        console_of(request).centre.call(action, actor=request.user.name, id=number, text=text)
    except HaidangError as error:
        return _page(request, line_of(request, error), status_of(error), number, text)
    return Redirect("/requests", status_code=303)


def _page(request: AnyRequest, problem: str = "", status: int = 200, number: int = 0, typed: str = "") -> Answer:
    console, user = console_of(request), request.user
    everyone = may(user.grants, "approve")
    with console.state.connect() as connection:
        found = list_requests(connection, scope_for(console, user, "approve"), user.name)
    now = console.clock.now()
    shown = [request_view(one, user.name, now) for one in found]
    values = {"requests": shown, "everyone": everyone, "problem": problem, "number": number, "typed": typed}
    return render(request, "requests", values, status)


def request_view(request: Request, user: str, now: int) -> RequestView:
    """The request as this user sees it."""
    told = [(name, value) for name, value in request.values.items() if value not in ("", None) and name != "reason"]
    return RequestView(
        number=request.id,
        time=moment(request.time),
        actor=request.actor,
        action=request.action,
        values=tuple((visible(name.encode()), _text(value)) for name, value in told),
        reason=request.reason,
        state=request.state_at(now),
        decided=moment(request.decided) if request.decided else None,
        decided_by=request.decided_by,
        answer=request.answer,
        is_own=request.actor == user,
    )


def _text(value: object) -> str:
    """Of a list how many there are and the first ones: records to be deleted are a kind and a key (``devices rt``)."""
    told = f"{len(value)}: " + "; ".join(map(_words, value)) if isinstance(value, list) else str(value)
    text = visible(told.encode())
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


REQUESTS = [requests, approve, refuse, withdraw]
