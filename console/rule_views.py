"""What the rules' templates show, made from records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from console.texts import say_refusal
from console.views import SHAPES, Moment, in_language, moment, moment_or_none, object_text, visible
from core.incident import Incident
from core.records import Alert, Logsource, Record, Severity
from core.stores.catalogue import CatalogueRule, Hits, Listed, RuleState, Wanted

PAGE_ROWS = 100


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

    def address(self, **changed: object) -> str:
        """The list's address with some of it changed; a change of what is asked for leads to the first page."""
        values = {"q": self.text, "state": self.state, "level": self.level, "product": self.product} | changed
        query = urlencode({name: value for name, value in values.items() if value})
        return f"/rules?{query}" if query else "/rules"


class RuleRow(Record, frozen=True, kw_only=True):
    """A rule in the list. ``link`` is empty for a file that tells no id; ``origin`` is its pack, else its folder."""

    key: str
    link: str
    title: str
    severity: str
    shape: str
    state: str
    reason: str
    source: str
    origin: str
    techniques: str
    is_correlation: bool
    signal: bool
    day: int
    month: int
    last: Moment | None


class Pager(Record, frozen=True, kw_only=True):
    """Which part of the list is shown; an empty link leads nowhere."""

    page: int
    pages: int
    first: int
    last: int
    total: int
    previous: str
    next: str


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


def rule_row(listed: Listed, language: str) -> RuleRow:
    """The rule as one line of the list."""
    rule, hits = listed
    return RuleRow(
        key=rule.id or rule.file,
        link=f"/rules/{rule.id}" if rule.id else "",
        title=visible(in_language(rule.title, language, "").encode()),
        severity=rule.level.value,
        shape=SHAPES[rule.level],
        state=rule.state.value,
        reason=visible((say_refusal(language, rule.reason) or rule.reason).encode()),
        source=source_text(rule.logsource),
        origin=visible((rule.pack or rule.file.rpartition("/")[0]).encode()),
        techniques=", ".join(rule.techniques),
        is_correlation=rule.kind == "correlation",
        signal=rule.signal,
        day=hits.day,
        month=hits.month,
        last=moment_or_none(hits.last),
    )


def source_text(source: Logsource) -> str:
    """The log source's terms: ``windows · process_creation``."""
    return visible(" · ".join(filter(None, (source.product, source.category, source.service))).encode())


def pager(asked: Asked, total: int) -> Pager:
    """The part of the list that is asked for, or the last one there is."""
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(asked.page, 1), pages)
    return Pager(
        page=page,
        pages=pages,
        first=min(total, (page - 1) * PAGE_ROWS + 1),
        last=min(total, page * PAGE_ROWS),
        total=total,
        previous=asked.address(page=page - 1) if page > 1 else "",
        next=asked.address(page=page + 1) if page < pages else "",
    )


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
