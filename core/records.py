"""The records that flow through the platform: observations, rule hits and what people work on.

All are frozen and travel between processes as JSON or MessagePack (msgspec). Times are int64 nanoseconds, UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

FORMAT = 1
"""Version of these records as they are written to disk or sent over the relay."""


FieldValue: TypeAlias = str | int | float | bool | list[str] | None
Fields: TypeAlias = dict[str, FieldValue]
"""Flat, ECS names to values."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all records share: immutable and slotted; on the wire, what equals its default is left out.

    A subclass says ``frozen=True, kw_only=True`` again: type checkers and msgspec do not inherit these.
    """


class Logsource(Record, frozen=True, kw_only=True):
    """Where an event comes from, in Sigma's three terms; an empty term is unknown.

    Source: Sigma specification 2.1, section "Log source".
    """

    product: str = ""
    category: str = ""
    service: str = ""


class Event(Record, frozen=True, kw_only=True):
    """One observation.

    Attributes:
        id: given once, where it enters: ``source/segment/offset``; never derived from the content.
        time: when it happened. ``seen`` where the sender's clock is not believed.
        seen: when we received it.
        logsource: product, category and service.
        fields: flat, with ECS names (``source.ip``, ``user.name``, ``message``).
        raw: the bytes as received.
        unit: the legal body that owns the site; empty if unknown.
        site: the place with the device; empty if unknown.
        device: the device's name in the inventory; empty if unknown.
    """

    id: str
    time: int
    seen: int
    logsource: Logsource
    fields: Fields
    raw: bytes
    unit: str = ""
    site: str = ""
    device: str = ""


class Severity(StrEnum):
    """Sigma's levels, in rising order (specification 2.1, "Level")."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for informational to 4 for critical."""
        return list(Severity).index(self)


class Evidence(Record, frozen=True, kw_only=True):
    """One raw event carried by value in an alert: it survives the branch it came from."""

    event: str
    time: int
    raw: bytes
    site: str = ""
    device: str = ""


class Alert(Record, frozen=True, kw_only=True):
    """A rule's hit on one object, amended as evidence arrives.

    Attributes:
        id: stable for the same rule, object and first evidence, so a resend is folded.
        rule: the Sigma rule's id (UUID).
        name: the Sigma rule's short name, by which correlation rules refer to it; may be empty.
        title: the rule's title in Vietnamese and English: ``{"vi": ..., "en": ...}``.
        cause: what this is a sign of; alerts of one cause and object are one incident.
        object: the (field, value) pairs that say what was hit, in the rule's order.
        severity: Sigma level.
        techniques: ATT&CK technique ids, for instance ``T1110.001``.
        start: time of the first evidence.
        end: time of the last evidence.
        count: events that took part; more than ``evidence`` holds when that is full.
        evidence: first and last 50 raw events, at most 256 KB.
        fields: the event's fields, for an alert of one event; correlation groups by them.
        sites: all sites of what took part, in order of their ids; ``units`` likewise.
        closes: says that what ``cause`` names is over at the object.
    """

    id: str
    rule: str
    title: dict[str, str]
    cause: str
    object: tuple[tuple[str, str], ...]
    severity: Severity
    start: int
    end: int
    count: int
    evidence: tuple[Evidence, ...]
    name: str = ""
    techniques: tuple[str, ...] = ()
    unit: str = ""
    site: str = ""
    device: str = ""
    fields: Fields = {}
    closes: bool = False
    sites: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
