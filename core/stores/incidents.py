"""Incidents in the state database: read within a scope; checked out, edited and committed by the centre."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from core import audit
from core.errors import NotFoundError, RefusedError
from core.incident import Dossier, Incident, State, TimelineEntry
from core.records import Alert
from core.scope import Scope
from core.stores.incident_sight import concerns, seen_alert, seen_dossier, seen_incidents
from core.stores.tables import alerts, incident_sites, incidents, timeline

_encode = msgspec.msgpack.encode
_LAST = (1 << 63) - 1  # the highest number that SQLite can hold, or be asked for


def list_incidents(
    connection: Connection, scope: Scope, states: Iterable[State] = State, limit: int = 200
) -> list[Incident]:
    """Incidents within the scope, the gravest first, then the latest changed."""
    wanted = [state.value for state in states]
    query = _scoped(select(incidents.c.body), scope).where(incidents.c.state.in_(wanted))
    query = query.order_by(incidents.c.severity.desc(), incidents.c.updated.desc()).limit(limit)
    return seen_incidents(connection, [_incident(row.body) for row in connection.execute(query)], scope)


def list_detected(connection: Connection, scope: Scope, since: int, limit: int = 200) -> list[Incident]:
    """Incidents within the scope, open or closed, detected at this time (ns UTC) or later, the latest first."""
    query = _scoped(select(incidents.c.body), scope).order_by(incidents.c.id.desc()).limit(limit)
    found = (_incident(row.body) for row in connection.execute(query))
    # Numbers are given in the order of detection: what came before the first that is too old is older still.
    return seen_incidents(connection, list(takewhile(lambda one: one.detected >= since, found)), scope)


def read_incident(connection: Connection, scope: Scope, number: int) -> Incident:
    """The incident of that number.

    Raises:
        NotFoundError: there is none within the scope.
    """
    (found,) = seen_incidents(connection, [_whole(connection, scope, number)], scope)
    return found


def read_dossier(connection: Connection, scope: Scope, number: int) -> Dossier:
    """The incident with its alerts and timeline, both in order of time, and with the raw lines within the scope.

    Raises:
        NotFoundError: there is none within the scope.
    """
    whole = Dossier(
        incident=_whole(connection, scope, number),
        alerts=tuple(read_alerts(connection, number)),
        timeline=tuple(_timeline(connection, number)),
    )
    return seen_dossier(connection, whole, scope)


def read_alerts(connection: Connection, number: int) -> list[Alert]:
    """All alerts of the incident, by their start."""
    query = select(alerts.c.body).where(alerts.c.incident == number).order_by(alerts.c.start, alerts.c.id)
    return [msgspec.msgpack.decode(row.body, type=Alert) for row in connection.execute(query)]


def latest_of_key(connection: Connection, cause: str, objects: tuple[tuple[str, str], ...]) -> Incident | None:
    """The newest incident of this cause and root object, open or closed."""
    key = incident_key(cause, objects)
    query = select(incidents.c.body).where(incidents.c.key == key).order_by(incidents.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return _incident(row.body) if row else None


def commit(connection: Connection, old: Incident | None, new: Incident, change: TimelineEntry) -> Incident:
    """Stores the edited incident, its timeline entry and its link in the audit chain, in the caller's transaction.

    Raises:
        RefusedError: someone else has committed since ``old`` was read.
    """
    stored = _insert(connection, new) if old is None else _update(connection, old, new)
    connection.execute(insert(timeline).values(incident=stored.id, **msgspec.structs.asdict(change)))
    audit.append(
        connection,
        change.time,
        change.actor,
        f"incident.{change.action}",
        f"incident/{stored.id}",
        _summary(change, stored),
    )
    return stored


def put_alert(connection: Connection, number: int, alert: Alert) -> bool:
    """Adds the alert to the incident, or replaces it where it has been amended; returns whether it is new."""
    replaced = connection.execute(delete(alerts).where(alerts.c.id == alert.id)).rowcount
    row = {"id": alert.id, "incident": number, "start": alert.start, "body": _encode(alert), "rule": alert.rule}
    connection.execute(insert(alerts).values(row))
    return not replaced


def alerts_of_rule(connection: Connection, scope: Scope, rule: str, limit: int) -> list[tuple[Alert, Incident]]:
    """The latest alerts of a rule, each with its incident, within the scope."""
    query = select(alerts.c.body, incidents.c.body.label("of")).join(incidents, alerts.c.incident == incidents.c.id)
    query = _scoped(query, scope).where(alerts.c.rule == rule).order_by(alerts.c.start.desc(), alerts.c.id)
    found = ((msgspec.msgpack.decode(row.body, type=Alert), _incident(row.of)) for row in connection.execute(query))
    # An incident may have alerts of several sites.
    seen = list(islice(((alert, of) for alert, of in found if concerns(alert, scope)), limit))
    told = seen_incidents(connection, [of for _, of in seen], scope)
    return [(seen_alert(alert, scope), of) for (alert, _), of in zip(seen, told, strict=True)]


def remove_alert(connection: Connection, alert_id: str) -> None:
    """Removes an alert that has become part of another."""
    connection.execute(delete(alerts).where(alerts.c.id == alert_id))


def count_open(connection: Connection, scope: Scope) -> int:
    """Open incidents within the scope."""
    query = _scoped(select(func.count(incidents.c.id)), scope).where(incidents.c.state != State.CLOSED.value)
    return int(connection.execute(query).scalar_one())


def incident_key(cause: str, objects: tuple[tuple[str, str], ...]) -> str:
    """Cause and root object as one text, for looking up."""
    return msgspec.json.encode([cause, objects]).decode()


def _insert(connection: Connection, new: Incident) -> Incident:
    row = {"key": incident_key(new.cause, new.object), **_columns(new), "version": 1, "body": b""}
    number = connection.execute(insert(incidents).values(row).returning(incidents.c.id)).scalar_one()
    stored = msgspec.structs.replace(new, id=number, version=1)
    connection.execute(update(incidents).where(incidents.c.id == number).values(body=_encode(stored)))
    _store_sites(connection, stored)
    return stored


def _update(connection: Connection, old: Incident, new: Incident) -> Incident:
    stored = msgspec.structs.replace(new, version=old.version + 1)
    query = update(incidents).where(incidents.c.id == old.id, incidents.c.version == old.version)
    result = connection.execute(query.values(**_columns(stored), version=stored.version, body=_encode(stored)))
    if result.rowcount != 1:
        raise RefusedError(f"incident {old.id} was changed meanwhile: look at it again")
    if stored.sites != old.sites:
        _store_sites(connection, stored)
    return stored


def _columns(incident: Incident) -> dict[str, object]:
    return {"state": incident.state.value, "severity": incident.severity.rank, "updated": incident.updated}


def _store_sites(connection: Connection, incident: Incident) -> None:
    connection.execute(delete(incident_sites).where(incident_sites.c.incident == incident.id))
    for site in incident.sites:
        connection.execute(insert(incident_sites).values(incident=incident.id, site=site))


def _summary(change: TimelineEntry, incident: Incident) -> str:
    said = {"detail": change.detail, "state": incident.state, "owner": incident.owner, "version": incident.version}
    return msgspec.json.encode(said).decode()


def _timeline(connection: Connection, number: int) -> list[TimelineEntry]:
    columns = (timeline.c.time, timeline.c.actor, timeline.c.action, timeline.c.detail)
    rows = connection.execute(select(*columns).where(timeline.c.incident == number).order_by(timeline.c.id))
    return [TimelineEntry(time=row.time, actor=row.actor, action=row.action, detail=row.detail) for row in rows]


def _scoped(query: Select[Any], scope: Scope) -> Select[Any]:
    if scope.sites is None:
        return query
    seen = select(incident_sites.c.incident).where(incident_sites.c.site.in_(sorted(scope.sites)))
    return query.where(incidents.c.id.in_(seen))


def _whole(connection: Connection, scope: Scope, number: int) -> Incident:
    """The incident with all that is not the reader's too, if some of it is."""
    possible = 0 < number <= _LAST
    query = _scoped(select(incidents.c.body), scope).where(incidents.c.id == number)
    row = connection.execute(query).first() if possible else None
    if row is None:
        raise NotFoundError(f"there is no incident {number}, or it is not yours to see")
    return _incident(row.body)


def _incident(body: bytes) -> Incident:
    return msgspec.msgpack.decode(body, type=Incident)
