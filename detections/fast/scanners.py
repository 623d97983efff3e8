"""Scanners: which of many patterns a text meets, in one pass over it.

Aho-Corasick finds each pattern's longest text; what else the pattern asks is tested only where that is. Regular
expressions are decided by RE2, and tried only where a text is that they cannot do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import ahocorasick_rs

from core.regex import compile_regex
from detections.fast.atoms import ANY, Pattern, literal
from detections.fast.required import required_text
from detections.values import wildcards

Scanner: TypeAlias = Callable[[str], list[int]]
"""The numbers of the patterns that a text meets, each once."""

Numbered: TypeAlias = tuple[int, Pattern]
NumberedRegex: TypeAlias = tuple[int, str, str]
"""A number, an expression, its flags."""

_WINDOW = 1 << 16
"""Characters that are read at a time, so that a hostile text cannot fill the memory with places."""

_LONG = "a" * 2048
"""RE2 makes its states when it first needs them: for ``.{1000,}`` that takes 26 ms, which no event should wait."""

_LONG_S = "\u017f"
"""Matches ``s`` where case does not count, and is not lower case of it: all expressions are tried on such a text."""


def text_scanner(patterns: Sequence[Numbered]) -> Scanner:
    """The scanner of these patterns; the text comes in the form in which it is compared, as the patterns are."""
    tests: dict[str, list[tuple[int, Callable[[str], bool] | None]]] = {}
    for number, pattern in patterns:
        tests.setdefault(literal(pattern), []).append((number, _rest_of(pattern)))
    always = tests.pop("", [])
    present = words_in(list(tests))

    def scan(text: str) -> list[int]:
        found = [number for number, test in always if test is None or test(text)]
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


def words_in(words: list[str]) -> Callable[[str], Iterator[str]]:
    """The function that tells which of the words are in a text."""
    if not words:
        return lambda _: iter(())
    automaton = ahocorasick_rs.AhoCorasick(words)
    overlap = max(map(len, words)) - 1

    def present(text: str) -> Iterator[str]:
        seen: set[int] = set()
        for start in range(0, max(len(text) - overlap, 1), _WINDOW):
            window = text[start : start + _WINDOW + overlap]
            seen.update(place[0] for place in automaton.find_matches_as_indexes(window, overlapping=True))
        return (words[number] for number in seen)

    return present


def regex_scanner(expressions: Sequence[NumberedRegex]) -> Scanner:
    """The scanner of these expressions; the text comes in normal form C."""
    tests = [(number, warmed(pattern, flags)) for number, pattern, flags in expressions]
    by_word: dict[str, list[int]] = {}
    for place, (_, pattern, _flags) in enumerate(expressions):
        by_word.setdefault(required_text(pattern), []).append(place)
    always = by_word.pop("", [])
    present = words_in(list(by_word))

    def scan(text: str) -> list[int]:
        if _LONG_S in text:
            return [number for number, test in tests if test(text)]
        tried = always + [place for word in present(text.lower()) for place in by_word[word]]
        return [tests[place][0] for place in tried if tests[place][1](text)]

    return scan


def warmed(pattern: str, flags: str) -> Callable[[str], bool]:
    """The test of an expression, which is slow no more when it is first asked."""
    test = compile_regex(pattern, flags)
    test(_LONG)
    return test
