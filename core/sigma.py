"""Loading Sigma rules: YAML text in, checked rules out; a file that cannot be used is named with its reason.

Texts are hostile until `core.rule_text` has read them. Engines get rules whose conditions are parsed and hold no value
that nobody can evaluate. Source: Sigma specification 2.1 (rules, modifiers, correlation rules); reading is pySigma's.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
import yaml
from sigma import types
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionItem, ConditionValueExpression
from sigma.correlations import SigmaCorrelationRule, SigmaExtendedCorrelationCondition
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from core import modifiers
from core.errors import ContentError
from core.names import canonical
from core.placeholders import VALUES_FILE, Values, expand, site_values
from core.records import Logsource, Record, Severity
from core.regex import compile_regex
from core.rule_text import check_windash, in_order, pack_of, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_OBJECT = ("host.name",)
"""What a detection rule hits when it does not say; a correlation rule hits what it groups by."""

Condition: TypeAlias = ConditionItem | ConditionFieldEqualsValueExpression | ConditionValueExpression
"""A node of a parsed condition: AND, OR and NOT over field and keyword values."""

AnyRule: TypeAlias = SigmaRule | SigmaCorrelationRule

_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError, yaml.YAMLError, ContentError)
"""What pySigma and the YAML reader raise on a file that is not a Sigma rule."""

TAKEN = "is already the id or name of a rule in"
"""In the reason why a file is refused: another file, which comes before it, has a rule of that id or name."""

_FLAGS = {
    types.SigmaRegularExpressionFlag.IGNORECASE: "i",
    types.SigmaRegularExpressionFlag.MULTILINE: "m",
    types.SigmaRegularExpressionFlag.DOTALL: "s",
}

modifiers.install()

_TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?", re.IGNORECASE)


class RuleInfo(Record, frozen=True, kw_only=True):
    """What the platform needs to know of a rule besides its condition.

    Attributes:
        id: the rule's UUID.
        name: how correlation rules may refer to it; may be empty.
        file: the file it was read from.
        title: in Vietnamese and English: ``{"vi": ..., "en": ...}``; English for both where there is no Vietnamese.
        level: medium where the rule gives none.
        techniques: ATT&CK technique ids, for instance ``T1110.001``.
        logsource: an empty term means any; empty for a correlation rule.
        cause: what a hit is a sign of; alerts of one cause and object are one incident.
        object: ECS names of the fields that say what was hit.
        guide: the triage checklist in Vietnamese and English: ``{"vi": (...), "en": (...)}``.
        signal: a hit never opens an incident by itself and only feeds correlation.
        closes: a hit says that what ``cause`` names is over, and ends its incident.
    """

    id: str
    name: str
    file: str
    title: dict[str, str]
    level: Severity
    techniques: tuple[str, ...]
    logsource: Logsource
    cause: str
    object: tuple[str, ...]
    guide: dict[str, tuple[str, ...]]
    signal: bool = False
    closes: bool = False


class LoadedRule(Record, frozen=True, kw_only=True):
    """A detection rule; ``conditions`` are its parsed conditions, of which any one is enough."""

    info: RuleInfo
    sigma: SigmaRule
    conditions: tuple[Condition, ...]


class LoadedCorrelation(Record, frozen=True, kw_only=True):
    """A correlation rule; ``references`` gives the rule id for each reference as written (a name or an id)."""

    info: RuleInfo
    sigma: SigmaCorrelationRule
    references: dict[str, str]


class Refused(NamedTuple):
    """A file, or a rule of it, that is not used, and why."""

    file: str
    reason: str


class RuleSet(Record, frozen=True, kw_only=True):
    """All rules of a snapshot; a correlation stands after those it refers to."""

    rules: tuple[LoadedRule, ...] = ()
    correlations: tuple[LoadedCorrelation, ...] = ()
    refused: tuple[Refused, ...] = ()


class _Extras(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key ``haidang:`` of a rule."""

    title_vi: str = ""
    object: tuple[str, ...] = ()
    cause: str = ""
    guide_vi: tuple[str, ...] = ()
    guide_en: tuple[str, ...] = ()
    signal: bool = False
    closes: str = ""


