"""What the console reads from the state database, always within the user's scope."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from console.deps import Console
from console.sessions import scope_for
from console.views import View, in_language
from core.accesses import Access
from core.incident import Dossier, Incident, State
from core.scope import Scope
from core.stores.catalogue import named_rules
from core.stores.incidents import count_open, list_incidents, read_dossier
from core.stores.users import User, list_users
from inventory.rights import granted

MOST_ROWS = 200
MOST_SEARCHED = 5_000
"""Open incidents among which one's own are looked for."""
MOST_COUNTED = 100
MOST_NUMBER = 1 << 53
"""No incident has a greater number; one that the database cannot hold must not get so far."""

_OPEN = (State.NEW, State.ACKNOWLEDGED)


class Filter(StrEnum):
    """Which incidents the queue shows."""

    OPEN = "open"
    MINE = "mine"
    CLOSED = "closed"


class Queue(NamedTuple):
    """At most ``MOST_ROWS`` incidents, and of how many; ``total`` is empty where these are all."""

    incidents: list[Incident]
    total: str


def list_queue(console: Console, user: User, chosen: Filter) -> Queue:
    """The chosen incidents, the gravest first, then the latest changed."""
    scope = _scope(console, user)
    with console.state.connect() as connection:
        if chosen is Filter.CLOSED:
            found = list_incidents(connection, scope, (State.CLOSED,), MOST_ROWS + 1)
            return _queue(found, f"{MOST_ROWS}+")  # closed ones grow for years: they are not counted at each look
        if chosen is Filter.OPEN:
            found = list_incidents(connection, scope, _OPEN, MOST_ROWS + 1)
            return _queue(found, str(count_open(connection, scope)))
        found = list_incidents(connection, scope, _OPEN, MOST_SEARCHED)
    own = [incident for incident in found if incident.owner == user.name]
    return _queue(own, str(len(own)))


def count_new(console: Console, user: User) -> int:
    """Incidents that nobody has acknowledged; counted up to ``MOST_COUNTED``."""
    with console.state.connect() as connection:
        return len(list_incidents(connection, _scope(console, user), (State.NEW,), MOST_COUNTED))


def read_one(console: Console, user: User, number: int) -> Dossier:
    """The incident with its alerts and timeline.

    Raises:
        NotFoundError: there is none within the user's scope.
    """
    with console.state.connect() as connection:
        return read_dossier(connection, _scope(console, user), number)


def list_owners(console: Console, incident: Incident) -> list[str]:
    """To whom an incident can be assigned: those who may work on it."""
    with console.state.connect() as connection:
        users = [user for user in list_users(connection) if not user.disabled]
    scopes = {user.name: scope_for(console, user, "incident.write") for user in users}
    return [name for name, scope in scopes.items() if scope.is_everything or any(map(scope.allows, incident.sites))]


def listed_rules(console: Console, dossier: Dossier) -> frozenset[str]:
    """Of the rules that raised the alerts, those that have a page: a rule may have gone since."""
    with console.state.connect() as connection:
        found = named_rules(connection, [alert.rule for alert in dossier.alerts])
    return frozenset(rule.id for rule in found)


def guides_for(console: Console, dossier: Dossier, language: str) -> dict[str, tuple[str, ...]]:
    """The triage guide of each rule that raised one of the alerts, by the rule's id."""
    rules = {alert.rule for alert in dossier.alerts}
    return {rule: tuple(in_language(console.guide(rule), language, ())) for rule in rules}


def view_for(console: Console, user: User, language: str) -> View:
    """For whom and when the views are made."""
    return View(
        language=language,
        sites=console.sites(),
        units=console.units(),
        now=console.clock.now(),
        events=scope_for(console, user, "event.read"),
    )


def note_evidence(console: Console, user: User, dossier: Dossier, session: str, *, is_live: bool = False) -> None:
    """Enters in the audit chain that the user sees the raw lines of this incident; none are no entry.

    A live part that is fetched again is no new look while it shows the lines that this session has been shown before.

    Raises:
        UnavailableError: it can be entered nowhere, so they may not be shown.
    """
    shown = dossier.readable(scope_for(console, user, "event.read"))
    count = sum(len(alert.evidence) for alert in shown.alerts)
    if count:
        told, subject = granted(user.grants, "event.read"), f"incident/{dossier.incident.id}"
        look = Access(what="raw", object=subject, scope=told, count=count)
        mark = (session or user.name, subject, _evidence_mark(shown))
        console.accesses.note_shown(user.name, look, mark, is_again=is_live)


def queue_mark(queue: Queue, new: int) -> str:
    """Differs where the queue would look different."""
    return " ".join([str(new), queue.total, *(f"{incident.id}:{incident.version}" for incident in queue.incidents)])


def dossier_mark(dossier: Dossier) -> str:
    """Differs where the incident's page would look different."""
    alerts = [f"{alert.id}:{alert.count}:{alert.end}:{len(alert.evidence)}" for alert in dossier.alerts]
    return " ".join([str(dossier.incident.version), str(len(dossier.timeline)), *alerts])


def _evidence_mark(dossier: Dossier) -> str:
    """Differs where other raw lines would be shown."""
    return blake2b(repr([item.event for alert in dossier.alerts for item in alert.evidence]).encode()).hexdigest()


def _scope(console: Console, user: User) -> Scope:
    return scope_for(console, user, "incident.read")


def _queue(found: list[Incident], total: str) -> Queue:
    return Queue(found[:MOST_ROWS], total if len(found) > MOST_ROWS else "")
