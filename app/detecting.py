"""Rules over files of events: what `haidang detect` does."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from collectors.files import READERS, guess
from collectors.files.found import Bad, bad, identity, record_of
from collectors.files.jsonl import decode_json
from collectors.files.lines import TOO_LONG, lines
from core.errors import ContentError, UnavailableError
from core.records import Event, Record
from detections.fast.engine import FastEngine
from detections.fast.lines import LineMatcher

_TOGETHER = 64
"""Lines judged in one go."""

Judged: TypeAlias = tuple[int, tuple[int, ...]]
"""The number of a record, and the places of the rules that it meets."""


class Hit(Record, frozen=True, kw_only=True):
    """A rule's id, the record that met it, counted from 0, and the rule's title."""

    rule: str
    file: str
    record: int
    title: str


@dataclass(slots=True)
class Tally:
    """What was seen so far."""

    events: int = 0
    hits: int = 0
    bad: int = 0


def hits_of(engine: FastEngine, path: Path, kind: str, tally: Tally) -> Iterator[tuple[Hit, ...] | Bad]:
    """For each record of the file in turn, its hits, those of one record by rule id, or why it is bad.

    Args:
        engine: what detects.
        path: the file.
        kind: a name of `collectors.files.READERS`; empty to go by what the file looks like.
        tally: counts on.

    Raises:
        UnavailableError: the file cannot be read, or is not what its name says.
    """
    kind = kind or _kind_of(path)
    judged = _judged_lines(engine, path) if kind == "jsonl" else _judged_events(engine, READERS[kind](path))
    for one in judged:
        if isinstance(one, Bad):
            tally.bad += 1
            yield one
            continue
        record, numbers = one
        rules = sorted((engine.infos[number] for number in numbers), key=lambda rule: rule.id)
        tally.events += 1
        tally.hits += len(rules)
        yield tuple(Hit(rule=rule.id, file=str(path), record=record, title=rule.title["vi"]) for rule in rules)


def check_readable(files: Iterable[Path]) -> None:
    """Looks whether all files are there, before any is read.

    Raises:
        UnavailableError: one cannot be read.
    """
    for path in files:
        reason = _unreadable(path)
        if reason:
            raise UnavailableError(f"{path}: the events cannot be read: {reason}")


def _unreadable(path: Path) -> str:
    if not path.exists():
        return "there is no such file"
    return "it is a folder" if path.is_dir() else "" if os.access(path, os.R_OK) else "it may not be read"


def _kind_of(path: Path) -> str:
    kind = guess(path)
    if path.suffix.lower() == ".evtx" and kind != "evtx":
        raise UnavailableError(f"{path}: named .evtx, and holds no EVTX: say by --from what it is")
    return kind


def _judged_events(engine: FastEngine, found: Iterable[Event | Bad]) -> Iterator[Judged | Bad]:
    for one in found:
        yield one if isinstance(one, Bad) else (record_of(one), engine.numbers(one))


def _judged_lines(engine: FastEngine, path: Path) -> Iterator[Judged | Bad]:
    """JSON lines are judged from their bytes, some together."""
    reasons: deque[str] = deque()

    def decode(line: bytes) -> Event | None:
        try:
            return decode_json(line, identity(path, 0))
        except ContentError as error:
            reasons.append(str(error))
            return None

    matcher = LineMatcher(engine, decode)
    numbered = enumerate(lines(path))
    while part := list(islice(numbered, _TOGETHER)):
        held = [(place, line) for place, line in part if line is not None and line.strip()]
        for (place, _), numbers in zip(held, matcher.match_all([line for _, line in held]), strict=True):
            yield bad(path, place, reasons.popleft()) if numbers is None else (place, numbers)
        for place, line in part:
            if line is None:
                yield bad(path, place, TOO_LONG)
