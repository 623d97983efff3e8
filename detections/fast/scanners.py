"""Scanners: which of many text patterns a text meets, in one pass over it.

Two kinds with equal answers: Hyperscan, and Aho-Corasick over each pattern's longest text with a test of the rest.
The text comes in the form in which it is compared (`detections.values.folded` or `nfc`), as the patterns are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

import ahocorasick_rs

from core.regex import compile_regex, with_flags
from detections.fast.atoms import ANY, ONE, Pattern, literal
from detections.fast.databases import INSTALLED, Databases, Expression, hyperscan
from detections.values import wildcards

Backend: TypeAlias = Literal["hyperscan", "ahocorasick"]

Scanner: TypeAlias = Callable[[str], list[int]]
"""The numbers of the patterns that a text meets, each once."""

Numbered: TypeAlias = tuple[int, Pattern]
NumberedRegex: TypeAlias = tuple[int, str, str]
"""A number, an expression, its flags."""

_MOST_TEXT = 1000
"""Characters: a longer pattern is not given to Hyperscan, which would refuse the whole set for it."""

_MOST_SINGLE = 100
"""Wildcards for one character that a pattern for Hyperscan may hold, for the same reason."""

_WINDOW = 1 << 16
"""Characters that Aho-Corasick reads at a time, so that a hostile text cannot fill the memory with places."""

_LONG = "a" * 2048
"""RE2 makes its states when it first needs them: for ``.{1000,}`` that takes 26 ms, which no event should wait."""

_UNLIKE = re.compile("[\x0b\u017f\u212a]")
"""The vertical tab is white space to Hyperscan alone; the long s and the Kelvin sign are in ``(?i)\\w`` to RE2 alone.
A text with one of them is not screened."""


def default_backend() -> Backend:
    """Hyperscan where it is installed."""
    return "hyperscan" if INSTALLED else "ahocorasick"


def text_scanner(patterns: Sequence[Numbered], databases: Databases | None) -> Scanner:
    """The scanner of these patterns: Hyperscan's if databases are given, else Aho-Corasick's."""
    if databases is None:
        return _searching(patterns)
    simple = [one for one in patterns if _is_simple(one[1])]
    rest = [one for one in patterns if not _is_simple(one[1])]
    scan = _database_scanner(simple, databases) if simple else _nothing
    if not rest:
        return scan
    search = _searching(rest)
    return lambda text: scan(text) + search(text)


def _nothing(_: str) -> list[int]:
    return []


def _is_simple(pattern: Pattern) -> bool:
    size = sum(len(part) for part in pattern if isinstance(part, str))
    return size <= _MOST_TEXT and pattern.count(ONE) <= _MOST_SINGLE


def _database_scanner(patterns: Sequence[Numbered], databases: Databases) -> Scanner:
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
    flags |= hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_ALLOWEMPTY
    scan = databases.scan(
        ("text", patterns), lambda: [Expression(number, expression(pattern), flags) for number, pattern in patterns]
    )
    return lambda text: scan(text.encode())


def expression(pattern: Pattern) -> bytes:
    """The pattern as an expression for Hyperscan; a ``*`` at an end leaves that end open."""
    start = b"" if pattern[0] == ANY else rb"\A"
    end = b"" if pattern[-1] == ANY else rb"\z"
    middle = pattern[pattern[0] == ANY : len(pattern) - (pattern[-1] == ANY)]
    return start + b"".join(map(_part, middle)) + end


def _part(part: str | int) -> bytes:
    if isinstance(part, str):
        return quoted(part)
    return b".*" if part == ANY else b"."


def quoted(text: str) -> bytes:
    """The text as an expression that means just it."""
    return b"".join(char.encode() if char.isalnum() or not char.isascii() else b"\\x%02x" % ord(char) for char in text)


def _searching(patterns: Sequence[Numbered]) -> Scanner:
    """Aho-Corasick finds each pattern's longest text; the rest of the pattern is tested only then."""
    tests: dict[str, list[tuple[int, Callable[[str], bool] | None]]] = {}
    for number, pattern in patterns:
        tests.setdefault(literal(pattern), []).append((number, _rest_of(pattern)))
    always = tests.pop("", [])
    present = _words_in(list(tests)) if tests else None

    def scan(text: str) -> list[int]:
        found = [number for number, test in always if test is None or test(text)]
        if present is not None:
            for word in present(text):
                found += [number for number, test in tests[word] if test is None or test(text)]
        return found

    return scan


def _rest_of(pattern: Pattern) -> Callable[[str], bool] | None:
    """What is to test once the longest text is known to be there; None if nothing."""
    match pattern:
        case (0, str(), 0):
            return None
        case (str(text), 0):
            return lambda value: value.startswith(text)
        case (0, str(text)):
            return lambda value: value.endswith(text)
    whole = wildcards(pattern, ANY)
    return lambda value: whole.fullmatch(value) is not None


def _words_in(words: list[str]) -> Callable[[str], Iterator[str]]:
    automaton = ahocorasick_rs.AhoCorasick(words)
    overlap = max(map(len, words)) - 1

    def present(text: str) -> Iterator[str]:
        seen: set[int] = set()
        for start in range(0, max(len(text) - overlap, 1), _WINDOW):
            window = text[start : start + _WINDOW + overlap]
            seen.update(place[0] for place in automaton.find_matches_as_indexes(window, overlapping=True))
        return (words[number] for number in seen)

    return present


def regex_scanner(expressions: Sequence[NumberedRegex], databases: Databases | None) -> Scanner:
    """RE2 decides; with Hyperscan only those expressions are tried that it does not rule out.

    Source: Hyperscan's ``HS_FLAG_PREFILTER``, which may report too much and never too little.
    """
    tests = [(number, compile_regex(pattern, flags)) for number, pattern, flags in expressions]
    for _, test in tests:
        test(_LONG)
    if databases is None:
        return lambda text: [number for number, test in tests if test(text)]
    screen, unscreened = _screen(expressions, databases)

    def scan(text: str) -> list[int]:
        if _UNLIKE.search(text):
            return [number for number, test in tests if test(text)]
        tried = [tests[place] for place in (*screen(text.encode()), *unscreened)]
        return [number for number, test in tried if test(text)]

    return scan


def _screen(
    expressions: Sequence[NumberedRegex], databases: Databases
) -> tuple[Callable[[bytes], list[int]], list[int]]:
    """A scan for the places, in the list, of what may match; and the places of what Hyperscan does not understand."""
    flags = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
    flags |= hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_ALLOWEMPTY
    offered = [
        Expression(place, with_flags(pattern, letters).encode(), flags)
        for place, (_, pattern, letters) in enumerate(expressions)
    ]
    try:
        return databases.scan(("regex", offered), lambda: offered), []
    except hyperscan.error:
        taken = [one for one in offered if _understood(one)]
    left = sorted({one.id for one in offered} - {one.id for one in taken})
    return (databases.scan(("regex", taken), lambda: taken) if taken else lambda _: []), left


def _understood(one: Expression) -> bool:
    try:
        Databases().scan(one, lambda: [one])
    except hyperscan.error:
        return False
    return True
