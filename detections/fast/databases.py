"""Hyperscan's compiled databases: made once, kept as bytes, loaded in milliseconds.

Without Hyperscan (its wheels are for x86-64) the engine works with Aho-Corasick and gives the same answers.
Source: Hyperscan developer's reference, "Compiling Patterns", "Serialization".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeAlias

import msgspec

try:
    import hyperscan as hyperscan  # noqa: PLC0414 - taken from here by who must know whether it is there
except ImportError:  # no wheel for this machine: Aho-Corasick takes its place
    hyperscan = None  # type: ignore[assignment]

INSTALLED = find_spec("hyperscan") is not None
VERSION = version("hyperscan") if INSTALLED else ""

Scan: TypeAlias = Callable[[bytes], list[int]]
"""The ids of the expressions that a text holds, each once."""

Places: TypeAlias = Callable[[bytes], list[tuple[int, int]]]
"""The ids of the expressions that a text holds, with the place where each match ends."""

Run: TypeAlias = Callable[..., Any]
"""A database's own scan."""


class Expression(NamedTuple):
    """One expression of a database: its id, the expression and Hyperscan's flags."""

    id: int
    expression: bytes
    flags: int


class Databases:
    """Makes databases; takes those it knows from bytes kept before.

    Args:
        kept: what `made` was in an earlier run.
    """

    def __init__(self, kept: Mapping[str, bytes] | None = None) -> None:
        self._kept = kept or {}
        self.made: dict[str, bytes] = {}
        self._open: dict[str, Run] = {}

    def scan(self, meant: object, expressions: Callable[[], Sequence[Expression]]) -> Scan:
        """The function that scans for these expressions; not for two threads at once.

        Args:
            meant: plain data from which the expressions follow: under its digest the database is known.
            expressions: makes them, if the database is not known.

        Raises:
            hyperscan.error: Hyperscan cannot compile one of them.
        """
        run = self._ready(meant, expressions)

        def scan(text: bytes) -> list[int]:
            found: list[int] = []
            run(text, match_event_handler=lambda number, *_: found.append(number))
            return found

        return scan

    def places(self, meant: object, expressions: Callable[[], Sequence[Expression]]) -> Places:
        """As `scan`, with the place at which each match ends."""
        run = self._ready(meant, expressions)

        def scan(text: bytes) -> list[tuple[int, int]]:
            found: list[tuple[int, int]] = []
            run(text, match_event_handler=lambda number, _, end, *__: found.append((number, end)))
            return found

        return scan

    def _ready(self, meant: object, expressions: Callable[[], Sequence[Expression]]) -> Run:
        name = hashlib.sha256(msgspec.msgpack.encode((VERSION, meant))).hexdigest()
        if name not in self._open:
            database = self._database(name, expressions)
            if database.scratch is None:
                database.scratch = hyperscan.Scratch(database)
            self._open[name] = database.scan
        return self._open[name]

    def _database(self, name: str, expressions: Callable[[], Sequence[Expression]]) -> hyperscan.Database:
        if name in self._kept:
            try:
                return hyperscan.loadb(self._kept[name], hyperscan.HS_MODE_BLOCK)
            except hyperscan.error:  # of another processor: made anew below
                pass
        database = _compiled(expressions())
        self.made[name] = hyperscan.dumpb(database)
        return database


def _compiled(expressions: Sequence[Expression]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[one.expression for one in expressions],
        ids=[one.id for one in expressions],
        flags=[one.flags for one in expressions],
    )
    return database
