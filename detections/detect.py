"""From an event to its alerts: one for each rule it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.names import names_of
from core.records import Alert, Evidence
from detections.routes import event_terms
from detections.values import text_of
from detections.view import field_value, scalars

if TYPE_CHECKING:
    from core.records import Event
    from core.sigma import RuleInfo
    from detections.engine import Matcher

MAX_RAW = 8 * 1024
"""Bytes of the raw message that an alert carries."""


def detect(matcher: Matcher, event: Event) -> list[Alert]:
    """One alert a rule met; the same event met again gives the same ids, so a resend is folded."""
    return [_alert(rule, event) for rule in matcher.match(event)]


def _alert(rule: RuleInfo, event: Event) -> Alert:
    return Alert(
        id=f"{rule.id}:{event.id}",
        rule=rule.id,
        name=rule.name,
        title=rule.title,
        cause=rule.cause,
        object=_object(rule, event),
        severity=rule.level,
        techniques=rule.techniques,
        start=event.time,
        end=event.time,
        count=1,
        evidence=(_evidence(event),),
        unit=event.unit,
        site=event.site,
        device=event.device,
        fields=event.fields,
        closes=rule.closes,
    )


def _object(rule: RuleInfo, event: Event) -> tuple[tuple[str, str], ...]:
    """What was hit: each field with its text; several values have commas between them."""
    names = names_of(event_terms(event.logsource, event.fields))
    return tuple((field, ",".join(map(text_of, scalars(field_value(event, names[field]))))) for field in rule.object)


def _evidence(event: Event) -> Evidence:
    return Evidence(event=event.id, time=event.time, raw=event.raw[:MAX_RAW], site=event.site, device=event.device)
