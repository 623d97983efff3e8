"""Events beside a rule, in ``NAME.events.jsonl`` for ``NAME.yml``: some must hit, near misses must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import ContentError, UnavailableError
from core.records import Event, Fields, Logsource, Record
from core.sigma import RuleSet
from detections.engine import ClosureEngine
from detections.explain import Explanation, explain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.sigma import LoadedRule

SUFFIX = ".events.jsonl"
"""What stands in the place of ``.yml`` in the name of the events file."""


class Example(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event and what the rule must say of it.

    Attributes:
        hit: whether the rule must hit.
        logsource: product, category and service, as a collector gives them.
        fields: as a collector gives them.
        raw: the message as received.
        rule: the name or id of the rule that is meant, in a file of several; empty for all of them.
    """

    hit: bool
    logsource: dict[Literal["product", "category", "service"], str]
    fields: Fields
    raw: str
    rule: str = ""

    def event(self) -> Event:
        """The event as an engine gets it."""
        source = msgspec.convert(self.logsource, Logsource)
        return Event(id="example", time=0, seen=0, logsource=source, fields=self.fields, raw=self.raw.encode())


class Failure(Record, frozen=True, kw_only=True):
    """An example that went otherwise than it says; ``line`` counts from 1."""

    line: int
    expected: bool
    explanation: Explanation


def examples_file(rule: Path) -> Path:
    """Where the events of a rule's file are."""
    return rule.with_suffix(SUFFIX)


def read_examples(path: Path) -> list[Example]:
    """The events in a file, one a line.

    Raises:
        ContentError: a line is no example; the text names file and line.
        UnavailableError: the file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error.strerror}") from error
    return [_example(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]


def _example(line: bytes, where: str) -> Example:
    try:
        return msgspec.json.decode(line, type=Example)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"{where}: not an example with hit, logsource, fields and raw: {error}") from error


def check(rule: LoadedRule, examples: Sequence[Example]) -> list[Failure]:
    """What of the examples goes otherwise than it says; those that mean another rule are left out."""
    engine = ClosureEngine(RuleSet(rules=(rule,)))
    return [
        Failure(line=line, expected=example.hit, explanation=explain(rule, event))
        for line, example in enumerate(examples, start=1)
        if example.rule in ("", rule.info.name, rule.info.id)
        for event in (example.event(),)
        if bool(engine.match(event)) != example.hit
    ]
