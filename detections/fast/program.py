"""The program of one route: which rules an event may meet, told by few fields, and which of these it does meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from sys import getsizeof
from typing import Protocol, TypeAlias

from core.names import FieldNames
from core.records import FieldValue
from detections.fast.atoms import KEYWORDS, Atom, Kind
from detections.fast.expressions import atoms_of
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


class Program:
    """Judges events of one route.

    Args:
        plan: which rules, and what to watch for.
        atoms: all atoms by number.
        fields: the matcher of each field.
        names: under which keys events of the route carry a field.
        memory: the budget under which answers are remembered.
    """

    def __init__(
        self, plan: Plan, atoms: Sequence[Atom], fields: Mapping[str, Field], names: FieldNames, memory: Memory
    ) -> None:
        self._plan = plan
        self._memo: Cache[Values, tuple[int, ...]] = memory.add(Cache(memory))
        self._atoms = atoms
        self._fields = fields
        self._names = names
        self._tests: dict[int, Test] = {}
        self._asked: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        watched = [name for name in fields_of(plan.watch, atoms) if name != KEYWORDS]
        self._watched = tuple(fields[name] for name in watched)
        self.keys = tuple(names[name] for name in watched)
        used = [number for number in plan.watch if atoms[number].field == KEYWORDS]
        self.keywords = Keywords(used, atoms, fields[KEYWORDS]) if used else None
        self.idle = not plan.expressions
        self.certain = plan.certain

    def judge(self, source: Source) -> tuple[int, ...]:
        """The rules that the event meets."""
        if self.idle:
            return self.certain
        candidates = self._candidates(tuple(map(source.value, self.keys)))
        if self.keywords is not None:
            candidates += self.said(self.keywords.hits(source.everything()))
        return self.met(candidates, source) if candidates else self.certain

    def _candidates(self, values: Values) -> tuple[int, ...]:
        """As `candidates`, remembered."""
        try:
            found = self._memo.young.get(values)
        except TypeError:  # a list is among them
            return self.candidates(values)
        if found is None:
            found = self._memo.old.get(values)
            if found is None:
                found = self.candidates(values)
            if all(map(distinct, values)):
                self._memo.put(values, found, sum(map(getsizeof, values)))
        return found

    def candidates(self, values: Values) -> tuple[int, ...]:
        """The rules to try on an event that has these values in the watched fields, in the order of ``keys``."""
        watch = self._plan.watch
        found = list(self._plan.always)
        for field, value in zip(self._watched, values, strict=True):
            for atom in field.holding(value):
                if atom in watch:
                    found += watch[atom]
        return tuple(dict.fromkeys(found))

    def said(self, hits: Iterable[int]) -> tuple[int, ...]:
        """The rules to try on an event for which these keyword atoms hold."""
        watch = self._plan.watch
        return tuple(number for atom in hits if atom in watch for number in watch[atom])

    def met(self, candidates: Sequence[int], source: Source) -> tuple[int, ...]:
        """Those of the rules to try that the event meets, with those that its route alone meets."""
        true: set[int] = set()
        asked: set[str] = set()
        found = []
        for number in dict.fromkeys(candidates):
            names, references = self._what_is_asked(number)
            for name in names:
                if name not in asked:
                    asked.add(name)
                    true |= self._holding(name, source)
            true.update(atom for atom in references if reference_holds(self._atoms[atom], self._names, source))
            if self._test(number)(true):
                found.append(number)
        return (*self.certain, *found) if found else self.certain

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
