"""Sigma values as tests of one field value.

Text is compared in NFC and, unless ``cased`` or ``re``, in ``str.lower`` of it on both sides; ``?`` stands for one
character of that form. Numbers and booleans are also met as text, and text as numbers, for decoders differ. Times are
read in Asia/Ho_Chi_Minh. Source: Sigma rules specification 2.1, "Detection", and its appendix of modifiers.
"""

from __future__ import annotations

import ipaddress
import operator
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
    TimestampPart,
)

from core.clock import VIETNAM, to_datetime
from core.errors import ContentError
from core.modifiers import EncodedString
from core.regex import compile_regex
from core.sigma import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from detections.view import Scalar

    Test: TypeAlias = Callable[[Scalar], bool]
    Fold: TypeAlias = Callable[[str], str]
    Measure: TypeAlias = Callable[[Scalar], int | float | None]

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY = SpecialChars.WILDCARD_MULTI
"""``*``: any text, also none."""

_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)


def text_of(value: Scalar) -> str:
    """The value as Sigma writes it: ``true``, ``4625`` (also for 4625.0), text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_REMEMBERED = 4096
"""Characters of the longest text whose folded form is remembered."""


def nfc(text: str) -> str:
    """The text in normal form C, so that composed and decomposed Vietnamese letters are the same.

    Half a surrogate pair, which is no character, becomes ``?``.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text).encode(errors="replace").decode()


def folded(text: str) -> str:
    """The form in which text is compared without regard to case."""
    return _folded_before(text) if len(text) <= _REMEMBERED else nfc(text).lower()


@lru_cache(maxsize=256)
def _folded_before(text: str) -> str:
    return nfc(text).lower()


def number_of(value: Scalar) -> int | float | None:
    """The value as a number; None for a boolean and for text that is not a decimal number."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    if not _NUMBER.fullmatch(value):
        return None
    return int(value) if value.lstrip("+-").isdigit() else float(value)


def moment_of(value: Scalar) -> datetime | None:
    """The value as a time in Vietnam: ISO 8601 text (without a zone: that of Vietnam) or nanoseconds UTC."""
    try:
        if isinstance(value, str):
            written = datetime.fromisoformat(value)
            return written.astimezone(VIETNAM) if written.tzinfo else written.replace(tzinfo=VIETNAM)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON writers differ, and equal numbers mean the same
        if isinstance(value, int) and not isinstance(value, bool):
            return to_datetime(value).astimezone(VIETNAM)
    except (ValueError, OverflowError, OSError):
        return None
    return None


TIMESTAMP_PARTS: Mapping[TimestampPart, Callable[[datetime], int]] = {
    TimestampPart.MINUTE: lambda moment: moment.minute,
    TimestampPart.HOUR: lambda moment: moment.hour,
    TimestampPart.DAY: lambda moment: moment.day,
    TimestampPart.WEEK: lambda moment: moment.isocalendar().week,
    TimestampPart.MONTH: lambda moment: moment.month,
    TimestampPart.YEAR: lambda moment: moment.year,
}

OPERATORS: Mapping[CompareOperators, Callable[[Any, Any], bool]] = {
    CompareOperators.LT: operator.lt,
    CompareOperators.LTE: operator.le,
    CompareOperators.GT: operator.gt,
    CompareOperators.GTE: operator.ge,
    CompareOperators.NEQ: operator.ne,
}


def _parts(value: SigmaString, fold: Fold) -> list[str | SpecialChars]:
    """Folded text and wildcards in turn; neighbouring texts are joined first, for letters may compose across them."""
    parts: list[str | SpecialChars] = []
    for kind, run in groupby(value.s, key=type):
        if kind is str:
            parts.append(fold("".join(map(str, run))))
        elif kind is SpecialChars:
            parts.extend(part for part in run if isinstance(part, SpecialChars))
        else:
            raise ContentError(f"'{value}' holds a placeholder without a value")
    return parts


def _text_test(parts: Sequence[str | SpecialChars], fold: Fold) -> Test:
    match parts:
        case []:
            return lambda value: text_of(value) == ""
        case [str(text)]:
            return lambda value: fold(text_of(value)) == text
        case [SpecialChars.WILDCARD_MULTI, str(text), SpecialChars.WILDCARD_MULTI]:
            return lambda value: text in fold(text_of(value))
        case [str(text), SpecialChars.WILDCARD_MULTI]:
            return lambda value: fold(text_of(value)).startswith(text)
        case [SpecialChars.WILDCARD_MULTI, str(text)]:
            return lambda value: fold(text_of(value)).endswith(text)
        case _:
            pattern = wildcards(parts, ANY)
            return lambda value: pattern.fullmatch(fold(text_of(value))) is not None


def wildcards(parts: Sequence[object], any_text: object) -> re.Pattern[str]:
    """The pattern of texts and wildcards: ``any_text`` stands for any text, whatever else is no text for a character.

    Each piece between two ``*`` is taken where it is first found and not tried again (an atomic group): a later place
    could only leave less for the rest. So the time is linear, however many ``*`` a rule has.
    """
    pieces = [""]
    for part in parts:
        if part == any_text:
            pieces.append("")
        else:
            pieces[-1] += re.escape(part) if isinstance(part, str) else "."
    first, *rest = pieces
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def _string(value: SigmaString) -> Test:
    fold = nfc if isinstance(value, SigmaCasedString) else folded
    return _text_test(_parts(value, fold), fold)


def _number(value: SigmaNumber) -> Test:
    wanted, text = value.number, str(value.number).lower()

    def test(found: Scalar) -> bool:
        if isinstance(found, str):
            return folded(found) == text
        return not isinstance(found, bool) and found == wanted

    return test


def _bool(value: SigmaBool) -> Test:
    text = text_of(value.boolean)
    return lambda found: folded(text_of(found)) == text


def _regular_expression(value: SigmaRegularExpression) -> Test:
    holds = compile_regex(*regex(value))
    return lambda found: holds(nfc(text_of(found)))


def address_of(value: Scalar) -> IPAddress | None:
    """The value as an IP address; None if it is none."""
    try:
        return ipaddress.ip_address(text_of(value))
    except ValueError:
        return None


def unmapped(address: IPAddress) -> IPAddress | None:
    """The IPv4 address inside an IPv6 address (RFC 4291, 2.5.5.2); None if there is none."""
    return address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None


def _cidr(value: SigmaCIDRExpression) -> Test:
    network = value.network

    def test(found: Scalar) -> bool:
        address = address_of(found)
        if address is None:
            return False
        inner = unmapped(address)
        return address in network or (inner is not None and inner in network)

    return test


def _measure(number: SigmaNumber) -> Measure:
    """What of a value is compared with the number: itself, or a part of its time."""
    return part_measure(number.timestamp_part) if isinstance(number, SigmaTimestampPart) else number_of


def part_measure(part: TimestampPart) -> Measure:
    """The part of a value's time."""
    read = TIMESTAMP_PARTS[part]

    def measure(found: Scalar) -> int | None:
        moment = moment_of(found)
        return None if moment is None else read(moment)

    return measure


