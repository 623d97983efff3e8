"""What the templates show, made from records: pure, so that every odd byte and time can be tested."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

from core.clock import HOUR, MINUTE, SECOND, VIETNAM, iso, to_datetime, vietnam
from core.incident import Dossier, Incident, State, TimelineEntry, Verdict
from core.query import quoted
from core.records import Alert, Evidence, Record, Severity
from core.scope import NOTHING, Scope

SHAPES = {
    Severity.INFORMATIONAL: "○",
    Severity.LOW: "●",
    Severity.MEDIUM: "◆",
    Severity.HIGH: "▲",
    Severity.CRITICAL: "■",
}
"""So that the severity is never told by colour alone."""

Told = TypeVar("Told")

MOST_LINES = 20
FIRST_LINES = 5
LAST_LINES = 10
"""Of more than ``MOST_LINES`` of evidence only the first and the last are open: the last one decided."""

AROUND = 5 * MINUTE
"""So much before and after an alert is searched."""

_PART = "haidang.object"
"""The field in which the platform names a device, or a part of one: ``rt-hn/Gi0/0/1``."""

_DAY = 24 * HOUR
_NAMES = {"\0": "NUL", "\t": "TAB", "\n": "LF", "\r": "CR", "\x1b": "ESC"}


class View(Record, frozen=True, kw_only=True):
    """For whom and when: language, the names of sites and units, now, and where raw lines may be read."""

    language: str
    sites: Mapping[str, str]
    units: Mapping[str, str]
    now: int
    events: Scope = NOTHING


class Moment(Record, frozen=True, kw_only=True):
    """A time as people read it and as machines do."""

    text: str
    iso: str


class Age(Record, frozen=True, kw_only=True):
    """How long: the unit is the end of a text key."""

    unit: str
    count: int


class Row(Record, frozen=True, kw_only=True):
    """An incident in the queue."""

    number: int
    title: str
    severity: str
    shape: str
    state: str
    owner: str
    place: str
    object: str
    detected: Moment
    age: Age
    is_new: bool


class Head(Record, frozen=True, kw_only=True):
    """An incident at the top of its page. A moment that has not come is None."""

    row: Row
    is_open: bool
    verdict: str
    tlp: str
    units: str
    sites: str
    devices: str
    channel: str
    refers_to: int
    occurred: Moment | None
    acknowledged: Moment | None
    contained: Moment | None
    resolved: Moment | None


class Line(Record, frozen=True, kw_only=True):
    """One raw event."""

    time: Moment
    text: str


class AlertView(Record, frozen=True, kw_only=True):
    """An alert with all the evidence it holds.

    Attributes:
        rule: the rule's id.
        name: the rule's short name, may be empty.
        link: the rule's page, empty if there is none.
        guide: the steps of the rule's triage guide in the reader's language, may be empty.
        lines: the evidence, or what comes first of it.
        folded: what lies between the first and the last lines.
        last_lines: what comes after the folded ones.
        left_out: how many events the alert holds no longer.
        is_withheld: whether none of its evidence is the reader's to see.
        others: how many of the raw lines that it holds are of other units, and not shown.
        search: the address of the search for the events around it.
        source: the page of the source of logs that it is about, empty if it is about none.
    """

    title: str
    rule: str
    name: str
    link: str
    guide: tuple[str, ...]
    severity: str
    shape: str
    object: str
    techniques: tuple[str, ...]
    first: Moment
    last: Moment
    count: int
    lines: tuple[Line, ...]
    folded: tuple[Line, ...]
    last_lines: tuple[Line, ...]
    left_out: int
    is_withheld: bool
    others: int
    search: str
    source: str


class Step(Record, frozen=True, kw_only=True):
    """One entry of the timeline. ``verdict`` is that with which the incident was closed, else empty.

    ``actor`` is empty where it is somebody of another unit.
    """

    time: Moment
    actor: str
    action: str
    verdict: str
    detail: str


class IncidentView(Record, frozen=True, kw_only=True):
    """The whole page of an incident; the gravest alert stands first."""

    head: Head
    alerts: tuple[AlertView, ...]
    timeline: tuple[Step, ...]


def incident_view(
    dossier: Dossier, view: View, guides: Mapping[str, tuple[str, ...]], listed: Collection[str] = ()
) -> IncidentView:
    """All that the incident's page shows; ``guides`` are the triage guides by rule id, ``listed`` rules have a page."""
    dossier = dossier.readable(view.events)
    return IncidentView(
        head=head(dossier.incident, view),
        alerts=tuple(
            alert_view(
                alert,
                view,
                guides.get(alert.rule, ()),
                is_listed=alert.rule in listed,
                withheld=dossier.withheld.get(alert.id, 0),
            )
            for alert in _ordered(dossier.alerts)
        ),
        timeline=tuple(step(entry) for entry in dossier.timeline),
    )


