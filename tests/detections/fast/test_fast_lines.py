"""A line judged from its bytes gets the answer of the event in it, however the line is written."""

from __future__ import annotations

import random

import msgspec
import pytest
from corpus import otrf_lines, sigmahq_ruleset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma_random import events, json_bytes, rule_files

from collectors.files.jsonl import decode_json
from core.errors import ContentError
from core.sigma import load_rules
from detections.fast.compiled import compile_rules
from detections.fast.engine import FastEngine
from detections.fast.lines import LineMatcher
from detections.fast.screen import LIKE_ASCII, Screen
from detections.values import nfc

SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = """
title: Rule {title}
id: 11111111-1111-4111-8111-11111111111{number}
logsource: {{product: windows}}
detection:
{detection}
    condition: s
"""
DETECTIONS = (
    "    s: {CommandLine|contains: whoami}",
    "    s: [mimikatz, 'sekurlsa::', 'C:\\x\\']",
    "    s: {a.b: c}",
    "    s: {x|exists: true}",
    "    s: {x: null, Channel: 'Microsoft-Windows-Sysmon/Operational'}",
    "    s: {x: 1}",
    "    s: {x: true}",
    "    s: {x|contains: 'đăng', CommandLine|startswith: c}",
    "    s: {'@timestamp|hour': 8}",
)
STRANGE = (
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"Channel":"S","EventID":1,"x":"\\ud800"}',
    b'{"Channel":"S","EventID":1,"x":NaN}',
    b'{"Channel":"S","EventID":"1","CommandLine":"whoami"}',
    b'{"Channel":"S","EventID":1.0,"CommandLine":"whoami"}',
    b'{"Channel":"S","EventID":true,"CommandLine":"whoami"}',
    b'{"Channel":"S","EventID":[1],"CommandLine":"whoami"}',
    b'{"Channel":"S","CommandLine":"whoami"}',
    b'{"EventID":1,"CommandLine":"whoami"}',
    b'{"EventID":1,"Channel":"S","CommandLine":"x","CommandLine":"whoami"}',
    b'{"EventID":1,"Channel":"S","process.command_line":"x","CommandLine":"whoami"}',
    b'{"EventID":1,"Channel":"S","Comm\\u0061ndLine":"wh\\u006fami"}',
    b'{"EventID":1,"Channel":"S","y":"mimi\\u006batz"}',
    b'{"EventID":1,"Channel":"S","y":"mimi\xe2\x84\xaaatz"}',
    b'{"EventID":1,"Channel":"S","y":"sekurlsa::logon"}',
    b'{"EventID":1,"Channel":"S","y":"[a]::b"}',
    b'{"EventID":1,"Channel":"S","y":"c:\\\\x\\\\y"}',
    b'{"EventID":1,"Channel":"S","y":"\\\\\\\\u0041"}',
    b'{"EventID":1,"Channel":"S","a":{"b":"c"}}',
    b'{"EventID":1,"Channel":"S","a" \t:\r {"b":"c"}}',
    b'{"EventID":1,"Channel":"S","a":[{"b":"c"},{"b":"d"}]}',
    b'{"EventID":1,"Channel":"S","a":[ [ {"b":"c"}]]}',
    b'{"EventID":1,"Channel":"S","a.b":"c"}',
    b'{"EventID":1,"Channel":"S","CommandLine":["x","whoami"]}',
    b'{"EventID":1,"Channel":"S","x":null}',
    b'{"EventID":1,"Channel":"S","x":[]}',
    b'{"EventID":1,"Channel":"S","x":1}',
    b'{"EventID":1,"Channel":"S","x":true}',
    b'{"EventID":1,"Channel":"S","x":1.0}',
    b'{"EventID":1,"Channel":"S","x":0}',
    b'{"EventID":1,"Channel":"S","x":false}',
    b'{"EventID":1,"Channel":"S","x":"1"}',
    b'{"EventID":1,"Channel":"S","x":123456789012345678901234567890}',
    '{"EventID":1,"Channel":"S","x":"Hải Đăng","CommandLine":"cmd"}'.encode(),
    b'{"EventID":1,"Channel":"S","@timestamp":"2026-11-22T01:31:07Z"}',
    b'{"EventID":1,"Channel":"S","UtcTime":"2026-11-22 01:31:07.123"}',
    b'{"logsource":{"product":"windows"},"fields":{"EventID":1,"Channel":"S","CommandLine":"whoami"}}',
    b'{"EventID":1,"Channel":"S","CommandLine":"' + b"x" * 20_000 + b' whoami"}',
    b'  {"EventID":1,"Channel":"S","CommandLine":"whoami"}  ',
)


