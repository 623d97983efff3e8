"""Events beside a rule, in ``NAME.events.jsonl`` for ``NAME.yml``: some must hit, near misses must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from core.errors import ContentError, UnavailableError
from core.logsources import source_of
from core.records import Event, Fields, FieldValue, Logsource, Record
from core.sigma import RuleSet
from detections.engine import ClosureEngine
from detections.explain import Explanation, explain
from detections.values import text_of

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
    return [_example(line, f"{path}:{number}") for number, line in enumerate(_lines(path), start=1)]


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error.strerror}") from error


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


def read_event(path: Path, record: int) -> Event:
    """The event in a line of a file, counted from 1: as an example has it, or the fields alone as a flat JSON object.

    Raises:
        ContentError: there is no such line, or it is no event.
        UnavailableError: the file cannot be read.
    """
    lines = _lines(path)
    if not 0 < record <= len(lines):
        raise ContentError(f"{path}: there is no line {record}; the file has {len(lines)}")
    return _event(lines[record - 1], f"{path}:{record}")


def _event(line: bytes, where: str) -> Event:
    try:
        given = msgspec.json.decode(line, type=dict[str, Any])
        if isinstance(given.get("fields"), dict):
            whole = {"hit": True, "logsource": {}, "raw": ""} | given
            return msgspec.convert({name: whole[name] for name in _NEEDED}, Example).event()
        fields = {name: _value(value) for name, value in given.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"{where}: not an event as a JSON object: {error}") from error
    return Event(id="example", time=0, seen=0, logsource=source_of(fields), fields=fields, raw=line)


_NEEDED = ("hit", "logsource", "fields", "raw")


def _value(value: Any) -> FieldValue:
    """As a field holds it: the elements of a list as text, and what has parts of its own as nothing."""
    if isinstance(value, list):
        return [text_of(one) for one in value if isinstance(one, str | int | float)]
    return value if isinstance(value, str | int | float) else None
