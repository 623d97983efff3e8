"""Parsed Sigma conditions as plain closures over one event.

NOT is two-valued: a test of a missing field is false, and its negation true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import SigmaExists, SigmaExpansion, SigmaFieldReference, SigmaNull, SigmaType

from core.errors import ContentError
from core.names import canonical
from detections.values import keyword_test, references_test, value_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.records import Logsource
    from detections.view import View

    EventTest: TypeAlias = Callable[[View], bool]


def condition_test(node: object, source: Logsource) -> EventTest:
    """The closure of a condition of a rule of this log source.

    Raises:
        ContentError: the condition holds something that cannot be evaluated.
    """
    match node:
        case ConditionAND():
            return _all_of(condition_test(part, source) for part in node.args)
        case ConditionOR():
            return any_of(condition_test(part, source) for part in node.args)
        case ConditionNOT():
            return _not(condition_test(node.args[0], source))
        case ConditionFieldEqualsValueExpression():
            return _field(node.field, node.value, source)
        case ConditionValueExpression():
            return _keyword(node.value)
    raise ContentError(f"a condition of type {type(node).__name__} cannot be evaluated; write the rule without it")


def _all_of(tests: Iterable[EventTest]) -> EventTest:
    each = tuple(tests)
    return lambda view: all(test(view) for test in each)


def any_of(tests: Iterable[EventTest]) -> EventTest:
    """Whether at least one of the tests holds."""
    each = tuple(tests)
    return lambda view: any(test(view) for test in each)


def _not(test: EventTest) -> EventTest:
    return lambda view: not test(view)


def _field(name: str, value: SigmaType, source: Logsource) -> EventTest:
    field = canonical(name, source)
    match value:
        case SigmaExpansion():
            return any_of(_field(name, one, source) for one in value.values)
        case SigmaNull():
            return lambda view: not view.values(field)
        case SigmaExists():
            wanted = value.exists
            return lambda view: view.has(field) == wanted
        case SigmaFieldReference():
            return _reference(field, canonical(value.field, source), value)
    test = value_test(value)
    return lambda view: any(test(found) for found in view.values(field))


def _reference(field: str, other: str, value: SigmaFieldReference) -> EventTest:
    test = references_test(starts=value.starts_with, ends=value.ends_with)
    return lambda view: any(test(one, two) for one in view.values(field) for two in view.values(other))


def _keyword(value: SigmaType) -> EventTest:
    if isinstance(value, SigmaExpansion):
        return any_of(map(_keyword, value.values))
    test = keyword_test(value)
    return lambda view: any(test(found) for found in view.everything())
