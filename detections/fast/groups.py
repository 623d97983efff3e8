"""Rules of one log source, prepared together, and split by what an event's route already decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from core.logsources import Terms, deciding
from core.records import Logsource
from detections.fast.atoms import Atom, Kind
from detections.fast.compiled import CompiledRules, cost, watched_atoms
from detections.fast.expressions import Expression, atoms_of, necessary, simplified
from detections.routes import Routes


class Plan(NamedTuple):
    """What is to be done for an event of one route.

    Attributes:
        certain: rules that the route alone meets.
        always: rules that must be tried on every event.
        watch: for an atom the rules to try when it holds.
        expressions: of the rules that may have to be tried.
    """

    certain: tuple[int, ...]
    always: tuple[int, ...]
    watch: dict[int, tuple[int, ...]]
    expressions: dict[int, Expression]


class _Rule(NamedTuple):
    number: int
    expression: Expression
    watched: frozenset[int]


class _Varying(NamedTuple):
    """Rules of which routes decide atoms: what is left of them where no such atom holds, and who asks of an atom."""

    otherwise: list[_Rule]
    asking: dict[int, list[int]]


class Groups:
    """All rules by log source.

    Args:
        rules: as compiled.
    """

    def __init__(self, rules: CompiledRules) -> None:
        self._rules = rules
        self._filed: dict[tuple[str, str, str], list[int]] = {}
        for number, info in enumerate(rules.infos):
            source = info.logsource
            self._filed.setdefault((source.product, source.category, source.service), []).append(number)
        self._routes = Routes(
            (Logsource(product=key[0], category=key[1], service=key[2]), key) for key in sorted(self._filed)
        )
        self._on: dict[str, list[int]] = {}
        for number, atom in enumerate(rules.atoms):
            if atom.kind is not Kind.REFERENCE:
                self._on.setdefault(atom.field, []).append(number)
        self._late = frozenset(chain.from_iterable(rules.late.values()))
        self._used = [frozenset(atoms_of(node)) for node in rules.expressions]
        self._none_holds = cache(self._undecided)
        self._fixed = cache(self._fixed_plan)
        self._varying = cache(self._varying_rules)

    def plan(self, product: str, terms: Terms, known: Mapping[int, bool]) -> Plan:
        """The plan for events of the product with these terms; ``known`` holds the atoms that the route decides."""
        keys = list(self._routes.find(terms))
        holding = [atom for atom, holds in known.items() if holds]
        plans = [self._fixed(product, key) for key in keys]
        plans += [_plan(self._left(self._varying(product, key), holding, known)) for key in keys]
        return _merged(plans)

    def _left(self, varying: _Varying, holding: Iterable[int], known: Mapping[int, bool]) -> list[_Rule]:
        """What a route leaves of the rules; only those are looked at anew that ask of an atom that holds."""
        concerned = dict.fromkeys(number for atom in holding for number in varying.asking.get(atom, ()))
        return [
            *(rule for rule in varying.otherwise if rule.number not in concerned),
            *(self._rule(number, known) for number in concerned),
        ]

    def _rule(self, number: int, known: Mapping[int, bool]) -> _Rule:
        node = simplified(self._rules.expressions[number], known)
        watched = self._rules.watched[number]
        if not watched or not watched.isdisjoint(known):
            watched = watched_atoms(necessary(node, self._price))
        return _Rule(number, node, watched)

    def _price(self, atom: int) -> float | None:
        return None if atom in self._late else cost(self._rules.atoms[atom])

    def none_holds(self, product: str) -> dict[int, bool]:
        """All atoms that a route of the product decides, as if none of them held; a dict of the caller's own."""
        return self._none_holds(product).copy()

    def _undecided(self, product: str) -> dict[int, bool]:
        return dict.fromkeys((atom for field in deciding(product) for atom in self._on.get(field, ())), False)

    def _split(self, product: str, key: tuple[str, str, str]) -> tuple[list[int], list[int]]:
        """The rules filed there: those that a route of the product says nothing of, and the others."""
        decided = self._none_holds(product).keys()
        sides: tuple[list[int], list[int]] = [], []
        for number in self._filed[key]:
            sides[not decided.isdisjoint(self._used[number])].append(number)
        return sides

    def _fixed_plan(self, product: str, key: tuple[str, str, str]) -> Plan:
        rules = self._rules
        fixed, _ = self._split(product, key)
        return _plan([_Rule(number, rules.expressions[number], rules.watched[number]) for number in fixed])

    def _varying_rules(self, product: str, key: tuple[str, str, str]) -> _Varying:
        _, numbers = self._split(product, key)
        none_holds = self._none_holds(product)
        asking: dict[int, list[int]] = {}
        for number in numbers:
            for atom in self._used[number] & none_holds.keys():
                asking.setdefault(atom, []).append(number)
        rules = (self._rule(number, none_holds) for number in numbers)
        return _Varying([rule for rule in rules if rule.expression is not False], asking)


def _plan(rules: Iterable[_Rule]) -> Plan:
    watch: dict[int, list[int]] = {}
    certain, always = [], []
    expressions: dict[int, Expression] = {}
    for number, node, watched in rules:
        if node is True:
            certain.append(number)
        elif node is not False:
            expressions[number] = node
            if not watched:
                always.append(number)
            for atom in watched:
                watch.setdefault(atom, []).append(number)
    return Plan(tuple(certain), tuple(always), {atom: tuple(numbers) for atom, numbers in watch.items()}, expressions)


def _merged(plans: Sequence[Plan]) -> Plan:
    watch: dict[int, tuple[int, ...]] = {}
    expressions: dict[int, Expression] = {}
    for plan in plans:
        expressions.update(plan.expressions)
        for atom, numbers in plan.watch.items():
            watch[atom] = watch[atom] + numbers if atom in watch else numbers
    return Plan(
        tuple(number for plan in plans for number in plan.certain),
        tuple(number for plan in plans for number in plan.always),
        watch,
        expressions,
    )


def fields_of(numbers: Iterable[int], atoms: Sequence[Atom]) -> list[str]:
    """The fields that atoms ask of, each once, in a fixed order."""
    found: set[str] = set()
    for number in numbers:
        atom = atoms[number]
        found.add(atom.field)
        if atom.kind is Kind.REFERENCE:
            found.add(str(atom.pattern[0]))
    return sorted(found)
