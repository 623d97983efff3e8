"""JSON lines of flat events, judged from their bytes: only the keys that decide are read.

Each event code has a structure of the keys by which its rules are found; one pass over the line fills it, and it is
itself the key under which the answer is remembered. What this cannot judge for certain is read whole and judged as
any event is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from sys import getsizeof
from typing import Any, Final, NamedTuple, TypeAlias, Union

import msgspec

from core.logsources import source_of
from core.records import Event, Logsource
from detections.fast.engine import FastEngine, Keyed, decided_by, first_of
from detections.fast.memory import Cache, distinct
from detections.fast.program import Program, Verdict
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

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode

_LONGEST = 16 * 1024
"""Bytes of a line that is judged from its bytes; a longer one is read whole, with all bounds of the reader."""

_CODES = range(1 << 32)
_MOST_CODES = 512
_OFTEN = 4
"""How often a code comes before it gets a structure, and how many may have one."""


class Open(NamedTuple):
    """What the keys that were read leave open: other keys, or words besides those looked for in every line.

    Without ``screen`` there are none such.
    """

    program: Program
    verdict: Verdict
    screen: Screen | None


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
        self._seen: dict[int, int] = {}
        self._keys: dict[int, dict[str, None]] = {}
        self._memo: Cache[Any, Answer] = engine.memory.add(Cache(engine.memory))
        words = engine.route(SOURCE, decided_by(SOURCE, {})).keywords
        self._words = frozenset(words.literals if words else ())
        self._screen = Screen(self._words)
        self._asks_of_events = not OWN_FIELDS.keys().isdisjoint(engine.matchers.fields)
        self._screens: dict[frozenset[str], Screen] = {}
        for code, program in engine.known_codes(SOURCE, CODE_FIELD):
            self._learn(code, program)
        self._prepare()

    def match_all(self, lines: Sequence[bytes]) -> list[Numbers | None]:
        """For each line the numbers of the rules that its event meets; None for a line without an event."""
        whole = self._screen.whole(lines)
        read, known = self._read, self._memo.young
        answers: list[Numbers | None] = []
        for place, line in enumerate(lines):
            if place in whole or len(line) > _LONGEST:
                answers.append(self._whole(line))
                continue
            try:
                found = read(line)
                answer = known.get(found, _UNKNOWN)
            except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
                answers.append(self._whole(line))  # a code without a structure, a list, or no JSON
                continue
            if answer is _UNKNOWN:
                answer = self._judge(found)
                read, known = self._read, self._memo.young
            answers.append(answer if type(answer) is tuple else self._decided(line, answer))
        return answers

    def _judge(self, found: Any) -> Answer:
        """The answer for what was read of a line, remembered."""
        answer: Answer = self._memo.old.get(found, _UNKNOWN)
        values = msgspec.structs.astuple(found)
        if answer is _UNKNOWN:
            made = self._read
            answer = self._answer(type(found).__struct_config__.tag, values)
            if made is not self._read:
                return answer  # of a structure that is no longer in use
        if all(map(distinct, values)):
            self._memo.put(found, answer, sum(map(getsizeof, values)))
        return answer

    def _answer(self, code: int, values: Sequence[Any]) -> Answer:
        read = zip(self._keys[code], values, strict=False)  # keys that another line has just added were not read
        given = {CODE: code} | {key: value for key, value in read if value is not msgspec.UNSET}
        if source_of(given) != SOURCE:
            return None
        program = self._engine.route(SOURCE, decided_by(SOURCE, given))
        if program.idle:
            return program.certain
        if self._learn(code, program):
            self._prepare()
            return None  # this line was read without the keys of its program
        words = frozenset(program.keywords.literals if program.keywords else ())
        if (program.keywords and not words) or (self._asks_of_events and program.asks_of_events):
            return None
        verdict = program.verdict(tuple(first_of(given, keys) for keys in program.keys))
        screen = self._screen_of(words - self._words) if words - self._words else None
        return Open(program, verdict, screen) if verdict.open or screen else verdict.met

    def _screen_of(self, words: frozenset[str]) -> Screen:
        """The screen of words that a few routes have more than all others."""
        if words not in self._screens:
            self._screens[words] = Screen(words)
        return self._screens[words]

    def _decided(self, line: bytes, answer: Open | None) -> Numbers | None:
        if answer is None or (answer.screen is not None and answer.screen.whole([line])):
            return self._whole(line)
        program, (met, undecided), _ = answer
        if not undecided:
            return met
        fields = _decode_object(line)
        if any(type(value) in _SEVERAL for value in fields.values()):
            return self._whole(line)
        return met + program.decide(undecided, Keyed(fields, fields, line.strip()))

    def _learn(self, code: int, program: Program) -> bool:
        """Takes up the keys of a program; whether there was any new."""
        keys = self._keys.setdefault(code, dict.fromkeys(_HEADER))
        asked = {key for several in program.keys for key in several} - {CODE}
        if asked <= keys.keys():
            return False
        keys.update(dict.fromkeys(sorted(asked)))
        return True

    def _prepare(self) -> None:
        """Makes the reader anew."""
        structures = [_structure(code, tuple(keys)) for code, keys in self._keys.items()]
        self._read: Callable[[bytes], Any] = _nothing_known
        if structures:
            self._read = msgspec.json.Decoder(Union[tuple(structures)]).decode  # noqa: UP007 - made of a list

    def _whole(self, line: bytes) -> Numbers | None:
        event = self._decode(line)
        if event is None:
            return None
        self._notice(event.fields.get(CODE))
        return self._engine.numbers(event)

    def _notice(self, code: object) -> None:
        """A code that comes often gets a structure."""
        if type(code) is not int or code not in _CODES or code in self._keys or len(self._seen) >= _MOST_CODES:
            return
        self._seen[code] = self._seen.get(code, 0) + 1
        if self._seen[code] == _OFTEN:
            self._keys[code] = dict.fromkeys(_HEADER)
            self._prepare()


@cache
def _structure(code: int, keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """A structure of these keys for lines with this code; what a line does not have is UNSET."""
    names = [f"f{number}" for number in range(len(keys))]
    return msgspec.defstruct(
        f"Code{code}",
        [(name, Any, msgspec.UNSET) for name in names],
        rename=dict(zip(names, keys, strict=True)),
        tag=code,
        tag_field=CODE,
        frozen=True,
        gc=False,
    )


def _nothing_known(_: bytes) -> Any:
    raise msgspec.DecodeError("no code has a structure yet")
