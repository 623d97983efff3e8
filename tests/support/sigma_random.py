"""Random rules and events for hypothesis: few signs and few fields, so that they meet each other often.

The signs are those that go wrong: letters whose lower case is another length or another script's, marks that compose,
wildcards and their escapes, half surrogate pairs, control characters, and numbers that are also booleans or texts.
"""

from __future__ import annotations

import json
import random
import unicodedata
from typing import Any

import msgspec
import yaml
from derived import hit_event, near_misses
from hypothesis import strategies as st

from core.records import Event, Fields, FieldValue, Logsource
from core.sigma import RuleSet

NOW = 1_795_312_267_000_000_000  # 22/11/2026 08:51:07 in Vietnam
ATTEMPTS_AT_RANDOM = 10  # many random rules contradict themselves
FIELDS = ("a", "b", "EventID", "event.code", "Channel", "CommandLine")
NFD = unicodedata.normalize("NFD", "ặ")
SIGNS = (
    *"abABkKsSiI01.-/ '\"<đĐéặẶ", NFD, "\u0323", "\u0301", "İ", "ı", "ſ", "ß", "ẞ", "\N{KELVIN SIGN}", "\N{OHM SIGN}",
    "Σ", "ς", "σ", "\0", "\x0b", "\n", "\x85", "\u2028", "\N{CAT FACE}", "%",
)  # fmt: skip
WORDS = (
    "", "true", "False", "null", "1", "1.0", "01", "-1", "1e0", "+1", "10.0.0.1", "::1", "::ffff:10.0.0.1", "4688",
    "security", "2026-11-22T08:31:07+07:00", "2026-11-22 01:00:00Z", "YQ==", "a\0b\0", "-a", "/a", "– a",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 4688, 2**53 + 1, 2**63, 0.0, 1.0, 0.5, -0.0, 1e16, 1e300)
PATTERNS = (
    "a", "^a", "a$", "^$", "a.b", "a+b?", "[ab]{2}", "[^a]", "k", r"\d", r"\bk", r"\w+\s", "đ|s", "ặ", "\x00", "a*$",
    r"1\.0", "^true$", "(a|b)+1", "K", "ſ", "é.", r"\.", "(?i)ß",
)  # fmt: skip
NETWORKS = ("10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/32", "::/0", "::1/128", "::ffff:0:0/96")

texts = st.one_of(st.lists(st.sampled_from(SIGNS), max_size=4).map("".join), st.sampled_from(WORDS))
globs = st.lists(st.sampled_from((*SIGNS, *r"**??\\", r"\*", r"\?", r"\\*")), min_size=1, max_size=5).map("".join)
numbers = st.sampled_from(NUMBERS)
scalars = st.one_of(texts, globs, numbers, st.booleans(), st.none())

Kinds = tuple[st.SearchStrategy[tuple[str, Any]], ...]


