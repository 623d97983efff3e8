"""The peers: the closure engine, a JSON reader alone, and public Sigma engines for Python, where installed."""

from __future__ import annotations

import re
import sqlite3
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import yaml
from sigma.collection import SigmaCollection

from core.records import Event, Logsource
from core.regex import compile_regex
from core.rule_text import read_rule_files
from core.sigma import LoadedRule, RuleSet, load_rules
from detections.engine import ClosureEngine
from detections.routes import event_terms
from lab.bench.measure import Result, Work, peak, repeated, taken
from lab.bench.ours import decode

SAMPLE = 10
"""Slow peers get each tenth event."""

REPEATED = 10
"""A query is paid once for all events of a table, so the few events are put in several times."""

TABLE = "logs"
"""The backend's own name of the table; its older versions leave a mark in its place."""

PROCESS_CREATION = "process_creation"


def closures(work: Work) -> Result:
    """The closure engine, warm."""
    rules = load_rules(read_rule_files(work.folders()))
    engine = ClosureEngine(rules)
    events = [event for event in map(decode, work.lines()[::SAMPLE]) if event is not None]

    def run() -> int:
        return sum(len(engine.match(event)) for event in events)

    more = {"rules": float(len(rules.rules)), "hits": float(run()), "sampled_each": float(SAMPLE)}
    took = repeated(run, 2)
    return Result(name="closures", units=len(events), cpu_s=took.cpu_s, wall_s=took.wall_s, rss_mib=peak(), more=more)


def json_alone(work: Work) -> Result:
    """Orjson reading the same lines, each result dropped."""
    loads = import_module("orjson").loads
    lines = work.lines()

    def run() -> None:
        for line in lines:
            loads(line)

    took = repeated(run, 5)
    more = {"median_cpu_us": took.median_cpu_s / max(len(lines), 1) * 1e6}
    return Result(name="orjson", units=len(lines), cpu_s=took.cpu_s, wall_s=took.wall_s, rss_mib=peak(), more=more)


def _process_creations(work: Work) -> tuple[list[LoadedRule], list[Event]]:
    """The rules and events of Windows' starts of processes: what a peer without routes can be given fairly."""
    rules = load_rules(read_rule_files(work.folders())).rules
    wanted = Logsource(product="windows", category=PROCESS_CREATION)
    events = [event for event in map(decode, work.lines()) if event is not None]
    return [one for one in rules if one.info.logsource == wanted], [
        event for event in events if PROCESS_CREATION in event_terms(event.logsource, event.fields).categories
    ]


def _hits_by_closures(rules: list[LoadedRule], events: list[Event]) -> float:
    """What a peer should find among these events with these rules, if it took them all."""
    engine = ClosureEngine(RuleSet(rules=tuple(rules)))
    return float(sum(len(engine.match(event)) for event in events))


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
    failed, hits = 0, 0

    def run() -> None:
        nonlocal failed, hits
        for event in events:
            for rule in taken_in:
                try:
                    hits += bool(rule.match(event.fields))
                except Exception:  # noqa: BLE001 - a peer's failure on a rule is counted
                    failed += 1

    cpu_s, wall_s = taken(run)
    more = {"rules": float(len(taken_in)), "rules_refused": float(refused), "failures": float(failed)}
    more |= {"hits": float(hits), "hits_by_closures": _hits_by_closures(rules, events)}
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
    connection = _table(events * REPEATED, queries)
    failed, hits = 0, 0

    def run() -> None:
        nonlocal failed, hits
        for query in queries:
            try:
                hits += len(connection.execute(query.replace("<TABLE_NAME>", TABLE)).fetchall())
            except sqlite3.Error:
                failed += 1

    cpu_s, wall_s = taken(run)
    more = {"rules": float(len(queries)), "rules_refused": float(refused), "failures": float(failed)}
    more |= {"hits": hits / REPEATED, "hits_by_closures": _hits_by_closures(rules, events)}
    return Result(name="sqlite", units=len(events) * REPEATED, cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def _table(events: list[Event], queries: list[str]) -> sqlite3.Connection:
    """The events in a table with every column that a query names; SQL's names have no case."""
    asked = (name for query in queries for name in re.findall(r"\b[A-Za-z_]\w*(?= (?:LIKE|=|IS|REGEXP|IN|<|>))", query))
    found = {name.lower(): name for name in asked}
    found |= {name.lower(): name for event in events for name in event.fields}
    names = sorted(found.values())
    connection = sqlite3.connect(":memory:")
    columns = ", ".join('"' + name.replace('"', '""') + '" TEXT COLLATE NOCASE' for name in names)
    connection.create_function("REGEXP", 2, _meets, deterministic=True)
    connection.execute(f"CREATE TABLE {TABLE} ({columns})")
    places = ", ".join("?" * len(names))
    rows = ([_text(event.fields.get(name)) for name in names] for event in events)
    connection.executemany(f"INSERT INTO {TABLE} VALUES ({places})", rows)  # noqa: S608 - question marks alone
    return connection


def _meets(pattern: str, value: str | None) -> bool:
    """What SQLite leaves to its host."""
    return value is not None and _regex(pattern)(value)


_regex = cache(compile_regex)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


PEERS: dict[str, Callable[[Work], Result]] = {
    "closures": closures,
    "orjson": json_alone,
    "azuma": azuma,
    "sqlite": sqlite,
}

warnings.filterwarnings("ignore", module="azuma")
