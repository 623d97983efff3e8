"""What people may ask of the centre: each action with the right it needs and what it takes, in one literal table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from app.packs import decode_files
from core.errors import ContentError, NotFoundError, RefusedError
from core.incident import Incident, Verdict
from core.records import Record, Severity
from core.replays import Asked, ask
from core.scope import EVERYTHING
from core.stores import catalogue, incidents, rules, users
from correlation import incidents as edits
from correlation.incidents import Edit
from inventory.rights import ROLES, may

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One action being done: in whose name, when, on which connection, with what values.

    Attributes:
        before: what the action's ``outside`` found.
        site: the unit of a site by the site's id, None for a site that is not known.
    """

    connection: Connection
    now: int
    actor: str
    values: Any
    before: Any
    site: Callable[[str], str | None]


class Credentials(Record, frozen=True, kw_only=True):
    """A name and a password."""

    name: str
    password: str


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


class OfUser(Record, frozen=True, kw_only=True):
    """Names a user."""

    name: str
    role: str = "analyst"


class OfPack(Record, frozen=True, kw_only=True):
    """A pack of rules to be imported: its name, where it came from, and its files as ``app.packs`` encodes them."""

    name: str
    source: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    content: bytes


class OfVersion(Record, frozen=True, kw_only=True):
    """Names a version of a pack: None the one before the active one, 0 none."""

    name: str
    number: Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)] | None = None


class OfRules(Record, frozen=True, kw_only=True):
    """Names rules by their ids, and the reason for what is done with them."""

    rules: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=20_000)]
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class OfQuarantine(Asked, frozen=True, kw_only=True):
    """Which messages in quarantine to read again, and why."""

    source: Annotated[str, msgspec.Meta(max_length=64)] = ""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Nothing(Record, frozen=True, kw_only=True):
    """No values."""


@dataclass(frozen=True, slots=True)
class Action:
    """What an action needs: a right (empty: only the console's own token), its values' type, and who does it.

    ``outside`` is what takes long and only reads: it is done before, so that no other change waits for it.
    ``changes_rules``: other rules may be in use afterwards.
    """

    right: str
    takes: type[Record]
    do: Callable[[Call], Answer]
    outside: Callable[[Connection, Any], object] = lambda *_: None
    changes_rules: bool = False


def _fits(connection: Connection, values: Credentials) -> bool:
    return users.password_fits(connection, values.name, values.password)


def _sign_in(call: Call) -> Answer:
    user = users.sign_in(call.connection, call.now, call.values.name, right=call.before)
    # A refusal is an answer here, not an error: the failure counter and the audit entry must be committed.
    return _plain(user) if user else {"refused": "wrong name or password"}


def _change_password(call: Call) -> Answer:
    user = users.change_password(call.connection, call.now, call.values.name, call.values.password)
    return _plain(user)


def _create(call: Call) -> Answer:
    asked: Report = call.values
    edit = edits.report(asked.title, asked.severity, asked.channel, call.actor, call.now, asked.text)
    placed = msgspec.structs.replace(edit.incident, **_place(call, asked.site))
    stored = incidents.commit(call.connection, None, placed, edit.entry)
    return {"id": stored.id, "version": stored.version}


def _place(call: Call, site: str) -> dict[str, tuple[str, ...]]:
    if not site:
        return {}
    unit = call.site(site)
    if unit is None:
        raise RefusedError(f"there is no site '{site}'")
    return {"sites": (site,), "units": (unit,)}


def _end(call: Call) -> Answer:
    users.end_sessions(call.connection, call.now, call.actor)
    return {}


def _acknowledge(call: Call) -> Answer:
    return _edit(call, lambda incident: edits.acknowledge(incident, call.actor, call.now))


def _assign(call: Call) -> Answer:
    owner = users.read_user(call.connection, call.values.owner)
    if owner.disabled or not may(owner.role, "incident.write"):
        raise RefusedError(f"'{owner.name}' cannot work on incidents: the account is disabled or has no such right")
    return _edit(call, lambda incident: edits.assign(incident, owner.name, call.actor, call.now))


def _note(call: Call) -> Answer:
    return _edit(call, lambda incident: edits.note(incident, call.values.text, call.actor, call.now))


def _close(call: Call) -> Answer:
    asked: OfIncident = call.values
    return _edit(call, lambda incident: edits.close(incident, asked.verdict, asked.text, call.actor, call.now))


