"""One look over many JSON lines at once: which of them must be read whole.

A line must be if it may hold a keyword, or if reading only the wanted keys of it could mislead: objects within it,
which become fields of dotted names, and escaped characters, in which a keyword could hide.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

import ahocorasick_rs

_NESTED = ('":{', '": {', '":  ', '":\t', '":\r', '" :', '"\t:', '"\r:', "[{", "[ {", "[[")
"""An object or list inside, or white space under which one could not be seen; within a text ``"`` is escaped."""

LIKE_ASCII = ("\u0130", "\u037e", "\u1fef", "\u212a")
"""All letters that are not ASCII and become ASCII once folded, so that a keyword may be written with them."""

_BACKSLASH = 0x5C
_ESCAPE = "\\u"
_PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
"""Characters that JSON writes as they are, whoever writes it; the solidus may be escaped."""

_SIGNS = ("::",)
_BETWEEN = b"\n"


Find: TypeAlias = Callable[[bytes], list[tuple[int, int]]]
"""The marks that a text holds: which, and where each ends."""


class Screen:
    """Finds the lines that must be read whole.

    Args:
        literals: texts in lower case of which one is in every line that holds a keyword.
    """

    def __init__(self, literals: Iterable[str]) -> None:
        words = [max(_PLAIN.findall(text), key=len, default="") for text in literals]
        if "" in words:  # a keyword of signs that JSON escapes only: any line may hold it
            words = ['"']
        short = shortened(words)
        marks = [*short, *_NESTED, *LIKE_ASCII, _ESCAPE]
        self._doubtful = frozenset(number for number, text in enumerate(short) if text in _SIGNS)
        self._escape = len(marks) - 1
        self._find = _finder(marks)
        self._find_words = _finder(sorted(set(words)))

    def whole(self, lines: Sequence[bytes]) -> set[int]:
        """The places of the lines that must be read whole."""
        joined = _BETWEEN.join(lines)
        found = self._find(joined)
        if not found:
            return set()
        ends = list(accumulate(len(line) + 1 for line in lines))
        marked = {(bisect_right(ends, end - 1), self._is_doubtful(mark, joined, end)) for mark, end in found}
        return {place for place, doubtful in marked if not doubtful or self._has_word(lines[place])}

    def _is_doubtful(self, mark: int, text: bytes, end: int) -> bool:
        """Whether a mark alone says nothing: a sign that many words share, and a backslash that is itself escaped."""
        return not _is_escape(text, end) if mark == self._escape else mark in self._doubtful

    def _has_word(self, line: bytes) -> bool:
        """Whether there is a word for which a shared sign stood, or which such a mark hid."""
        return bool(self._find_words(line))


def _is_escape(text: bytes, end: int) -> bool:
    """Whether the backslash of the mark that ends here is not itself escaped: an even number stands before it."""
    before = place = end - len(_ESCAPE) - 1
    while place >= 0 and text[place] == _BACKSLASH:
        place -= 1
    return (before - place) % 2 == 0


def shortened(words: Sequence[str]) -> list[str]:
    """Fewer and shorter texts of which one is in every word, for a scan goes the faster the fewer it looks for.

    Pairs of signs, as in ``sekurlsa::``, are shared by many words and rare in events.
    """
    return sorted({next((pair for pair in _SIGNS if pair in word), word) for word in words})


def _finder(marks: Sequence[str]) -> Find:
    """Without regard to the case of ASCII letters; of marks that overlap only the first, which is twice as fast."""
    first = ahocorasick_rs.MatchKind.LeftmostFirst
    automaton = ahocorasick_rs.BytesAhoCorasick([mark.encode().lower() for mark in marks], matchkind=first)

    def find(text: bytes) -> list[tuple[int, int]]:
        return [(mark, end) for mark, _, end in automaton.find_matches_as_indexes(text.lower())]

    return find
