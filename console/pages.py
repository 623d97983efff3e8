"""The pages that only show: queue, incident, their live parts, the stream and the list for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from litestar import get
from litestar.params import PathParameter, QueryParameter
from litestar.response import ServerSentEvent

from console.deps import console_of
from console.reads import (
    MOST_COUNTED,
    MOST_NUMBER,
    Filter,
    count_new,
    dossier_mark,
    guides_for,
    list_owners,
    list_queue,
    listed_rules,
    note_evidence,
    queue_mark,
    read_one,
    view_for,
)
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import address_of, live_user
from console.stream import Changes, page_events
from console.views import incident_view, row
from core.incident import Dossier, Incident, Verdict

ChosenFilter = Annotated[Filter, QueryParameter(name="state")]
Number = Annotated[int, PathParameter(le=MOST_NUMBER)]
ShownNumber = Annotated[int, QueryParameter(name="incident", le=MOST_NUMBER)]

_READ = {"action": "incident.read"}
_LIVE = _READ | {"quiet": True}


@get("/", opt=_READ, sync_to_thread=True)
def queue(request: AnyRequest, chosen: ChosenFilter = Filter.OPEN) -> Answer:
    """The queue of incidents."""
    return render(request, "queue", queue_values(request, chosen))


@get("/queue", opt=_LIVE, sync_to_thread=True)
def queue_part(request: AnyRequest, chosen: ChosenFilter = Filter.OPEN) -> Answer:
    """The queue's live part alone."""
    return render(request, "queue_part", queue_values(request, chosen))


@get("/incidents.json", opt=_READ, sync_to_thread=True)
def queue_json(request: AnyRequest, chosen: ChosenFilter = Filter.OPEN) -> list[Incident]:
    """The same list for programs."""
    return list_queue(console_of(request), request.user, chosen).incidents


@get("/incidents/{number:int}", opt=_READ, sync_to_thread=True)
def incident(request: AnyRequest, number: Number) -> Answer:
    """One incident with all that belongs to it."""
    return incident_page(request, number)


@get("/incidents/{number:int}/part", opt=_LIVE, sync_to_thread=True)
def incident_part(request: AnyRequest, number: Number) -> Answer:
    """The incident's live part alone.

    Raises:
        NotFoundError: there is no such incident within the user's scope.
        UnavailableError: nowhere can be noted that its raw lines are seen.
    """
    console = console_of(request)
    dossier = read_one(console, request.user, number)
    note_evidence(console, request.user, dossier, request.session["id"], is_live=True)
    return render(request, "incident_part", incident_values(request, dossier))


@get("/stream", opt=_LIVE, sync_to_thread=True)
def stream(request: AnyRequest, chosen: ChosenFilter = Filter.OPEN, shown: ShownNumber = 0) -> ServerSentEvent:
    """Tells an open page when to fetch its parts again, until the session ends."""
    console, session, address = console_of(request), dict(request.session), address_of(request)
    changes: Changes = request.app.state["changes"]
    if shown:
        read_one(console, request.user, shown)  # an incident that is not there has no page

    def look() -> str | None:
        user = live_user(console, session, address)
        if user is None:
            return None
        if shown:
            return dossier_mark(read_one(console, user, shown))
        return queue_mark(list_queue(console, user, chosen), count_new(console, user))

    return ServerSentEvent(page_events(changes, look))


def queue_values(request: AnyRequest, chosen: Filter) -> dict[str, object]:
    """What the queue's templates show."""
    console = console_of(request)
    view = view_for(console, request.user, language_of(request))
    new = count_new(console, request.user)
    listed = list_queue(console, request.user, chosen)
    return {
        "rows": [row(found, view) for found in listed.incidents],
        "total": listed.total,
        "chosen": chosen.value,
        "filters": [each.value for each in Filter],
        "new": f"{new - 1}+" if new == MOST_COUNTED else str(new or ""),
    }


def incident_values(request: AnyRequest, dossier: Dossier) -> dict[str, object]:
    """What the incident's templates show."""
    console, language = console_of(request), language_of(request)
    guides, listed = guides_for(console, dossier, language), listed_rules(console, dossier)
    return {"incident": incident_view(dossier, view_for(console, request.user, language), guides, listed)}


def incident_page(
    request: AnyRequest,
    number: int,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Answer:
    """The incident's page, with what was typed and the line that says why it was not done.

    Raises:
        NotFoundError: there is no such incident within the user's scope.
        UnavailableError: nowhere can be noted that its raw lines are seen.
    """
    console = console_of(request)
    dossier = read_one(console, request.user, number)
    note_evidence(console, request.user, dossier, request.session["id"])
    values = incident_values(request, dossier) | {
        "owners": list_owners(console, dossier.incident),
        "verdicts": [verdict.value for verdict in Verdict],
        "typed": dict.fromkeys(("owner", "text", "verdict", "close_text"), "") | dict(typed or {}),
        "problem": problem,
        "here": f"/incidents/{number}",
    }
    return render(request, "incident", values, status)


PAGES = [queue, queue_part, queue_json, incident, incident_part, stream]
