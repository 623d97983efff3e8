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
from detections.fast.databases import Databases
from detections.fast.expressions import atoms_of, relaxed
from detections.fast.fields import Field, Missing
from detections.fast.generate import Test, compiled
from detections.fast.groups import Plan, fields_of
from detections.fast.keywords import Keywords
from detections.fast.memory import Cache, Memory, distinct
from detections.fast.references import reference_holds
from detections.view import Scalar

Values: TypeAlias = tuple[FieldValue | Missing, ...]


class Source(Protocol):
    """An event as programs read it."""

    def value(self, keys: Sequence[str]) -> FieldValue | Missing:
        """What the event has under the first of the keys that it has."""
        ...

    def everything(self) -> Iterable[Scalar]:
        """What keywords are looked for in."""
        ...


class Matchers(NamedTuple):
    """What all programs share: the atoms by number, each field's matcher, the memory, and Hyperscan's databases."""

    atoms: Sequence[Atom]
    fields: Mapping[str, Field]
    memory: Memory
    databases: Databases | None


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
        atoms, fields, memory, databases = matchers
        self._plan = plan
        self._atoms = atoms
        self._fields = fields
        self._names = names
        self._memo: Cache[Values, Verdict] = memory.add(Cache(memory))
        self._tests: dict[int, Test] = {}
        self._first_tests: dict[int, tuple[Test, bool]] = {}
        self._asked: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._watched = frozenset(fields_of(plan.watch, atoms)) - {KEYWORDS}
        watched = sorted(self._watched)
        self._first_fields = tuple(fields[name] for name in watched)
        self.keys = tuple(names[name] for name in watched)
        used = [number for number in plan.watch if atoms[number].field == KEYWORDS]
        self.keywords = Keywords(used, atoms, fields[KEYWORDS], databases) if used else None
        self.idle = not plan.expressions
        self.certain = plan.certain

    @cached_property
    def fields(self) -> frozenset[str]:
        """The fields that any of the rules asks of."""
        return frozenset(fields_of(chain.from_iterable(map(atoms_of, self._plan.expressions.values())), self._atoms))

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
        for number in dict.fromkeys(tried):
            test, final = self._first_test(number)
            if test(true):
                (met if final else undecided).append(number)
        return Verdict(tuple(met), tuple(undecided))

    def _first_test(self, number: int) -> tuple[Test, bool]:
        """What the watched fields must say for the rule to be met, and whether that is all it takes."""
        test = self._first_tests.get(number)
        if test is None:
            node = self._plan.expressions[number]
            used = frozenset(atoms_of(node))
            known = frozenset(atom for atom in used if self._is_watched(self._atoms[atom]))
            test = compiled(relaxed(node, known)), known == used
            self._first_tests[number] = test
        return test

    def _is_watched(self, atom: Atom) -> bool:
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
            if self._test(number)(true):
                met.append(number)
        return tuple(met)

    def _holding(self, name: str, source: Source) -> frozenset[int]:
        field = self._fields[name]
        if name == KEYWORDS:
            return frozenset().union(*map(field.hits, source.everything()))
        return field.holding(source.value(self._names[name]))

    def _test(self, number: int) -> Test:
        test = self._tests.get(number)
        if test is None:
            test = self._tests[number] = compiled(self._plan.expressions[number])
        return test

    def _what_is_asked(self, number: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The fields whose matchers are asked for a rule, and the references that are tried by themselves."""
        asked = self._asked.get(number)
        if asked is None:
            used = frozenset(atoms_of(self._plan.expressions[number]))
            references = frozenset(atom for atom in used if self._atoms[atom].kind is Kind.REFERENCE)
            asked = tuple(fields_of(used - references, self._atoms)), tuple(references)
            self._asked[number] = asked
        return asked
