"""One matcher a field: all atoms that any rule asks of it, answered together for a value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Sequence
from sys import getsizeof
from typing import Any, Final

from sigma.types import CompareOperators, TimestampPart

from core.records import FieldValue
from detections.fast.atoms import ANY, ONE, Atom, Kind
from detections.fast.memory import Cache, Memory, distinct
from detections.fast.networks import Networks
from detections.fast.scanners import Scanner, regex_scanner, text_scanner, warmed
from detections.values import OPERATORS, compared, folded, nfc, number_of, part_measure, text_of
from detections.view import Scalar

Numbered = tuple[int, Atom]
Ask = Callable[[Scalar], Iterable[int]]


class Missing:
    """The type of `MISSING`."""


MISSING: Final = Missing()
"""What a field has that is not there; one that is there and null has None."""

_NONE: frozenset[int] = frozenset()


class Field:
    """All atoms of one field: which of them hold for what an event has there. Scalars are remembered.

    Args:
        atoms: the field's atoms with their numbers; REFERENCE asks of two fields and is left out.
        memory: the budget under which answers are remembered.
        late: those of the atoms, all of kind REGEX, that are tried only when asked for by themselves.
    """

    def __init__(self, atoms: Sequence[Numbered], memory: Memory, late: Container[int] = ()) -> None:
        self._matcher = FieldMatcher(one for one in atoms if one[0] not in late)
        self._late = {number: _warmed(atom) for number, atom in atoms if number in late}
        self._exists = frozenset(number for number, atom in atoms if atom.kind is Kind.EXISTS)
        self._missing = frozenset(number for number, atom in atoms if atom.kind is Kind.NULL)
        self._empty = self._missing | self._exists
        self._known: Cache[FieldValue, frozenset[int]] = memory.add(Cache(memory))

    def holding(self, value: FieldValue | Missing) -> frozenset[int]:
        """The numbers of the atoms that hold."""
        if isinstance(value, str):  # first, for it is nearly always so
            found = self._known.young.get(value)
            return self._met(value) if found is None else found
        if isinstance(value, Missing):
            return self._missing
        if value is None or value == []:
            return self._empty
        if isinstance(value, list):
            return _NONE.union(*(self._met(one) for one in value))
        found = self._known.young.get(value)
        return self._met(value) if found is None else found

    def hits(self, value: Scalar) -> frozenset[int]:
        """The numbers of the atoms that hold for one value, not remembered."""
        return self._matcher.hits(value)

    def meets(self, number: int, value: FieldValue | Missing) -> bool:
        """Whether the late atom of this number holds."""
        if isinstance(value, Missing) or value is None:
            return False
        test = self._late[number]
        return any(test(nfc(text_of(one))) for one in (value if isinstance(value, list) else (value,)))

    def _met(self, value: Scalar) -> frozenset[int]:
        found = self._known.old.get(value)
        if found is None:
            found = self._matcher.hits(value) | self._exists
        if distinct(value):
            self._known.put(value, found, getsizeof(value))
        return found


class FieldMatcher:
    """Answers for single values of one field.

    Args:
        atoms: the field's atoms with their numbers; those that are of the event and not of a value are left out.
    """

    def __init__(self, atoms: Iterable[Numbered]) -> None:
        by_kind: dict[Kind, list[Numbered]] = {kind: [] for kind in Kind}
        for number, atom in atoms:
            by_kind[atom.kind].append((number, atom))
        makers: dict[Kind, Callable[[list[Numbered]], Ask]] = {
            Kind.TEXT: _folded_texts,
            Kind.CASED: _cased_texts,
            Kind.NUMBER: _numbers,
            Kind.REGEX: _regexes,
            Kind.NETWORK: _networks,
            Kind.COMPARE: _comparisons,
        }
        self._asked = [make(by_kind[kind]) for kind, make in makers.items() if by_kind[kind]]

    def hits(self, value: Scalar) -> frozenset[int]:
        """The numbers of the atoms that hold for the value."""
        return frozenset(number for ask in self._asked for number in ask(value))


def _folded_texts(atoms: list[Numbered]) -> Ask:
    return _texts(atoms, folded)


def _cased_texts(atoms: list[Numbered]) -> Ask:
    return _texts(atoms, nfc)


def _texts(atoms: list[Numbered], fold: Callable[[str], str]) -> Ask:
    equal: dict[str, list[int]] = {}
    for number, atom in atoms:
        if _is_plain(atom):
            equal.setdefault(str("".join(map(str, atom.pattern))), []).append(number)
    always = [number for number, atom in atoms if atom.pattern == (ANY,)]
    scanned = [(number, atom.pattern) for number, atom in atoms if not _is_plain(atom) and atom.pattern != (ANY,)]
    scan: Scanner | None = text_scanner(scanned) if scanned else None

    def ask(value: Scalar) -> list[int]:
        text = fold(text_of(value))
        found = always + equal.get(text, [])
        return found + scan(text) if scan is not None else found

    return ask


def _is_plain(atom: Atom) -> bool:
    return ANY not in atom.pattern and ONE not in atom.pattern


def _numbers(atoms: list[Numbered]) -> Ask:
    """Text is compared as the rule writes the number, a number by its value, a boolean never."""
    by_text: dict[str, list[int]] = {}
    by_value: dict[float, list[int]] = {}
    for number, atom in atoms:
        by_text.setdefault(str(atom.pattern[0]), []).append(number)
        by_value.setdefault(atom.number, []).append(number)

    def ask(value: Scalar) -> Sequence[int]:
        if isinstance(value, str):
            return by_text.get(folded(value), ())
        return () if isinstance(value, bool) else by_value.get(value, ())

    return ask


def _regexes(atoms: list[Numbered]) -> Ask:
    expressions = [(number, str(atom.pattern[0]), str(atom.pattern[1])) for number, atom in atoms]
    scan = regex_scanner(expressions)
    return lambda value: scan(nfc(text_of(value)))


def _warmed(atom: Atom) -> Callable[[str], bool]:
    return warmed(str(atom.pattern[0]), str(atom.pattern[1]))


def _networks(atoms: list[Numbered]) -> Ask:
    return Networks((number, str(atom.pattern[0])) for number, atom in atoms).holding


def _comparisons(atoms: list[Numbered]) -> Ask:
    tests = [(number, _comparison(atom)) for number, atom in atoms]
    return lambda value: [number for number, test in tests if test(value)]


def _comparison(atom: Atom) -> Callable[[Scalar], bool]:
    name, *part = map(str, atom.pattern)
    measure: Any = part_measure(TimestampPart[part[0]]) if part else number_of
    holds = operator.eq if name == "EQ" else OPERATORS[CompareOperators[name]]
    return compared(measure, atom.number, holds)
