"""What was judged as it came is found again in what was stored, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import detections
from app import cli, hunting
from app.hunting import sightings
from collectors.logs.spooling import decode_event, encode_record
from core.clock import HOUR, MINUTE, HeldClock, iso
from core.errors import ContentError, UnavailableError
from core.rule_text import read_rule_files
from core.scope import EVERYTHING, Scope
from core.sigma import load_rules
from core.stores.events import EventWriter, LocalEvents
from core.stores.spool import Spool, segments
from detections.detect import detect
from detections.engine import ClosureEngine
from detections.examples import read_examples
from detections.fast.kept import engine_of

RULES = Path(detections.__file__).parent / "rules"
START = 495_000 * HOUR
STRANGE = {
    "event.code": 4688.0,
    "user.name": "quản trị",
    "process.args": ["a", "Việt"],
    "event.outcome": None,
    "source.port": 22,
    "x": True,
}


@pytest.fixture(scope="module")
def documents():
    return read_rule_files([RULES])


@pytest.fixture(scope="module")
def events():
    """An event for each example of our rules, with strange values besides, one a second."""
    found = [one for path in sorted(RULES.rglob("*.events.jsonl")) for one in read_examples(path)]
    return [
        msgspec.structs.replace(
            one.event(), id=f"logs/1/{n}", time=START + n * 10**9, site=f"s{n % 3}", fields={**STRANGE, **one.fields}
        )
        for n, one in enumerate(found)
    ]


@pytest.fixture
def store(tmp_path, events):
    """The events in all three places: an hour's partition, minute files and the spool."""
    folder = tmp_path / "lanes" / "logs"
    clock = HeldClock(START)
    writer = EventWriter(folder / "events", decode_event)
    spool = Spool(folder / "spool", clock, floor=0)
    third = len(events) // 3
    for number in range(3):
        clock.forward(HOUR if number == 1 else MINUTE)
        spool.open(b"")
        spool.append([encode_record(event, "") for event in events[number * third : (number + 1) * third]])
        spool.close()
        if number < 2:
            writer.convert(segments(folder / "spool"))
        if number == 0:
            writer.compact(clock.now() // HOUR + 1)
    return LocalEvents(folder / "spool", folder / "events", decode_event)


def found(engine, store, scope=EVERYTHING, since=0, until=1 << 62):
    batches = store.batches(scope, since, until)
    return sorted((one.rule, one.event) for _, several in sightings(engine, batches) for one in several)


def live(engine, events):
    return sorted((alert.rule, alert.evidence[0].event) for event in events for alert in detect(engine, event))


def test_a_hunt_finds_exactly_what_was_met_live(documents, events, store) -> None:
    engine = engine_of(documents)
    stored = events[: len(events) // 3 * 3]
    met = live(engine, stored)
    assert len({rule for rule, _ in met}) > 90
    assert found(engine, store) == met == live(ClosureEngine(load_rules(documents)), stored)


def test_a_hunt_keeps_to_its_span_and_scope(documents, events, store) -> None:
    engine = engine_of(documents)
    some = [one for one in events[10:50] if one.site == "s1"]
    scope = Scope(sites=frozenset({"s1"}))
    assert found(engine, store, scope, since=events[10].time, until=events[50].time) == live(engine, some)


def test_files_that_are_merged_during_a_hunt_are_read_to_the_end(documents, store, tmp_path) -> None:
    engine = engine_of(documents)
    expected = found(engine, store)
    batches = store.batches(EVERYTHING, 0, 1 << 62)
    first = next(batches)
    folder = tmp_path / "lanes" / "logs"
    writer = EventWriter(folder / "events", decode_event)
    for _ in range(3):
        writer.convert(segments(folder / "spool"))
        writer.compact(1 << 40)
    rest = [first, *batches]
    assert sorted((one.rule, one.event) for _, several in sightings(engine, rest) for one in several) == expected


@pytest.fixture
def run(tmp_path, store, monkeypatch):
    """Runs the command in a pipe over the store."""
    assert store.count(0, 1 << 62)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = tmp_path / "haidang.toml"
    settings.write_text(f'format = 1\ndata = "{tmp_path}"\nrules = ["{RULES}"]\n')

    def running(*words: str):
        return CliRunner().invoke(cli.build("hunt"), ["hunt", "--settings", str(settings), *words])

    return running


def test_the_command_prints_a_line_a_hit_with_the_rules_in_use_or_those_named(run, documents, events, store) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted((one["rule"], one["event"]) for one in lines) == found(engine_of(documents), store)
    assert {"time", "title", "site", "device"} <= lines[0].keys()
    times = [one["time"] for one in lines]
    assert times == sorted(times)
    assert all(re.fullmatch(r"2026-06-\d\dT\d\d:\d\d:\d\d\.\d{6}\+07:00", time) for time in times)
    named = run("--rules", str(RULES / "identity"), "--since", iso(events[0].time), "--until", iso(events[-1].time))
    assert 0 < len(named.stdout.splitlines()) < len(lines)
    assert "sự kiện" in named.stderr


def test_hits_come_in_order_of_time_across_files_and_within_them(tmp_path, documents, events) -> None:
    folder = tmp_path / "lanes" / "logs"
    clock = HeldClock(START)
    writer, spool = EventWriter(folder / "events", decode_event), Spool(folder / "spool", clock, floor=0)
    for number in range(4):  # each file holds every fourth event, so all files are of the same span
        clock.forward(HOUR)
        spool.open(b"")
        spool.append([encode_record(event, "") for event in reversed(events[number::4])])
        spool.close()
        if number < 3:
            writer.convert(segments(folder / "spool"))
    store = LocalEvents(folder / "spool", folder / "events", decode_event)
    engine = engine_of(documents)
    told = [one for _, some in sightings(engine, store.batches(EVERYTHING, 0, 1 << 62)) for one in some]
    assert [one.time for one in told] == sorted(one.time for one in told)
    assert sorted((one.rule, one.event) for one in told) == live(engine, events)


def test_more_hits_than_may_wait_are_told_all_the_same(documents, store, monkeypatch) -> None:
    engine = engine_of(documents)
    whole = found(engine, store)
    monkeypatch.setattr(hunting, "MOST_WAITING", 4)
    assert found(engine, store) == whole


@pytest.mark.parametrize("words", [("--since", "0001-01-01"), ("--until", "9999-12-31")])
def test_a_time_that_is_too_far_off_is_told(run, words) -> None:
    done = run(*words)
    assert (done.exit_code, type(done.exception)) == (1, ContentError)
    assert "is too far off" in str(done.exception)


def test_a_hunt_without_a_usable_rule_names_each_file_and_is_an_error(run, tmp_path) -> None:
    folder = tmp_path / "bad" / "rules"
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text("title: Broken\n")
    done = run("--rules", str(folder))
    assert (done.exit_code, "no detection rule that can be used" in str(done.exception)) == (1, True)
    assert "bad/rules/a.yml: không dùng được / cannot be used: " in done.stderr


def test_a_hunt_where_nothing_was_ever_stored_is_an_error(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.build("hunt"), ["hunt"])
    assert (done.exit_code, type(done.exception)) == (1, UnavailableError)
    assert "has 'haidang up' run with these settings?" in str(done.exception)


def test_a_single_file_of_rules_may_be_hunted_with(run) -> None:
    done = run("--rules", str(next(iter(sorted(RULES.rglob("*.yml"))))))
    assert done.exit_code == 0, done.output
    assert "1 quy tắc" in done.stderr


def test_a_span_that_ends_before_it_begins_is_told(run) -> None:
    done = run("--since", "2026-11-24", "--until", "2026-11-23")
    assert done.exit_code == 1
    assert "2026-11-23" in str(done.exception)
