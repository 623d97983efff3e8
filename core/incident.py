"""The incident: what a person works on, and what has happened to it."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from core.records import Alert, Record, Severity
from core.scope import Scope


class State(StrEnum):
    """Where the work on an incident stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What a closed incident turned out to be."""

    TRUE_POSITIVE = "true_positive"
    BENIGN = "benign"
    FALSE_POSITIVE = "false_positive"
    DUPLICATE = "duplicate"


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0: with whom it may be shared."""

    RED = "red"
    AMBER_STRICT = "amber+strict"
    AMBER = "amber"
    GREEN = "green"
    CLEAR = "clear"


class Incident(Record, frozen=True, kw_only=True):
    """One cause at one root object. Times are nanoseconds UTC, 0 where it has not happened.

    Attributes:
        id: number that people say aloud; 0 until it is stored.
        cause: with ``object`` the key: of one key at most one incident is open.
        object: the (field, value) pairs of the root object.
        title: ``{"vi": ..., "en": ...}``, that of its gravest alert.
        occurred: time of the first evidence.
        detected: when the platform opened it.
        updated: when it last changed.
        refers_to: the earlier incident of the same key, closed longer ago than the reopen time.
        channel: how it came: ``detection``, ``telephone``, ``e-mail`` or ``other``.
        version: grows by one with each commit.
    """

    id: int = 0
    cause: str
    object: tuple[tuple[str, str], ...]
    title: dict[str, str]
    severity: Severity
    state: State = State.NEW
    owner: str = ""
    verdict: Verdict | None = None
    tlp: Tlp = Tlp.AMBER
    units: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    occurred: int
    detected: int
    updated: int
    acknowledged: int = 0
    contained: int = 0
    resolved: int = 0
    refers_to: int = 0
    channel: str = "detection"
    version: int = 0


class TimelineEntry(Record, frozen=True, kw_only=True):
    """One thing that happened to an incident: who did what, when."""

    time: int
    actor: str
    action: str
    detail: str = ""


class Dossier(Record, frozen=True, kw_only=True):
    """An incident with all that belongs to it, as its page shows it.

    Attributes:
        withheld: how many raw lines of an alert, by its id, are not the reader's to see.
    """

    incident: Incident
    alerts: tuple[Alert, ...]
    timeline: tuple[TimelineEntry, ...]
    withheld: dict[str, int] = msgspec.field(default_factory=dict)

    def readable(self, scope: Scope) -> Dossier:
        """With the raw lines of these sites alone; the others are counted."""
        if scope.is_everything:
            return self
        kept = tuple(
            replace(alert, evidence=tuple(item for item in alert.evidence if scope.allows(item.site)))
            for alert in self.alerts
        )
        gone = {one.id: len(one.evidence) - len(now.evidence) for one, now in zip(self.alerts, kept, strict=True)}
        counts = {name: count + self.withheld.get(name, 0) for name, count in gone.items()}
        return replace(self, alerts=kept, withheld={name: count for name, count in counts.items() if count})
