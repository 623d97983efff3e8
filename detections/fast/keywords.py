"""Keywords: looked for in all values joined, and only where one may be, in each value by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ahocorasick_rs

from detections.fast.atoms import Atom, Kind, literal
from detections.fast.fields import Field
from detections.values import folded, text_of
from detections.view import Scalar

_BETWEEN = "\0"
"""Stands between joined values: neither letters nor the end of a word compose or change their case across it."""

_SIGMA = "\u03a3"
"""The one letter whose lower case depends on what follows it."""


class Keywords:
    """The keyword atoms that a program watches.

    Args:
        watched: their numbers.
        atoms: all atoms by number.
        field: the matcher of all keyword atoms.
    """

    def __init__(self, watched: Iterable[int], atoms: Sequence[Atom], field: Field) -> None:
        self._field = field
        self.literals = screen_literals(atoms[number] for number in watched)
        self._screen = ahocorasick_rs.AhoCorasick(self.literals) if self.literals else None

    def hits(self, everything: Iterable[Scalar]) -> frozenset[int]:
        """The numbers of the keyword atoms that hold for at least one of the values."""
        values = list(everything)
        if self._screen is not None:
            joined = folded(_BETWEEN.join(map(text_of, values)))
            if not self._screen.find_matches_as_indexes(joined):
                return frozenset()
        return frozenset().union(*map(self._field.hits, values))


def screen_literals(atoms: Iterable[Atom]) -> list[str]:
    """Texts, in lower case, of which one is there wherever an atom holds; none if an atom has no such text."""
    texts = set(map(_screen_literal, atoms))
    return [] if "" in texts else sorted(texts)


def _screen_literal(atom: Atom) -> str:
    if atom.kind not in {Kind.TEXT, Kind.CASED}:
        return ""
    text = literal(atom.pattern)
    return "" if _SIGMA in text else folded(text)