def row(incident: Incident, view: View) -> Row:
    """The incident as one line of the queue."""
    return Row(
        number=incident.id,
        title=in_language(incident.title, view.language, ""),
        severity=incident.severity.value,
        shape=SHAPES[incident.severity],
        state=incident.state.value,
        owner=incident.owner,
        place=_joined(_names(incident.sites, view.sites) or _names(incident.units, view.units) or incident.devices),
        object=object_text(incident.object),
        detected=moment(incident.detected),
        age=age((incident.resolved or view.now) - incident.detected),
        is_new=incident.state is State.NEW,
    )


def head(incident: Incident, view: View) -> Head:
    """The incident as the top of its page."""
    return Head(
        row=row(incident, view),
        is_open=incident.state is not State.CLOSED,
        verdict=incident.verdict.value if isinstance(incident.verdict, Verdict) else "",
        tlp=f"TLP:{incident.tlp.value.upper()}",
        units=_joined(_names(incident.units, view.units)),
        sites=_joined(_names(incident.sites, view.sites)),
        devices=_joined(incident.devices),
        channel=incident.channel,
        refers_to=incident.refers_to,
        occurred=moment_or_none(incident.occurred),
        acknowledged=moment_or_none(incident.acknowledged),
        contained=moment_or_none(incident.contained),
        resolved=moment_or_none(incident.resolved),
    )


def alert_view(
    alert: Alert, view: View, guide: tuple[str, ...] = (), *, is_listed: bool = False, withheld: int = 0
) -> AlertView:
    """The alert, as far as it is the reader's, with every line of its evidence and its rule's triage guide."""
    shown = tuple(one for one in alert.evidence if view.events.allows(one.site))
    withheld += len(alert.evidence) - len(shown)
    is_withheld = not shown and not view.events.allows(alert.site)
    first, folded, last = fold_lines(tuple(line(evidence) for evidence in shown))
    return AlertView(
        title=in_language(alert.title, view.language, ""),
        rule=alert.rule,
        name=alert.name,
        link=f"/rules/{alert.rule}" if is_listed else "",
        guide=guide,
        severity=alert.severity.value,
        shape=SHAPES[alert.severity],
        object=object_text(alert.object),
        techniques=alert.techniques,
        first=moment(alert.start),
        last=moment(alert.end),
        count=alert.count,
        lines=first,
        folded=folded,
        last_lines=last,
        left_out=0 if is_withheld else max(0, alert.count - len(shown) - withheld),
        is_withheld=is_withheld,
        others=0 if is_withheld else withheld,
        search=search_around(alert),
        source=source_page(alert),
    )


def fold_lines(lines: tuple[Line, ...]) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]]:
    """The first lines, those between, and the last ones; few lines are all first."""
    if len(lines) <= MOST_LINES:
        return lines, (), ()
    return lines[:FIRST_LINES], lines[FIRST_LINES:-LAST_LINES], lines[-LAST_LINES:]


def line(evidence: Evidence) -> Line:
    """One raw event, safe to look at."""
    return Line(time=exact_moment(evidence.time), text=visible(evidence.raw))


