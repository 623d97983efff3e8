"""What people do with incidents: each form goes to the centre, and what was typed is kept when it is refused."""

from __future__ import annotations

from typing import TypeAlias

from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from console.deps import console_of
from console.pages import Number, incident_page
from console.problems import answer_problem, line_of, status_of
from console.render import Answer, AnyRequest, is_htmx, language_of, render
from console.sessions import scope_for
from console.texts import say
from core.errors import HaidangError
from core.incident import Verdict
from core.records import Severity
from inventory.sorting import vietnamese_key

Form: TypeAlias = URLEncodedBody[dict[str, str]]

_FIELDS = ("title", "severity", "site", "channel", "text")
_WRITE = {"action": "incident.write"}
_UNPROCESSABLE = 422


@get("/incidents/new", opt=_WRITE, sync_to_thread=True)
def new_incident(request: AnyRequest) -> Answer:
    """The form for what came by telephone or e-mail."""
    return _new_page(request, {})


@post("/incidents/new", opt=_WRITE, sync_to_thread=True)
def create_incident(request: AnyRequest, data: Form) -> Answer:
    """Creates the incident and goes to its page."""
    values = {key: data.get(key, "").strip() for key in _FIELDS}
    if not _is_complete(request, values):
        return _new_page(request, data, say(language_of(request), "new.incomplete"), _UNPROCESSABLE)
    try:
        answer = console_of(request).centre.call("incidents.create", actor=request.user.name, **values)
    except HaidangError as error:
        return _new_page(request, data, line_of(request, error), status_of(error))
    return Redirect(f"/incidents/{answer['id']}", status_code=303)


@post("/incidents/{number:int}/acknowledge", opt=_WRITE, sync_to_thread=True, status_code=200)
def acknowledge(request: AnyRequest, number: Number) -> Answer:
    """Says: a person looks at it now."""
    return _change(request, number, "incidents.acknowledge", {}, {})


@post("/incidents/{number:int}/assign", opt=_WRITE, sync_to_thread=True, status_code=200)
def assign(request: AnyRequest, number: Number, data: Form) -> Answer:
    """Makes it someone's work."""
    owner = data.get("owner", "")
    if not owner:
        return _incomplete(request, number, data, "incident.owner_missing")
    return _change(request, number, "incidents.assign", data, {"owner": owner})


@post("/incidents/{number:int}/note", opt=_WRITE, sync_to_thread=True, status_code=200)
def note(request: AnyRequest, number: Number, data: Form) -> Answer:
    """Adds words to the timeline."""
    text = data.get("text", "").strip()
    if not text:
        return _incomplete(request, number, data, "incident.note_missing")
    return _change(request, number, "incidents.note", data, {"text": text})


@post("/incidents/{number:int}/close", opt=_WRITE, sync_to_thread=True, status_code=200)
def close(request: AnyRequest, number: Number, data: Form) -> Answer:
    """Closes it with a verdict."""
    verdict = data.get("verdict", "")
    if verdict not in set(Verdict):
        return _incomplete(request, number, data, "incident.verdict_missing")
    values = {"verdict": verdict, "text": data.get("close_text", "").strip()}
    return _change(request, number, "incidents.close", data, values)


def _change(request: AnyRequest, number: int, action: str, typed: dict[str, str], values: dict[str, str]) -> Answer:
    try:
        console_of(request).centre.call(action, actor=request.user.name, id=number, **values)
    except HaidangError as error:
        return _refused(request, number, typed, line_of(request, error), status_of(error))
    if is_htmx(request):
        return Response("", media_type="text/html", headers={"HX-Trigger": "refresh"})
    return Redirect(f"/incidents/{number}", status_code=303)


def _incomplete(request: AnyRequest, number: int, typed: dict[str, str], key: str) -> Answer:
    return _refused(request, number, typed, say(language_of(request), key), _UNPROCESSABLE)


def _refused(request: AnyRequest, number: int, typed: dict[str, str], problem: str, status: int) -> Answer:
    if is_htmx(request):
        return answer_problem(request, status, problem)
    return incident_page(request, number, typed, problem, status)


def _is_complete(request: AnyRequest, values: dict[str, str]) -> bool:
    console = console_of(request)
    scope = scope_for(console, request.user, "incident.write")
    known_site = values["site"] in console.sites() if values["site"] else scope.is_everything
    has_choices = values["severity"] in set(Severity) and values["channel"] in console.channels
    return bool(values["title"]) and has_choices and known_site


def _new_page(request: AnyRequest, typed: dict[str, str], problem: str = "", status: int = 200) -> Answer:
    console = console_of(request)
    scope = scope_for(console, request.user, "incident.write")
    within = [site for site in console.sites().items() if scope.allows(site[0])]
    sites = sorted(within, key=lambda site: vietnamese_key(site[1]))
    severities = [severity.value for severity in Severity]
    choices = {"sites": sites, "severities": severities, "channels": console.channels}
    values = choices | {"typed": dict.fromkeys(_FIELDS, "") | typed, "problem": problem}
    return render(request, "new", values, status)


FORMS = [new_incident, create_incident, acknowledge, assign, note, close]