def load_rules(documents: Mapping[str, bytes]) -> RuleSet:
    """Reads every file; a file is used whole or, with its reason, refused, and never stops another.

    Ids and names are unique over all files: the later file is refused, where files of the folders come first, by name,
    then those of each pack, the packs in the order of ``documents``. So is a correlation rule refused that refers,
    directly or through another, to a rule that is not there. A correlation's ``generate`` is not read: a rule says by
    ``signal`` whether it stands alone. The site's filters concern all rules, those of a pack only rules of that pack.
    The file named `VALUES_FILE` gives the values of placeholders.
    """
    loaded: list[LoadedRule | LoadedCorrelation] = []
    refused: list[Refused] = []
    taken: dict[str, str] = {}
    values = _values(documents, refused)
    parsed: dict[str, SigmaCollection] = {}
    for file in in_order(file for file in documents if file != VALUES_FILE):
        with _refusing(file, refused):
            parsed[file] = _parse(documents[file])
    filters = [(pack_of(file), one) for file, collection in parsed.items() for one in collection.filters]
    for file, collection in parsed.items():
        with _refusing(file, refused):
            own = [one for pack, one in filters if pack in {"", pack_of(file)}]
            found = [_loaded(_filtered(rule, own), file, values) for rule in collection.rules]
            taken |= _claims(found, taken)
            loaded += found
    rules = tuple(rule for rule in loaded if isinstance(rule, LoadedRule))
    correlations, unresolved = _resolve(rules, [rule for rule in loaded if isinstance(rule, LoadedCorrelation)])
    return RuleSet(rules=rules, correlations=correlations, refused=(*refused, *unresolved))


def _values(documents: Mapping[str, bytes], refused: list[Refused]) -> Values:
    with _refusing(VALUES_FILE, refused):
        return site_values(next(iter(read_yaml(documents[VALUES_FILE])), None)) if VALUES_FILE in documents else {}
    return {}


@contextmanager
def _refusing(file: str, refused: list[Refused]) -> Iterator[None]:
    """What is malformed inside is noted as the reason why the file is not used."""
    try:
        yield
    except _MALFORMED as error:
        refused.append(Refused(file, _reason(error)))


def _reason(error: Exception) -> str:
    """One line; what is not an error of content is told with its kind, for pySigma did not expect such a file."""
    text = " ".join(str(error).split())[:300]
    expected = isinstance(error, ValueError | yaml.YAMLError | ContentError)
    return text if expected and text else f"not a Sigma rule ({type(error).__name__}: {text})"


def _parse(text: bytes) -> SigmaCollection:
    documents = read_yaml(text)
    check_windash(documents)
    collection = SigmaCollection.from_dicts(documents, collect_filters=True, resolve_references=False)
    if not collection.rules and not collection.filters:
        raise ContentError("the file holds no rule")
    for one in collection.filters:
        _check_filter(one)
    return collection


def _check_filter(one: SigmaFilter) -> None:
    """A filter that means nothing is refused by itself, and does not take the rules along that it names."""
    for written in one.filter.parsed_condition:
        if written.parsed is None:
            raise ContentError(f"the filter's condition '{written.condition}' selects nothing")


def _filtered(rule: AnyRule, filters: Sequence[SigmaFilter]) -> AnyRule:
    """The rule with the exclusions of all filters that concern it (Sigma specification 2.1, "Filters")."""
    for one in filters:
        rule = one.apply_on_rule(rule)
    return rule


def _loaded(rule: AnyRule, file: str, values: Values) -> LoadedRule | LoadedCorrelation:
    info = rule_info(rule, file)
    if isinstance(rule, SigmaCorrelationRule):
        return LoadedCorrelation(info=info, sigma=rule, references=dict.fromkeys(_references(rule), ""))
    expand(rule, values)
    return LoadedRule(info=info, sigma=rule, conditions=tuple(_conditions(rule)))


def rule_info(rule: AnyRule, file: str = "") -> RuleInfo:
    """What the platform needs to know of a rule; our own part of it stands under the rule's key ``haidang``.

    Raises:
        ContentError: the rule has no id.
        msgspec.ValidationError: ``haidang`` has an unknown key or a value of a wrong type.
    """
    if rule.id is None:
        raise ContentError("the rule has no id; give it a random UUID")
    extras = msgspec.convert(rule.custom_attributes.get("haidang", {}), _Extras)
    title, source = _nfc(rule.title), _logsource(rule)
    return RuleInfo(
        id=str(rule.id),
        name=rule.name or "",
        file=file,
        title={"vi": _nfc(extras.title_vi) or title, "en": title},
        level=Severity(str(rule.level)) if rule.level else Severity.MEDIUM,
        techniques=_techniques(rule),
        logsource=source,
        cause=extras.closes or extras.cause or rule.name or str(rule.id),
        object=tuple(canonical(name, source) for name in extras.object or _default_object(rule)),
        guide={"vi": tuple(map(_nfc, extras.guide_vi)), "en": tuple(map(_nfc, extras.guide_en))},
        signal=extras.signal,
        closes=bool(extras.closes),
    )


