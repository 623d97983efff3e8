"""Rules as queries of Elasticsearch: Lucene, EQL and ES|QL, by sigma-cli's backend and without a network.

Fields get their ECS names, since so they are stored, and each query asks for the rule's log source: an event carries
in `SOURCE_FIELDS` every term that `core.logsources` finds for it. What a language has no words for is told by kind, and
never written as a query that means something else. Source: pySigma-backend-elasticsearch; Elasticsearch reference,
"EQL syntax", "Query string query", "ES|QL".
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sigma.backends.elasticsearch.elasticsearch_eql import EqlBackend
from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.processing.conditions import ExcludeFieldCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import (
    AddConditionTransformation,
    ConvertTypeTransformation,
    FieldFunctionTransformation,
)
from sigma.types import (
    SigmaCasedString,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaTimestampPart,
    SigmaType,
)

from core.names import canonical
from core.records import Logsource, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sigma.conversion.base import TextQueryBackend
    from sigma.conversion.state import ConversionState

    from core.sigma import LoadedRule

SOURCE_FIELDS = {
    "product": "haidang.logsource.product",
    "category": "haidang.logsource.category",
    "service": "haidang.logsource.service",
}
"""In which fields of a stored event its log source's terms are, several as a list."""

NUMBERS = (r"(.*\.)?(port|pid|status_code|bytes|packets)$", r"log\.syslog\.(facility|severity)\.code$")
"""Which ECS fields are indexed as numbers; a number that is asked of another is compared as text."""

_SOURCE_NAME = "_logsource"  # a name that '1 of them' leaves out


class Target(StrEnum):
    """A query language."""

    LUCENE = "lucene"
    EQL = "eql"
    ESQL = "esql"


class Lack(StrEnum):
    """Why a rule has no query in a language; each is one of Sigma's words, but for ``time``, a part of a time."""

    FIELDREF = "fieldref"
    KEYWORDS = "keywords"
    CASED = "cased"
    EXISTS = "exists"
    TIME = "time"
    IGNORECASE = "ignorecase"
    FLAGS = "flags"
    OTHER = "other"


class Converted(Record, frozen=True, kw_only=True):
    """A rule's queries, one for each of its conditions.

    Attributes:
        queries: any one of them met is a hit.
        regex: a regular expression is handed on as it is: Elasticsearch reads it in Lucene's dialect and on the whole
            value, so somebody has to read it again.
    """

    queries: tuple[str, ...]
    regex: bool = False


class NotConverted(Record, frozen=True, kw_only=True):
    """Why a rule has no query; ``detail`` names the part."""

    kind: Lack
    detail: str


_EQL_FLAGS = dict.fromkeys(SigmaRegularExpressionFlag, "") | {SigmaRegularExpressionFlag.IGNORECASE: "~"}


class _Expansions:
    """Writes every kind of value that a modifier such as ``windash`` makes of one; the backends know text only."""

    def convert_condition_field_eq_expansion(
        self: Any, cond: ConditionFieldEqualsValueExpression, state: ConversionState
    ) -> Any:
        values = cond.value.values if isinstance(cond.value, SigmaExpansion) else [cond.value]
        apart = ConditionOR([ConditionFieldEqualsValueExpression(cond.field, value) for value in values])
        return self.convert_condition_group(apart, state)


class _Lucene(_Expansions, LuceneBackend):
    """Lucene's query strings."""


class _Eql(_Expansions, EqlBackend):
    """Elasticsearch's event query language, whose ``:`` and ``like~`` compare text only."""

    re_expression = '{field} regex{flag_i} "{regex}"'
    re_flags = _EQL_FLAGS
    re_flag_prefix = False
    re_escape = ('"',)

    def decide_convert_condition_as_in_expression(
        self, cond: ConditionOR | ConditionAND, state: ConversionState
    ) -> bool:
        values = (arg.value for arg in cond.args if isinstance(arg, ConditionFieldEqualsValueExpression))
        numbers = any(isinstance(value, SigmaNumber) for value in values)
        return not numbers and super().decide_convert_condition_as_in_expression(cond, state)

    def convert_condition_field_eq_val_num(
        self, cond: ConditionFieldEqualsValueExpression, state: ConversionState
    ) -> str:
        del state  # the backend's contract has it
        return f"{self.escape_and_quote_field(cond.field)} == {cond.value}"

    def convert_condition_field_eq_val_bool(
        self, cond: ConditionFieldEqualsValueExpression, state: ConversionState
    ) -> str:
        del state  # likewise
        return f"{self.escape_and_quote_field(cond.field)} == {str(cond.value).lower()}"


