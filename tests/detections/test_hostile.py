"""What senders and rule writers could do to an engine: it answers rightly, keeps its bounds, and spares the others."""

from __future__ import annotations

import shutil

import pytest
from corpus import ENGINES, regression_cases, sigmahq_ruleset
from derived import hit_event

from collectors.files.evtx import read
from collectors.files.found import Bad
from core.errors import UnavailableError
from core.records import Event, Logsource
from core.sigma import RuleSet, load_rules
from detections.fast.compiled import compile_rules
from detections.fast.engine import FastEngine

OTHER = "22222222-2222-4222-8222-222222222222"
SMALL = 1 << 20  # bytes for remembered answers
MEGABYTE = 1 << 20
BOMBS = (r"(a+)+$", r"(a|a)*b", r"(a|aa)+c", r"(.*a){20}z", r"^(([a-z])+.)+[A-Z]([a-z])+$", "a?" * 60 + "b" * 60)


def selecting(selection):
    return {"selection": selection, "condition": "selection"}


@pytest.fixture(params=ENGINES)
def engine(request):
    """Makes an engine of these rule texts."""
    return lambda *texts: ENGINES[request.param](load_rules({f"{n}.yml": text for n, text in enumerate(texts)}))


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:20])
def test_an_expression_that_would_try_everything_takes_its_turn(bomb, engine, rule, event):
    made = engine(rule(detection=selecting({"a|re": bomb})), rule(id=OTHER, detection=selecting({"b": "x"})))
    found = made.match(event({"a": "a" * 20_000 + "!", "b": "x"}))
    assert [info.id for info in found] == [OTHER]


@pytest.mark.parametrize(
    "bomb", ["((a{100}){100}){100}", "(?:" * 900 + ")" * 900, "a{1001}", r"(a)\1", "x(?=y)", "x" * 2001]
)
def test_an_expression_beyond_bounds_is_refused_and_its_neighbour_loads(bomb, rule):
    loaded = load_rules({"a.yml": rule(detection=selecting({"a|re": bomb})), "b.yml": rule(id=OTHER)})
    assert [refused.file for refused in loaded.refused] == ["a.yml"]
    assert [one.info.id for one in loaded.rules] == [OTHER]


def test_many_stars_on_a_long_value(engine, rule, event):
    made = engine(rule(detection=selecting({"a": "*a" * 60 + "*b"})), rule(id=OTHER, detection=selecting({"b": "x"})))
    assert [info.id for info in made.match(event({"a": "a" * 200_000, "b": "x"}))] == [OTHER]


@pytest.mark.parametrize("filler", ["a", "đ", "\0", "İ", "\ud800"], ids=ascii)
def test_a_field_of_a_megabyte_is_searched_to_its_end(filler, engine, rule, event):
    made = engine(
        rule(detection=selecting({"a|contains": "thất bại"})),
        rule(id=OTHER, detection=selecting({"a|endswith": "không"})),
    )
    for _ in range(2):  # the second time from what was remembered, if anything was
        found = made.match(event({"a": filler * MEGABYTE + "THẤT BẠI"}))
        assert [info.id for info in found] == ["11111111-1111-4111-8111-111111111111"]


@pytest.mark.parametrize("filler", ["a", "đ"])
def test_a_raw_message_of_a_megabyte_is_searched_to_its_end(filler, engine, rule, event):
    made = engine(rule(detection=selecting(["thất bại"])))
    assert made.match(event({}, f"{filler * MEGABYTE} thất bại".encode()))
    assert not made.match(event({}, f"{filler * MEGABYTE} thất bạ".encode()))


def test_a_list_of_a_hundred_thousand_values(engine, rule, event):
    made = engine(
        rule(detection=selecting({"a": "99999"})), rule(id=OTHER, detection=selecting({"a|all": ["1*", "x"]}))
    )
    found = made.match(event({"a": list(map(str, range(100_000)))}))
    assert [info.id for info in found] == ["11111111-1111-4111-8111-111111111111"]


def test_a_thousand_fields(engine, rule, event):
    made = engine(rule(detection=selecting({"f999": "x"})), rule(id=OTHER, detection=selecting(["needle"])))
    fields = {f"f{number}": "x" for number in range(10_000)}
    assert [info.id for info in made.match(event(fields))] == ["11111111-1111-4111-8111-111111111111"]
    assert len(made.match(event({**fields, "f77": "a needle"}))) == 2