def compared(measure: Measure, wanted: float, holds: Callable[[Any, Any], bool]) -> Test:
    """The test that what is measured of a value stands so to the number wanted."""

    def test(found: Scalar) -> bool:
        measured = measure(found)
        return measured is not None and holds(measured, wanted)

    return test


def _compare(value: SigmaCompareExpression) -> Test:
    return compared(_measure(value.number), value.number.number, OPERATORS[value.op])


def _timestamp_part(value: SigmaTimestampPart) -> Test:
    return compared(_measure(value), value.number, operator.eq)


TESTS: Mapping[type[SigmaType], Callable[[Any], Test]] = {
    SigmaString: _string,
    SigmaCasedString: _string,
    EncodedString: _string,
    SigmaNumber: _number,
    SigmaBool: _bool,
    SigmaRegularExpression: _regular_expression,
    SigmaCIDRExpression: _cidr,
    SigmaCompareExpression: _compare,
    SigmaTimestampPart: _timestamp_part,
}


def value_test(value: SigmaType) -> Test:
    """The test that one value of a field meets the rule's value.

    Raises:
        ContentError: no test is known for this type of value.
    """
    make = TESTS.get(type(value))
    if make is None:
        raise ContentError(f"a value of type {type(value).__name__} cannot be evaluated; write the rule without it")
    return make(value)


def keyword_test(value: SigmaType) -> Test:
    """The test that one value anywhere in the event holds the keyword.

    Text and numbers are looked for inside the value, whatever else it holds; other types as in a field.
    """
    if isinstance(value, SigmaString):
        fold = nfc if isinstance(value, SigmaCasedString) else folded
        return _text_test(_anywhere(_parts(value, fold)), fold)
    if isinstance(value, SigmaNumber | SigmaBool) and not isinstance(value, SigmaTimestampPart):
        return _text_test([ANY, str(value).lower(), ANY], folded)
    return value_test(value)


def _anywhere(parts: Sequence[str | SpecialChars]) -> list[str | SpecialChars]:
    start = [] if parts[:1] == [ANY] else [ANY]
    end = [] if parts[-1:] == [ANY] else [ANY]
    return [*start, *parts, *end]


def references_test(*, starts: bool, ends: bool) -> Callable[[Scalar, Scalar], bool]:
    """The test that one value equals, starts with, ends with or (both) contains another, without regard to case."""
    holds: Callable[[str, str], bool] = operator.eq
    if starts and ends:
        holds = operator.contains
    elif starts:
        holds = str.startswith
    elif ends:
        holds = str.endswith
    return lambda found, other: holds(folded(text_of(found)), folded(text_of(other)))
