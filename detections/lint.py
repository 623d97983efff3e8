"""What is wrong or doubtful in files of rules, without any event."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionItem
from sigma.types import SigmaFieldReference
from sigma.validators.core.condition import DanglingDetectionValidator

from core.logsources import CATEGORY, SERVICE, Known, table
from core.names import canonical, names_of
from core.placeholders import VALUES_FILE
from core.records import Event, Logsource, Record
from core.sigma import LoadedCorrelation, LoadedRule, load_rules
from detections.conditions import condition_test
from detections.lint_values import value_findings
from detections.routes import event_terms
from detections.truth import constant
from detections.view import OWN_FIELDS, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.sigma import Refused, RuleSet

Level = Literal["error", "warning"]

TEXTS: Mapping[str, tuple[Level, str]] = {
    "refused": ("error", "không dùng được / cannot be used"),
    "needs_values": ("warning", "thiếu giá trị của nơi dùng / lacks values of the site"),
    "never": ("error", "không bản ghi nào thỏa điều kiện / no event can meet the condition"),
    "always": ("error", "bản ghi nào cũng thỏa điều kiện / every event meets the condition"),
    "empty_event": ("warning", "bản ghi rỗng cũng thỏa điều kiện / an event without any field meets the condition"),
    "unused": ("error", "phần chọn không được dùng trong điều kiện / a selection that no condition uses"),
    "missing": ("warning", "thiếu mục / lacks"),
    "missing_own": ("error", "quy tắc của ta thiếu mục / a rule of ours lacks"),
    "same_title": ("warning", "trùng tên với quy tắc khác / has the title of another rule"),
    "tag": ("warning", "nhãn sai dạng / a tag of no known form"),
    "logsource": ("warning", "không nguồn nào đã biết có / no known source has"),
    "field": ("warning", "tên trường không có trong bảng nào, xem lại / a field in no table of names, check it"),
    "short_contains": ("warning", "đoạn chữ quá ngắn / so short a text is nearly everywhere"),
    "plain_regex": ("warning", "không cần biểu thức chính quy / needs no regular expression"),
    "wildcards": ("warning", "dùng 'contains' thay cho '*' ở hai đầu / '*' at both ends: write 'contains'"),
    "not_nfc": ("warning", "chữ không ở dạng NFC / text that is not in normal form C"),
}
"""Every kind of finding: how grave it is, and what it says."""

TACTICS = frozenset(
    {
        *("reconnaissance", "resource-development", "initial-access", "execution", "persistence"),
        *("privilege-escalation", "defense-evasion", "stealth", "defense-impairment", "credential-access"),
        *("discovery", "lateral-movement", "collection", "command-and-control", "exfiltration", "impact"),
    }
)
"""ATT&CK's tactics for enterprises, former ones too."""

_TAGS: Mapping[str, re.Pattern[str]] = {
    "attack": re.compile(r"t\d{4}(\.\d{3})?|[gsm]\d{4}|ds\d{4}", re.IGNORECASE),
    "car": re.compile(r"\d{4}-\d{2}-\d{3}"),
    "cve": re.compile(r"\d{4}-\d{4,}", re.IGNORECASE),
    "d3fend": re.compile(r"d3[-f][\w.-]+", re.IGNORECASE),
    "detection": re.compile(r"dfir|emerging-threats|threat-hunting"),
    "stp": re.compile(r"\d[auk]?"),
    "tlp": re.compile(r"red|amber|amber-strict|green|clear|white"),
}
"""The namespaces of Sigma's appendix "Tags" (specification 2.1), and what their names look like."""

_ECS_NAME = re.compile(r"@?[a-z][a-z0-9_]*(\.@?[a-z0-9_]+)+|message|tags|labels")


_NEEDS = "needs values of the site for "


class Finding(Record, frozen=True, kw_only=True):
    """One thing to look at; ``rule`` is the title, empty if the file as a whole is meant."""

    level: Level
    code: str
    file: str
    rule: str
    text: str


class Report(Record, frozen=True, kw_only=True):
    """How many rules were loaded, and all findings by file."""

    rules: int
    findings: tuple[Finding, ...]


class _Told(NamedTuple):
    file: str
    rule: str
    code: str
    detail: str


class _Known(NamedTuple):
    """Terms of log sources as `_known_sources` gives them, and fields by product."""

    sources: frozenset[tuple[str, str, str]]
    fields: frozenset[tuple[str, str]]


def lint(documents: Mapping[str, bytes], seen: Sequence[Event] = ()) -> Report:
    """Loads the files as the platform would, and says what is wrong or doubtful in them.

    Log sources and fields of the events that were ``seen`` are known, besides those of the tables.
    """
    fields = frozenset((event.logsource.product, name) for event in seen for name in event.fields)
    known = _Known(frozenset(_known_sources(seen)), fields)
    ruleset = load_rules(documents)
    told = [*_of_files(documents), *map(_of_refused, ruleset.refused), *_same_titles(ruleset)]
    for rule in _all(ruleset):
        told += [_Told(rule.info.file, rule.info.title["en"], *found) for found in _of_rule(rule, known)]
    findings = tuple(_finding(one) for one in sorted(dict.fromkeys(told)))
    return Report(rules=len(ruleset.rules) + len(ruleset.correlations), findings=findings)


def _all(ruleset: RuleSet) -> list[LoadedRule | LoadedCorrelation]:
    return [*ruleset.rules, *ruleset.correlations]


def _finding(told: _Told) -> Finding:
    level, text = TEXTS[told.code]
    words = f"{text}: {told.detail}" if told.detail else text
    return Finding(level=level, code=told.code, file=told.file, rule=told.rule, text=words)


