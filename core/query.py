r"""The language of searches: ``root user.name:an -"session opened" (source.ip:10.* OR destination.port:>1024)``.

    query  = all { "OR" all }
    all    = not { ["AND"] not }
    not    = { "-" | "NOT" } one
    one    = "(" query ")" | [ field ":" ] value
    value  = word | '"' words '"' | ">" number | ">=" number | "<" number | "<=" number | number ".." number

A word without a field is looked for in every value of an event, as a whole word; with one, the field's value must be
it. ``*`` stands for anything within a word, ``field:*`` for any value, ``10.1.0.0/16`` for ``10.1.*``. In quotes
everything is meant as it is written, save ``\"``. Diacritics are ignored unless they are typed. Reading a query is
pure; ``query_sql`` asks DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, ip_address, ip_network
from typing import NamedTuple, TypeAlias

from core.errors import ContentError
from core.records import Record

MOST_LETTERS = 2_000
MOST_TERMS = 100
MOST_LEVELS = 20

_FIELD = re.compile(r"[A-Za-z_@][\w.@-]*")
_ADDRESS = re.compile(r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,}(%\w+)?")
_COMPARED = re.compile(r"(>=|<=|>|<)(-?\d+(?:\.\d+)?)")
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")
_NO_SPAN = re.compile(r"-?\w[\w.:-]*(?<!\.)\.\.(?!\.)[\w.:-]*\w")
_NETWORK = re.compile(r"[0-9A-Fa-f.:]+/\d{1,3}")
_OCTETS = {8: 1, 16: 2, 24: 3, 32: 4}
"""How many numbers of an address a network of that many bits keeps whole."""

PROBLEMS = {
    "quote": "dấu nháy không được đóng / the quote is not closed",
    "open": "dấu ngoặc không được đóng / the bracket is not closed",
    "close": "thừa dấu đóng ngoặc / a bracket is closed that was not opened",
    "missing": "thiếu nội dung cần tìm ở đây / something to look for is missing here",
    "long": f"câu tìm quá dài: tối đa {MOST_LETTERS} ký tự / the query is longer than {MOST_LETTERS} characters",
    "many": f"quá nhiều điều kiện: tối đa {MOST_TERMS} / more than {MOST_TERMS} conditions",
    "number": "sau > hay < phải là một số; nguyên văn thì đặt trong nháy / > and < take a number; put text in quotes",
    "span": "khoảng chỉ dùng với số; nguyên văn thì đặt trong nháy / a range is of numbers; put text in quotes",
    "network": "chỉ tìm được mạng IPv4 /8, /16, /24; mạng khác: viết 10.1.* hay fe80:* "
    "/ only IPv4 networks /8, /16, /24 are known; else write 10.1.* or fe80:*",
    "deep": f"quá nhiều tầng ngoặc: tối đa {MOST_LEVELS} / more than {MOST_LEVELS} levels of brackets",
}
"""What can be wrong, by a key for pages that have words of their own."""


class QueryError(ContentError):
    """The query cannot be read; ``reason`` is a key of ``PROBLEMS``, ``place`` the character, counted from 1."""

    def __init__(self, reason: str, place: int) -> None:
        super().__init__(f"câu tìm, ký tự {place} / query, character {place}: {PROBLEMS[reason]}")
        self.reason = reason
        self.place = place


class Words(Record, frozen=True):
    """Words in any value of an event; between two pieces may be anything that is no white space."""

    pieces: tuple[str, ...]


class Equals(Record, frozen=True):
    """A field has this value; between two pieces may be anything."""

    field: str
    pieces: tuple[str, ...]


class Compares(Record, frozen=True):
    """A field's number is so to that number: ``>``, ``>=``, ``<`` or ``<=``."""

    field: str
    how: str
    number: float


class Not(Record, frozen=True):
    """What does not hold."""

    one: Node


class All(Record, frozen=True):
    """What holds together; of nothing: always."""

    parts: tuple[Node, ...]


class Any(Record, frozen=True):
    """Of which one holds at least."""

    parts: tuple[Node, ...]


Node: TypeAlias = Words | Equals | Compares | Not | All | Any

EVERY = All(())
"""The empty query."""


class _Token(NamedTuple):
    """``kind``: ``(``, ``)``, ``-``, OR, AND, value or end."""

    kind: str
    place: int
    node: Node = EVERY


def parse_query(text: str) -> Node:
    """The query as a tree; an empty one asks for everything.

    Raises:
        QueryError: says what is wrong, and where.
    """
    if len(text) > MOST_LETTERS:
        raise QueryError("long", MOST_LETTERS + 1)
    tokens = _tokens(text)
    if sum(token.kind == "value" for token in tokens) > MOST_TERMS:
        raise QueryError("many", 1)
    if tokens[0].kind == "end":
        return EVERY
    return _Reader(tokens).whole()


def quoted(value: str) -> str:
    """The value as a query writes it so that nothing in it is more than a letter."""
    return '"' + value.replace('"', '\\"') + '"'


