"""What a dialect's table is made of: patterns that give a message's values their ECS names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from core.records import Fields, Logsource

Said: TypeAlias = tuple[Logsource, Fields]
"""A message's log source and what its text says, as ECS fields."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of message.

    Attributes:
        contains: a fixed text without which the expression is not tried.
        expression: found in the message's text; its groups are the values.
        names: ECS names of the groups, in order.
        constants: fields that follow from the form itself.
    """

    contains: str
    expression: re.Pattern[str]
    names: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)

    def fields(self, text: str) -> Fields | None:
        """The ECS fields of this message, or None if it has another form."""
        if self.contains not in text:
            return None
        found = self.expression.search(text)
        if found is None:
            return None
        values = zip(self.names, found.groups(), strict=True)
        return {**self.constants, **{name: value for name, value in values if value is not None}}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a program or device family says: its log source and the forms of its messages."""

    logsource: Logsource
    patterns: Sequence[Pattern] = ()

    def understand(self, text: str) -> Said:
        """What the first form that the text has says; no fields if it has none."""
        return self.logsource, first(self.patterns, text)


def first(patterns: Sequence[Pattern], text: str) -> Fields:
    """What the first form that the text has says; empty if it has none."""
    for known in patterns:
        found = known.fields(text)
        if found is not None:
            return found
    return {}


def pattern(contains: str, expression: str, *names: str, **constants: str) -> Pattern:
    """A row of a table; keyword ``event_action`` gives the constant field ``event.action``."""
    return Pattern(
        contains, re.compile(expression), names, {key.replace("_", "."): constants[key] for key in constants}
    )
