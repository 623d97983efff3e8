from __future__ import annotations

import random

import pytest

from core.clock import SECOND
from core.records import Alert, Evidence, Logsource, Severity
from core.sigma import RuleInfo
from correlation.correlator import Changes, Correlator
from correlation.rules import PLAIN_SPAN, CorrelationRule

BASE = 1_795_312_267 * SECOND  # 22/11/2026 08:51:07 in Vietnam


def make_info(name, objects=("source.ip",), *, signal=False):
    return RuleInfo(
        id=name,
        name=name,
        file=f"{name}.yml",
        title={"vi": f"Luật {name}", "en": f"Rule {name}"},
        level=Severity.HIGH,
        techniques=(),
        logsource=Logsource(),
        cause=name,
        object=objects,
        guide={"vi": (), "en": ()},
        signal=signal,
    )


def make_plain(name, *, signal=False, objects=("source.ip",)):
    info = make_info(name, objects, signal=signal)
    return CorrelationRule(info=info, steps=(name,), group_by=(), span=PLAIN_SPAN, kind="count", plain=True)


def make_count(name, steps, span, threshold, *, group_by=("source.ip",), signal=False):
    return CorrelationRule(
        info=make_info(name, group_by, signal=signal),
        steps=tuple(steps),
        group_by=group_by,
        span=span * SECOND,
        kind="count",
        threshold=threshold,
    )


def make_ordered(name, steps, span, *, group_by=("source.ip",)):
    return CorrelationRule(
        info=make_info(name, group_by), steps=tuple(steps), group_by=group_by, span=span * SECOND, kind="ordered"
    )


def make_hit(rule, at, number=0, *, source="203.0.113.45", site="tha", raw=b"x", **changed):
    """A plain rule's hit ``at`` seconds after the base."""
    time = BASE + round(at * SECOND)
    identity = f"{rule}:{number}"
    values = {
        "id": identity,
        "rule": rule,
        "title": {"vi": rule, "en": rule},
        "cause": rule,
        "object": (("source.ip", source),),
        "severity": Severity.LOW,
        "start": time,
        "end": time,
        "count": 1,
        "evidence": (Evidence(event=identity, time=time, raw=raw, site=site),),
        "site": site,
        "fields": {"source.ip": source},
    }
    return Alert(**(values | changed))


class Told:
    """Alerts as they stand after all that a correlator has told."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.withdrawn: list[str] = []

    def take(self, changes: Changes) -> None:
        for gone in changes.withdrawn:
            del self.alerts[gone]
        self.withdrawn += changes.withdrawn
        self.alerts |= {alert.id: alert for alert in changes.amended}

    def of(self, rule: str) -> list[Alert]:
        return sorted((alert for alert in self.alerts.values() if alert.rule == rule), key=lambda alert: alert.start)


def run_batches(correlator: Correlator, batches, now=None) -> Told:
    """Feeds batches; each arrives at ``now``, by default with the latest of its event times or those before."""
    told, latest = Told(), 0
    for batch in batches:
        latest = max([latest, *(hit.start for hit in batch)])
        told.take(correlator.update(batch, latest if now is None else now))
    return told


def make_dice(seed):
    return random.Random(seed)  # noqa: S311 - the same order in every run, no secret


@pytest.fixture
def dice():
    return make_dice


@pytest.fixture
def hit():
    return make_hit


@pytest.fixture
def plain():
    return make_plain


@pytest.fixture
def count():
    return make_count


@pytest.fixture
def ordered():
    return make_ordered


@pytest.fixture
def run():
    return run_batches