def _one_or_more(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


def _with(modifiers: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.sampled_from(modifiers), values)


_worded = st.one_of(globs, texts.filter(bool))

PLAIN = (
    _with(("",), _one_or_more(scalars)),
    _with(
        ("|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|endswith|cased"), _one_or_more(_worded)
    ),
    _with(("|contains|all", "|contains|all|cased"), st.lists(_worded, min_size=2, max_size=3)),
    _with(("|re",), _one_or_more(st.sampled_from(PATTERNS))),
    _with(("|lt", "|lte", "|gt", "|gte"), numbers),
    _with(("|exists",), st.booleans()),
    _with(("|cidr",), _one_or_more(st.sampled_from(NETWORKS))),
    _with(("|neq",), _one_or_more(scalars.filter(lambda value: value is not None))),
)
"""What one who reads the specification can evaluate by hand."""

ENCODED = (
    _with(("|re|i", "|re|m", "|re|s", "|re|i|m|s"), st.sampled_from(PATTERNS)),
    _with(
        ("|windash", "|contains|windash", "|windash|contains|all"),
        st.lists(st.sampled_from(("-a", "/a", "a -b")), min_size=2),
    ),
    _with(
        ("|base64", "|base64offset|contains", "|wide|base64offset|contains"), st.sampled_from(("a", "ab", "đ", "k K"))
    ),
    _with(("|wide", "|utf16", "|utf16be", "|utf16|contains"), st.sampled_from(("a", "ab"))),
    _with(
        ("|minute", "|hour", "|day", "|week", "|month", "|year", "|hour|gte"),
        st.sampled_from((1, 8, 11, 22, 31, 47, 2026)),
    ),
    _with(("|fieldref", "|fieldref|startswith", "|fieldref|endswith", "|fieldref|contains"), st.sampled_from(FIELDS)),
)


def detections(kinds: Kinds, names: tuple[str, ...] = FIELDS) -> st.SearchStrategy[dict[str, Any]]:
    """A rule's ``detection`` of up to three selections and a condition over them."""
    items = st.tuples(st.sampled_from(names), st.one_of(*kinds)).map(lambda item: (item[0] + item[1][0], item[1][1]))
    maps = st.lists(items, min_size=1, max_size=3).map(dict)
    keywords = st.lists(st.one_of(_worded, st.integers(0, 2)), min_size=1, max_size=3)
    every = st.fixed_dictionaries({"|all": st.lists(_worded, min_size=2, max_size=3)})
    selections = st.one_of(maps, maps, maps, st.lists(maps, min_size=1, max_size=2), keywords, every)
    return st.lists(selections, min_size=1, max_size=3).flatmap(_with_condition)


def _with_condition(selections: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    named = {f"sel_{number}": selection for number, selection in enumerate(selections)}
    of = ("1 of sel_*", "all of sel_*", "1 of them", "all of them", "any of sel_0*")
    leaves = st.sampled_from((*named, *named, *of))
    conditions = st.recursive(leaves, _combined, max_leaves=4)
    return conditions.map(lambda condition: {**named, "condition": condition})


def _combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(parts, st.sampled_from(("and", "or", "and not")), parts)
    return st.one_of(pairs.map(lambda three: f"({' '.join(three)})"), parts.map(lambda part: f"not {part}"))


SOURCES = (
    {"product": "linux"}, {"product": "windows"}, {"product": "windows", "service": "security"},
    {"product": "windows", "category": "process_creation"}, {"category": "webserver"}, {"service": "security"},
)  # fmt: skip


def rule_text(detection: dict[str, Any], number: int, logsource: dict[str, str]) -> bytes:
    """The rule as YAML."""
    identity = f"00000000-0000-4000-8000-{number:012}"
    rule = {"title": f"Rule {number}", "id": identity, "logsource": logsource, "detection": detection}
    return yaml.safe_dump(rule).encode()


@st.composite
def rule_files(draw: st.DrawFn, kinds: Kinds = (*PLAIN, *ENCODED)) -> dict[str, bytes]:
    """Up to four files of one rule each."""
    made = draw(st.lists(st.tuples(detections(kinds), st.sampled_from(SOURCES)), min_size=1, max_size=4))
    return {f"{number}.yml": rule_text(detection, number, source) for number, (detection, source) in enumerate(made)}


_event_texts = st.one_of(
    texts,
    st.lists(st.sampled_from((*SIGNS, *"*?\\", "\ud800", "\udc00")), max_size=6).map("".join),
    texts.map(lambda text: text * 3000),
)
values = st.one_of(_event_texts, _event_texts, numbers, st.booleans(), st.none(), st.lists(_event_texts, max_size=3))


@st.composite
def events(draw: st.DrawFn, names: tuple[str, ...] = FIELDS, sources: tuple[dict[str, str], ...] = SOURCES) -> Event:
    """An event whose raw message is its fields as JSON, or a text, or bytes that are none."""
    carried: Fields = draw(st.dictionaries(st.sampled_from(names), values, max_size=4))
    source = Logsource(**draw(st.sampled_from(sources)))
    kind = draw(st.integers(0, 3))
    raw = draw(st.binary(max_size=6))
    if kind == 1:
        raw = draw(_event_texts).encode("utf-8", "surrogatepass")
    elif kind > 1:
        raw = json_bytes(carried, random.Random(draw(st.integers(0, 2**16))))  # noqa: S311 - hypothesis gives the seed
    return Event(id="random/0/0", time=NOW, seen=NOW, logsource=source, fields=carried, raw=raw)


def aimed(ruleset: RuleSet, seed: int, most: int = 12) -> list[Event]:
    """Events made to meet the rules, some of their near misses, and each in one more spelling of its raw message.

    What differs by its type only (0, 1, 1.0, True) stands side by side, for caches that take one for the other.
    """
    chance = random.Random(seed)  # noqa: S311 - hypothesis gives the seed
    made = []
    for hit in filter(None, (hit_event(rule, ATTEMPTS_AT_RANDOM) for rule in ruleset.rules)):
        near = list(near_misses(hit))
        start = chance.randint(0, max(0, len(near) - most))
        made += [hit, *near[start : start + most]]
    return [*made, *(respelled(event, chance) for event in made)]


def respelled(event: Event, chance: random.Random) -> Event:
    """The event with its text decomposed and, by chance, its raw message as JSON of any spelling."""
    carried: Fields = {name: _decomposed(value) for name, value in event.fields.items()}
    raw = unicodedata.normalize("NFD", event.raw.decode("utf-8", "replace")).encode()
    if event.raw.startswith(b"{"):
        raw = json_bytes(carried, chance)
    return msgspec.structs.replace(event, fields=carried, raw=raw)


def _decomposed(value: FieldValue) -> FieldValue:
    if isinstance(value, list):
        return [unicodedata.normalize("NFD", one) for one in value]
    return unicodedata.normalize("NFD", value) if isinstance(value, str) else value


def json_bytes(carried: Fields, chance: random.Random) -> bytes:
    """The fields as JSON, each sign plain or escaped by chance, with white space by chance."""
    parts = (
        f"{_text(key, chance)}{_gap(chance)}:{_gap(chance)}{_json(value, chance)}" for key, value in carried.items()
    )
    return f"{{{_gap(chance)}{f'{_gap(chance)},'.join(parts)}{_gap(chance)}}}".encode()


def _json(value: object, chance: random.Random) -> str:
    if isinstance(value, str):
        return _text(value, chance)
    if isinstance(value, list):
        return f"[{_gap(chance)}{','.join(_text(one, chance) for one in value)}]"
    return json.dumps(value)


def _gap(chance: random.Random) -> str:
    return chance.choice(("", "", " ", "\t", "\n "))


def _text(text: str, chance: random.Random) -> str:
    return '"' + "".join(_sign(sign, chance) for sign in text) + '"'


def _sign(sign: str, chance: random.Random) -> str:
    if sign == "/" and chance.random() < 0.5:
        return "\\/"
    escaped = json.dumps(sign)[1:-1]
    if "\ud800" <= sign <= "\udfff" or ord(sign) < 32 or sign in '"\\':
        return escaped
    if chance.random() < 0.8:
        return sign
    spelled = escaped if len(escaped) > 1 else f"\\u{ord(sign):04x}"
    return spelled.replace("\\u", "\\U").upper().replace("\\U", "\\u") if chance.random() < 0.5 else spelled
