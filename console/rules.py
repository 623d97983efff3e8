"""The pages of the rules: the list, one rule, and switching it on and off."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace
from sqlalchemy import Connection

from console.deps import console_of
from console.forms import Form
from console.paging import MOST_WORDS, PAGE_ROWS, Pager, page_of, pager
from console.problems import line_of, status_of
from console.render import Answer, AnyRequest, language_of, render
from console.rule_views import (
    Asked,
    RuleView,
    alert_row,
    guide_in,
    plain_rows,
    rule_row,
    yaml_text,
)
from console.sessions import scope_for
from console.texts import say
from console.views import moment
from core.errors import HaidangError
from core.records import Severity
from core.stores import catalogue
from core.stores.catalogue import RuleState
from core.stores.incidents import alerts_of_rule
from core.stores.rules import off_of

MOST_ALERTS = 20
MOST_REASON = 1000
"""Characters, as the centre takes them."""

_READ = {"action": "rules.read"}
_WRITE = {"action": "rules.write"}
_UNPROCESSABLE = 422


@get("/rules", opt=_READ, sync_to_thread=True)
def rules(request: AnyRequest) -> Answer:
    """The list of rules, those that hit most first; to who does not see how often they hit, the gravest first."""
    return render(request, "rules", _list_values(request))


@get("/rules/{identity:str}", opt=_READ, sync_to_thread=True)
def rule(request: AnyRequest, identity: FromPath[str]) -> Answer:
    """One rule with all that belongs to it."""
    return _rule_page(request, identity)


@post("/rules/{identity:str}/enable", opt=_WRITE, sync_to_thread=True)
def enable(request: AnyRequest, identity: FromPath[str], data: Form) -> Answer:
    """Switches the rule on."""
    return _switch(request, identity, "rules.enable", data)


@post("/rules/{identity:str}/disable", opt=_WRITE, sync_to_thread=True)
def disable(request: AnyRequest, identity: FromPath[str], data: Form) -> Answer:
    """Switches the rule off, for a reason."""
    if not _reason(data):
        return _rule_page(request, identity, data, say(language_of(request), "rule.why_missing"), _UNPROCESSABLE)
    return _switch(request, identity, "rules.disable", data)


def asked_of(request: AnyRequest) -> Asked:
    """What the address asks of the list; a rule's page carries it along, so that one comes back to the same list."""
    query = request.query_params
    return Asked(
        text=query.get("q", "").strip()[:MOST_WORDS],
        state=query.get("state", ""),
        level=query.get("level", ""),
        product=query.get("product", ""),
        page=page_of(request),
    )


def _reason(typed: dict[str, str]) -> str:
    """As it was typed: browsers send two characters for the end of a line."""
    return typed.get("text", "").replace("\r\n", "\n").strip()


def _switch(request: AnyRequest, identity: str, action: str, typed: dict[str, str]) -> Answer:
    values = {"rules": [identity], "text": _reason(typed)}
    if len(_reason(typed)) > MOST_REASON:
        problem = say(language_of(request), "rule.why_long", most=MOST_REASON)
        return _rule_page(request, identity, typed, problem, _UNPROCESSABLE)
    try:
        console_of(request).centre.call(action, actor=request.user.name, **values)
    except HaidangError as error:
        return _rule_page(request, identity, typed, line_of(request, error), status_of(error))
    return Redirect(asked_of(request).address_of(identity), status_code=303)


def _list_values(request: AnyRequest) -> dict[str, object]:
    console, language = console_of(request), language_of(request)
    with console.state.connect() as connection:
        products = catalogue.products(connection)
        asked = asked_of(request).known(products)
        counts = _counts(connection, asked)
        part = pager(asked.address, asked.page, counts[asked.state])
        found = _part(connection, asked, part, console.clock.now(), by_hits=_sees_counts(request))
    return {
        "rows": [rule_row(one, language, replace(asked, page=part.page)) for one in found],
        "asked": asked,
        "pager": part,
        "counts": counts,
        "counts_shown": _sees_counts(request),
        "levels": [level.value for level in reversed(Severity)],
        "products": products,
    }


def _counts(connection: Connection, asked: Asked) -> dict[str, int]:
    """How many rules each tab would show for this search; that of all states has no name and stands first."""
    states = ["", *(state.value for state in RuleState)]
    return {state: catalogue.count_rules(connection, replace(asked, state=state).wanted()) for state in states}


def _part(connection: Connection, asked: Asked, part: Pager, now: int, *, by_hits: bool) -> Sequence[catalogue.Listed]:
    skip = (part.page - 1) * PAGE_ROWS
    return catalogue.list_rules(connection, asked.wanted(), now, PAGE_ROWS, skip, by_hits=by_hits)


def _rule_page(
    request: AnyRequest, identity: str, typed: dict[str, str] | None = None, problem: str = "", status: int = 200
) -> Answer:
    console, asked = console_of(request), asked_of(request)
    with console.state.connect() as connection:
        found = catalogue.find_rule(connection, identity, console.clock.now())
        off = off_of(connection, identity)
        mates, _ = catalogue.file_mates(connection, [identity])
    values = {
        "rule": _rule_view(request, found),
        "off": off,
        "off_at": moment(off.time) if off else None,
        "mates": len(mates),
        "counts_shown": _sees_counts(request),
        "typed": {"text": ""} | (typed or {}),
        "problem": problem,
        "back": asked.address(page=asked.page),
        "asked": asked.query(page=asked.page),
        "here": asked.address_of(identity),
    }
    return render(request, "rule", values, status)


def _sees_counts(request: AnyRequest) -> bool:
    """Hits are counted over the whole sector: only who may see all of it sees how many there are."""
    return scope_for(console_of(request), request.user, "incident.read").is_everything


def _rule_view(request: AnyRequest, listed: catalogue.Listed) -> RuleView:
    console, language, rule = console_of(request), language_of(request), listed.rule
    with console.state.connect() as connection:
        alerts = alerts_of_rule(connection, scope_for(console, request.user, "incident.read"), rule.id, MOST_ALERTS)
        taken = catalogue.named_rules(connection, rule.references)
        return RuleView(
            row=rule_row(listed, language),
            identity=rule.id,
            file=rule.file,
            pack=rule.pack,
            description=rule.description,
            guide=guide_in(rule, language),
            takes=plain_rows(taken, language),
            feeds=plain_rows(catalogue.dependents(connection, [rule.id]), language),
            alerts=tuple(alert_row(alert, incident, language) for alert, incident in alerts),
            text=yaml_text(catalogue.rule_text(connection, rule.file)),
        )


RULES = [rules, rule, enable, disable]
