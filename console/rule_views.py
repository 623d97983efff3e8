"""What the rules' templates show, made from records."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from console.texts import say, say_refusal
from console.views import SHAPES, Moment, in_language, moment, moment_or_none, object_text, visible
from core.incident import Incident
from core.records import Alert, Logsource, Record, Severity
from core.stores.catalogue import CatalogueRule, Hits, Listed, RuleState, Wanted

LOADERS_LANGUAGE = "en"
"""In which reasons and, by Sigma's custom, descriptions are written."""


class Asked(Record, frozen=True, kw_only=True):
    """What the reader asked for in the list's address; what is unknown there asks for nothing."""

    text: str = ""
    state: str = ""
    level: str = ""
    product: str = ""
    page: int = 1

    def wanted(self) -> Wanted:
        """As the catalogue takes it."""
        return Wanted(
            text=self.text,
            states=(RuleState(self.state),) if self.state in set(RuleState) else (),
            levels=(Severity(self.level),) if self.level in set(Severity) else (),
            products=(self.product,) if self.product else (),
        )

    def known(self, products: Collection[str]) -> Asked:
        """Without what is unknown: a state or level that is none, a product that no rule has."""
        return replace(
            self,
            state=self.state if self.state in set(RuleState) else "",
            level=self.level if self.level in set(Severity) else "",
            product=self.product if self.product in products else "",
        )

    def address(self, **changed: object) -> str:
        """The list's address with some of it changed; a change of what is asked for leads to the first page."""
        return f"/rules{self.query(**changed)}"

    def address_of(self, identity: str) -> str:
        """A rule's address, from which one comes back to the same part of the list."""
        return f"/rules/{quote(identity, safe='')}{self.query(page=self.page)}"

    def query(self, **changed: object) -> str:
        """What an address of ours ends with; empty where nothing is asked for."""
        values = {"q": self.text, "state": self.state, "level": self.level, "product": self.product} | changed
        told = {name: value for name, value in values.items() if value and (name, value) != ("page", 1)}
        return f"?{urlencode(told)}" if told else ""


EVERY_RULE = Asked()


class RuleRow(Record, frozen=True, kw_only=True):
    """A rule in the list.

    Attributes:
        link: its page; empty for a file that tells no id.
        reason: why it is refused, in the reader's language.
        detail: the loader's own words, where those of ``reason`` are others.
        origin: its pack, else the folder among its own.
    """

    key: str
    link: str
    title: str
    severity: str
    shape: str
    state: str
    reason: str
    detail: str
    source: str
    file: str
    folder: str
    origin: str
    techniques: str
    is_correlation: bool
    signal: bool
    day: int
    month: int
    last: Moment | None


class AlertRow(NamedTuple):
    """An alert of the rule with its incident."""

    time: Moment
    number: int
    title: str
    state: str
    object: str
    events: int


class RuleView(Record, frozen=True, kw_only=True):
    """The page of a rule."""

    row: RuleRow
    identity: str
    file: str
    pack: str
    description: str
    guide: tuple[str, ...]
    takes: tuple[RuleRow, ...]
    feeds: tuple[RuleRow, ...]
    alerts: tuple[AlertRow, ...]
    text: str


def rule_row(listed: Listed, language: str, asked: Asked = EVERY_RULE) -> RuleRow:
    """The rule as one line of the list that was asked for."""
    rule, hits = listed
    reason = reason_text(rule.reason, language)
    return RuleRow(
        key=rule.id or rule.file,
        link=asked.address_of(rule.id) if rule.id else "",
        title=title_text(rule, language),
        severity=rule.level.value,
        shape=SHAPES[rule.level],
        state=rule.state.value,
        reason=visible(reason.encode()),
        detail=visible(rule.reason.encode()) if reason != rule.reason else "",
        source=source_text(rule.logsource),
        file=visible(rule.file.encode()),
        folder=visible(rule.file.rpartition("/")[0].encode()),
        origin=visible((rule.pack or _folder(rule.file)).encode()),
        techniques=", ".join(rule.techniques),
        is_correlation=rule.kind == "correlation",
        signal=rule.signal,
        day=hits.day,
        month=hits.month,
        last=moment_or_none(hits.last),
    )


def title_text(rule: CatalogueRule, language: str) -> str:
    """The rule's title; where it tells none, the name of its file."""
    title = in_language(rule.title, language, "")
    told = title if title.strip("\"' ") else rule.file.rpartition("/")[2]
    return visible(told.encode())


def reason_text(reason: str, language: str) -> str:
    """Why a rule is refused, in that language; words that have no text of ours are told in general."""
    if not reason or language == LOADERS_LANGUAGE:
        return reason
    return say_refusal(language, reason) or say(language, "rule.reason_other")


def source_text(source: Logsource) -> str:
    """The log source's terms: ``windows · process_creation``."""
    return visible(" · ".join(filter(None, (source.product, source.category, source.service))).encode())


def _folder(file: str) -> str:
    """Where among rules of its kind a file lies: ``identity`` of ``detections/rules/identity/NAME.yml``."""
    folder = file.rpartition("/")[0]
    return folder.partition("/rules/")[2] or folder


def alert_row(alert: Alert, incident: Incident, language: str) -> AlertRow:
    """The alert as one line of the rule's page."""
    return AlertRow(
        time=moment(alert.start),
        number=incident.id,
        title=in_language(incident.title, language, ""),
        state=incident.state.value,
        object=object_text(alert.object),
        events=alert.count,
    )


def yaml_text(content: bytes) -> str:
    """A rule's file, line by line, in which nothing hides."""
    return "\n".join(visible(line) for line in content.replace(b"\r\n", b"\n").split(b"\n"))


def guide_in(rule: CatalogueRule, language: str) -> tuple[str, ...]:
    """The triage guide in that language, else in any."""
    return tuple(in_language(rule.guide, language, ()))


def plain_rows(found: Sequence[CatalogueRule], language: str) -> tuple[RuleRow, ...]:
    """Rules without their hits, for links to them."""
    return tuple(rule_row(Listed(rule, Hits()), language) for rule in found)
