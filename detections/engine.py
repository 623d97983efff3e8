"""Which rules an event meets: every rule is one closure, tried on each event its log source concerns.

It is the plain reading of the specification, kept as the measure of faster engines: right first, fast second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from core.names import names_of
from detections.conditions import any_of, condition_test
from detections.routes import Routes, event_terms
from detections.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.records import Event
    from core.sigma import LoadedRule, RuleInfo, RuleSet
    from detections.conditions import EventTest


class Matcher(Protocol):
    """What detects; every engine has this contract and gives the same answers."""

    def match(self, event: Event) -> Sequence[RuleInfo]:
        """The rules that the event meets, each once, in no particular order."""
        ...


class ClosureEngine:
    """A `Matcher` of one closure a rule.

    Raises:
        ContentError: a rule holds something that cannot be evaluated; `core.sigma.load_rules` lets none through.
    """

    def __init__(self, ruleset: RuleSet) -> None:
        self._routes = Routes((rule.info.logsource, (rule.info, _rule_test(rule))) for rule in ruleset.rules)

    def match(self, event: Event) -> list[RuleInfo]:
        """The rules that the event meets, each once, those of the most specific log source first."""
        terms = event_terms(event.logsource, event.fields)
        view = View(event, names_of(terms))
        return [info for info, test in self._routes.find(terms) if test(view)]


def _rule_test(rule: LoadedRule) -> EventTest:
    return any_of(condition_test(part, rule.info.logsource) for part in rule.conditions)