def _logsource(rule: AnyRule) -> Logsource:
    if isinstance(rule, SigmaCorrelationRule):
        return Logsource()
    given = rule.logsource
    return Logsource(product=given.product or "", category=given.category or "", service=given.service or "")


def _default_object(rule: AnyRule) -> tuple[str, ...]:
    return tuple(rule.group_by or ()) if isinstance(rule, SigmaCorrelationRule) else DEFAULT_OBJECT


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _techniques(rule: AnyRule) -> tuple[str, ...]:
    names = (tag.name for tag in rule.tags if tag.namespace == "attack")
    return tuple(dict.fromkeys(name.upper() for name in names if _TECHNIQUE.fullmatch(name)))


def _conditions(rule: SigmaRule) -> Iterator[Condition]:
    for written in rule.detection.parsed_condition:
        parsed = written.parsed  # parsed anew at every access
        if parsed is None:
            raise ContentError(f"the condition '{written.condition}' selects nothing")
        _check_condition(parsed)
        yield parsed


def _check_condition(node: object) -> None:
    if isinstance(node, ConditionItem):
        for part in node.args:
            _check_condition(part)
    elif isinstance(node, ConditionFieldEqualsValueExpression):
        _check_value(node.value)
    elif isinstance(node, ConditionValueExpression):
        if isinstance(node.value, types.SigmaNull | types.SigmaFieldReference):
            raise ContentError("null and fieldref need a field")
        _check_value(node.value)
    else:
        raise ContentError("a part of the condition selects nothing")


def _check_value(value: types.SigmaType) -> None:
    if isinstance(value, types.SigmaExpansion):
        for one in value.values:
            _check_value(one)
    elif isinstance(value, types.SigmaQueryExpression):
        raise ContentError("the rule holds a query of another product")
    elif isinstance(value, types.SigmaRegularExpression):
        _check_value(value.regexp)
        compile_regex(*regex(value))
    elif isinstance(value, types.SigmaString):
        for part in value.s:
            if isinstance(part, types.Placeholder):
                raise ContentError(f"needs values of the site for %{part.name}%")


def regex(value: types.SigmaRegularExpression) -> tuple[str, str]:
    """The pattern, in NFC, and its flags in letters."""
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    return _nfc(str(value.regexp)), flags


def _claims(found: Sequence[LoadedRule | LoadedCorrelation], taken: Mapping[str, str]) -> dict[str, str]:
    """The ids and names of a file's rules, which must be new."""
    claims: dict[str, str] = {}
    for info in (rule.info for rule in found):
        for reference in filter(None, (info.id, info.name)):
            if reference in taken or reference in claims:
                where = taken.get(reference, info.file)
                raise ContentError(f"'{reference}' {TAKEN} {where}")
            claims[reference] = info.file
    return claims


def _references(rule: SigmaCorrelationRule) -> Iterator[str]:
    if rule.rules is not None:
        yield from (str(reference.reference) for reference in rule.rules)
    elif isinstance(rule.condition, SigmaExtendedCorrelationCondition):
        yield from rule.condition.get_referenced_rules()
    for alias in rule.aliases:
        yield from (str(reference.reference) for reference in alias.mapping)


def _canonical(reference: str) -> str:
    """An id in its usual spelling; a name as it is."""
    try:
        return str(UUID(reference))
    except ValueError:
        return reference


def _missing(rule: LoadedCorrelation, known: Mapping[str, str]) -> list[str]:
    return [name for name in rule.references if _canonical(name) not in known]


def _resolve(
    rules: Sequence[LoadedRule], correlations: Sequence[LoadedCorrelation]
) -> tuple[tuple[LoadedCorrelation, ...], tuple[Refused, ...]]:
    """Accepts, round by round, what refers only to accepted rules; missing references and rings are what is left."""
    known = {reference: rule.info.id for rule in rules for reference in (rule.info.id, rule.info.name) if reference}
    accepted: list[LoadedCorrelation] = []
    waiting = list(correlations)
    while ready := [rule for rule in waiting if not _missing(rule, known)]:
        for rule in ready:
            found = {name: known[_canonical(name)] for name in rule.references}
            accepted.append(msgspec.structs.replace(rule, references=found))
            known |= dict.fromkeys(filter(None, (rule.info.id, rule.info.name)), rule.info.id)
        waiting = [rule for rule in waiting if rule.info.id not in known]
    reason = "refers to rules that are not there, were refused, or refer back to it: "
    return tuple(accepted), tuple(
        Refused(rule.info.file, reason + ", ".join(_missing(rule, known))) for rule in waiting
    )
