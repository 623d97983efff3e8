"""Correlation rules made ready to be judged: which hits they take, by what they group, when they hold."""

from __future__ import annotations

from typing import Literal

from sigma.correlations import SigmaCorrelationConditionOperator, SigmaCorrelationType

from core.clock import MINUTE, SECOND
from core.records import Record
from core.sigma import LoadedCorrelation, LoadedRule, Refused, RuleInfo, RuleSet

PLAIN_SPAN = 10 * MINUTE
"""Hits of a plain rule on one object are one alert while they follow each other within this time."""


class CorrelationRule(Record, frozen=True, kw_only=True):
    """What the correlator needs of a rule.

    Attributes:
        info: title, level, cause and the rest.
        steps: ids of the rules whose hits or firings it takes, in order.
        group_by: ECS names; empty for a plain rule, which groups by its object.
        span: length of the window, nanoseconds.
        kind: ``count``: so many hits of any step; ``ordered``: each step after the one before.
        threshold: hits that are enough, for ``count``.
    """

    info: RuleInfo
    steps: tuple[str, ...]
    group_by: tuple[str, ...]
    span: int
    kind: Literal["count", "ordered"]
    threshold: int = 1


_KINDS: dict[SigmaCorrelationType, Literal["count", "ordered"]] = {
    SigmaCorrelationType.EVENT_COUNT: "count",
    SigmaCorrelationType.TEMPORAL_ORDERED: "ordered",
}
_LEAST = {SigmaCorrelationConditionOperator.GTE: 0, SigmaCorrelationConditionOperator.GT: 1}


def prepare(rules: RuleSet) -> tuple[list[CorrelationRule], list[Refused]]:
    """All rules that can be judged, those first to which others refer; and those that cannot, with the reason."""
    ready = [_plain(rule) for rule in rules.rules]
    refused: list[Refused] = []
    for rule in rules.correlations:
        reason = _unsupported(rule)
        if reason:
            refused.append(Refused(rule.info.file, reason))
        else:
            ready.append(_correlation(rule))
    return ready, refused


def _plain(rule: LoadedRule) -> CorrelationRule:
    return CorrelationRule(info=rule.info, steps=(rule.info.id,), group_by=(), span=PLAIN_SPAN, kind="count")


def _unsupported(rule: LoadedCorrelation) -> str:
    sigma = rule.sigma
    if sigma.type not in _KINDS:
        return f"correlation type {sigma.type.name.lower()} is not supported yet"
    if len(sigma.aliases.aliases) > 0:
        return "field aliases in correlation rules are not supported yet"
    operator = getattr(sigma.condition, "op", SigmaCorrelationConditionOperator.GTE)
    if _KINDS[sigma.type] == "count" and operator not in _LEAST:
        return f"the condition {operator.name.lower()} is not supported yet: use gte or gt"
    return ""


def _correlation(rule: LoadedCorrelation) -> CorrelationRule:
    sigma = rule.sigma
    kind = _KINDS[sigma.type]
    count = int(getattr(sigma.condition, "count", 1))
    operator = getattr(sigma.condition, "op", SigmaCorrelationConditionOperator.GTE)
    return CorrelationRule(
        info=rule.info,
        steps=tuple(rule.references[reference.reference] for reference in sigma.rules or ()),
        group_by=tuple(sigma.group_by or ()),
        span=int(sigma.timespan.seconds * SECOND),
        kind=kind,
        threshold=max(1, count + _LEAST[operator]) if kind == "count" else 1,
    )