def _of_files(documents: Mapping[str, bytes]) -> Iterator[_Told]:
    for file, content in documents.items():
        lines = content.decode("utf-8", "replace").splitlines()
        wrong = [number for number, line in enumerate(lines, start=1) if not unicodedata.is_normalized("NFC", line)]
        if wrong and file != VALUES_FILE:
            yield _Told(file, "", "not_nfc", f"dòng / line {wrong[0]}")


def _of_refused(refused: Refused) -> _Told:
    if refused.reason.startswith(_NEEDS):
        return _Told(refused.file, "", "needs_values", refused.reason.removeprefix(_NEEDS))
    return _Told(refused.file, "", "refused", refused.reason)


def _same_titles(ruleset: RuleSet) -> Iterator[_Told]:
    infos = [rule.info for rule in _all(ruleset)]
    count = Counter(info.title["en"].casefold() for info in infos)
    for info in infos:
        if count[info.title["en"].casefold()] > 1:
            yield _Told(info.file, info.title["en"], "same_title", "")


def _of_rule(rule: LoadedRule | LoadedCorrelation, known: _Known) -> Iterator[tuple[str, str]]:
    yield from _missing(rule)
    yield from _tags(rule)
    if isinstance(rule, LoadedRule):
        yield from _unused(rule)
        yield from _constant(rule)
        yield from _logsource(rule, known)
        yield from _fields(rule, known)
        yield from value_findings(rule)


def _missing(rule: LoadedRule | LoadedCorrelation) -> Iterator[tuple[str, str]]:
    sigma, info = rule.sigma, rule.info
    given = {name: bool(getattr(sigma, name)) for name in ("description", "level", "date", "author", "tags")}
    yield from (("missing", name) for name, there in given.items() if not there)
    ours = sigma.custom_attributes.get("haidang")
    if isinstance(ours, dict):
        words = {"title_vi": ours.get("title_vi"), "guide_vi": info.guide["vi"], "guide_en": info.guide["en"]}
        yield from (("missing_own", name) for name, there in words.items() if not there)


def _tags(rule: LoadedRule | LoadedCorrelation) -> Iterator[tuple[str, str]]:
    for tag in rule.sigma.tags:
        form = _TAGS.get(tag.namespace)
        known = form is not None and form.fullmatch(tag.name) is not None
        if not known and not (tag.namespace == "attack" and tag.name in TACTICS):
            yield "tag", str(tag)


def _unused(rule: LoadedRule) -> Iterator[tuple[str, str]]:
    issues = DanglingDetectionValidator().validate(rule.sigma)
    yield from (("unused", name) for name in sorted(str(vars(issue)["detection_name"]) for issue in issues))


def _constant(rule: LoadedRule) -> Iterator[tuple[str, str]]:
    always = constant(rule)
    if always is not None:
        yield "always" if always else "never", ""
    elif _meets_nothing(rule):
        yield "empty_event", ""


def _meets_nothing(rule: LoadedRule) -> bool:
    source = rule.info.logsource
    event = Event(id="", time=0, seen=0, logsource=source, fields={}, raw=b"")
    view = View(event, names_of(event_terms(source, event.fields)))
    return any(condition_test(node, source)(view) for node in rule.conditions)


def _known_sources(seen: Iterable[Event]) -> Iterator[tuple[str, str, str]]:
    """What sources are known to give, as (product, kind of term, term); the last two are empty for the product."""
    for product in table().deciding:
        yield product, "", ""
    for row in table().rows:
        for product in (row.of, *row.product):
            yield product, "", ""
            yield from ((product, "category", term) for term in (*row.category, *row.when.get(CATEGORY, ())))
            yield from ((product, "service", term) for term in (*row.service, *row.when.get(SERVICE, ())))
    given: list[Known | Logsource] = [*table().known, *(event.logsource for event in seen)]
    for one in given:
        yield one.product, "", ""
        yield one.product, "category", one.category
        yield one.product, "service", one.service


def _logsource(rule: LoadedRule, known: _Known) -> Iterator[tuple[str, str]]:
    source = rule.info.logsource
    if source.product and (source.product, "", "") not in known.sources:
        yield "logsource", f"product {source.product}"
        return
    for kind, term in (("category", source.category), ("service", source.service)):
        if term and not any((product, kind, term) in known.sources for product in _products(source, known)):
            yield "logsource", f"{kind} {term}"


def _products(source: Logsource, known: _Known) -> Iterable[str]:
    """Under which products a rule's terms may be known; a source such as Zeek is one of no product too."""
    return (source.product, "") if source.product else {product for product, _, _ in known.sources}


def _fields(rule: LoadedRule, known: _Known) -> Iterator[tuple[str, str]]:
    names = dict.fromkeys(name for node in rule.conditions for name in _named(node))
    unknown = [name for name in names if not _is_known(name, rule.info.logsource, known)]
    if unknown:
        yield "field", ", ".join(unknown)


def _named(node: object) -> Iterator[str]:
    if isinstance(node, ConditionItem):
        for part in node.args:
            yield from _named(part)
    elif isinstance(node, ConditionFieldEqualsValueExpression):
        yield node.field
        if isinstance(node.value, SigmaFieldReference):
            yield node.value.field


def _is_known(name: str, source: Logsource, known: _Known) -> bool:
    own = name in OWN_FIELDS or (source.product, name) in known.fields
    return own or canonical(name, source) != name or _ECS_NAME.fullmatch(name) is not None
