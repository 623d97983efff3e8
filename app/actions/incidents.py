"""Actions on incidents: entered, acknowledged, assigned, noted, closed, within the actor's scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from app.actions.calls import Answer, Call
from core.clock import vietnam_day
from core.errors import NotFoundError, RefusedError
from core.incident import Incident, Verdict
from core.records import Record, Severity
from core.scope import EVERYTHING
from core.stores import incidents, users
from correlation import incidents as edits
from correlation.incidents import Edit
from inventory.rights import scope_of


class Report(Record, frozen=True, kw_only=True):
    """An incident that a person enters."""

    title: str
    severity: Severity = Severity.MEDIUM
    site: str = ""
    channel: str = "other"
    text: str = ""


class OfIncident(Record, frozen=True, kw_only=True):
    """Names an incident, and the words, owner or verdict that go with an action on it."""

    id: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    text: str = ""
    owner: str = ""
    verdict: Verdict = Verdict.TRUE_POSITIVE


def create(call: Call) -> Answer:
    """Enters an incident; who may not see the whole sector names a site of his own."""
    asked: Report = call.values
    edit = edits.report(asked.title, asked.severity, asked.channel, call.by, call.now, asked.text)
    placed = msgspec.structs.replace(edit.incident, **_place(call, asked.site))
    stored = incidents.commit(call.connection, None, placed, edit.entry)
    return {"id": stored.id, "version": stored.version}


def acknowledge(call: Call) -> Answer:
    """Says that a person looks at it now."""
    return _edit(call, lambda incident: edits.acknowledge(incident, call.by, call.now))


def assign(call: Call) -> Answer:
    """Makes it someone's work, who may do such work where it happened."""
    owner: str = call.values.owner
    incident = incidents.read_incident(call.connection, call.scope, call.values.id)
    if not _can_work(call, owner, incident):
        raise RefusedError(f"'{owner}' cannot work on incidents: there is no such account with such a right here")
    return _edit(call, lambda incident: edits.assign(incident, owner, call.by, call.now))


def note(call: Call) -> Answer:
    """Adds words to the timeline."""
    return _edit(call, lambda incident: edits.note(incident, call.values.text, call.by, call.now))


def close(call: Call) -> Answer:
    """Closes it with a verdict."""
    asked: OfIncident = call.values
    return _edit(call, lambda incident: edits.close(incident, asked.verdict, asked.text, call.by, call.now))


def _place(call: Call, name: str) -> dict[str, tuple[str, ...]]:
    if not name and call.scope.is_everything:
        return {}
    site = call.inventory.site(name)
    if site is None or not call.scope.allows(site.id):
        raise RefusedError(f"there is no site '{name}'" if name else "say at which site of yours it happened")
    return {"sites": (site.id,), "units": (site.unit,)}


def _can_work(call: Call, name: str, incident: Incident) -> bool:
    """Whether the user may do such work where it happened; of one that is not there no more is told than of others."""
    try:
        user = users.read_user(call.connection, name)
    except NotFoundError:
        return False
    reach = scope_of(user.grants, call.right, call.inventory, vietnam_day(call.now))
    is_theirs = reach.is_everything or any(reach.allows(site) for site in incident.sites)
    return is_theirs and not user.disabled


def _edit(call: Call, edit: Callable[[Incident], Edit]) -> Answer:
    """Check out, edit, commit; what lies outside of the actor's scope stays as it is."""
    incidents.read_incident(call.connection, call.scope, call.values.id)
    known = incidents.read_incident(call.connection, EVERYTHING, call.values.id)
    edited = edit(known)
    stored = incidents.commit(call.connection, known, edited.incident, edited.entry)
    return {"id": stored.id, "version": stored.version}
