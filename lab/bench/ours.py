"""The compiled engine: its start from what it kept, a first pass over unknown lines, passes over known ones."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.files.jsonl import decode_json
from core.errors import ContentError
from core.records import Event
from core.rule_text import read_rule_files
from detections.fast.engine import FastEngine
from detections.fast.kept import engine_of
from detections.fast.lines import LineMatcher
from lab.bench.measure import Result, Work, age, peak, percentile, repeated, taken

TOGETHER = 64
ROUNDS = 5
READY = b"ready\n"
"""What a process says that waits for the others before it begins."""


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


def batches_of(lines: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The lines, some together."""
    return [lines[place : place + TOGETHER] for place in range(0, len(lines), TOGETHER)]


def judged(matcher: LineMatcher, batches: Sequence[Sequence[bytes]]) -> int:
    """How many hits all lines have."""
    return sum(len(met) for batch in batches for met in matcher.match_all(batch) if met)


def cold(work: Work) -> Result:
    """One pass over lines never seen before; its time is that of the whole process from its beginning."""
    engine = started(work)
    matcher = LineMatcher(engine, decode)
    start_cpu, start_wall, start_rss = time.process_time(), age(), peak()
    lines, hits = work.lines(), 0
    batches = batches_of(lines)

    def run() -> None:
        nonlocal hits
        hits = judged(matcher, batches)

    cpu_s, wall_s = taken(run)
    more = {
        "start_cpu_s": start_cpu,
        "start_wall_s": start_wall,
        "start_rss_mib": start_rss,
        "pass_cpu_s": cpu_s,
        "rules": float(len(engine.infos)),
        "hits": float(hits),
    }
    cpu_s, wall_s = start_cpu + cpu_s, start_wall + wall_s
    return Result(name="ours, cold", units=len(lines), cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more=more)


def warm(work: Work) -> Result:
    """Passes over lines seen before, from their bytes."""
    lines, engine = work.lines(), started(work)
    matcher, batches = LineMatcher(engine, decode), batches_of(lines)
    hits = judged(matcher, batches)
    more = {"rules": float(len(engine.infos)), "hits": float(hits)}
    return _repeated("ours, warm", len(lines), lambda: judged(matcher, batches), more)


def warm_events(work: Work) -> Result:
    """Passes over events seen before, already decoded."""
    engine = started(work)
    events = [event for event in map(decode, work.lines()) if event is not None]

    def run() -> int:
        return sum(len(engine.numbers(event)) for event in events)

    return _repeated("ours, decoded", len(events), run, {"hits": float(run())})


def _repeated(name: str, units: int, run: Callable[[], object], more: dict[str, float]) -> Result:
    took = repeated(run, ROUNDS)
    more = more | {"median_cpu_us": took.median_cpu_s / max(units, 1) * 1e6}
    return Result(name=name, units=units, cpu_s=took.cpu_s, wall_s=took.wall_s, rss_mib=peak(), more=more)


def together(work: Work) -> Result:
    """All warm passes as one, begun when the others have begun too: says `READY` and waits for a line."""
    lines, engine = work.lines(), started(work)
    matcher, batches = LineMatcher(engine, decode), batches_of(lines)
    judged(matcher, batches)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    sys.stdin.buffer.readline()
    cpu_s, wall_s = taken(lambda: [judged(matcher, batches) for _ in range(ROUNDS)])
    units = ROUNDS * len(lines)
    return Result(name="ours, together", units=units, cpu_s=cpu_s, wall_s=wall_s, rss_mib=peak(), more={})


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
