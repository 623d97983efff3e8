"""pySigma's conditions as expressions over atoms.

It reads the same objects as the plain engine (`detections.conditions`, `detections.values`) and must mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from sigma import types
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)

from core.errors import ContentError
from core.modifiers import EncodedString
from core.names import canonical
from core.records import Logsource
from core.sigma import LoadedRule, regex
from detections.fast.atoms import ANY, KEYWORDS, ONE, Atom, Atoms, Kind, Pattern
from detections.fast.expressions import Expression, all_of, any_of, negation
from detections.values import folded, nfc

_WILDCARDS = {types.SpecialChars.WILDCARD_MULTI: ANY, types.SpecialChars.WILDCARD_SINGLE: ONE}

STARTS, ENDS = 1, 2
"""How a REFERENCE atom compares two fields: 0 as equal, a start, an end, or 3 anywhere."""


def expression_of(rule: LoadedRule, atoms: Atoms) -> Expression:
    """The rule's conditions, of which any one is enough, over atoms numbered by ``atoms``.

    Raises:
        ContentError: the rule holds something that cannot be evaluated; `core.sigma.load_rules` lets none through.
    """
    return any_of(_Translation(rule.info.logsource, atoms).condition(part) for part in rule.conditions)


class _Translation:
    def __init__(self, source: Logsource, atoms: Atoms) -> None:
        self._source = source
        self._atoms = atoms

    def condition(self, node: object) -> Expression:
        match node:
            case ConditionAND():
                return all_of(map(self.condition, node.args))
            case ConditionOR():
                return any_of(map(self.condition, node.args))
            case ConditionNOT():
                return negation(self.condition(node.args[0]))
            case ConditionFieldEqualsValueExpression():
                return self._field(canonical(node.field, self._source), node.value)
            case ConditionValueExpression():
                return self._keyword(node.value)
        raise ContentError(f"a condition of type {type(node).__name__} cannot be evaluated")

    def _field(self, field: str, value: types.SigmaType) -> Expression:
        match value:
            case types.SigmaExpansion():
                return any_of(self._field(field, one) for one in value.values)
            case types.SigmaNull():
                return self._atoms.number(Atom(field, Kind.NULL))
            case types.SigmaExists():
                there = self._atoms.number(Atom(field, Kind.EXISTS))
                return there if value.exists else negation(there)
            case types.SigmaFieldReference():
                pattern = (canonical(value.field, self._source), _comparison(value))
                return self._atoms.number(Atom(field, Kind.REFERENCE, pattern))
        return self._atoms.number(_atom(field, value))

    def _keyword(self, value: types.SigmaType) -> Expression:
        if isinstance(value, types.SigmaExpansion):
            return any_of(map(self._keyword, value.values))
        if isinstance(value, types.SigmaString):
            atom = _text(KEYWORDS, value)
            return self._atoms.number(Atom(KEYWORDS, atom.kind, _anywhere(atom.pattern)))
        if isinstance(value, types.SigmaBool) or type(value) is types.SigmaNumber:
            return self._atoms.number(Atom(KEYWORDS, Kind.TEXT, (ANY, str(value).lower(), ANY)))
        return self._atoms.number(_atom(KEYWORDS, value))


def _comparison(value: types.SigmaFieldReference) -> int:
    return (STARTS if value.starts_with else 0) + (ENDS if value.ends_with else 0)


def _anywhere(pattern: Pattern) -> Pattern:
    start = () if pattern[:1] == (ANY,) else (ANY,)
    end = () if pattern[-1:] == (ANY,) else (ANY,)
    return (*start, *pattern, *end)


def _atom(field: str, value: types.SigmaType) -> Atom:
    make = _ATOMS.get(type(value))
    if make is None:
        raise ContentError(f"a value of type {type(value).__name__} cannot be evaluated; write the rule without it")
    return make(field, value)


def _text(field: str, value: types.SigmaString) -> Atom:
    cased = isinstance(value, types.SigmaCasedString)
    return Atom(field, Kind.CASED if cased else Kind.TEXT, _pattern(value, nfc if cased else folded))


def _pattern(value: types.SigmaString, fold: Callable[[str], str]) -> Pattern:
    """Neighbouring texts are joined before they are folded, for letters may compose across them; ``**`` is ``*``."""
    pattern: list[str | int] = []
    for kind, run in groupby(value.s, key=type):
        if kind is str:
            pattern.append(fold("".join(map(str, run))))
        elif kind is types.SpecialChars:
            for part in run:
                wildcard = _WILDCARDS[part]  # type: ignore[index]
                if wildcard == ONE or pattern[-1:] != [ANY]:
                    pattern.append(wildcard)
        else:
            raise ContentError(f"'{value}' holds a placeholder without a value")
    return tuple(pattern)


def _number(field: str, value: types.SigmaNumber) -> Atom:
    return Atom(field, Kind.NUMBER, (str(value.number).lower(),), value.number)


def _bool(field: str, value: types.SigmaBool) -> Atom:
    return Atom(field, Kind.TEXT, ("true" if value.boolean else "false",))


def _regex(field: str, value: types.SigmaRegularExpression) -> Atom:
    return Atom(field, Kind.REGEX, regex(value))


def _network(field: str, value: types.SigmaCIDRExpression) -> Atom:
    return Atom(field, Kind.NETWORK, (str(value.network),))


def _compare(field: str, value: types.SigmaCompareExpression) -> Atom:
    return _compared(field, value.op.name, value.number)


def _timestamp_part(field: str, value: types.SigmaTimestampPart) -> Atom:
    return _compared(field, "EQ", value)


def _compared(field: str, operator: str, number: types.SigmaNumber) -> Atom:
    part = (number.timestamp_part.name,) if isinstance(number, types.SigmaTimestampPart) else ()
    return Atom(field, Kind.COMPARE, (operator, *part), number.number)


_ATOMS: Mapping[type[types.SigmaType], Callable[[str, Any], Atom]] = {
    types.SigmaString: _text,
    types.SigmaCasedString: _text,
    EncodedString: _text,
    types.SigmaNumber: _number,
    types.SigmaBool: _bool,
    types.SigmaRegularExpression: _regex,
    types.SigmaCIDRExpression: _network,
    types.SigmaCompareExpression: _compare,
    types.SigmaTimestampPart: _timestamp_part,
}
