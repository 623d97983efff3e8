"""What a value of a rule asks for, in words: Sigma's own for how it compares, and the text it compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from core.records import Record
from core.sigma import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANY = SpecialChars.WILDCARD_MULTI
_WRITTEN = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}


class Wanted(Record, frozen=True, kw_only=True):
    r"""How a rule's value compares.

    Attributes:
        test: Sigma's modifiers joined by ``|``; ``equals`` where there is none, ``like`` for other wildcards.
        value: what is compared with; a wildcard as ``*`` or ``?``, the characters themselves as ``\*`` and ``\?``.
    """

    test: str
    value: str


def wanted_of(value: SigmaType) -> Wanted:
    """What the value asks for; types that no rule is loaded with are told by their name."""
    tell = _WANTED.get(type(value))
    return tell(value) if tell else Wanted(test=type(value).__name__, value=str(value))


def shape(value: SigmaString) -> tuple[str, str]:
    """How text with wildcards compares, and the text without the wildcards that say so."""
    parts = list(value.s)
    starts, ends = parts[:1] == [ANY], parts[-1:] == [ANY] and len(parts) > 1
    inner = parts[starts : len(parts) - ends]
    if any(isinstance(part, SpecialChars) for part in inner):
        return "like", _text(parts)
    return _SHAPES[starts, ends] if inner else "like", _text(inner or parts)


_SHAPES = {(True, True): "contains", (False, True): "startswith", (True, False): "endswith", (False, False): "equals"}


def _text(parts: list[Any]) -> str:
    return "".join(_WRITTEN[part] if isinstance(part, SpecialChars) else _escaped(str(part)) for part in parts)


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("?", "\\?")


def _string(value: SigmaString) -> Wanted:
    test, text = shape(value) if value.s else ("equals", "")
    return Wanted(test=f"{test}|cased" if isinstance(value, SigmaCasedString) else test, value=text)


def _regular_expression(value: SigmaRegularExpression) -> Wanted:
    pattern, flags = regex(value)
    return Wanted(test="|".join(("re", *flags)), value=pattern)


def _number(value: SigmaNumber) -> Wanted:
    return Wanted(test="equals", value=str(value.number))


def _part_of_time(value: SigmaTimestampPart) -> Wanted:
    return Wanted(test=value.timestamp_part.name.lower(), value=str(value.number))


def _compared(value: SigmaCompareExpression) -> Wanted:
    number = wanted_of(value.number)
    part = "" if number.test == "equals" else f"{number.test}|"
    return Wanted(test=part + value.op.name.lower(), value=number.value)


def _reference(value: SigmaFieldReference) -> Wanted:
    test = _SHAPES[value.ends_with, value.starts_with]
    return Wanted(test="fieldref" if test == "equals" else f"fieldref|{test}", value=value.field)


_WANTED: Mapping[type[SigmaType], Callable[[Any], Wanted]] = {
    SigmaString: _string,
    SigmaCasedString: _string,
    SigmaNumber: _number,
    SigmaTimestampPart: _part_of_time,
    SigmaBool: lambda value: Wanted(test="equals", value="true" if value.boolean else "false"),
    SigmaRegularExpression: _regular_expression,
    SigmaCIDRExpression: lambda value: Wanted(test="cidr", value=str(value.network)),
    SigmaCompareExpression: _compared,
    SigmaNull: lambda _: Wanted(test="equals", value="null"),
    SigmaExists: lambda value: Wanted(test="exists", value="true" if value.exists else "false"),
    SigmaFieldReference: _reference,
}
