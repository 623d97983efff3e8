"""What can be done to an incident, as pure edits: an incident in, the edited one and its timeline entry out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from core.actors import PLATFORM
from core.errors import RefusedError
from core.incident import Incident, State, TimelineEntry, Verdict
from core.records import Alert, Severity

LONGEST_TEXT = 10_000
LONGEST_TITLE = 200
CHANNELS = ("telephone", "e-mail", "other")


class Edit(NamedTuple):
    """The edited incident and what to write into its timeline."""

    incident: Incident
    entry: TimelineEntry


def raise_incident(alert: Alert, known: Incident | None, now: int, reopen: int) -> Edit | None:
    """What an alert does to the newest incident of its cause and object; None if that incident stays as it is.

    Args:
        alert: new or amended.
        known: the newest incident of the alert's key, open or closed.
        now: nanoseconds UTC.
        reopen: a closed incident is opened again up to this long after; later a new one refers to it.
    """
    if alert.closes:
        return _recovered(alert, known, now)
    if known is None:
        return _opened(alert, now, refers_to=0)
    if known.state is State.CLOSED and now - known.resolved > reopen:
        return _opened(alert, now, refers_to=known.id)
    amended = _amended(known, alert)
    if known.state is State.CLOSED:
        again = replace(amended, state=State.NEW, verdict=None, resolved=0, updated=now)
        return _edit(again, now, PLATFORM, "reopened", alert.title["vi"])
    if amended == known:
        return None
    return _edit(replace(amended, updated=now), now, PLATFORM, "evidence", alert.title["vi"])


def report(title: str, severity: Severity, channel: str, actor: str, now: int, text: str = "") -> Edit:
    """An incident that a person enters: a telephone call or an e-mail.

    Raises:
        RefusedError: the title is empty or too long, or the channel unknown.
    """
    title = unicodedata.normalize("NFC", title.strip())
    if not 0 < len(title) <= LONGEST_TITLE:
        raise RefusedError(f"a title has 1 to {LONGEST_TITLE} characters")
    if channel not in CHANNELS:
        raise RefusedError(f"'{channel}' is no channel: use {', '.join(CHANNELS)}")
    incident = Incident(
        cause=f"report/{now}",
        object=(("reported.by", actor),),
        title={"vi": title, "en": title},
        severity=severity,
        occurred=now,
        detected=now,
        updated=now,
        channel=channel,
    )
    return _edit(incident, now, actor, "created", _checked(text))


def acknowledge(incident: Incident, actor: str, now: int) -> Edit:
    """Someone takes note; who does so first owns it.

    Raises:
        RefusedError: it has been acknowledged, or is closed.
    """
    if incident.state is not State.NEW:
        raise RefusedError(f"incident {incident.id} is {incident.state.value} already")
    changed = replace(
        incident,
        state=State.ACKNOWLEDGED,
        owner=incident.owner or actor,
        acknowledged=incident.acknowledged or now,
        updated=now,
    )
    return _edit(changed, now, actor, "acknowledged")


def assign(incident: Incident, owner: str, actor: str, now: int) -> Edit:
    """Gives the incident to someone.

    Raises:
        RefusedError: it is closed.
    """
    _open(incident)
    return _edit(replace(incident, owner=owner, updated=now), now, actor, "assigned", owner)


def note(incident: Incident, text: str, actor: str, now: int) -> Edit:
    """Adds words to the timeline.

    Raises:
        RefusedError: there are no words, or too many.
    """
    if not text.strip():
        raise RefusedError("a note needs words")
    return _edit(replace(incident, updated=now), now, actor, "noted", _checked(text))


def close(incident: Incident, verdict: Verdict, text: str, actor: str, now: int) -> Edit:
    """Ends the work with a verdict.

    Raises:
        RefusedError: it is closed already.
    """
    _open(incident)
    changed = replace(
        incident,
        state=State.CLOSED,
        verdict=verdict,
        owner=incident.owner or actor,
        acknowledged=incident.acknowledged or now,
        resolved=now,
        updated=now,
    )
    words = f"{verdict.value}: {_checked(text)}" if text.strip() else verdict.value
    return _edit(changed, now, actor, "closed", words)


def _opened(alert: Alert, now: int, refers_to: int) -> Edit:
    incident = Incident(
        cause=alert.cause,
        object=alert.object,
        title=alert.title,
        severity=alert.severity,
        units=_joined((), alert.unit, *alert.units),
        sites=_joined((), alert.site, *alert.sites),
        devices=_joined((), alert.device),
        occurred=alert.start,
        detected=now,
        updated=now,
        refers_to=refers_to,
    )
    return _edit(incident, now, PLATFORM, "opened", alert.title["vi"])


def _recovered(alert: Alert, known: Incident | None, now: int) -> Edit | None:
    """What is over ends its incident, unless it was over before the incident's latest evidence."""
    if known is None or known.state is State.CLOSED or alert.end < known.occurred:
        return None
    verdict = known.verdict or Verdict.TRUE_POSITIVE
    changed = replace(known, state=State.CLOSED, verdict=verdict, resolved=now, updated=now)
    return _edit(changed, now, PLATFORM, "recovered", alert.title["vi"])


def _amended(incident: Incident, alert: Alert) -> Incident:
    graver = alert.severity.rank > incident.severity.rank
    return replace(
        incident,
        title=alert.title if graver else incident.title,
        severity=alert.severity if graver else incident.severity,
        units=_joined(incident.units, alert.unit, *alert.units),
        sites=_joined(incident.sites, alert.site, *alert.sites),
        devices=_joined(incident.devices, alert.device),
        occurred=min(incident.occurred, alert.start),
    )


def _joined(known: Iterable[str], *names: str) -> tuple[str, ...]:
    return tuple(sorted({*known, *names} - {""}))


def _open(incident: Incident) -> None:
    if incident.state is State.CLOSED:
        raise RefusedError(f"incident {incident.id} is closed")


def _checked(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise RefusedError(f"a text has at most {LONGEST_TEXT} characters")
    return unicodedata.normalize("NFC", text.strip())


def _edit(incident: Incident, now: int, actor: str, action: str, detail: str = "") -> Edit:
    return Edit(incident, TimelineEntry(time=now, actor=actor, action=action, detail=detail))
