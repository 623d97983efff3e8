"""Why a rule hits an event or not: its condition as a tree of which every part says whether it is met.

What is met is asked of the closures that the plain engine is made of, so both give the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaExpansion

from core.names import FieldNames, canonical, names_of
from core.records import Event, FieldValue, Logsource, Record
from detections.conditions import condition_test
from detections.routes import concerns, event_terms
from detections.values import keyword_test
from detections.view import View, field_value
from detections.wanted import Wanted, wanted_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sigma.types import SigmaType

    from core.logsources import Terms
    from core.sigma import LoadedRule
    from detections.view import Scalar

Kind = Literal["all", "any", "not", "field", "keyword"]


class Part(Record, frozen=True, kw_only=True):
    """One part of a condition.

    Attributes:
        kind: ``all``, ``any`` or ``not`` of its parts, or a test of one field or of everything (``keyword``).
        met: whether the event meets it.
        name: the selection that it is, as the rule calls it; empty if it is none.
        parts: what it is made of; empty for a test.
        field: as the rule writes it.
        wanted: how the field or keyword is compared, and with what.
        keys: under which names the field is looked for, in this order.
        key: under which of them the event has it; empty if under none: the field is missing.
        found: what the event has there; for a keyword, the first value that holds it. None is null or nothing.
    """

    kind: Kind
    met: bool
    name: str = ""
    parts: tuple[Part, ...] = ()
    field: str = ""
    wanted: Wanted | None = None
    keys: tuple[str, ...] = ()
    key: str = ""
    found: FieldValue = None


class SourceCheck(Record, frozen=True, kw_only=True):
    """Whether the rule concerns the event's log source at all; the event's terms are all that it belongs to."""

    met: bool
    rule: Logsource
    products: tuple[str, ...]
    categories: tuple[str, ...]
    services: tuple[str, ...]


class Explanation(Record, frozen=True, kw_only=True):
    """One rule and one event: a hit needs the log source and any one of the conditions."""

    rule: str
    title: dict[str, str]
    hit: bool
    logsource: SourceCheck
    conditions: tuple[Part, ...]


class _Asked(NamedTuple):
    """What every part of one explanation is asked with."""

    event: Event
    view: View
    names: FieldNames
    source: Logsource
    selections: Mapping[int, str]


def explain(rule: LoadedRule, event: Event) -> Explanation:
    """Why the rule hits the event or does not; the same event may be asked of any rule."""
    terms = event_terms(event.logsource, event.fields)
    names = names_of(terms)
    asked = _Asked(event, View(event, names), names, rule.info.logsource, _selections(rule))
    source = _source(rule.info.logsource, terms)
    conditions = tuple(_part(node, asked) for node in rule.conditions)
    return Explanation(
        rule=rule.info.id,
        title=rule.info.title,
        hit=source.met and any(part.met for part in conditions),
        logsource=source,
        conditions=conditions,
    )


def deciding(part: Part) -> Iterator[Part]:
    """The tests by which the part is met or not, those that do not matter left out."""
    if not part.parts:
        yield part
    for one in part.parts:
        if part.kind == "not" or one.met == part.met:
            yield from deciding(one)


def _selections(rule: LoadedRule) -> dict[int, str]:
    return {id(detection): name for name, detection in rule.sigma.detection.detections.items()}


def _source(rule: Logsource, terms: Terms) -> SourceCheck:
    return SourceCheck(
        met=concerns(rule, terms),
        rule=rule,
        products=tuple(sorted(terms.products)),
        categories=tuple(sorted(terms.categories)),
        services=tuple(sorted(terms.services)),
    )


def _part(node: object, asked: _Asked) -> Part:
    name = _name(node, asked.selections)
    match node:
        case ConditionFieldEqualsValueExpression(value=SigmaExpansion() as several):
            apart = [ConditionFieldEqualsValueExpression(node.field, one) for one in several.values]
            return _group("any", apart, name, asked)
        case ConditionValueExpression(value=SigmaExpansion() as several):
            return _group("any", [ConditionValueExpression(one) for one in several.values], name, asked)
        case ConditionFieldEqualsValueExpression():
            return _field(node, name, asked)
        case ConditionValueExpression():
            return _keyword(node.value, name, asked)
        case ConditionItem():
            return _group(_KINDS[type(node)], node.args, name, asked)
    raise TypeError(f"{type(node).__name__} is no part of a loaded rule")


_KINDS: Mapping[type[ConditionItem], Literal["all", "any", "not"]] = {
    ConditionAND: "all",
    ConditionOR: "any",
    ConditionNOT: "not",
}
_HOLDS: Mapping[Kind, Callable[[list[bool]], bool]] = {"all": all, "any": any, "not": lambda met: not met[0]}


def _group(kind: Kind, nodes: Sequence[object], name: str, asked: _Asked) -> Part:
    parts = tuple(_part(node, asked) for node in nodes)
    return Part(kind=kind, met=_HOLDS[kind]([part.met for part in parts]), name=name, parts=parts)


def _field(node: ConditionFieldEqualsValueExpression, name: str, asked: _Asked) -> Part:
    keys = asked.names[canonical(node.field, asked.source)]
    return Part(
        kind="field",
        met=condition_test(node, asked.source)(asked.view),
        name=name,
        field=node.field,
        wanted=wanted_of(node.value),
        keys=keys,
        key=next((key for key in keys if _has(asked.event, key)), ""),
        found=field_value(asked.event, keys),
    )


def _has(event: Event, key: str) -> bool:
    return key in event.fields or field_value(event, (key,)) is not None


def _keyword(value: SigmaType, name: str, asked: _Asked) -> Part:
    holding = _holding(value, asked.view)
    return Part(kind="keyword", met=holding is not None, name=name, wanted=wanted_of(value), found=holding)


def _holding(value: SigmaType, view: View) -> Scalar | None:
    test = keyword_test(value)
    return next((found for found in view.everything() if test(found)), None)


def _name(node: object, selections: Mapping[int, str]) -> str:
    """The selection that the part is; pySigma leaves the way to it in ``parent``."""
    above = getattr(node, "parent", None)
    while isinstance(above, SigmaDetection | SigmaDetectionItem):
        if id(above) in selections:
            return selections[id(above)]
        above = above.parent
    return above.identifier if isinstance(above, ConditionIdentifier) else ""
