"""The catalogue of rules in the state database: every rule, in use or not, with its hits. The centre writes it.

So that the console and the command line list thousands of rules at once, without loading one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    delete,
    desc,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from core.clock import HOUR
from core.errors import NotFoundError
from core.records import Logsource, Record, Severity
from core.rule_text import pack_of
from core.stores.rules import prune_texts, put_texts, read_text
from core.stores.tables import rule_hits, rule_totals, rules
from core.text import fold, words

DAY_HOURS = 24
MONTH_HOURS = 30 * 24
KEEP_HOURS = MONTH_HOURS + 24
"""For which windows hits are told, and how long the counts of single hours stay."""

_PART = 500
_BY_NAME = (rules.c.title, rules.c.file, rules.c.number)


def _claim(of: FromClause) -> ColumnElement[Any]:
    """By which of several rules of one id that id goes to the least: one that was not refused, then the site's own."""
    return tuple_(of.c.state == "refused", of.c.pack != "", of.c.file)


_OTHER = rules.alias("other")
_OWN_ID = ~exists().where(_OTHER.c.id == rules.c.id, _claim(_OTHER) < _claim(rules))
"""That a rule's id is its own: it is not refused because another has it. Hits and switches are the owner's alone."""


class RuleState(StrEnum):
    """Whether a rule is in use, and if not, by whose will."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    REFUSED = "refused"


class CatalogueRule(Record, frozen=True, kw_only=True):
    """A rule as people see it.

    Attributes:
        id: the rule's UUID; empty for a file that could not be read.
        file: its name in the snapshot: ``PARENT/FOLDER/PATH`` or ``packs/NAME/PATH``.
        name: how correlation rules refer to it; may be empty.
        title: ``{"vi": ..., "en": ...}``.
        guide: the triage checklist in both languages; empty where the rule gives none.
        references: ids of the rules that a correlation rule takes.
        signal: it only feeds correlation.
        reason: why it is refused, in the loader's words.
        off: somebody has switched it off, which it may be besides being refused.
    """

    id: str
    file: str
    title: dict[str, str]
    guide: dict[str, tuple[str, ...]]
    state: RuleState
    kind: Literal["rule", "correlation"] = "rule"
    name: str = ""
    description: str = ""
    level: Severity = Severity.MEDIUM
    logsource: Logsource = Logsource()
    techniques: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    signal: bool = False
    reason: str = ""
    off: bool = False

    @property
    def pack(self) -> str:
        """The pack it came with; empty for one of the settings' folders."""
        return pack_of(self.file)


class Hits(NamedTuple):
    """How often a rule has hit in the last 24 hours and 30 days, both to the hour, and when last; 0 for never."""

    day: int = 0
    month: int = 0
    last: int = 0


class Listed(NamedTuple):
    """A rule with its hits."""

    rule: CatalogueRule
    hits: Hits


class Wanted(Record, frozen=True, kw_only=True):
    """Which rules are looked for; what is left out does not narrow.

    Attributes:
        text: words that all occur in title, id, file, log source or techniques; without diacritics they match any.
        file: a pattern of file names, as shells have it: ``*`` (also over ``/``), ``?``, ``[...]``; it begins at the
            name's beginning or at a folder.
        pack: the pack's name; an empty name is that of the settings' folders.
    """

    text: str = ""
    states: tuple[RuleState, ...] = ()
    levels: tuple[Severity, ...] = ()
    products: tuple[str, ...] = ()
    pack: str | None = None
    file: str = ""


def put_catalogue(connection: Connection, entries: Iterable[CatalogueRule], documents: Mapping[str, bytes]) -> None:
    """Makes these the catalogue; ``documents`` are the rule files by name, of which a copy is kept."""
    digests = put_texts(connection, documents)
    numbers: Counter[str] = Counter()
    rows: list[dict[str, object]] = []
    for entry in entries:
        rows.append(_row(entry, numbers[entry.file], digests.get(entry.file, "")))
        numbers[entry.file] += 1
    connection.execute(delete(rules))
    for start in range(0, len(rows), _PART):
        connection.execute(insert(rules), rows[start : start + _PART])
    prune_texts(connection)