_BACKENDS: Mapping[Target, Callable[[ProcessingPipeline], TextQueryBackend]] = {
    Target.LUCENE: _Lucene,
    Target.EQL: _Eql,
    Target.ESQL: ESQLBackend,
}

_LACKS: Mapping[Target, frozenset[Lack]] = {
    Target.LUCENE: frozenset({Lack.FIELDREF, Lack.CASED, Lack.TIME, Lack.IGNORECASE, Lack.FLAGS}),
    Target.EQL: frozenset({Lack.FIELDREF, Lack.KEYWORDS, Lack.EXISTS, Lack.TIME, Lack.FLAGS}),
    Target.ESQL: frozenset({Lack.KEYWORDS, Lack.CASED, Lack.TIME, Lack.IGNORECASE, Lack.FLAGS}),
}
"""What each language, or its backend, has no words for."""


def convert(rule: LoadedRule, target: Target) -> Converted | NotConverted:
    """The rule in the query language, or why there is no query."""
    needs = dict(_needs(rule))
    lack = next((kind for kind in needs if kind in _LACKS[target]), None)
    if lack is not None:
        return NotConverted(kind=lack, detail=needs[lack])
    backend = _BACKENDS[target](_pipeline(rule.info.logsource))
    try:
        queries = backend.convert_rule(copy.deepcopy(rule.sigma))
    except (SigmaError, NotImplementedError) as error:
        kind = Lack.FIELDREF if Lack.FIELDREF in needs else Lack.OTHER
        return NotConverted(kind=kind, detail=" ".join(str(error).split()).partition(" (while")[0])
    regex = any(isinstance(value, SigmaRegularExpression) for _, value in _values(rule))
    return Converted(queries=tuple(map(str, queries)), regex=regex)


def _pipeline(source: Logsource) -> ProcessingPipeline:
    given = {"product": source.product, "category": source.category, "service": source.service}
    asked: dict[str, int | str | list[str]] = {SOURCE_FIELDS[term]: text for term, text in given.items() if text}
    rename = FieldFunctionTransformation({}, lambda name: canonical(name or "", source))
    text = ProcessingItem(
        ConvertTypeTransformation("str"),
        field_name_conditions=[ExcludeFieldCondition([*NUMBERS], "re")],
    )
    steps = [ProcessingItem(rename), text]
    if asked:
        steps.append(ProcessingItem(AddConditionTransformation(asked, _SOURCE_NAME)))
    return ProcessingPipeline(items=steps)


def _needs(rule: LoadedRule) -> Iterator[tuple[Lack, str]]:
    """What the rule's values need that some language lacks, with where."""
    for field, value in _values(rule):
        if not field:
            yield Lack.KEYWORDS, str(value)
        for kind in _lacks_of(value):
            yield kind, field


def _lacks_of(value: SigmaType) -> Iterator[Lack]:
    match value:
        case SigmaFieldReference():
            yield Lack.FIELDREF
        case SigmaCasedString():
            yield Lack.CASED
        case SigmaExists():
            yield Lack.EXISTS
        case SigmaTimestampPart() | SigmaCompareExpression(number=SigmaTimestampPart()):
            yield Lack.TIME
        case SigmaRegularExpression():
            ignorecase = {SigmaRegularExpressionFlag.IGNORECASE}
            if value.flags & ignorecase:
                yield Lack.IGNORECASE
            if value.flags - ignorecase:
                yield Lack.FLAGS


def _values(rule: LoadedRule) -> Iterator[tuple[str, SigmaType]]:
    """Each field's name, empty for a keyword, with each of its values."""
    for node in rule.conditions:
        yield from _values_of(node)


def _values_of(node: object) -> Iterator[tuple[str, SigmaType]]:
    if isinstance(node, ConditionItem):
        for part in node.args:
            yield from _values_of(part)
    elif isinstance(node, ConditionFieldEqualsValueExpression | ConditionValueExpression):
        field = node.field if isinstance(node, ConditionFieldEqualsValueExpression) else ""
        several = node.value.values if isinstance(node.value, SigmaExpansion) else [node.value]
        yield from ((field, value) for value in several)
