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
from detections.fast.closures import Test, function_of
from detections.fast.expressions import atoms_of, relaxed
from detections.fast.fields import Field, Missing
from detections.fast.groups import Plan, fields_of
from detections.fast.keywords import Keywords
from detections.fast.memory import Cache, Memory, distinct
from detections.fast.references import reference_holds
from detections.view import OWN_FIELDS, Scalar

Values: TypeAlias = tuple[FieldValue | Missing, ...]


class Source(Protocol):
    """An event as programs read it."""

    def value(self, keys: Sequence[str]) -> FieldValue | Missing:
        """What the event has under the first of the keys that it has."""
        ...

    def values(self, several: Sequence[Sequence[str]]) -> Values:
        """The same for several, in their order."""
        ...

    def everything(self) -> Iterable[Scalar]:
        """What keywords are looked for in."""
        ...


class FirstTest(NamedTuple):
    """What the watched fields must say for a rule to be met; ``final`` if that is all it takes."""

    holds: Test
    final: bool


class Matchers:
    """What all programs share: the atoms by number, each field's matcher, and the memory.

    Args:
        atoms: by number.
        fields: each field's matcher by its ECS name.
        memory: the budget under which answers are remembered.
        late: by rule, its atoms that fields are asked for by themselves.
    """

    def __init__(
        self, atoms: Sequence[Atom], fields: Mapping[str, Field], memory: Memory, late: Mapping[int, tuple[int, ...]]
    ) -> None:
        self.atoms = atoms
        self.late = late
        self.fields = fields
        self.memory = memory
        self._keywords: dict[frozenset[int], Keywords] = {}

    def keywords(self, watched: frozenset[int]) -> Keywords | None:
        """The one matcher for programs that watch these keyword atoms; None if there are none."""
        if watched and watched not in self._keywords:
            self._keywords[watched] = Keywords(watched, self.atoms, self.fields[KEYWORDS])
        return self._keywords.get(watched)


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
        atoms, fields = matchers.atoms, matchers.fields
        self._plan = plan
        self._atoms = atoms
        self._fields = fields
        self._late = matchers.late
        self._names = names
        self._memo: Cache[Values, Verdict] = matchers.memory.add(Cache(matchers.memory))
        self._tests: dict[int, Test] = {}
        self._first_tests: dict[int, FirstTest] = {}
        self._asked: dict[int, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._watched = frozenset(fields_of(plan.watch, atoms)) - {KEYWORDS}
        watched = sorted(self._watched)
        self._places = {name: place for place, name in enumerate(watched)}
        self._first_fields = tuple(fields[name] for name in watched)
        self.keys = tuple(names[name] for name in watched)
        self.keywords = matchers.keywords(frozenset(n for n in plan.watch if atoms[n].field == KEYWORDS))
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
        met, undecided = self.verdict(source.values(self.keys))
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
            if number in self._late:
                true |= self._late_holding(number, values)
            test = self._first_tests.get(number)
            if test is None:
                test = self._first_tests[number] = self._first_test(number)
            if test.holds(true):
                (met if test.final else undecided).append(number)
        return Verdict(tuple(met), tuple(undecided))

    def _late_holding(self, number: int, values: Values) -> set[int]:
        """Those of a rule's late atoms that ask of watched fields and hold."""
        asked = ((atom, self._atoms[atom].field) for atom in self._late[number])
        places = self._places
        return {atom for atom, name in asked if name in places and self._fields[name].meets(atom, values[places[name]])}

    def _first_test(self, number: int) -> FirstTest:
        node = self._plan.expressions[number]
        used = frozenset(atoms_of(node))
        known = frozenset(filter(self._is_known, used))
        return FirstTest(function_of(relaxed(node, known)), known == used)

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
            names, apart = self._what_is_asked(number)
            for name in names:
                if name not in asked:
                    asked.add(name)
                    true |= self._holding(name, source)
            true.update(atom for atom in apart if self._holds_apart(atom, source))
            if self._holds(number, true):
                met.append(number)
        return tuple(met)

    def _holds(self, number: int, true: set[int]) -> bool:
        """Whether a rule is met when just these atoms hold."""
        test = self._tests.get(number)
        if test is None:
            test = self._tests[number] = function_of(self._plan.expressions[number])
        return test(true)

    def _holding(self, name: str, source: Source) -> frozenset[int]:
        field = self._fields[name]
        if name == KEYWORDS:
            return frozenset().union(*map(field.hits, source.everything()))
        return field.holding(source.value(self._names[name]))

    def _holds_apart(self, number: int, source: Source) -> bool:
        atom = self._atoms[number]
        if atom.kind is Kind.REFERENCE:
            return reference_holds(atom, self._names, source)
        return self._fields[atom.field].meets(number, source.value(self._names[atom.field]))

    def _what_is_asked(self, number: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The fields whose matchers are asked for a rule, and the atoms that are tried by themselves."""
        asked = self._asked.get(number)
        if asked is None:
            used = frozenset(atoms_of(self._plan.expressions[number]))
            apart = used.intersection(self._late.get(number, ()))
            apart |= frozenset(atom for atom in used if self._atoms[atom].kind is Kind.REFERENCE)
            asked = tuple(fields_of(used - apart, self._atoms)), tuple(apart)
            self._asked[number] = asked
        return asked
