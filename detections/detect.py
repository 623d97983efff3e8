"""From an event to its alerts: one for each rule it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.records import Alert, Evidence
from core.sigma import ecs_field
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
        object=tuple((field, _text(event, field)) for field in rule.object),
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
    )


def _text(event: Event, field: str) -> str:
    """The field as text, several values with commas between; empty if it is missing."""
    return ",".join(map(text_of, scalars(field_value(event, ecs_field(field)))))


def _evidence(event: Event) -> Evidence:
    return Evidence(event=event.id, time=event.time, raw=event.raw[:MAX_RAW], site=event.site, device=event.device)
