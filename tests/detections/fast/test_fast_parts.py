"""The parts of the engine: scanners, networks, memory, and what is kept of a compilation."""

from __future__ import annotations

import ipaddress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import detections
from core.errors import ContentError
from core.records import Event, Logsource
from core.regex import compile_regex
from core.rule_text import read_rule_files
from core.sigma import load_rules
from detections.fast import kept
from detections.fast.atoms import ANY, ONE, Atom, Kind
from detections.fast.compiled import compile_rules
from detections.fast.engine import FastEngine
from detections.fast.fields import MISSING, Field
from detections.fast.memory import Cache, Memory
from detections.fast.networks import Networks
from detections.fast.required import required_text
from detections.fast.scanners import regex_scanner, text_scanner
from detections.values import wildcards

SIGNS = "abAđ\u0302e\u0130\u212a\n\0*."
TEXT = st.text(SIGNS, max_size=8)
PATTERN = st.lists(
    st.one_of(st.text(SIGNS, min_size=1, max_size=3), st.just(ANY), st.just(ONE)), min_size=1, max_size=5
)
EXPRESSIONS = ("a+b", "^a", "b$", r"\s", r"\S\w", r"\bA", "(?i)k", "đ.", r"[^\s]\s$", "a{2,3}", "(a|b)*\\n", "")
RULES = Path(detections.__file__).parent / "rules" / "identity"


def usable(pattern) -> bool:
    texts = [isinstance(part, str) for part in pattern]
    return pattern != [ANY] and any(part != ANY for part in pattern) and not any(map(all, pairwise(texts)))


@settings(max_examples=300)
@given(st.lists(PATTERN.filter(usable).map(tuple), min_size=1, max_size=6), TEXT)
@example([("a" * 1500, ANY), (ANY, "b" * 3000, ANY)], "a" * 1500 + "b" * 3000)
@example([(ONE,) * 150, (ANY, *((ONE,) * 120), "a")], "a" * 150)
def test_a_scanner_finds_what_trying_each_pattern_finds(patterns, text) -> None:
    numbered = list(enumerate(patterns))
    wanted = [number for number, one in numbered if wildcards(one, ANY).fullmatch(text)]
    assert sorted(text_scanner(numbered)(text)) == wanted


def test_a_word_over_the_edge_of_a_window_is_found() -> None:
    scan = text_scanner([(1, (ANY, "needle", ANY)), (2, (ANY, "thread"))])
    for place in range(65_525, 65_545):
        assert scan("x" * place + "needle" + "y" * 70_000 + "thread") == [1, 2]


@settings(max_examples=300)
@given(st.text("aAbđkK\u212a\u017f\u0130 \n\t\x0b", max_size=8))
def test_an_expression_is_met_where_re2_alone_meets_it(text) -> None:
    numbered = [(n, one, flags) for n, (one, flags) in enumerate((e, f) for e in EXPRESSIONS for f in ("", "i", "ms"))]
    wanted = [number for number, one, flags in numbered if compile_regex(one, flags)(text)]
    assert sorted(regex_scanner(numbered)(text)) == wanted


PIECES = ("abc", "ab", "x", "ABC", "k", "s", ".", "a*", "b?", "c+", "ab{0,2}", "(abc)?", "(?i)", "[abc]", "[]x]")
PIECES += ("[^]]", r"\.", r"\\", r"\d", r"\x61", r"\Qab|c\E", "|", "^", "$", "(a|(b[)]))", "[[:alpha:]]", "{", "}", "đ")
LETTERS = st.text("abcxkKsS\u017f.\\1|{]đ", max_size=10)


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), st.sampled_from(["", "i", "ms"]), LETTERS)
def test_no_expression_is_left_out_for_a_text_it_does_not_need(pattern, flags, text) -> None:
    try:
        test = compile_regex(pattern, flags)
    except ContentError:
        return
    assert regex_scanner([(7, pattern, flags)])(text) == [7] * test(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"net\s+use\s+https://docs", "https://docs"),
        (r"(?i)PowerShell.*-enc", "powershell"),
        (r"\\AppData\\[^\\]{1,256}$", "\\appdata\\"),
        ("colou?rful", "colo"),
        ("abc|def", ""),
        (r"\x61bcd", ""),
        ("a{3}bc", ""),
        ("(abc)+", ""),
    ],
)
def test_the_text_that_an_expression_cannot_do_without_is_read_off_it(pattern, text) -> None:
    assert required_text(pattern) == text


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 128)), max_size=8), ADDRESSES)
def test_networks_by_length_hold_what_each_network_holds(given_networks, address) -> None:
    networks = [
        ipaddress.ip_network((one, min(length, one.max_prefixlen)), strict=False) for one, length in given_networks
    ]
    found = Networks((number, str(one)) for number, one in enumerate(networks))
    inner = getattr(address, "ipv4_mapped", None)
    wanted = [n for n, one in enumerate(networks) if address in one or (inner is not None and inner in one)]
    assert sorted(found.holding(str(address))) == wanted


