"""The compiled engine: a `Matcher` that finds an event's route, and by its program the rules that it meets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from itertools import product as combinations
from typing import NamedTuple, TypeAlias

from core.logsources import CATEGORY, SERVICE, Terms, deciding, deciding_of_any, table, terms_of
from core.names import names_of, terms_with_names
from core.records import Event, FieldValue, Logsource
from core.sigma import RuleInfo
from detections.fast.atoms import KEYWORDS, Atom, Kind
from detections.fast.compiled import CompiledRules
from detections.fast.fields import MISSING, Field, Missing
from detections.fast.groups import Groups, fields_of
from detections.fast.memory import Memory
from detections.fast.program import Matchers, Program
from detections.routes import deciding_keys
from detections.values import text_of
from detections.view import OWN_FIELDS, Scalar, everything_in, own_fields

MEMORY = 96 << 20
"""Bytes for remembered answers, if nothing else is said."""

_MOST_ROUTES = 20_000
_MOST_PROGRAMS = 4_000
"""Kept at most; beyond, all are forgotten and made anew as they are needed."""

Decided: TypeAlias = tuple[FieldValue | Missing | tuple[str, ...], ...]
"""What an event has in the fields that decide its route, in the order of `core.logsources.deciding`."""


class FastEngine:
    """Meets the same rules as `detections.engine.ClosureEngine`, faster. Not for two threads at once.

    Args:
        rules: as compiled.
        memory: bytes for remembered answers.
    """

    def __init__(self, rules: CompiledRules, memory: int = MEMORY) -> None:
        self.infos = rules.infos
        self.refused = rules.refused
        self.memory = Memory(memory)
        self._groups = Groups(rules)
        fields = _fields(rules.atoms, self.memory, frozenset(chain.from_iterable(rules.late.values())))
        self.matchers = Matchers(rules.atoms, fields, self.memory, rules.late)
        asked = frozenset(fields_of(range(len(rules.atoms)), rules.atoms)) | deciding_of_any()
        self._asks_of_events = not OWN_FIELDS.keys().isdisjoint(asked)
        self._known = _known_terms(rules.infos)
        self._routes: dict[tuple[Logsource, Decided], Program] = {}
        self._programs: dict[tuple[str, Terms, frozenset[int]], Program] = {}
        self._build_known_routes()

    def match(self, event: Event) -> list[RuleInfo]:
        """The rules that the event meets, each once."""
        return [self.infos[number] for number in self.numbers(event)]

    def numbers(self, event: Event) -> tuple[int, ...]:
        """The places in ``infos`` of the rules that the event meets, each once."""
        fields = event.fields
        own = own_fields(event) if self._asks_of_events else None
        keyed = Keyed({**own, **fields} if own else fields, fields, event.raw)
        return self.route(event.logsource, decided_by(event.logsource, keyed.own)).judge(keyed)

    def route(self, source: Logsource, decided: Decided) -> Program:
        """The program for events of the source with these values of its deciding fields."""
        key = (source, decided)
        program = self._routes.get(key)
        if program is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            program = self._routes[key] = self._program(source, decided)
        return program

    def _program(self, source: Logsource, decided: Decided) -> Program:
        values = map(_several, decided)
        terms = self._reduced(terms_of(source, [None if isinstance(one, Missing) else one for one in values]))
        known = self._atoms_decided(source.product, decided)
        key = (source.product, terms, frozenset(atom for atom, holds in known.items() if holds))
        program = self._programs.get(key)
        if program is None:
            if len(self._programs) >= _MOST_PROGRAMS:
                self._programs.clear()
            plan = self._groups.plan(source.product, terms, known)
            program = self._programs[key] = Program(plan, self.matchers, names_of(terms))
        return program

    def _reduced(self, terms: Terms) -> Terms:
        """Without the terms that no rule and no name knows: an event may choose these, and each would be a program."""
        return Terms(*(found & known for found, known in zip(terms, self._known, strict=True)))

    def _atoms_decided(self, product: str, decided: Decided) -> dict[int, bool]:
        """What the deciding fields say of the atoms that ask of them."""
        fields = self.matchers.fields
        said = self._groups.none_holds(product)
        for name, value in zip(deciding(product), decided, strict=True):
            if name in fields:
                said |= dict.fromkeys(fields[name].holding(_several(value)), True)
        return said

    def _build_known_routes(self) -> None:
        """Those of the table's rows, so that the first events of a shift do not wait for them."""
        for row in table().rows:
            fields = deciding(row.of)
            values: list[Decided] = [row.when.get(field, (MISSING,)) for field in fields]
            sources = combinations((row.of,), *(("", *row.when.get(term, ())) for term in (CATEGORY, SERVICE)))
            for (product, category, service), decided in combinations(sources, combinations(*values)):
                self.route(Logsource(product=product, category=category, service=service), decided)

    def known_codes(self, source: Logsource, field: str) -> list[tuple[int, Program]]:
        """The programs known by now for events of the source whose deciding field is a number, with that number."""
        place = deciding(source.product).index(field)
        known = ((decided[place], program) for (of, decided), program in self._routes.items() if of == source)
        return [(int(code), program) for code, program in known if isinstance(code, str) and code.isdecimal()]


