"""Events made from a rule: one that meets it, and others that differ from that one in a single place.

The condition is solved: a way to satisfy it is chosen by chance (always the same for the same rule), each value it asks
for is written out, and the closure engine confirms the event. A way that contradicts itself is followed by another.
"""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import reduce
from re import _constants as op
from re import _parser
from typing import Any, NamedTuple

import msgspec
from sigma import types
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionValueExpression,
)

from core.clock import VIETNAM
from core.records import Event, Fields, FieldValue
from core.sigma import LoadedRule, RuleSet
from detections.engine import ClosureEngine

ATTEMPTS = 300
FILLERS = ("q7", "zq", "Đặng", unicodedata.normalize("NFD", "Ệ"), "x y")
SIGNS = string.ascii_letters + string.digits + " _-/\\.:=,;'\"()[]{}<>|&%$#@!?*+^~`\t\nđặ"
NOW = 1_795_312_267_000_000_000  # 22/11/2026 08:51:07 in Vietnam
MORNING = datetime(2026, 11, 22, 8, 31, 7, tzinfo=VIETNAM)
MANY = 3  # times that an unbounded repetition of an expression is written at most


class Wish(NamedTuple):
    """A value that a field is to have, or not to have; no field for a keyword."""

    field: str
    value: types.SigmaType
    holds: bool


class Shape(NamedTuple):
    """Text that must be somewhere in a value; at an end of it where that end is not open."""

    text: str
    open_before: bool
    open_behind: bool


def hit_event(rule: LoadedRule, attempts: int = ATTEMPTS) -> Event | None:
    """An event that meets the rule, as the closure engine confirms; None where no way to meet it was found."""
    engine = ClosureEngine(RuleSet(rules=(rule,)))
    chance = random.Random(rule.info.id)  # noqa: S311 - the same events each time
    for number in range(attempts):
        wishes = _choose(chance.choice(rule.conditions), chance, holds=True)
        event = _event(rule, wishes, chance, number)
        if engine.match(event):
            return event
    return None


def near_misses(event: Event) -> Iterator[Event]:
    """The event with one field changed, or with its raw message changed. Some still meet the rule."""
    for field, value in event.fields.items():
        rest = {name: other for name, other in event.fields.items() if name != field}
        yield _with_fields(event, rest)
        for changed in _variants(value):
            yield _with_fields(event, {**rest, field: changed})
    for raw in (b"", event.raw[1:], event.raw[:-1], event.raw + b"q", event.raw.swapcase()):
        yield msgspec.structs.replace(event, raw=raw)


def _with_fields(event: Event, fields: Fields) -> Event:
    """A raw message that was the fields as JSON stays so."""
    raw = msgspec.json.encode(fields) if event.raw.startswith(b"{") else event.raw
    return msgspec.structs.replace(event, fields=fields, raw=raw)