def decode(line: bytes):
    try:
        return decode_json(line, "file/x/0")
    except ContentError:
        return None


def rules_of_windows():
    texts = (RULE.format(title=n, number=n, detection=text).encode() for n, text in enumerate(DETECTIONS))
    loaded = load_rules({f"{number}.yml": text for number, text in enumerate(texts)})
    assert loaded.refused == ()
    return compile_rules(loaded)


def expected(engine, lines):
    found = [decode(line) for line in lines]
    return [None if event is None else sorted(engine.numbers(event)) for event in found]


def judged(matcher, lines, together=64):
    parts = [lines[place : place + together] for place in range(0, len(lines), together)]
    answers = [answer for part in parts for answer in matcher.match_all(part)]
    return [None if answer is None else sorted(answer) for answer in answers]


@pytest.mark.parametrize("together", [1, 7, 64])
def test_strange_lines_get_the_answers_of_their_events_again_and_again(together) -> None:
    engine = FastEngine(rules_of_windows())
    sysmon = [line.replace(b'"S"', f'"{SYSMON}"'.encode()) for line in STRANGE]
    lines = [*STRANGE, *sysmon] * 3
    random.Random(together).shuffle(lines)  # noqa: S311 - the same order each time
    wanted = expected(FastEngine(rules_of_windows()), lines)
    assert sum(bool(one) for one in wanted) > len(lines) / 3
    matcher = LineMatcher(engine, decode)
    for _ in range(3):
        wrong = [
            one for one, got, want in zip(lines, judged(matcher, lines, together), wanted, strict=True) if got != want
        ]
        assert wrong == []


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=rule_files(), examined=st.lists(events(), min_size=1, max_size=6), seed=st.integers(0, 2**16))
def test_random_events_written_in_any_way_get_the_same_answers(files, examined, seed) -> None:
    chance = random.Random(seed)  # noqa: S311 - hypothesis gives the seed
    rules = compile_rules(load_rules(files))
    engine = FastEngine(rules)
    carried = [
        {"Channel": chance.choice([SYSMON, "Security"]), "EventID": chance.choice([1, 4688, 7])} for _ in examined
    ]
    lines = [json_bytes(event.fields | own, chance) for event, own in zip(examined, carried, strict=True)]
    lines += [json_bytes(own | event.fields, chance) for event, own in zip(examined, carried, strict=True)]
    matcher = LineMatcher(engine, decode)
    wanted = expected(FastEngine(rules), lines)
    for _ in range(6):
        assert judged(matcher, lines) == wanted


def test_real_lines_get_the_answers_of_their_events() -> None:
    rules = compile_rules(sigmahq_ruleset())
    lines = otrf_lines()
    matcher = LineMatcher(FastEngine(rules), decode)
    wanted = expected(FastEngine(rules), lines)
    assert judged(matcher, lines) == wanted
    assert judged(matcher, lines) == wanted


def test_an_answer_is_the_same_however_little_is_remembered() -> None:
    lines = [*STRANGE] * 4
    little, much = (LineMatcher(FastEngine(rules_of_windows(), memory=size), decode) for size in (1, 1 << 26))
    assert judged(little, lines) == judged(much, lines)


def test_only_four_signs_become_ascii_when_they_are_folded() -> None:
    signs = (chr(code) for code in range(128, 0x110000) if not 0xD800 <= code < 0xE000)
    assert tuple(sign for sign in signs if any(letter.isascii() for letter in nfc(sign).lower())) == LIKE_ASCII


def test_a_pair_of_signs_that_many_words_share_flags_only_lines_with_such_a_word() -> None:
    screen = Screen(["sekurlsa::", "token::", "kiwi"])
    lines = [b'"a::b"', b'"SEKURLSA::x"', b'"plain"', b'"Kiwi"', b'"token:: "']
    assert screen.whole(lines) == {1, 3, 4}
    assert [bool(screen.whole([line])) for line in lines] == [False, True, False, True, True]


def test_events_as_msgspec_reads_them_are_what_the_reader_gives() -> None:
    line = b'{"Channel":"S","EventID":1,"x":"y"}'
    assert decode(line).fields == msgspec.json.decode(line)
