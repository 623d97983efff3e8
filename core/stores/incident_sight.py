"""What of an incident who has only a part of its sites sees: his own sites, alerts and lines, and his people's words.

What others wrote, who of them works on it, and what was hit elsewhere alone stay with them. An incident all of whose
sites are the reader's is shown whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from core.actors import LOCAL, PLATFORM
from core.incident import Dossier, Incident, TimelineEntry, Verdict
from core.records import Alert, Record, Severity
from core.scope import Grant, Scope
from core.stores.grants import grants_of
from core.stores.tables import alerts


class _Where(Record, frozen=True, kw_only=True):
    """Of a raw line, its site."""

    site: str = ""


class _Placed(Record, frozen=True, kw_only=True):
    """Of a stored alert, what tells where it was and what it names; its raw lines are passed over."""

    object: tuple[tuple[str, str], ...]
    title: dict[str, str]
    severity: Severity
    evidence: tuple[_Where, ...]
    site: str = ""
    sites: tuple[str, ...] = ()


_Known: TypeAlias = "Alert | _Placed"
_decode = msgspec.msgpack.Decoder(_Placed).decode


class _People:
    """Who is a colleague of the reader: a grant of theirs, of whatever role, reaches some of what is his."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._grants: Mapping[str, tuple[Grant, ...]] = grants_of(connection)
        self._over = scope.over

    def has(self, name: str) -> bool:
        """Whether the name may be told; an account of this machine sees all anyway."""
        if self._over is None:
            return True
        given = self._grants.get(name, ())
        return (
            name == PLATFORM or name.startswith(LOCAL) or any(not one.unit or one.unit in self._over for one in given)
        )


class _Sight(NamedTuple):
    """What of one incident may be told.

    Attributes:
        borne: the objects, field and value, that an alert bears which is the reader's to see.
        hidden: the values that only others bear.
        title: that of the gravest alert that is the reader's to see.
    """

    borne: frozenset[tuple[str, str]]
    hidden: frozenset[str]
    title: Mapping[str, str]

    def allows(self, text: str) -> bool:
        """Whether the text names nothing that is hidden."""
        return not any(value in text for value in self.hidden)


def is_partly(incident: Incident, scope: Scope) -> bool:
    """Whether the incident has sites beyond the scope."""
    return not all(map(scope.allows, incident.sites))


def concerns(alert: _Known, scope: Scope) -> bool:
    """Whether some of what took part in the alert is within the scope."""
    return (
        scope.allows(alert.site)
        or any(map(scope.allows, alert.sites))
        or any(scope.allows(one.site) for one in alert.evidence)
    )


def seen_incidents(connection: Connection, found: Sequence[Incident], scope: Scope) -> list[Incident]:
    """The incidents as who has this scope sees them."""
    parts = [one.id for one in found if is_partly(one, scope)]
    if not parts:
        return [_narrowed(one, scope) for one in found]
    known, people = _alerts_of(connection, parts), _People(connection, scope)
    return [
        _partly(_narrowed(one, scope), _sight(one, known[one.id], scope), people)
        if is_partly(one, scope)
        else _narrowed(one, scope)
        for one in found
    ]


def seen_dossier(connection: Connection, dossier: Dossier, scope: Scope) -> Dossier:
    """The dossier, given whole, as who has this scope sees it."""
    if scope.is_everything:
        return dossier
    incident, told = _narrowed(dossier.incident, scope), dossier.timeline
    if is_partly(dossier.incident, scope):
        sight, people = _sight(dossier.incident, dossier.alerts, scope), _People(connection, scope)
        incident, told = _partly(incident, sight, people), tuple(_entry(one, sight, people) for one in told)
    kept = tuple(seen_alert(one, scope) for one in dossier.alerts if concerns(one, scope))
    lines = Dossier(incident=incident, alerts=kept, timeline=told)
    return lines.readable(scope)


def seen_alert(alert: Alert, scope: Scope) -> Alert:
    """The alert without what tells of places beyond the scope; its raw lines are another's to choose."""
    if scope.is_everything:
        return alert
    sites, units = tuple(filter(scope.allows, alert.sites)), tuple(filter(scope.allows_unit, alert.units))
    if scope.allows(alert.site):
        return replace(alert, sites=sites, units=units)
    unit, site = next(iter(units), ""), next(iter(sites), "")
    return replace(alert, sites=sites, units=units, unit=unit, site=site, device="", fields={})


def _narrowed(incident: Incident, scope: Scope) -> Incident:
    """Without the sites and units that lie outside of the scope."""
    if scope.is_everything:
        return incident
    sites, units = tuple(filter(scope.allows, incident.sites)), tuple(filter(scope.allows_unit, incident.units))
    devices = incident.devices if sites == incident.sites else ()  # of which site each is, is not told here
    return replace(incident, sites=sites, units=units, devices=devices)


def _partly(incident: Incident, sight: _Sight, people: _People) -> Incident:
    is_told = all(map(sight.allows, incident.title.values()))
    return replace(
        incident,
        title=incident.title if is_told else dict(sight.title),
        object=tuple(pair for pair in incident.object if pair in sight.borne),
        owner=incident.owner if people.has(incident.owner) else "",
    )


def _entry(entry: TimelineEntry, sight: _Sight, people: _People) -> TimelineEntry:
    if not people.has(entry.actor):
        verdict, _, _ = entry.detail.partition(": ")  # it is the incident's own
        is_verdict = entry.action == "closed" and verdict in set(Verdict)
        return replace(entry, actor="", detail=verdict if is_verdict else "")
    names_a_stranger = entry.action == "assigned" and not people.has(entry.detail)
    is_told = not names_a_stranger and (entry.actor != PLATFORM or sight.allows(entry.detail))
    return entry if is_told else replace(entry, detail="")


def _sight(incident: Incident, known: Collection[_Known], scope: Scope) -> _Sight:
    own = [one for one in known if concerns(one, scope)]
    borne = frozenset(pair for one in own for pair in one.object)
    every = _values(pair for one in known for pair in one.object) | _values(incident.object)
    gravest = max(own, key=lambda one: one.severity.rank, default=None)
    return _Sight(borne, every - _values(borne), gravest.title if gravest else {})


def _values(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(value for _, value in pairs if value)


def _alerts_of(connection: Connection, numbers: Sequence[int]) -> Mapping[int, list[_Placed]]:
    found: defaultdict[int, list[_Placed]] = defaultdict(list)
    for row in connection.execute(select(alerts.c.incident, alerts.c.body).where(alerts.c.incident.in_(numbers))):
        found[row.incident].append(_decode(row.body))
    return found