def _variants(value: FieldValue) -> Iterator[FieldValue]:
    yield from (None, "", [], True, False, 0, 1, 1.0)
    if isinstance(value, list):
        yield from (value[:-1], value[1:], [*value, "q7"], " ".join(value))
    elif isinstance(value, str):
        yield from (value[1:], value[:-1], f"q{value}", f"{value}q", value + value, [value], ["q7", value])
        yield from (value.upper(), value.lower(), value.swapcase(), unicodedata.normalize("NFD", value))
        yield from (value.replace("s", "ſ").replace("k", "\N{KELVIN SIGN}"), value.replace("i", "İ"), f"{value}\0")
        yield int(value) if value.isdecimal() and len(value) < 18 else value[len(value) // 2 :]
    elif isinstance(value, int | float):
        yield from (str(value), value + 1, -value, float(value), [str(value)], f"{value}0")


def _choose(node: object, chance: random.Random, *, holds: bool) -> list[Wish]:
    """What must hold, and what must not, for the condition to hold or not."""
    match node:
        case ConditionNOT():
            return _choose(node.args[0], chance, holds=not holds)
        case ConditionItem():
            every = isinstance(node, ConditionAND) == holds
            parts = node.args if every else [chance.choice(node.args)]
            return [wish for part in parts for wish in _choose(part, chance, holds=holds)]
        case ConditionFieldEqualsValueExpression() | ConditionValueExpression():
            field = getattr(node, "field", "")
            return [Wish(field, value, holds) for value in _values(node.value, chance, holds=holds)]
    raise TypeError(f"a condition holds {type(node).__name__}")


def _values(value: types.SigmaType, chance: random.Random, *, holds: bool) -> list[types.SigmaType]:
    if not isinstance(value, types.SigmaExpansion):
        return [value]
    chosen = [chance.choice(value.values)] if holds else value.values
    return [one for part in chosen for one in _values(part, chance, holds=holds)]


def _event(rule: LoadedRule, wishes: Sequence[Wish], chance: random.Random, number: int) -> Event:
    fields: Fields = {}
    for field in dict.fromkeys(wish.field for wish in wishes if wish.field):
        _set(fields, field, [wish for wish in wishes if wish.field == field], chance)
    for wish in wishes:
        if wish.holds and isinstance(wish.value, types.SigmaFieldReference):
            fields[wish.field] = fields[wish.value.field] = fields.get(wish.field) or fields.get(wish.value.field, "q7")
    words = [_written(wish.value, chance) for wish in wishes if not wish.field and wish.holds]
    if words and chance.random() < 0.5:
        fields["message"] = " ".join(words) if chance.random() < 0.5 else words
        words = []
    raw = " ".join(words).encode("utf-8", "surrogateescape") if words else msgspec.json.encode(fields)
    name = f"derived/{rule.info.id}/{number}"
    return Event(id=name, time=NOW, seen=NOW, logsource=rule.info.logsource, fields=fields, raw=raw)


def _set(fields: Fields, field: str, wishes: Sequence[Wish], chance: random.Random) -> None:
    """Writes the field, or leaves it out where that is what is wanted."""
    wanted = [wish.value for wish in wishes if wish.holds]
    unwanted = [wish.value for wish in wishes if not wish.holds]
    if any(map(_absent, wanted)) or not (wanted or any(map(_absent, unwanted))):
        return
    given = [value for value in wanted if not isinstance(value, types.SigmaExists | types.SigmaFieldReference)]
    fields[field] = _together(given, chance) if given else chance.choice(FILLERS)


def _absent(value: types.SigmaType) -> bool:
    return isinstance(value, types.SigmaNull) or (isinstance(value, types.SigmaExists) and not value.exists)


def _together(values: Sequence[types.SigmaType], chance: random.Random) -> FieldValue:
    """One value that is all of them, as far as their kinds allow; else, or sometimes, a list of one for each."""
    if all(isinstance(value, types.SigmaTimestampPart) for value in values):
        return reduce(_at, values, MORNING).isoformat()
    if len(values) == 1 or all(isinstance(value, types.SigmaCompareExpression) for value in values):
        return _alone(chance.choice(values), chance)
    if chance.random() < 0.25:
        return [_written(value, chance) for value in values]
    return _joined([_shape(value, chance) for value in values], chance)


def _joined(shapes: Sequence[Shape], chance: random.Random) -> str:
    """The longest beginning, what is to be within, and the longest end; a whole value by itself."""
    whole = [shape.text for shape in shapes if not (shape.open_before or shape.open_behind)]
    if whole:
        return chance.choice(whole)
    first = max((shape.text for shape in shapes if not shape.open_before), key=len, default="")
    last = max((shape.text for shape in shapes if not shape.open_behind), key=len, default="")
    within = [shape.text for shape in shapes if shape.open_before and shape.open_behind]
    chance.shuffle(within)
    return chance.choice(("", " ", "q")).join(filter(None, (first, *within, last)))


def _shape(value: types.SigmaType, chance: random.Random) -> Shape:
    text = _written(value, chance)
    if isinstance(value, types.SigmaRegularExpression):
        pattern = str(value.regexp)
        return Shape(text, not pattern.startswith("^"), not pattern.endswith("$"))
    if not isinstance(value, types.SigmaString):
        return Shape(text, open_before=False, open_behind=False)
    open_before, open_behind = (
        value.s[end : end + 1 or None] == (types.SpecialChars.WILDCARD_MULTI,) for end in (0, -1)
    )
    return Shape(text, open_before, open_behind)


def _alone(value: types.SigmaType, chance: random.Random) -> FieldValue:
    """The value in its own type or, sometimes, as text."""
    match value:
        case types.SigmaCompareExpression() if not isinstance(value.number, types.SigmaTimestampPart):
            return _near(value.op, value.number.number)
        case types.SigmaNumber() if not isinstance(value, types.SigmaTimestampPart):
            return chance.choice((value.number, str(value.number)))
        case types.SigmaBool():
            return chance.choice((value.boolean, str(value).lower()))
    return _written(value, chance)


def _near(comparison: types.CompareOperators, number: float) -> float:
    below = comparison is types.CompareOperators.LT
    above = comparison in (types.CompareOperators.GT, types.CompareOperators.NEQ)
    return number - below + above


def _written(value: types.SigmaType, chance: random.Random) -> str:
    """The value as text that meets it."""
    if isinstance(value, types.SigmaTimestampPart | types.SigmaCompareExpression):
        return _measured(value)
    match value:
        case types.SigmaString():
            return "".join(_part(part, chance) for part in value.s)
        case types.SigmaRegularExpression():
            return text_of_regex(str(value.regexp), chance)
        case types.SigmaCIDRExpression():
            return str(value.network[chance.randrange(min(value.network.num_addresses, 200))])
    return str(value).lower()


def _measured(value: types.SigmaTimestampPart | types.SigmaCompareExpression) -> str:
    if isinstance(value, types.SigmaTimestampPart):
        return _at(MORNING, value).isoformat()
    number = _near(value.op, value.number.number)
    if isinstance(value.number, types.SigmaTimestampPart):
        return _at(MORNING, types.SigmaTimestampPart(value.number.timestamp_part, int(number))).isoformat()
    return str(number)


def _part(part: object, chance: random.Random) -> str:
    if part is types.SpecialChars.WILDCARD_MULTI:
        return chance.choice(("", *FILLERS))
    return "q" if isinstance(part, types.SpecialChars) else str(part)


def _at(moment: datetime, value: types.SigmaType) -> datetime:
    """The moment with one part of it as the value says; as it was where no time has such a part."""
    if not isinstance(value, types.SigmaTimestampPart):
        raise TypeError(f"{value} is no part of a time")
    number = int(value.number)
    try:
        if value.timestamp_part is types.TimestampPart.WEEK:
            return datetime.combine(date.fromisocalendar(moment.year, number, 1), moment.timetz())
        return moment.replace(**{value.timestamp_part.name.lower(): number})
    except ValueError:
        return moment


def text_of_regex(pattern: str, chance: random.Random) -> str:
    """A text that the expression finds, by chance; anchors and boundaries are left to luck."""
    return _of_all(_parser.parse(pattern), chance)


def _of_all(tokens: Iterable[tuple[Any, Any]], chance: random.Random) -> str:
    return "".join(_WRITERS[token](content, chance) for token, content in tokens)


def _repeated(content: tuple[int, int, Any], chance: random.Random) -> str:
    least, most, body = content
    return "".join(_of_all(body, chance) for _ in range(chance.randint(least, min(most, least + MANY))))


def _of_class(content: Sequence[tuple[Any, Any]], chance: random.Random) -> str:
    """A sign of the class, or outside of it if it is negated."""
    negated = content[0][0] is op.NEGATE
    own = [chr(sign) for token, sign in content if token is op.LITERAL]
    own += [chr(sign) for token, ends in content if token is op.RANGE for sign in ends]
    fitting = [sign for sign in (*own, *SIGNS) if any(_holds(item, sign) for item in content) != negated]
    return chance.choice(fitting)


def _holds(item: tuple[Any, Any], sign: str) -> bool:
    token, content = item
    if token is op.LITERAL:
        return ord(sign) == content
    if token is op.RANGE:
        return bool(content[0] <= ord(sign) <= content[1])
    return token is op.CATEGORY and _CATEGORIES[content](sign)


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: lambda sign: sign in string.digits,
    op.CATEGORY_NOT_DIGIT: lambda sign: sign not in string.digits,
    op.CATEGORY_SPACE: lambda sign: sign in " \t\n",
    op.CATEGORY_NOT_SPACE: lambda sign: sign not in " \t\n",
    op.CATEGORY_WORD: lambda sign: sign in string.ascii_letters + string.digits + "_",
    op.CATEGORY_NOT_WORD: lambda sign: sign.isascii() and not sign.isalnum() and sign != "_",
}

_WRITERS: dict[Any, Callable[[Any, random.Random], str]] = {
    op.LITERAL: lambda content, _: chr(content),
    op.NOT_LITERAL: lambda content, _: "q" if content != ord("q") else "z",
    op.ANY: lambda _, chance: chance.choice("q7 "),
    op.IN: _of_class,
    op.BRANCH: lambda content, chance: _of_all(chance.choice(content[1]), chance),
    op.SUBPATTERN: lambda content, chance: _of_all(content[-1], chance),
    op.MAX_REPEAT: _repeated,
    op.MIN_REPEAT: _repeated,
    op.AT: lambda _, __: "",
}