def step(entry: TimelineEntry) -> Step:
    """One entry of the timeline; the detail of a closing begins with its verdict: ``benign: words``."""
    verdict, _, words = entry.detail.partition(": ")
    is_closing = entry.action == "closed" and verdict in set(Verdict)
    return Step(
        time=moment(entry.time),
        actor=entry.actor,
        action=entry.action,
        verdict=verdict if is_closing else "",
        detail=words if is_closing else entry.detail,
    )


def visible(raw: bytes) -> str:
    """The bytes as UTF-8 text in which nothing hides.

    What is invisible or turns the direction of writing (Unicode's categories Cc, Cf, Zl, Zp) is told by its name
    (``‹ESC›``) or code point (``‹U+202E›``); bytes that are not UTF-8 become U+FFFD.
    """
    return "".join(_visible(character) for character in raw.decode("utf-8", "replace"))


def local_text(nanoseconds: int) -> str:
    """The time as browsers take it: ``2026-11-22T13:30:00`` in Vietnam."""
    return to_datetime(nanoseconds // SECOND * SECOND).astimezone(VIETNAM).strftime("%Y-%m-%dT%H:%M:%S")


def search_around(alert: Alert) -> str:
    """The address of the search for the events about an alert's object, from a little before to a little after."""
    object_ = (("observer.ip", address),) if (address := _source_of(alert)) else alert.object
    terms = " ".join(f"{field}:{quoted(value)}" for field, value in object_ if field and value)
    span = {"from": local_text(alert.start - AROUND), "to": local_text(alert.end + AROUND)}
    return f"/events?{urlencode({'q': terms, 'span': 'own', **span})}"


def source_page(alert: Alert) -> str:
    """The page of the source of logs that the platform itself told of; empty for every other alert."""
    address = _source_of(alert)
    return f"/sources/{quote(address, safe='')}" if address else ""


def _source_of(alert: Alert) -> str:
    """The address of the source whose silence or the like this alert tells: other senders' events never say that."""
    told = alert.fields
    is_ours = str(told.get("event.action", "")).startswith("source_") and "haidang.lane" in told
    return dict(alert.object).get("source.ip", "") if is_ours else ""


def _visible(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}:
        return f"‹{_NAMES.get(character) or f'U+{ord(character):04X}'}›"
    return character


def age(nanoseconds: int) -> Age:
    """How long, in the largest unit that has gone by whole; the future is now."""
    for unit, length in (("days", _DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if nanoseconds >= length:
            return Age(unit=unit, count=nanoseconds // length)
    return Age(unit="now", count=0)


def moment(nanoseconds: int) -> Moment:
    """To the second, in Asia/Ho_Chi_Minh."""
    return Moment(text=vietnam(nanoseconds), iso=iso(nanoseconds))


def exact_moment(nanoseconds: int) -> Moment:
    """To the millisecond, in Asia/Ho_Chi_Minh."""
    return Moment(text=f"{vietnam(nanoseconds)}.{nanoseconds // 1_000_000 % 1000:03d}", iso=iso(nanoseconds))


def moment_or_none(nanoseconds: int) -> Moment | None:
    """None for what has not happened, which records tell by 0."""
    return moment(nanoseconds) if nanoseconds else None


def in_language(told: Mapping[str, Told], language: str, otherwise: Told) -> Told:
    """What is told in that language, else in any in which something is."""
    return told.get(language) or next(filter(None, told.values()), otherwise)


def object_text(pairs: Iterable[tuple[str, str]]) -> str:
    """What was hit: ``source.ip 203.0.113.7 · user.name root``; a device's part is named by its value alone."""
    told = (value if field == _PART else f"{field} {value}".strip() for field, value in pairs)
    return visible(" · ".join(told).encode())


def _ordered(alerts: tuple[Alert, ...]) -> list[Alert]:
    """The gravest first, then by their start."""
    return sorted(alerts, key=lambda alert: (-alert.severity.rank, alert.start, alert.id))


def _names(ids: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(each, each) for each in ids)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
