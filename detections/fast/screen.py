"""One look over many JSON lines at once: which of them must be read whole.

A line must be if it may hold a keyword, or if reading only the wanted keys of it could mislead: objects within it,
which become fields of dotted names, and escaped characters, in which a keyword could hide.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import ahocorasick_rs

from detections.fast.databases import Expression, hyperscan
from detections.fast.scanners import quoted

if TYPE_CHECKING:
    from detections.fast.databases import Databases

_NESTED = ('":{', '": {', '":  ', '":\t', '":\r', '" :', '"\t:', '"\r:', "[{", "[ {", "[[")
"""An object or list inside, or white space under which one could not be seen; within a text ``"`` is escaped."""

LIKE_ASCII = ("\u0130", "\u037e", "\u1fef", "\u212a")
"""All letters that are not ASCII and become ASCII once folded, so that a keyword may be written with them."""

_BACKSLASH = 0x5C
_ESCAPE = "\\u"
_AS_WRITTEN = frozenset((_ESCAPE[0], *LIKE_ASCII))
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
        databases: Hyperscan's, or None to work without.
    """

    def __init__(self, literals: Iterable[str], databases: Databases | None) -> None:
        words = [max(_PLAIN.findall(text), key=len, default="") for text in literals]
        if "" in words:  # a keyword of signs that JSON escapes only: any line may hold it
            words = ['"']
        short = shortened(words)
        marks = [*short, *_NESTED, *LIKE_ASCII, _ESCAPE]
        self._doubtful = frozenset(number for number, text in enumerate(short) if text in _SIGNS)
        self._escape = len(marks) - 1
        self._find = _finder(marks, databases)
        self._find_words = _finder(sorted(set(words)), databases) if self._doubtful else None

    def whole(self, lines: Sequence[bytes]) -> set[int]:
        """The places of the lines that must be read whole."""
        joined = _BETWEEN.join(lines)
        found = [(mark, end) for mark, end in self._find(joined) if mark != self._escape or _is_escape(joined, end)]
        if not found:
            return set()
        ends = list(accumulate(len(line) + 1 for line in lines))
        marked = {(bisect_right(ends, end - 1), mark in self._doubtful) for mark, end in found}
        return {place for place, doubtful in marked if not doubtful or self._has_word(lines[place])}

    def _has_word(self, line: bytes) -> bool:
        """Whether what a short text stood for is there."""
        return self._find_words is not None and bool(self._find_words(line))


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


def _finder(marks: Sequence[str], databases: Databases | None) -> Find:
    return _with_hyperscan(marks, databases) if databases else _with_aho_corasick(marks)


def _with_hyperscan(marks: Sequence[str], databases: Databases) -> Find:
    flags = hyperscan.HS_FLAG_CASELESS
    offered = [
        Expression(number, quoted(mark), 0 if mark[0] in _AS_WRITTEN else flags) for number, mark in enumerate(marks)
    ]
    return databases.places(("screen", offered), lambda: offered)


def _with_aho_corasick(marks: Sequence[str]) -> Find:
    automaton = ahocorasick_rs.BytesAhoCorasick([mark.encode() for mark in marks])

    def find(text: bytes) -> list[tuple[int, int]]:
        found = automaton.find_matches_as_indexes(text.lower(), overlapping=True)
        return [(mark, end) for mark, _, end in found]

    return find
