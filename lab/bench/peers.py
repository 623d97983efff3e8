"""The peers: the closure engine, a JSON reader alone, and public Sigma engines for Python, where installed."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import yaml
from sigma.collection import SigmaCollection

from core.records import Event
from core.rule_text import read_rule_files
from core.sigma import LoadedRule, load_rules
from detections.engine import ClosureEngine
from lab.bench.measure import Result, Work, best, peak, taken
from lab.bench.ours import decode

SAMPLE = 10
"""Slow peers get each tenth event."""

PROCESS_CREATION = "process_creation"


def closures(work: Work) -> Result:
    """The closure engine, warm."""
    engine = ClosureEngine(load_rules(read_rule_files(work.folders())))
    events = [event for event in map(decode, work.lines()[::SAMPLE]) if event is not None]

    def run() -> None:
        for event in events:
            engine.match(event)

    run()
    cpu_s, wall_s = best(run, 2)
    return Result(name="closures", units=len(events), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more={})


def json_alone(work: Work) -> Result:
    """Orjson reading the same lines, each result dropped."""
    loads = import_module("orjson").loads
    lines = work.lines()

    def run() -> None:
        for line in lines:
            loads(line)

    cpu_s, wall_s = best(run, 5)
    return Result(name="orjson", units=len(lines), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more={})


def _process_creations(work: Work) -> tuple[list[LoadedRule], list[Event]]:
    """The rules and events of Windows' starts of processes: what a peer without routes can be given fairly."""
    rules = load_rules(read_rule_files(work.folders())).rules
    chosen = [one for one in rules if one.info.logsource.category == PROCESS_CREATION]
    events = [event for event in map(decode, work.lines()) if event is not None]
    wanted = [event for event in events if str(event.fields.get("EventID")) in {"1", "4688"}]
    return [one for one in chosen if one.info.logsource.product == "windows"], wanted


def azuma(work: Work) -> Result:
    """azuma, with the rules of one category on the events of that category."""
    read = import_module("azuma").Rule.model_validate
    rules, events = _process_creations(work)
    taken_in: list[Any] = []
    refused = 0
    for rule in rules:
        try:
            taken_in.append(read(yaml.safe_load(yaml.safe_dump(rule.sigma.to_dict()))))
        except Exception:  # noqa: BLE001 - whatever a peer says of a rule, it is without it
            refused += 1
    failed = 0

    def run() -> None:
        nonlocal failed
        for event in events:
            for rule in taken_in:
                try:
                    rule.match(event.fields)
                except Exception:  # noqa: BLE001 - a peer's failure on a rule is counted
                    failed += 1

    cpu_s, wall_s = taken(run)
    more = {"rules": float(len(taken_in)), "rules_refused": float(refused), "failures": float(failed)}
    return Result(name="azuma", units=len(events), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def sqlite(work: Work) -> Result:
    """Rules as queries by pysigma-backend-sqlite, over a table in memory."""
    rules, events = _process_creations(work)
    backend, queries, refused = import_module("sigma.backends.sqlite").sqliteBackend(), list[str](), 0
    for rule in rules:
        try:
            queries += backend.convert(SigmaCollection([rule.sigma]))
        except Exception:  # noqa: BLE001 - whatever a peer says of a rule, it is without it
            refused += 1
    connection = _table(events)
    failed = 0

    def run() -> None:
        nonlocal failed
        for query in queries:
            try:
                connection.execute(query.replace("<TABLE_NAME>", "events")).fetchall()
            except sqlite3.Error:
                failed += 1

    cpu_s, wall_s = taken(run)
    more = {"rules": float(len(queries)), "rules_refused": float(refused), "failures": float(failed)}
    return Result(name="sqlite", units=len(events), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def _table(events: list[Event]) -> sqlite3.Connection:
    found = {name.lower(): name for event in events for name in event.fields}  # SQL's names have no case
    names = sorted(found.values())
    connection = sqlite3.connect(":memory:")
    columns = ", ".join('"' + name.replace('"', '""') + '" TEXT COLLATE NOCASE' for name in names)
    connection.execute(f"CREATE TABLE events ({columns})")
    places = ", ".join("?" * len(names))
    rows = ([_text(event.fields.get(name)) for name in names] for event in events)
    connection.executemany(f"INSERT INTO events VALUES ({places})", rows)  # noqa: S608 - question marks alone
    return connection


def _text(value: object) -> str | None:
    return None if value is None else str(value)


PEERS: dict[str, Callable[[Work], Result]] = {
    "closures": closures,
    "orjson": json_alone,
    "azuma": azuma,
    "sqlite": sqlite,
}

warnings.filterwarnings("ignore", module="azuma")
