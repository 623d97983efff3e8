"""``bench sigma``: the compiled engine beside its peers, each variant in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec

import msgspec
from rich.console import Console
from rich.table import Table

from core.errors import UnavailableError
from core.records import Record
from core.terminal import say
from lab.bench.measure import Result, Work

OURS = ("cold", "warm", "decoded", "latency")
PEERS: Mapping[str, str] = {
    "closures": "detections",
    "orjson": "orjson",
    "azuma": "azuma",
    "sqlite": "sigma.backends.sqlite",
}
"""What a run may be compared with, and the module that must be there for it."""

COMPARED: Mapping[str, str] = {"closures": "cold", "orjson": "warm", "azuma": "cold", "sqlite": "cold"}
"""Which of our variants stands against a peer."""


class Report(Record, frozen=True, kw_only=True):
    """All that was measured in one run; ``ratios``: our time of the processor a unit, divided by the peer's."""

    work: str
    results: tuple[Result, ...]
    ratios: dict[str, float]


def bench(work: Work, peers: Sequence[str], tell: bool) -> Report:
    """Measures ours, then the peers, one after the other.

    Raises:
        UnavailableError: a variant failed; says which and its last word.
    """
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as cache:
        own = msgspec.structs.replace(work, cache=cache)
        _measured("warm", own, tell)  # leaves the compilation that the others start from
        results = [_measured(name, own, tell) for name in (*OURS, *peers)]
        tenth = msgspec.structs.replace(own, every=10)
        _measured("warm", tenth, tell=False)
        few = _measured("warm", tenth, tell)
        halves = _both(own)
    found = dict(zip((*OURS, *peers), results, strict=True))
    results += [msgspec.structs.replace(few, name="ours, warm, a tenth of the rules"), *halves]
    ratios = {peer: found[COMPARED[peer]].cpu_us / found[peer].cpu_us for peer in peers}
    ratios |= {
        "a tenth of the rules": found["warm"].cpu_us / few.cpu_us,
        "one process, by two": sum(half.units / half.wall_s for half in halves)
        * found["warm"].wall_s
        / found["warm"].units,
    }
    return Report(work="sigma", results=tuple(results), ratios=ratios)


def installed(peers: Iterable[str]) -> list[str]:
    """Those that are there; the others are named."""
    there = []
    for peer in peers:
        if _is_there(PEERS[peer]):
            there.append(peer)
        else:
            say(f"{peer}: chưa cài, bỏ qua / not installed, left out")
    return there


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _command(name: str, work: Work) -> list[str]:
    return [sys.executable, "-m", "lab.bench.variant", name, msgspec.json.encode(work).decode()]


def _measured(name: str, work: Work, tell: bool) -> Result:
    if tell and sys.stderr.isatty():
        say(f"đang đo / measuring: {name}")
    done = subprocess.run(_command(name, work), capture_output=True, check=False)
    return _result(name, done.returncode, done.stdout, done.stderr)


def _both(work: Work) -> list[Result]:
    """Two processes at once, each with half of the lines."""
    halves = [msgspec.structs.replace(work, part=part, parts=2) for part in range(2)]
    running = [
        subprocess.Popen(_command("warm", half), stdout=subprocess.PIPE, stderr=subprocess.PIPE) for half in halves
    ]
    outputs = [process.communicate() for process in running]
    found = [_result("warm", one.returncode, *output) for one, output in zip(running, outputs, strict=True)]
    return [msgspec.structs.replace(one, name="ours, warm, one of two processes") for one in found]


def _result(name: str, status: int, output: bytes, errors: bytes) -> Result:
    if status:
        last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UnavailableError(f"{name}: the measurement failed: {''.join(last)}")
    return msgspec.json.decode(output, type=Result)


def show(report: Report) -> None:
    """The report as a table."""
    table = Table("", "sự kiện / events", "µs CPU", "/s", "MiB", "", box=None, pad_edge=False)
    for one in report.results:
        more = ", ".join(f"{name} {value:,.4g}" for name, value in one.more.items())
        rate = one.units / one.cpu_s if one.cpu_s else 0.0
        table.add_row(one.name, f"{one.units:,}", f"{one.cpu_us:,.2f}", f"{rate:,.0f}", f"{one.rss_mib:,.0f}", more)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for name, ratio in report.ratios.items():
        console.print(f"{name}: {ratio:.4g}", highlight=False)