class Keyed(NamedTuple):
    """An event whose fields are found by their keys; ``own`` holds what it knows of itself besides."""

    own: Mapping[str, FieldValue]
    fields: Mapping[str, FieldValue]
    raw: bytes

    def value(self, keys: Sequence[str]) -> FieldValue | Missing:
        """As `Source.value`."""
        return first_of(self.own, keys)

    def values(self, several: Sequence[Sequence[str]]) -> tuple[FieldValue | Missing, ...]:
        """As `Source.values`."""
        fields = self.own
        return tuple([first_of(fields, keys) for keys in several])

    def everything(self) -> Iterator[Scalar]:
        """As `Source.everything`."""
        return everything_in(self.fields, self.raw)


def first_of(fields: Mapping[str, FieldValue], keys: Sequence[str]) -> FieldValue | Missing:
    """What there is under the first of the keys that is there."""
    for key in keys:
        if key in fields:
            return fields[key]
    return MISSING


def decided_by(source: Logsource, fields: Mapping[str, FieldValue]) -> Decided:
    """What an event of the source with these fields has in those that decide its route."""
    found: list[FieldValue | Missing | tuple[str, ...]] = []
    for keys in deciding_keys(source):
        value = first_of(fields, keys)
        found.append(value if value is MISSING or type(value) is str else _plain(value))
    return tuple(found)


def _plain(value: FieldValue | Missing) -> FieldValue | Missing | tuple[str, ...]:
    """The value as a part of a key: a boolean as its text, which means the same to every atom."""
    if isinstance(value, bool):
        return text_of(value)
    return tuple(value) if isinstance(value, list) else value


def _several(value: FieldValue | Missing | tuple[str, ...]) -> FieldValue | Missing:
    return list(value) if isinstance(value, tuple) else value


def _fields(atoms: Sequence[Atom], memory: Memory, late: frozenset[int]) -> dict[str, Field]:
    by_field: dict[str, list[tuple[int, Atom]]] = {KEYWORDS: []}
    for number, atom in enumerate(atoms):
        if atom.kind is not Kind.REFERENCE:
            by_field.setdefault(atom.field, []).append((number, atom))
    return {name: Field(numbered, memory, late) for name, numbered in by_field.items()}


def _known_terms(infos: Iterable[RuleInfo]) -> Terms:
    sources = [info.logsource for info in infos]
    named = terms_with_names()
    return Terms(
        named.products.union(source.product for source in sources),
        named.categories.union(source.category for source in sources),
        named.services.union(source.service for source in sources),
    )
