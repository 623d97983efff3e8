"""A form of message whose values need more than a name: a function reads on from what the expression found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from collectors.logs.dialects.pattern import Pattern
from core.records import Fields


def _as_found(found: dict[str, str]) -> Fields:
    return {**found}


@dataclass(frozen=True, slots=True)
class Completed(Pattern):
    """A `Pattern` whose groups, by their names, go to a function that returns the fields.

    Attributes:
        complete: makes the fields of the groups that were found; never fails, whatever a sender wrote.
    """

    complete: Callable[[dict[str, str]], Fields] = _as_found

    def fields(self, text: str) -> Fields | None:
        """The ECS fields of this message, or None if it has another form."""
        found = self.expression.search(text) if self.contains in text else None
        if found is None:
            return None
        values = zip(self.names, found.groups(), strict=True)
        return self.complete({name: value for name, value in values if value is not None})


def completed(contains: str, expression: str, complete: Callable[[dict[str, str]], Fields], *names: str) -> Completed:
    """A row of a table; ``names`` are those of the expression's groups, in order."""
    return Completed(contains, re.compile(expression), names, complete=complete)
