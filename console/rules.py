"""The pages of the rules: the list, one rule, and switching it on and off."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from console.deps import console_of
from console.forms import Form
from console.problems import line_of, status_of
from console.render import Answer, AnyRequest, language_of, render
from console.rule_views import (
    PAGE_ROWS,
    Asked,
    RuleView,
    alert_row,
    guide_in,
    pager,
    plain_rows,
    rule_row,
    yaml_text,
)
from console.sessions import scope_of
from console.texts import say
from console.views import moment
from core.errors import HaidangError
from core.records import Severity
from core.stores import catalogue
from core.stores.catalogue import RuleState
from core.stores.incidents import alerts_of_rule
from core.stores.rules import off_of

MOST_ALERTS = 20
MOST_WORDS = 200

_READ = {"action": "read"}
_WRITE = {"action": "rules.write"}
_UNPROCESSABLE = 422

Words = Annotated[str, QueryParameter(name="q")]
ChosenState = Annotated[str, QueryParameter(name="state")]


@get("/rules", opt=_READ, sync_to_thread=True)
def rules(
    request: AnyRequest,
    words: Words = "",
    chosen: ChosenState = "",
    level: FromQuery[str] = "",
    product: FromQuery[str] = "",
    page: FromQuery[int] = 1,
) -> Answer:
    """The list of rules, those that hit most first."""
    asked = Asked(text=words.strip()[:MOST_WORDS], state=chosen, level=level, product=product, page=page)
    return render(request, "rules", _list_values(request, asked))


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
    if not data.get("text", "").strip():
        return _rule_page(request, identity, data, say(language_of(request), "rule.why_missing"), _UNPROCESSABLE)
    return _switch(request, identity, "rules.disable", data)


def _switch(request: AnyRequest, identity: str, action: str, typed: dict[str, str]) -> Answer:
    values = {"rules": [identity], "text": typed.get("text", "").strip()}
    try:
        console_of(request).centre.call(action, actor=request.user.name, **values)
    except HaidangError as error:
        return _rule_page(request, identity, typed, line_of(request, error), status_of(error))
    return Redirect(f"/rules/{identity}", status_code=303)


def _list_values(request: AnyRequest, asked: Asked) -> dict[str, object]:
    console, language, wanted = console_of(request), language_of(request), asked.wanted()
    with console.state.connect() as connection:
        part = pager(asked, catalogue.count_rules(connection, wanted))
        found = catalogue.list_rules(connection, wanted, console.clock.now(), PAGE_ROWS, (part.page - 1) * PAGE_ROWS)
        counts = catalogue.count_states(connection)
        products = catalogue.products(connection)
    return {
        "rows": [rule_row(one, language) for one in found],
        "asked": asked,
        "pager": part,
        "counts": {state.value: counts[state] for state in RuleState},
        "levels": [level.value for level in reversed(Severity)],
        "products": products,
    }


def _rule_page(
    request: AnyRequest, identity: str, typed: dict[str, str] | None = None, problem: str = "", status: int = 200
) -> Answer:
    console = console_of(request)
    with console.state.connect() as connection:
        found = catalogue.find_rule(connection, identity, console.clock.now())
        off = off_of(connection, identity)
        mates, _ = catalogue.file_mates(connection, [identity])
    values = {
        "rule": _rule_view(request, found),
        "off": off,
        "off_at": moment(off.time) if off else None,
        "mates": len(mates),
        "typed": {"text": ""} | (typed or {}),
        "problem": problem,
        "here": f"/rules/{identity}",
    }
    return render(request, "rule", values, status)


def _rule_view(request: AnyRequest, listed: catalogue.Listed) -> RuleView:
    console, language, rule = console_of(request), language_of(request), listed.rule
    with console.state.connect() as connection:
        alerts = alerts_of_rule(connection, scope_of(request.user), rule.id, MOST_ALERTS)
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
