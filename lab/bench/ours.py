"""The compiled engine: its start from what it kept, a first pass over unknown lines, passes over known ones."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Sequence
from pathlib import Path

from collectors.files.jsonl import decode_json
from core.errors import ContentError
from core.records import Event
from core.rule_text import read_rule_files
from detections.fast.engine import FastEngine
from detections.fast.kept import engine_of
from detections.fast.lines import LineMatcher
from lab.bench.measure import Result, Work, best, peak, percentile, taken

TOGETHER = 64
ROUNDS = 5


def decode(line: bytes) -> Event | None:
    """The event in a line, or None."""
    try:
        return decode_json(line, "file/bench/0")
    except ContentError:
        return None


def started(work: Work) -> FastEngine:
    """The engine, from what was kept of it if it was started before."""
    documents = read_rule_files(work.folders())
    chosen = {name: text for n, (name, text) in enumerate(sorted(documents.items())) if n % work.every == 0}
    engine = engine_of(chosen, Path(work.cache))
    gc.freeze()
    return engine


def parts(lines: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The lines, some together."""
    return [lines[place : place + TOGETHER] for place in range(0, len(lines), TOGETHER)]


def judged(matcher: LineMatcher, batches: Sequence[Sequence[bytes]]) -> int:
    """How many hits all lines have."""
    return sum(len(met) for batch in batches for met in matcher.match_all(batch) if met)


def _age() -> float:
    """Seconds since this process began (proc(5), field 22 of stat)."""
    began = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    return uptime - began / os.sysconf("SC_CLK_TCK")


def cold(work: Work) -> Result:
    """One pass over lines never seen before, the start from what was kept included."""
    lines = work.lines()
    before, cpu = _age(), time.process_time()
    engine = started(work)
    start = time.process_time() - cpu
    hits = 0

    def run() -> None:
        nonlocal hits
        hits = judged(LineMatcher(engine, decode), parts(lines))

    cpu_s, wall_s = taken(run)
    more = {
        "start_s": start,
        "process_age_before_start_s": before,
        "rules": float(len(engine.infos)),
        "hits": float(hits),
    }
    return Result(name="ours, cold", units=len(lines), cpu_s=start + cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def warm(work: Work) -> Result:
    """Passes over lines seen before, from their bytes."""
    lines, engine = work.lines(), started(work)
    matcher, batches = LineMatcher(engine, decode), parts(lines)
    first = judged(matcher, batches)
    cpu_s, wall_s = best(lambda: judged(matcher, batches), ROUNDS)
    more = {"rules": float(len(engine.infos)), "hits": float(first)}
    return Result(name="ours, warm", units=len(lines), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def warm_events(work: Work) -> Result:
    """Passes over events seen before, already decoded."""
    engine = started(work)
    events = [event for event in map(decode, work.lines()) if event is not None]

    def run() -> None:
        for event in events:
            engine.numbers(event)

    run()
    cpu_s, wall_s = best(run, ROUNDS)
    return Result(name="ours, decoded", units=len(events), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more={})


def latency(work: Work) -> Result:
    """Line by line, none seen before, once started."""
    lines, engine = work.lines(), started(work)
    matcher = LineMatcher(engine, decode)
    took: list[float] = []
    cpu = time.process_time()
    for line in lines:
        before = time.perf_counter_ns()
        matcher.match_all((line,))
        took.append((time.perf_counter_ns() - before) / 1e3)
    cpu_s, wall_s = time.process_time() - cpu, sum(took) / 1e6
    took.sort()
    more = {"p50_us": percentile(took, 0.5), "p99_us": percentile(took, 0.99), "longest_ms": took[-1] / 1e3}
    return Result(name="ours, latency", units=len(lines), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)
