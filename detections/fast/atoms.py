"""Atoms: the single questions that rules ask of a field, each numbered once however many rules ask it.

Atoms are plain data, so that compiled rules can be kept on disk. A text atom's pattern is a sequence of texts, already
in the form in which they are compared, and wildcards. Their meaning is that of `detections.values`, the plain reading.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

KEYWORDS = "\0keywords"
"""The field of keyword atoms: each value of the event; no field of an event has this name."""

ANY, ONE = 0, 1
"""Wildcards in a text pattern: any text, also none; one character."""

Pattern: TypeAlias = tuple[str | int, ...]


class Kind(StrEnum):
    """What an atom asks of a field's values, of any one of several unless it says otherwise."""

    TEXT = "text"
    CASED = "cased"
    NUMBER = "number"
    REGEX = "regex"
    NETWORK = "network"
    COMPARE = "compare"
    NULL = "null"  # the field is missing, null or an empty list
    EXISTS = "exists"  # the field is there, whatever its value
    REFERENCE = "reference"


class Atom(msgspec.Struct, frozen=True, array_like=True):
    """One question.

    Attributes:
        field: the ECS name, or `KEYWORDS`.
        kind: which question.
        pattern: of TEXT and CASED: the pattern; REGEX: expression and flags; NETWORK: the network; COMPARE: operator
            and, if it is of a time, the part; REFERENCE: the other field and how they compare (see `reference`);
            NUMBER: the number as text.
        number: of NUMBER and COMPARE.
    """

    field: str
    kind: Kind
    pattern: Pattern = ()
    number: int | float = 0


class Atoms:
    """Numbers for atoms, in order of first use."""

    def __init__(self) -> None:
        self.all: list[Atom] = []
        self._numbers: dict[Atom, int] = {}

    def number(self, atom: Atom) -> int:
        """The atom's number, the next free one for a new atom."""
        known = self._numbers.setdefault(atom, len(self.all))
        if known == len(self.all):
            self.all.append(atom)
        return known


def literal(pattern: Pattern) -> str:
    """The longest text in a pattern; empty if it has none."""
    return max((part for part in pattern if isinstance(part, str)), key=len, default="")
