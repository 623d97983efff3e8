"""Correlation rules made ready to be judged: which hits they take, by what they group, when they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
)

from core.clock import MINUTE, SECOND
from core.records import Record
from core.sigma import LoadedCorrelation, LoadedRule, Refused, RuleInfo, RuleSet

PLAIN_SPAN = 10 * MINUTE
"""Hits of a plain rule on one object are one alert while they follow each other within this time."""

MOST_COUNT = 10_000
"""The highest number of hits for which a condition may wait: so many are held for each group."""


class CorrelationRule(Record, frozen=True, kw_only=True):
    """What the correlator needs of a rule.

    Attributes:
        info: title, level, cause and the rest.
        steps: ids of the rules whose hits or firings it takes, in order.
        group_by: ECS names; of none, all hits are one group. A plain rule groups by its object.
        span: length of the window, nanoseconds.
        kind: ``count``: so many hits of any step; ``ordered``: each step after the one before.
        threshold: hits that are enough, for ``count``.
        plain: a detection rule, not a correlation.
    """

    info: RuleInfo
    steps: tuple[str, ...]
    group_by: tuple[str, ...]
    span: int
    kind: Literal["count", "ordered"]
    threshold: int = 1
    plain: bool = False


_KINDS: dict[SigmaCorrelationType, Literal["count", "ordered"]] = {
    SigmaCorrelationType.EVENT_COUNT: "count",
    SigmaCorrelationType.TEMPORAL_ORDERED: "ordered",
}
_LEAST = {SigmaCorrelationConditionOperator.GTE: 0, SigmaCorrelationConditionOperator.GT: 1}


def prepare(rules: RuleSet) -> tuple[list[CorrelationRule], list[Refused]]:
    """All rules that can be judged, those first to which others refer; and those that cannot, with the reason."""
    ready = {rule.info.id: _plain(rule) for rule in rules.rules}
    refused: list[Refused] = []
    for rule in rules.correlations:
        reason = _unsupported(rule) or _unfit(rule, ready)
        if reason:
            refused.append(Refused(rule.info.file, reason))
        else:
            ready[rule.info.id] = _correlation(rule)
    return list(ready.values()), refused


def _plain(rule: LoadedRule) -> CorrelationRule:
    return CorrelationRule(
        info=rule.info, steps=(rule.info.id,), group_by=(), span=PLAIN_SPAN, kind="count", plain=True
    )


def _unsupported(rule: LoadedCorrelation) -> str:
    sigma = rule.sigma
    if sigma.type not in _KINDS:
        return f"correlation type {sigma.type.name.lower()} is not supported yet"
    if len(sigma.aliases.aliases) > 0:
        return "field aliases in correlation rules are not supported yet"
    if isinstance(sigma.condition, SigmaExtendedCorrelationCondition):
        return "a condition over rules with and, or and not is not supported yet"
    operator, count = _threshold(sigma)
    if _KINDS[sigma.type] == "ordered":
        whole = operator is SigmaCorrelationConditionOperator.GTE and count == len(sigma.rules or ())
        return "" if whole else "a condition of an ordered correlation is not supported yet: leave it out"
    if operator not in _LEAST:
        return f"the condition {operator.name.lower()} is not supported yet: use gte or gt"
    return "" if count <= MOST_COUNT else f"the condition counts to {count}: use at most {MOST_COUNT}"


def _threshold(sigma: SigmaCorrelationRule) -> tuple[SigmaCorrelationConditionOperator, int]:
    condition = sigma.condition
    if not isinstance(condition, SigmaCorrelationCondition):
        return SigmaCorrelationConditionOperator.GTE, len(sigma.rules or ())
    return condition.op, condition.count


def _unfit(rule: LoadedCorrelation, ready: Mapping[str, CorrelationRule]) -> str:
    """Why it does not fit the rules it refers to; a correlation among them must group as it does."""
    for name, identity in rule.references.items():
        child = ready.get(identity)
        if child is None:
            return f"it refers to '{name}', which is not used"
        if not child.plain and child.group_by != tuple(rule.sigma.group_by or ()):
            return f"it must group by the same fields as '{name}', to which it refers"
    return ""


def _correlation(rule: LoadedCorrelation) -> CorrelationRule:
    sigma = rule.sigma
    kind = _KINDS[sigma.type]
    operator, count = _threshold(sigma)
    return CorrelationRule(
        info=rule.info,
        steps=tuple(rule.references[reference.reference] for reference in sigma.rules or ()),
        group_by=tuple(sigma.group_by or ()),
        span=int(sigma.timespan.seconds * SECOND),
        kind=kind,
        threshold=max(1, count + _LEAST[operator]) if kind == "count" else 1,
    )
