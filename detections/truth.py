"""Conditions that no event can meet, or that every event meets: the truth table over what a condition is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    ConditionValueExpression,
)
from sigma.types import SigmaExpansion

from core.names import canonical
from detections.wanted import wanted_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sigma.rule import SigmaDetections
    from sigma.types import SigmaType

    from core.records import Logsource
    from core.sigma import LoadedRule

MOST = 14
"""Of how many different tests a table is made: it has 2 to the power of them rows, each one bit."""

Formula: TypeAlias = "str | tuple[Literal['all', 'any', 'not'], tuple[Formula, ...]]"
"""A test by a name that equal tests share, or some of them together."""

_KINDS: Mapping[type[ConditionItem], Literal["all", "any", "not"]] = {
    ConditionAND: "all",
    ConditionOR: "any",
    ConditionNOT: "not",
}


def constant(rule: LoadedRule) -> bool | None:
    """True if every event meets the rule, False if none can, None if it depends or there are too many tests.

    Tests are taken to be independent of each other, so what is told is certain. A rule of too many tests is looked at
    with each of its selections as one test.
    """
    source = rule.info.logsource
    whole: Formula = ("any", tuple(_of_tests(node, source) for node in rule.conditions))
    if len(set(_names(whole))) > MOST:
        written = [condition.parse(False) for condition in rule.sigma.detection.parsed_condition]
        whole = ("any", tuple(_of_selections(node, rule.sigma.detection) for node in written))
    names = sorted(set(_names(whole)))
    return _constant(whole, names) if len(names) <= MOST else None


def _of_tests(node: object, source: Logsource) -> Formula:
    match node:
        case ConditionFieldEqualsValueExpression():
            return _values(f"{canonical(node.field, source)}|", node.value)
        case ConditionValueExpression():
            return _values("", node.value)
        case ConditionItem():
            return _KINDS[type(node)], tuple(_of_tests(part, source) for part in node.args)
    raise TypeError(f"{type(node).__name__} is no part of a loaded rule")


def _values(field: str, value: SigmaType) -> Formula:
    if isinstance(value, SigmaExpansion):
        return "any", tuple(_values(field, one) for one in value.values)
    wanted = wanted_of(value)
    exact = "cased" in wanted.test or wanted.test.startswith("re")
    return f"{field}{wanted.test}:{wanted.value if exact else wanted.value.lower()}"


def _of_selections(node: object, detections: SigmaDetections) -> Formula:
    match node:
        case ConditionIdentifier():
            return node.identifier
        case ConditionSelector():
            meant = node.resolve_referenced_detections(detections)
            return _KINDS[node.cond_class], tuple(one.identifier for one in meant)
        case ConditionItem():
            return _KINDS[type(node)], tuple(_of_selections(part, detections) for part in node.args)
    raise TypeError(f"{type(node).__name__} is no part of a condition")


def _names(formula: Formula) -> Iterator[str]:
    if isinstance(formula, str):
        yield formula
    else:
        for part in formula[1]:
            yield from _names(part)


def _constant(whole: Formula, names: Sequence[str]) -> bool | None:
    every = (1 << (1 << len(names))) - 1
    columns = {name: _column(number, len(names)) for number, name in enumerate(names)}
    found = _rows(whole, columns, every)
    return {every: True, 0: False}.get(found)


def _column(number: int, count: int) -> int:
    """The rows, as bits, in which the test of that number holds."""
    run = 1 << number
    block = ((1 << run) - 1) << run
    return sum(block << start for start in range(0, 1 << count, run << 1))


def _rows(formula: Formula, columns: Mapping[str, int], every: int) -> int:
    if isinstance(formula, str):
        return columns[formula]
    kind, parts = formula
    return _TOGETHER[kind]((_rows(part, columns, every) for part in parts), every)


def _all(parts: Iterable[int], every: int) -> int:
    found = every
    for part in parts:
        found &= part
    return found


def _any(parts: Iterable[int], _: int) -> int:
    found = 0
    for part in parts:
        found |= part
    return found


_TOGETHER: Mapping[str, Callable[[Iterable[int], int], int]] = {
    "all": _all,
    "any": _any,
    "not": lambda parts, every: every ^ next(iter(parts)),
}