def _edit(call: Call, edit: Callable[[Incident], Edit]) -> Answer:
    """Check out, edit, commit."""
    known = incidents.read_incident(call.connection, EVERYTHING, call.values.id)
    edited = edit(known)
    stored = incidents.commit(call.connection, known, edited.incident, edited.entry)
    return {"id": stored.id, "version": stored.version}


def _add_user(call: Call) -> Answer:
    if call.values.role not in ROLES:
        raise RefusedError(f"'{call.values.role}' is no role: use {', '.join(ROLES)}")
    password = users.add_user(call.connection, call.now, call.actor, call.values.name, call.values.role)
    return {"name": call.values.name, "password": password}


def _reset_user(call: Call) -> Answer:
    password = users.reset_user(call.connection, call.now, call.actor, call.values.name)
    return {"name": call.values.name, "password": password}


def _disable_user(call: Call) -> Answer:
    users.disable_user(call.connection, call.now, call.actor, call.values.name)
    return {"name": call.values.name}


def _list_users(call: Call) -> Answer:
    return {"users": [_plain(user) for user in users.list_users(call.connection)]}


def _unpack(_: Connection, values: OfPack) -> dict[str, bytes]:
    try:
        return decode_files(values.content)
    except ContentError as error:
        raise RefusedError(str(error)) from error


def _import_pack(call: Call) -> Answer:
    asked: OfPack = call.values
    made = rules.store_pack(call.connection, call.now, call.actor, asked.name, asked.source, call.before)
    return _plain(made)


def _roll_back(call: Call) -> Answer:
    asked: OfVersion = call.values
    active = rules.roll_back(call.connection, call.now, call.actor, asked.name, asked.number)
    return {"name": asked.name, "number": active.number if active else 0}


def _enable_rules(call: Call) -> Answer:
    ids, unknown = catalogue.file_mates(call.connection, call.values.rules)
    gone = unknown & rules.off_ids(call.connection)  # of a pack that is out of use
    _must_know(unknown - gone)
    changed = rules.switch_on(call.connection, call.now, call.actor, ids | gone, call.values.text)
    return {"changed": changed, "asked": len(set(call.values.rules))}


def _disable_rules(call: Call) -> Answer:
    ids, unknown = catalogue.file_mates(call.connection, call.values.rules)
    _must_know(unknown)
    changed = rules.switch_off(call.connection, call.now, call.actor, ids, call.values.text)
    stopped = [one.title for one in catalogue.dependents(call.connection, ids) if one.id not in ids]
    return {"changed": changed, "asked": len(set(call.values.rules)), "stopped": stopped}


def _ask_replay(call: Call) -> Answer:
    asked: OfQuarantine = call.values
    made = ask(
        call.connection,
        call.now,
        call.actor,
        Asked(since=asked.since, until=asked.until, source=asked.source, reason=asked.reason),
    )
    return {"number": made.number}


def _must_know(unknown: set[str]) -> None:
    if unknown:
        raise NotFoundError(f"there is no rule '{min(unknown)}'")


def _plain(record: Record) -> Answer:
    return msgspec.structs.asdict(record)


ACTIONS: dict[str, Action] = {
    "session.begin": Action("", Credentials, _sign_in, outside=_fits),
    "session.end": Action("", Nothing, _end),
    "session.password": Action("", Credentials, _change_password),
    "incidents.create": Action("incident.write", Report, _create),
    "incidents.acknowledge": Action("incident.write", OfIncident, _acknowledge),
    "incidents.assign": Action("incident.write", OfIncident, _assign),
    "incidents.note": Action("incident.write", OfIncident, _note),
    "incidents.close": Action("incident.write", OfIncident, _close),
    "users.add": Action("users.write", OfUser, _add_user),
    "users.reset": Action("users.write", OfUser, _reset_user),
    "users.disable": Action("users.write", OfUser, _disable_user),
    "users.list": Action("users.write", Nothing, _list_users),
    "rules.import": Action("rules.write", OfPack, _import_pack, outside=_unpack, changes_rules=True),
    "rules.rollback": Action("rules.write", OfVersion, _roll_back, changes_rules=True),
    "rules.enable": Action("rules.write", OfRules, _enable_rules, changes_rules=True),
    "rules.disable": Action("rules.write", OfRules, _disable_rules, changes_rules=True),
    "quarantine.replay": Action("logs.write", OfQuarantine, _ask_replay),
}
"""Every change a person can make."""
