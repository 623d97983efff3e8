"""JSON lines of flat events, judged from their bytes: only the keys that decide are read.

Each event code has a structure of the keys by which its rules are found; one pass over the line fills it, and it is
itself the key under which the answer is remembered. What this cannot judge for certain is read whole and judged as
any event is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from sys import getsizeof
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from core.logsources import source_of
from core.records import Event, Logsource
from detections.fast.engine import FastEngine, Keyed, decided_by
from detections.fast.fields import MISSING
from detections.fast.memory import Cache, distinct
from detections.fast.program import Program, Verdict
from detections.fast.readers import UNREADABLE, Read, Readers, decode_object
from detections.fast.screen import Screen
from detections.routes import deciding_keys
from detections.view import OWN_FIELDS

SOURCE: Final = Logsource(product="windows")
CODE: Final = "EventID"
CODE_FIELD: Final = "event.code"
"""Whose lines these are, the key that tells their structures apart, and its ECS name."""

_HEADER: Final = tuple(dict.fromkeys(key for key in chain.from_iterable(deciding_keys(SOURCE)) if key != CODE))
"""The keys that every structure has: they decide the route."""

_UNKNOWN: Final[Any] = object()
_SEVERAL: Final = frozenset((list, dict))

_LONGEST = 16 * 1024
"""Bytes of a line that is judged from its bytes; a longer one is read whole, with all bounds of the reader."""

_MOST_JUDGES = 4096
"""Kept at most; beyond, all are forgotten and made anew as they are needed."""


class Judge(NamedTuple):
    """How lines with the same header are judged.

    Attributes:
        program: of their route.
        places: for each of the program's keys the places in a structure where it may stand, the first that has it.
        screen: finds words besides those looked for in every line; None if there are none such.
    """

    program: Program
    places: tuple[tuple[int, ...], ...]
    screen: Screen | None


class Open(NamedTuple):
    """What the keys that were read leave open: other keys, or words besides those looked for in every line."""

    judge: Judge
    verdict: Verdict


Numbers: TypeAlias = tuple[int, ...]
"""Of the rules that are met."""

Answer: TypeAlias = Numbers | Open | None
"""None: to be read whole."""

Decode: TypeAlias = Callable[[bytes], Event | None]
"""Reads a line whole; None if it holds no event, which is for the reader to count."""


class LineMatcher:
    """Judges lines as `FastEngine` would judge the events in them.

    Args:
        engine: the rules.
        decode: reads a line whole.
    """

    def __init__(self, engine: FastEngine, decode: Decode) -> None:
        self._engine = engine
        self._decode = decode
        self._readers = Readers(CODE, _HEADER)
        self._judges: dict[tuple[Any, ...], Judge | None] = {}
        self._memo: Cache[Any, Answer] = engine.memory.add(Cache(engine.memory))
        words = engine.route(SOURCE, decided_by(SOURCE, {})).keywords
        self._words = frozenset(words.literals if words else ())
        self._screen = Screen(self._words)
        self._asks_of_events = not OWN_FIELDS.keys().isdisjoint(engine.matchers.fields)
        self._screens: dict[frozenset[str], Screen] = {}
        for code, program in engine.known_codes(SOURCE, CODE_FIELD):
            self._readers.learn(code, _keys(program))
        self._readers.make_common()

    def match_all(self, lines: Sequence[bytes]) -> list[Numbers | None]:
        """For each line the numbers of the rules that its event meets; None for a line without an event."""
        whole = self._screen.whole(lines)
        read, known = self._readers.read, self._memo.young
        answers: list[Numbers | None] = []
        for place, line in enumerate(lines):
            if place in whole or len(line) > _LONGEST:
                answers.append(self._whole(line))
                continue
            try:
                found = read(line)
                answer = known.get(found, _UNKNOWN)
            except UNREADABLE:
                answers.append(self._apart(line))
                read, known = self._readers.read, self._memo.young
                continue
            if answer is _UNKNOWN:
                answer = self._judged(found)
                read, known = self._readers.read, self._memo.young
            answers.append(answer if type(answer) is tuple else self._decided(line, answer))
        return answers

    def _apart(self, line: bytes) -> Numbers | None:
        """The answer for a line that the common reader cannot read."""
        try:
            read = self._reader_apart(line)
            if read is None:
                return self._whole(line)
            found = read(line)
            answer = self._memo.young.get(found, _UNKNOWN)
        except UNREADABLE:
            return self._whole(line)
        if answer is _UNKNOWN:
            answer = self._judged(found)
        return answer if type(answer) is tuple else self._decided(line, answer)

    def _reader_apart(self, line: bytes) -> Read | None:
        """The reader for the line's code alone, made if the code is new and there is room for it."""
        fields = decode_object(line)
        code = fields.get(CODE)
        if type(code) is not int:
            return None
        if self._readers.has_room(code):
            given = {key: fields[key] for key in (CODE, *_HEADER) if key in fields}
            if source_of(given) == SOURCE:
                self._readers.learn(code, _keys(self._engine.route(SOURCE, decided_by(SOURCE, given))))
                self._readers.renew(code)
        return self._readers.apart(code)

    def _judged(self, found: Any) -> Answer:
        """The answer for what was read of a line, remembered."""
        answer: Answer = self._memo.old.get(found, _UNKNOWN)
        values = msgspec.structs.astuple(found)
        if answer is _UNKNOWN:
            code = type(found).__struct_config__.tag
            judge = self._judge(code, (code, *values))
            if judge is not None and len(self._readers.keys_of(code)) > len(values):
                return None  # the line was read without keys that its program wants
            answer = _answer(judge, (code, *values))
        if all(map(distinct, values)):
            self._memo.put(found, answer, sum(map(getsizeof, values)))
        return answer

    def _judge(self, code: int, values: tuple[Any, ...]) -> Judge | None:
        """The judge for lines with this header; None if they must be read whole."""
        header = values[: len(_HEADER) + 1]
        if header in self._judges:
            return self._judges[header]
        given = dict(zip((CODE, *_HEADER), header, strict=True))
        given = {key: value for key, value in given.items() if value is not msgspec.UNSET}
        judge = self._made(code, given) if source_of(given) == SOURCE else None
        if all(map(distinct, header)):
            if len(self._judges) >= _MOST_JUDGES:
                self._judges.clear()
            self._judges[header] = judge
        return judge

    def _made(self, code: int, given: dict[str, Any]) -> Judge | None:
        program = self._engine.route(SOURCE, decided_by(SOURCE, given))
        words = frozenset(program.keywords.literals if program.keywords else ())
        if (program.keywords and not words) or (self._asks_of_events and program.asks_of_events):
            return None
        if self._readers.learn(code, _keys(program)):
            self._readers.renew(code)
        place = {key: place for place, key in enumerate((CODE, *self._readers.keys_of(code)))}
        places = tuple(tuple(place[key] for key in keys) for keys in program.keys)
        return Judge(program, places, self._screen_of(words - self._words))

    def _screen_of(self, words: frozenset[str]) -> Screen | None:
        """The screen of words that a few routes have more than all others."""
        if words and words not in self._screens:
            self._screens[words] = Screen(words)
        return self._screens.get(words)

    def _decided(self, line: bytes, answer: Open | None) -> Numbers | None:
        if answer is None or (answer.judge.screen is not None and answer.judge.screen.whole([line])):
            return self._whole(line)
        (program, _, _), (met, undecided) = answer
        if not undecided:
            return met
        fields = decode_object(line)
        if any(type(value) in _SEVERAL for value in fields.values()):
            event = self._decode(line)
            if event is None:
                return None
            fields = event.fields
        return met + program.decide(undecided, Keyed(fields, fields, line.strip()))

    def _whole(self, line: bytes) -> Numbers | None:
        event = self._decode(line)
        return None if event is None else self._engine.numbers(event)


def _keys(program: Program) -> list[str]:
    """The keys that lines of a program are read for."""
    return sorted({key for several in program.keys for key in several} - {CODE})


def _answer(judge: Judge | None, values: Sequence[Any]) -> Answer:
    if judge is None:
        return None
    if judge.program.idle:
        return judge.program.certain
    verdict = judge.program.verdict(tuple(_first(values, places) for places in judge.places))
    return Open(judge, verdict) if verdict.open or judge.screen else verdict.met


def _first(values: Sequence[Any], places: tuple[int, ...]) -> Any:
    """What stands at the first of the places that has anything."""
    for place in places:
        if values[place] is not msgspec.UNSET:
            return values[place]
    return MISSING