class _Reader:
    """Goes over the tokens once, by recursive descent."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._level = 0

    def whole(self) -> Node:
        found = self._any()
        if self._now.kind == ")":
            raise QueryError("close", self._now.place)
        return found

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _takes(self, *kinds: str) -> bool:
        taken = self._now.kind in kinds
        self._at += taken
        return taken

    def _any(self) -> Node:
        return self._joined(self._all, lambda: self._takes("OR"), Any)

    def _all(self) -> Node:
        return self._joined(self._not, lambda: self._takes("AND") or self._now.kind in {"(", "-", "value"}, All)

    def _joined(self, one: Callable[[], Node], more: Callable[[], bool], kind: type[Any | All]) -> Node:
        parts = [one()]
        while more():
            parts.append(one())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _not(self) -> Node:
        negated = False
        while self._takes("-"):
            negated = not negated
        found = self._one()
        return Not(found) if negated else found

    def _one(self) -> Node:
        token = self._now
        if self._takes("value"):
            return token.node
        if not self._takes("("):
            raise QueryError("missing", token.place)
        self._level += 1
        if self._level > MOST_LEVELS:
            raise QueryError("deep", token.place)
        found = self._any()
        if not self._takes(")"):
            raise QueryError("open", token.place)
        self._level -= 1
        return found


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _token(text, at)
        found.append(token)
    return [*found, _Token("end", len(text) + 1)]


def _token(text: str, at: int) -> tuple[_Token, int]:
    letter = text[at]
    if letter in "()":
        return _Token(letter, at + 1), at + 1
    if letter == "-" and at + 1 < len(text) and not text[at + 1].isspace():
        return _Token("-", at + 1), at + 1
    if letter == '"':
        words, end = _in_quotes(text, at)
        return _Token("value", at + 1, Words((words,))), end
    end = _end_of_word(text, at)
    word = text[at:end]
    if word in {"AND", "OR", "NOT"}:
        return _Token("-" if word == "NOT" else word, at + 1), end
    return _with_field(text, at, end)


def _with_field(text: str, at: int, end: int) -> tuple[_Token, int]:
    """A word that may be a field with its value, which may be in quotes."""
    word = text[at:end]
    name, colon, value = word.partition(":")
    start = at + len(name) + 1
    is_quoted = text[start : start + 1] == '"'
    if not colon or not _FIELD.fullmatch(name) or not (is_quoted or _is_value(word, name, value)):
        return _Token("value", at + 1, Words(_pieces(word))), end
    if is_quoted:
        words, end = _in_quotes(text, start)
        return _Token("value", at + 1, Equals(name, (words,))), end
    if not value:
        raise QueryError("missing", start + 1)
    return _Token("value", at + 1, _of_field(name, value, start + 1)), end


def _is_value(word: str, name: str, value: str) -> bool:
    """Whether what follows the colon belongs to a field, not to a drive, an address or a link."""
    if len(name) == 1 and value[:1] not in {">", "<"} and not _NO_SPAN.fullmatch(value):
        return False
    if value.startswith(":"):
        return _is_address(value)
    return not _ADDRESS.fullmatch(word) and not value.startswith("//")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _of_field(name: str, value: str, place: int) -> Node:
    if compared := _COMPARED.fullmatch(value):
        return Compares(name, compared[1], float(compared[2]))
    if span := _SPAN.fullmatch(value):
        return All((Compares(name, ">=", float(span[1])), Compares(name, "<=", float(span[2]))))
    if value[0] in "<>":
        raise QueryError("number", place)
    if _NO_SPAN.fullmatch(value):
        raise QueryError("span", place)
    return Equals(name, _network(value, place) or _pieces(value))


def _network(value: str, place: int) -> tuple[str, ...]:
    """What the addresses of a network begin with, as pieces; none if the value is no network."""
    if not _NETWORK.fullmatch(value):
        return ()
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return ()
    if not isinstance(network, IPv4Network) or network.prefixlen not in _OCTETS:
        raise QueryError("network", place)
    octets = str(network.network_address).split(".")
    kept = ".".join(octets[: _OCTETS[network.prefixlen]])
    return (kept,) if network.num_addresses == 1 else (kept + ".", "")


def _pieces(word: str) -> tuple[str, ...]:
    return tuple(re.split(r"\*+", word))


def _in_quotes(text: str, at: int) -> tuple[str, int]:
    """What stands in the quotes that open here, and where the text goes on."""
    found = re.compile(r'"((?:\\"|[^"])*)"').match(text, at)
    if found is None:
        raise QueryError("quote", at + 1)
    if not found[1]:
        raise QueryError("missing", at + 2)
    return found[1].replace('\\"', '"'), found.end()


def _end_of_word(text: str, at: int) -> int:
    """Where white space, a bracket, or a quote after a field's colon ends the word."""
    for place in range(at, len(text)):
        if text[place].isspace() or text[place] in "()" or (text[place] == '"' and text[place - 1] == ":"):
            return place
    return len(text)
