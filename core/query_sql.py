"""A query as a condition of DuckDB over the columns of stored events, and as what an index is asked beforehand.

Only fixed words are put together; every value that a person wrote is bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from core.query import All, Any, Compares, Equals, Node, Not, Words
from core.query_words import IDENTITIES, as_value, as_words, certain_words, is_typed, longest_run, plain_run
from core.text import fold, words

COLUMNS = frozenset({"id", "site", "device", "unit", "product", "category", "service"})
"""What may be asked for like a field and is a column of its own."""

TEXT_FIELDS = frozenset(
    {
        "message",
        "error.message",
        "event.original",
        "process.command_line",
        "process.parent.command_line",
        "rule.description",
        "url.original",
        "user_agent.original",
    }
)
"""Fields of running text: words are looked for in them, not the whole of it."""

LISTED = "["
"""Stands in the index for a field that has several values in some event."""

TEXT = "array_to_string(json_extract_string(fields, '$.*'), chr(10))"
"""All values of an event as one text."""


def folded(expression: str) -> str:
    """The expression's text in lower case and without diacritics."""
    return f"replace(strip_accents(lower({expression})), 'đ', 'd')"


class Key(NamedTuple):
    """Something that an index may hold: a word, or a field's value."""

    text: str


class Need(NamedTuple):
    """What an index must hold where the query holds: ``every`` part of it, or any; without parts it may be anywhere."""

    every: bool
    parts: tuple[Need | Key, ...]


UNKNOWN = Need(every=True, parts=())
Value: TypeAlias = str | float


class Condition(NamedTuple):
    """SQL, the values it names, and what an index must hold."""

    sql: str
    values: dict[str, Value]
    need: Need


def word_key(word: str) -> Key:
    """A word as the index holds it."""
    return Key(word)


def value_key(field: str, value: str) -> Key:
    """A field's value, folded, as the index holds it; no word has such a key."""
    return Key(f"{field}={value}")


def may_hold(need: Need, holds: Callable[[Key], bool]) -> bool:
    """Whether the query may hold where the index holds these keys."""
    if not need.parts:
        return True
    answers = (holds(part) if isinstance(part, Key) else may_hold(part, holds) for part in need.parts)
    return all(answers) if need.every else any(answers)


def condition(query: Node) -> Condition:
    """The query for DuckDB; its names begin with ``q``."""
    compiler = _Compiler()
    sql, need = compiler.node(query)
    return Condition(sql, compiler.values, need)


class _Compiler:
    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def node(self, node: Node) -> tuple[str, Need]:
        match node:
            case Not(one):
                return f"NOT coalesce({self.node(one)[0]}, false)", UNKNOWN
            case All(parts):
                made = [self.node(part) for part in parts]
                return _joined("AND", [sql for sql, _ in made]), _all_of([need for _, need in made])
            case Any(parts):
                made = [self.node(part) for part in parts]
                return _joined("OR", [sql for sql, _ in made]), _any_of([need for _, need in made])
            case Words(pieces):
                return self._words(pieces, TEXT), _needs_words(pieces)
            case Compares(field, how, number):
                return f"try_cast({self._value_of(field)} AS DOUBLE) {how} {self._bound(number)}", UNKNOWN
            case Equals(field, pieces):
                return self._equals(field, pieces)

    def _equals(self, field: str, pieces: tuple[str, ...]) -> tuple[str, Need]:
        if field in COLUMNS:
            return f"regexp_full_match({_form(pieces, field)}, {self._bound(as_value(pieces))})", UNKNOWN
        if not any(pieces):
            return f"coalesce({self._value_of(field)}, '') <> ''", UNKNOWN
        if field in TEXT_FIELDS:
            return self._words(pieces, self._value_of(field)), _needs_words(pieces)
        return self._has_value(field, pieces), _needs_value(field, pieces)

    def _words(self, pieces: tuple[str, ...], text: str) -> str:
        found = f"regexp_matches({_form(pieces, text)}, {self._bound(as_words(pieces))})"
        return self._sieved(pieces, found)

    def _has_value(self, field: str, pieces: tuple[str, ...]) -> str:
        """One of the field's values is this; a list is text as well, which no single value equals."""
        several = f"json_extract_string(fields, {self._bound(_path(field) + '[*]')})"
        values = f"list_append({several}, {self._value_of(field)})"
        if len(pieces) == 1:
            wanted = words(pieces[0]) if is_typed(pieces) else fold(words(pieces[0]))
            found = f"list_contains(list_transform({values}, lambda x: {_form(pieces, 'x')}), {self._bound(wanted)})"
        else:
            test = f"regexp_full_match({_form(pieces, 'x')}, {self._bound(as_value(pieces))})"
            found = f"len(list_filter({values}, lambda x: {test})) > 0"
        return self._sieved(pieces, found)

    def _sieved(self, pieces: tuple[str, ...], found: str) -> str:
        """The test, made only where the event's text as a whole has what it needs: most have not."""
        run = longest_run(pieces)
        part = plain_run(run)
        if run and run != part:
            found = f"CASE WHEN contains({folded('fields')}, {self._bound(run)}) THEN {found} ELSE false END"
        if part:
            found = f"CASE WHEN contains(fields, {self._bound(part)}) THEN {found} ELSE false END"
        return found

    def _value_of(self, field: str) -> str:
        return f"json_extract_string(fields, {self._bound(_path(field))})"

    def _bound(self, value: Value) -> str:
        name = f"q{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def _form(pieces: tuple[str, ...], expression: str) -> str:
    return f"lower({expression})" if is_typed(pieces) else folded(expression)


def _path(field: str) -> str:
    return f'$."{field}"'


def _joined(word: str, parts: list[str]) -> str:
    return "(" + f" {word} ".join(parts) + ")" if parts else "true"


def _needs_words(pieces: tuple[str, ...]) -> Need:
    return Need(every=True, parts=tuple(map(word_key, certain_words(pieces))))


def _needs_value(field: str, pieces: tuple[str, ...]) -> Need:
    if any(not letter.isprintable() or letter in '"\\' for piece in pieces for letter in piece):
        return UNKNOWN  # within a list it is written otherwise
    value = fold(words(pieces[0]))
    if len(pieces) > 1 or field not in IDENTITIES or not value.isascii():
        return _needs_words(pieces)
    as_one = Need(every=False, parts=(value_key(field, value), value_key(field, LISTED)))
    return _all_of([_needs_words(pieces), as_one])


def _all_of(needs: list[Need]) -> Need:
    return Need(every=True, parts=tuple(need for need in needs if need.parts))


def _any_of(needs: list[Need]) -> Need:
    return Need(every=False, parts=tuple(needs)) if all(need.parts for need in needs) else UNKNOWN