@given(st.permutations([0, 1, False, True, 0.0, 1.0, "0", "1", "true", None, MISSING, [], ["1"], 2, 2.0]))
def test_values_that_are_equal_keys_never_share_an_answer(values) -> None:
    atoms = [(0, Atom("x", Kind.NUMBER, ("1",), 1)), (1, Atom("x", Kind.TEXT, ("true",))), (2, Atom("x", Kind.NULL))]
    atoms += [(3, Atom("x", Kind.TEXT, ("1",))), (4, Atom("x", Kind.EXISTS)), (5, Atom("x", Kind.NUMBER, ("0",), 0))]
    field = Field(atoms, Memory(1 << 20))
    for value in [*values, *values]:
        fresh = Field(atoms, Memory(1))
        assert field.holding(value) == fresh.holding(value)
        assert (1 in field.holding(value)) == (value is True or value == "true")


def test_memory_is_kept_within_its_budget_and_large_keys_are_not_kept() -> None:
    memory = Memory(1 << 20)
    caches = [memory.add(Cache(memory)) for _ in range(3)]
    for number in range(200_000):
        caches[number % 3].put(f"key {number}", (), 60)
        assert number % 10_000 or sum(len(one.young) + len(one.old) for one in caches) < (1 << 20) / 200
    assert memory.turns > 10
    caches[0].put("x", (), 1 << 20)
    assert "x" not in caches[0].young


@pytest.fixture
def documents():
    return read_rule_files([RULES])


def events():
    sources = [Logsource(product="linux", service="sshd"), Logsource(product="windows")]
    fields = {"event.action": "ssh_login", "event.outcome": "failure", "user.name": "root"}
    return [Event(id="e", time=0, seen=0, logsource=one, fields=fields, raw=b"") for one in sources]


def test_what_was_kept_gives_the_same_answers_and_loads_no_rule(documents, tmp_path, monkeypatch) -> None:
    first = kept.engine_of(documents, tmp_path)
    monkeypatch.setattr(kept, "load_rules", None)
    second = kept.engine_of(documents, tmp_path)
    assert second.infos == first.infos
    assert [second.match(one) for one in events()] == [first.match(one) for one in events()]
    assert first.match(events()[0])


@pytest.mark.parametrize("harm", [lambda kept: kept[:-1], lambda _: b"", lambda kept: b"x" * len(kept),
                                  lambda kept: kept[:100] + bytes([kept[100] ^ 1]) + kept[101:]])  # fmt: skip
def test_a_harmed_file_is_made_anew(documents, tmp_path, harm) -> None:
    kept.engine_of(documents, tmp_path)
    (path,) = tmp_path.glob("*.rules")
    whole = path.read_bytes()
    path.write_bytes(harm(whole))
    assert kept.load(tmp_path, kept.fingerprint(documents)) is None
    assert kept.engine_of(documents, tmp_path).match(events()[0])
    assert kept.load(tmp_path, kept.fingerprint(documents)) is not None


def test_a_folder_that_cannot_be_written_is_no_error(documents, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert kept.engine_of(documents, tmp_path / "file" / "below").match(events()[0])


def test_another_byte_or_name_is_another_compilation_and_few_are_kept(documents, tmp_path) -> None:
    names = {kept.fingerprint(documents)}
    for number in range(6):
        changed = documents | {f"x{number}.yml": b"title: x"}
        names.add(kept.fingerprint(changed))
        kept.engine_of(changed, tmp_path)
    assert len(names) == 7
    assert len(list(tmp_path.glob("*.rules"))) == 4


def test_ten_thousand_event_ids_and_unknown_sources_make_few_programs(documents) -> None:
    engine = FastEngine(compile_rules(load_rules(documents)))
    before = len(engine._programs)
    for number in range(10_000):
        source = Logsource(product="windows", service=f"s{number % 50}", category=f"c{number % 7}")
        fields = {"EventID": number, "Channel": f"channel {number % 100}", "Provider_Name": f"p{number}"}
        engine.match(Event(id="e", time=0, seen=0, logsource=source, fields=fields, raw=b""))
    assert len(engine._programs) < before + 20
    assert len(engine._routes) <= 20_000
