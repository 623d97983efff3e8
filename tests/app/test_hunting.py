"""What was judged as it came is found again in what was stored, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

import detections
from app import cli
from app.hunting import sightings
from collectors.logs.spooling import decode_event, encode_record
from core.clock import HOUR, MINUTE, HeldClock, iso
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
    named = run("--rules", str(RULES / "identity"), "--since", iso(events[0].time), "--until", iso(events[-1].time))
    assert 0 < len(named.stdout.splitlines()) < len(lines)
    assert "sự kiện" in named.stderr


def test_a_span_that_ends_before_it_begins_is_told(run) -> None:
    done = run("--since", "2026-11-24", "--until", "2026-11-23")
    assert done.exit_code == 1
    assert "2026-11-23" in str(done.exception)