def list_rules(
    connection: Connection, wanted: Wanted, now: int, limit: int, skip: int = 0, *, by_hits: bool = True
) -> list[Listed]:
    """The wanted rules: what hit most in 30 days first, unless that is not to be told, then the gravest."""
    order: tuple[ColumnElement[Any], ...] = (rules.c.level.desc(), rules.c.title, rules.c.file, rules.c.number)
    order = (desc("month"), *order) if by_hits else order
    query = _with_hits(now).where(*_conditions(wanted)).order_by(*order).limit(limit).offset(skip)
    return [_listed(row) for row in connection.execute(query)]


def count_rules(connection: Connection, wanted: Wanted) -> int:
    """How many rules are wanted."""
    return connection.execute(select(func.count()).select_from(rules).where(*_conditions(wanted))).scalar_one()


def products(connection: Connection) -> list[str]:
    """The products of all rules, in order."""
    query = select(rules.c.product).distinct().where(rules.c.product != "").order_by(rules.c.product)
    return list(connection.execute(query).scalars())


def find_rule(connection: Connection, identity: str, now: int) -> Listed:
    """The rule of that id; of several, one in use.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(_with_hits(now).where(rules.c.id == identity, _OWN_ID)).first()
    if row is None or not identity:
        raise NotFoundError(f"there is no rule '{identity}'")
    return _listed(row)


def named_rules(connection: Connection, ids: Sequence[str]) -> list[CatalogueRule]:
    """The rules of these ids that are there, by title."""
    found = connection.execute(select(rules.c.body).where(rules.c.id.in_(ids), _OWN_ID).order_by(*_BY_NAME))
    return [_rule(body) for body in found.scalars()]


def rule_text(connection: Connection, file: str) -> bytes:
    """The YAML of a file of rules.

    Raises:
        NotFoundError: there is no such file.
    """
    digest = connection.execute(select(rules.c.sha256).where(rules.c.file == file)).scalar()
    if not digest:
        raise NotFoundError(f"there is no rule file {file}")
    return read_text(connection, digest)


def guide_of(connection: Connection, identity: str) -> dict[str, tuple[str, ...]]:
    """The triage guide of a rule; empty for an unknown one."""
    body = connection.execute(select(rules.c.body).where(rules.c.id == identity, _OWN_ID)).scalar()
    return _rule(body).guide if body else {}


def files(connection: Connection, wanted: Wanted) -> set[str]:
    """The files of the wanted rules."""
    return set(connection.execute(select(rules.c.file).where(*_conditions(wanted))).scalars())


def own_ids(connection: Connection, wanted: Wanted) -> set[str]:
    """The ids of the wanted rules; a rule that was refused because another has its id brings none."""
    query = select(rules.c.id).where(rules.c.id != "", _OWN_ID, *_conditions(wanted))
    return set(connection.execute(query).scalars())


def file_mates(connection: Connection, ids: Iterable[str]) -> tuple[set[str], set[str]]:
    """Of these ids: those of all rules in their files, which are switched together; and those that nobody has.

    An id means the rule that owns it, and no file that was refused because of it.
    """
    wanted = set(ids)
    found = connection.execute(select(rules.c.id, rules.c.file).where(rules.c.id != "", _OWN_ID)).all()
    files = {row.file for row in found if row.id in wanted}
    return {row.id for row in found if row.file in files}, wanted - {row.id for row in found}


def dependents(connection: Connection, ids: Iterable[str]) -> list[CatalogueRule]:
    """The correlation rules that take hits of these rules, themselves or through another."""
    query = select(rules.c.body).where(rules.c.kind == "correlation").order_by(rules.c.title)
    correlations = [_rule(body) for body in connection.execute(query).scalars()]
    reached, found = set(ids), set[str]()
    while fresh := [one for one in correlations if one.id not in found and reached & set(one.references)]:
        found |= {one.id for one in fresh}
        reached |= found
    return [one for one in correlations if one.id in found]


def count_hits(connection: Connection, hit: Iterable[str], now: int) -> None:
    """Counts a hit for each rule id given, and forgets the hours that are past telling."""
    hour = now // HOUR
    for rule, count in Counter(hit).items():
        of_hour = upsert(rule_hits).values(rule=rule, hour=hour, count=count)
        grown = {"count": rule_hits.c.count + count}
        connection.execute(of_hour.on_conflict_do_update(index_elements=["rule", "hour"], set_=grown))
        of_all = upsert(rule_totals).values(rule=rule, count=count, last=now)
        grown = {"count": rule_totals.c.count + count, "last": func.max(rule_totals.c.last, now)}
        connection.execute(of_all.on_conflict_do_update(index_elements=["rule"], set_=grown))
    connection.execute(delete(rule_hits).where(rule_hits.c.hour < hour - KEEP_HOURS))


def _row(entry: CatalogueRule, number: int, digest: str) -> dict[str, object]:
    source, titles = entry.logsource, entry.title.values()
    told = (*titles, entry.id, entry.name, entry.file, source.product, source.category, source.service)
    searched = words(" ".join((*told, *entry.techniques)))
    return {
        "file": entry.file,
        "number": number,
        "id": entry.id,
        "state": entry.state.value,
        "level": entry.level.rank,
        "kind": entry.kind,
        "product": source.product,
        "pack": entry.pack,
        "title": entry.title.get("vi", ""),
        "sha256": digest,
        "words": searched,
        "plain": fold(searched),
        "body": msgspec.msgpack.encode(entry),
    }


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_has(word) for word in words(wanted.text).split()]
    if wanted.states:
        found.append(rules.c.state.in_([state.value for state in wanted.states]))
    if wanted.levels:
        found.append(rules.c.level.in_([level.rank for level in wanted.levels]))
    if wanted.products:
        found.append(rules.c.product.in_(wanted.products))
    if wanted.pack is not None:
        found.append(rules.c.pack == wanted.pack)
    if wanted.file:
        found.append(or_(_like_shell(wanted.file), _like_shell(f"*/{wanted.file}")))
    return found


def _like_shell(pattern: str) -> ColumnElement[bool]:
    return rules.c.file.op("GLOB", is_comparison=True)(pattern)


def _has(word: str) -> ColumnElement[bool]:
    """A word that was typed without diacritics also finds those that have some."""
    column = rules.c.plain if word == fold(word) else rules.c.words
    return column.contains(word, autoescape=True)


def _with_hits(now: int) -> Select[Any]:
    """Each rule's body with what ``Hits`` tells of it; of rules of one id only the one that owns it has hits."""
    hour = now // HOUR
    day = func.sum(case((rule_hits.c.hour > hour - DAY_HOURS, rule_hits.c.count), else_=0)).label("day")
    month = func.sum(rule_hits.c.count).label("month")
    counted = select(rule_hits.c.rule, day, month).where(rule_hits.c.hour > hour - MONTH_HOURS)
    recent = counted.group_by(rule_hits.c.rule).subquery("recent")
    told = [recent.c.day, recent.c.month, rule_totals.c.last]
    columns = [func.coalesce(column, 0).label(column.name) for column in told]
    joined = rules.outerjoin(recent, and_(rules.c.id == recent.c.rule, _OWN_ID))
    joined = joined.outerjoin(rule_totals, and_(rules.c.id == rule_totals.c.rule, _OWN_ID))
    return select(rules.c.body, *columns).select_from(joined)


def _listed(row: Sequence[Any]) -> Listed:
    body, day, month, last = row
    return Listed(_rule(body), Hits(day=day, month=month, last=last))


def _rule(body: bytes) -> CatalogueRule:
    return msgspec.msgpack.decode(body, type=CatalogueRule)
