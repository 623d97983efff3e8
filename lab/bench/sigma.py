"""``bench sigma``: the compiled engine beside its peers, each variant in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import msgspec

from core.errors import UnavailableError
from lab.bench.measure import Result, Work
from lab.bench.report import Report, left_out, told

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


def bench(work: Work, peers: Sequence[str], processes: int, *, tell: bool) -> Report:
    """Measures ours, then the peers, one after the other; then few rules, and several processes at once.

    Ratios besides those of the peers: time with all rules divided by that with a tenth of them; how many times the
    events of one process several judge in the same time. A peer that could use no rule, or got no event, has none.

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
        one, several = (_together(own, count, tell) for count in (1, processes))
    found = dict(zip((*OURS, *peers), results, strict=True))
    results += [msgspec.structs.replace(few, name="ours, warm, a tenth of the rules"), one, several]
    ratios = {peer: found[COMPARED[peer]].cpu_us / found[peer].cpu_us for peer in peers if _worked(found[peer])}
    ratios |= {
        "a tenth of the rules": found["warm"].cpu_us / few.cpu_us,
        f"{processes} processes": several.units / several.wall_s / (one.units / one.wall_s),
    }
    return Report(work="sigma", results=tuple(results), ratios=ratios)


def _worked(peer: Result) -> bool:
    return bool(peer.units and peer.more.get("rules", 1))


def installed(peers: Iterable[str]) -> list[str]:
    """Those that are there; the others are named."""
    there = []
    for peer in peers:
        if _is_there(PEERS[peer]):
            there.append(peer)
        else:
            left_out(peer)
    return there


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _command(name: str, work: Work) -> list[str]:
    return [sys.executable, "-m", "lab.bench.variant", name, msgspec.json.encode(work).decode()]


def _measured(name: str, work: Work, tell: bool) -> Result:
    if tell:
        told(name)
    done = subprocess.run(_command(name, work), capture_output=True, check=False)
    return _result(name, done.returncode, done.stdout, done.stderr)


def _together(work: Work, count: int, tell: bool) -> Result:
    """So many processes, each with its part of the lines, that begin at once; as long as the slowest, all memory."""
    if tell:
        told(f"together, {count}")
    shares = [msgspec.structs.replace(work, part=part, parts=count) for part in range(count)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen(_command("together", share), stdin=pipe, stdout=pipe, stderr=subprocess.PIPE)
        for share in shares
    ]
    for process in running:
        if process.stdout:
            process.stdout.readline()
    with ThreadPoolExecutor(count) as threads:
        outputs = list(threads.map(lambda process: process.communicate(b"\n"), running))
    found = [_result("together", one.returncode, *output) for one, output in zip(running, outputs, strict=True)]
    return Result(
        name=f"ours, warm, {count} together",
        units=sum(one.units for one in found),
        cpu_s=sum(one.cpu_s for one in found),
        wall_s=max(one.wall_s for one in found),
        rss_mib=sum(one.rss_mib for one in found),
        more={},
    )


def _result(name: str, status: int, output: bytes, errors: bytes) -> Result:
    if status:
        last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UnavailableError(f"{name}: the measurement failed: {''.join(last)}")
    return msgspec.json.decode(output, type=Result)