def test_a_raw_message_of_deep_json_is_not_walked(engine, rule, event):
    made = engine(rule(detection=selecting(["needle"])), rule(id=OTHER, detection=selecting({"a": "b"})))
    raw = b'{"a":' * 100_000 + b'"needle"' + b"}" * 100_000
    assert [info.id for info in made.match(event({"a": "b"}, raw))] == [OTHER]


@pytest.fixture
def small():
    """Makes a fast engine that may remember little."""
    return lambda texts: FastEngine(compile_rules(load_rules(texts)), memory=SMALL)


def test_ten_thousand_event_ids_are_answered_and_forgotten(small, rule, event):
    windows = {"product": "windows", "service": "security"}
    first = rule(logsource=windows, detection=selecting({"EventID": 4625, "a": "x"}))
    second = rule(id=OTHER, logsource={"product": "windows"}, detection=selecting({"a": "x"}))
    made = small({"1.yml": first, "2.yml": second})
    programs = len(made._programs)
    source = Logsource(product="windows")
    for number in range(10_000):
        fields = {"Channel": "Security", "EventID": number, "a": "x"}
        assert len(made.match(event(fields, logsource=source))) == (2 if number == 4625 else 1)
    assert len(made._programs) <= programs + 2  # all numbers but one mean the same to every rule


def test_a_flood_of_sources_is_answered_and_forgotten(small, rule, event):
    made = small({"1.yml": rule(logsource={"product": "windows"}, detection=selecting({"a": "x"}))})
    programs = len(made._programs)
    for number in range(30_000):
        source = Logsource(product="windows", service=f"s{number}")
        assert made.match(event({"a": "x", "Channel": f"c{number}"}, logsource=source))
    assert len(made._routes) <= 20_000
    assert len(made._programs) <= programs + 2


def test_values_that_never_return_stay_within_the_budget(small, rule, event):
    made = small({"1.yml": rule(detection=selecting({"a|contains": "needle", "b": "x"}))})
    for number in range(20_000):
        found = made.match(event({"a": f"{number} {'needle' if number % 1000 == 0 else 'hay'}", "b": "x"}))
        assert bool(found) == (number % 1000 == 0)
    assert made.memory.turns > 0
    assert sum(len(cache.young) + len(cache.old) for cache in made.memory._caches) * 250 <= SMALL


@pytest.mark.parametrize("broken", [b"", b"ElfFile\0", b"ElfFile\0" + b"\xff" * 8192, b"x" * 5000])
def test_a_file_that_is_no_evtx_is_told_and_gives_no_event(broken, tmp_path):
    path = tmp_path / "x.evtx"
    path.write_bytes(broken)
    found = []
    try:
        found.extend(read(path))
    except UnavailableError as error:
        assert str(path) in str(error)  # noqa: PT017 - either is an honest answer
    assert not [one for one in found if isinstance(one, Event)]


@pytest.mark.parametrize("place", range(4096, 40_000, 3001))
def test_a_damaged_evtx_ends_and_its_neighbour_is_read(place, tmp_path):
    case = next(case for case in regression_cases() if case.hits == 1)
    whole = [one for one in read(case.file) if isinstance(one, Event)]
    path = tmp_path / "damaged.evtx"
    shutil.copyfile(case.file, path)
    content = bytearray(path.read_bytes())
    content[place : place + 64] = b"\xff" * 64
    path.write_bytes(content)
    try:
        found = list(read(path))
    except UnavailableError:
        found = []
    assert all(isinstance(one, Event | Bad) for one in found)
    assert [one.fields for one in read(case.file) if isinstance(one, Event)] == [one.fields for one in whole]


def test_an_event_made_of_hundreds_of_attacks_is_met_by_all_engines_alike():
    source = Logsource(product="windows", category="process_creation")
    rules = tuple(rule for rule in sigmahq_ruleset().rules if rule.info.logsource == source)[:400]
    fields: dict[str, list[str]] = {}
    for hit in map(hit_event, rules):
        for name, value in hit.fields.items():
            fields.setdefault(name, []).extend(map(str, value if isinstance(value, list) else [value]))
    attack = Event(id="x/0/0", time=0, seen=0, logsource=source, fields=fields, raw=b"{}")
    plain, *fast = ({info.id for info in make(RuleSet(rules=rules)).match(attack)} for make in ENGINES.values())
    assert len(plain) > 100
    assert fast == [plain] * (len(ENGINES) - 1)
