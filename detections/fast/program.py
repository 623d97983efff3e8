"""The program of one route: which rules an event may meet, told by few fields, and which of these it does meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from sys import getsizeof
from typing import NamedTuple, Protocol, TypeAlias

from core.names import FieldNames
from core.records import FieldValue
from detections.fast.atoms import KEYWORDS, Atom, Kind
from detections.fast.expressions import atoms_of, decided, relaxed
from detections.fast.fields import Field, Missing
from detections.fast.generate import Test, compiled
from detections.fast.groups import Plan, fields_of
from detections.fast.keywords import Keywords
from detections.fast.memory import Cache, Memory, distinct
from detections.fast.references import reference_holds
from detections.view import OWN_FIELDS, Scalar

Values: TypeAlias = tuple[FieldValue | Missing, ...]


_COMPILED_AT_ONCE = 1
"""First tests for which code is made during one event; no event waits for more."""


_SELDOM = 16
"""Up to so many times a rule is read as it stands before code is made for it."""


def _everything_known(_: int) -> bool:
    return True


class Source(Protocol):
    """An event as programs read it."""

    def value(self, keys: Sequence[str]) -> FieldValue | Missing:
        """What the event has under the first of the keys that it has."""
        ...

    def everything(self) -> Iterable[Scalar]:
        """What keywords are looked for in."""
        ...


class FirstTest(NamedTuple):
    """What the watched fields must say for a rule to be met; ``final`` is true if that is all it takes, else None."""

    holds: Test
    final: bool | None


class Matchers(NamedTuple):
    """What all programs share: the atoms by number, each field's matcher, and the memory."""

    atoms: Sequence[Atom]
    fields: Mapping[str, Field]
    memory: Memory


class Verdict(NamedTuple):
    """What the watched fields say: the rules that are met, and those that other fields have to decide."""

    met: tuple[int, ...]
    open: tuple[int, ...]


class Program:
    """Judges events of one route.

    Args:
        plan: which rules, and what to watch for.
        matchers: what all programs share.
        names: under which keys events of the route carry a field.
    """

    def __init__(self, plan: Plan, matchers: Matchers, names: FieldNames) -> None:
        atoms, fields, memory = matchers
        self._plan = plan
        self._atoms = atoms
        self._fields = fields
        self._names = names
        self._memo: Cache[Values, Verdict] = memory.add(Cache(memory))
        self._tests: dict[int, Test] = {}
        self._first_tests: dict[int, FirstTest] = {}
        self._tried: dict[int, int] = {}
        self._asked: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._watched = frozenset(fields_of(plan.watch, atoms)) - {KEYWORDS}
        watched = sorted(self._watched)
        self._first_fields = tuple(fields[name] for name in watched)
        self.keys = tuple(names[name] for name in watched)
        used = [number for number in plan.watch if atoms[number].field == KEYWORDS]
        self.keywords = Keywords(used, atoms, fields[KEYWORDS]) if used else None
        self.idle = not plan.expressions
        self.certain = plan.certain

    @cached_property
    def asks_of_events(self) -> bool:
        """Whether a rule asks of what an event knows of itself besides its fields."""
        atoms = frozenset(chain.from_iterable(map(atoms_of, self._plan.expressions.values())))
        return not OWN_FIELDS.keys().isdisjoint(fields_of(atoms, self._atoms))

    def judge(self, source: Source) -> tuple[int, ...]:
        """The rules that the event meets."""
        if self.idle:
            return self.certain
        met, undecided = self.verdict(tuple(map(source.value, self.keys)))
        if self.keywords is not None:
            undecided += self.said(self.keywords.hits(source.everything()))
        return tuple(dict.fromkeys(met + self.decide(undecided, source))) if undecided else met

    def verdict(self, values: Values) -> Verdict:
        """What these values of the watched fields, in the order of ``keys``, say."""
        try:
            found = self._memo.young.get(values)
        except TypeError:  # a list is among them
            return self._verdict(values)
        if found is None:
            found = self._memo.old.get(values) or self._verdict(values)
            if all(map(distinct, values)):
                self._memo.put(values, found, sum(map(getsizeof, values)))
        return found

    def _verdict(self, values: Values) -> Verdict:
        watch = self._plan.watch
        true: set[int] = set()
        for field, value in zip(self._first_fields, values, strict=True):
            true |= field.holding(value)
        met, undecided = list(self.certain), list[int]()
        tried = (*self._plan.always, *(number for atom in true if atom in watch for number in watch[atom]))
        left = _COMPILED_AT_ONCE
        for number in dict.fromkeys(tried):
            test = self._first_tests.get(number)
            if test is None and left and self._comes_often(number):
                left -= 1
                test = self._first_tests[number] = self._first_test(number)
            if test is None:
                outcome = decided(self._plan.expressions[number], true, self._is_known)
            else:
                outcome = test.final if test.holds(true) else False
            if outcome is not False:
                (met if outcome else undecided).append(number)
        return Verdict(tuple(met), tuple(undecided))

    def _comes_often(self, number: int) -> bool:
        tried = self._tried[number] = self._tried.get(number, 0) + 1
        return tried > _SELDOM

    def _first_test(self, number: int) -> FirstTest:
        node = self._plan.expressions[number]
        used = frozenset(atoms_of(node))
        known = frozenset(filter(self._is_known, used))
        return FirstTest(compiled(relaxed(node, known)), True if known == used else None)

    def _is_known(self, number: int) -> bool:
        """Whether the watched fields say of the atom that it holds or not."""
        atom = self._atoms[number]
        return atom.field in self._watched and atom.kind is not Kind.REFERENCE

    def said(self, hits: Iterable[int]) -> tuple[int, ...]:
        """The rules to decide on for an event for which these keyword atoms hold."""
        watch = self._plan.watch
        return tuple(number for atom in hits if atom in watch for number in watch[atom])

    def decide(self, undecided: Iterable[int], source: Source) -> tuple[int, ...]:
        """Those of the rules that the event meets."""
        true: set[int] = set()
        asked: set[str] = set()
        met = []
        for number in undecided:
            names, references = self._what_is_asked(number)
            for name in names:
                if name not in asked:
                    asked.add(name)
                    true |= self._holding(name, source)
            true.update(atom for atom in references if reference_holds(self._atoms[atom], self._names, source))
            if self._holds(number, true):
                met.append(number)
        return tuple(met)

    def _holds(self, number: int, true: set[int]) -> bool:
        """Whether a rule is met when just these atoms hold."""
        node = self._plan.expressions[number]
        test = self._tests.get(number)
        if test is None:
            if not self._comes_often(number):
                return bool(decided(node, true, _everything_known))
            test = self._tests[number] = compiled(node)
        return test(true)

    def _holding(self, name: str, source: Source) -> frozenset[int]:
        field = self._fields[name]
        if name == KEYWORDS:
            return frozenset().union(*map(field.hits, source.everything()))
        return field.holding(source.value(self._names[name]))

    def _what_is_asked(self, number: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The fields whose matchers are asked for a rule, and the references that are tried by themselves."""
        asked = self._asked.get(number)
        if asked is None:
            used = frozenset(atoms_of(self._plan.expressions[number]))
            references = frozenset(atom for atom in used if self._atoms[atom].kind is Kind.REFERENCE)
            asked = tuple(fields_of(used - references, self._atoms)), tuple(references)
            self._asked[number] = asked
        return asked
