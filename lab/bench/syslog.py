"""``bench syslog``: our logs lane beside rsyslogd, each a real process that gets the same messages at the same rate."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.clock import SystemClock
from core.errors import UnavailableError
from core.records import Record
from lab.bench import lines
from lab.bench.measure import Result, held, spent
from lab.bench.programs import program
from lab.bench.receivers import Receiver, Taken, kernel_drops, lane, rsyslogd
from lab.bench.report import Report, left_out, told
from lab.bench.sender import Plan, Times

Start = Callable[[Path], AbstractContextManager[Receiver]]

TRANSPORTS = ("udp", "tcp", "relp")
PEERS: Mapping[str, Start] = {"rsyslogd": rsyslogd}
"""What a run may be compared with, each by UDP; the names are those of the programs."""

_LOOK = 0.25
_QUIET = 5.0
_MINUTE_FILES = 180.0
"""Seconds between looks, after which no more messages are expected, and in which a minute file must have come."""

_IDLE = 3.0
"""Seconds over which it is seen what the process takes when nothing comes."""


class Load(Record, frozen=True, kw_only=True):
    """How much is sent, how fast, how often, by what, and whether it is followed until it lies in minute files."""

    messages: int = 150_000
    rate: float = 25_000.0
    rounds: int = 1
    transports: tuple[str, ...] = TRANSPORTS
    minute_files: bool = True


def bench(load: Load, peers: Sequence[str], *, tell: bool) -> Report:
    """Measures ours by each transport, and the peers after each of them: what a machine gives changes by the minute.

    Raises:
        UnavailableError: a receiver did not start, or a sender failed.
    """
    runs = [run for transport in load.transports for run in ((transport, "ours"), *(("udp", peer) for peer in peers))]
    found: dict[str, list[Result]] = {}
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as folder:
        for number, (transport, who) in enumerate(runs * load.rounds):
            name = f"{who}, {transport}"
            found.setdefault(name, []).append(_run(Path(folder) / str(number), name, load, tell))
    results = {name: middle(several) for name, several in found.items()}
    ours = results.get("ours, udp")
    compared = {peer: results[f"{peer}, udp"] for peer in peers}
    ratios = {peer: ours.cpu_us / theirs.cpu_us for peer, theirs in compared.items() if ours and theirs.cpu_s}
    return Report(work="syslog", results=tuple(results.values()), ratios=ratios)


def installed(peers: Iterable[str]) -> list[str]:
    """Those that are there; the others are named."""
    there = []
    for peer in peers:
        if program(peer):
            there.append(peer)
        else:
            left_out(peer)
    return there


def middle(several: Sequence[Result]) -> Result:
    """Of several measurements of the same the middle one; where there were more, with how far they lie apart."""
    ordered = sorted(several, key=lambda one: one.cpu_us)
    chosen = ordered[len(ordered) // 2]
    if len(ordered) == 1:
        return chosen
    apart = {"rounds": float(len(ordered)), "least_cpu_us": ordered[0].cpu_us, "most_cpu_us": ordered[-1].cpu_us}
    return msgspec.structs.replace(chosen, more=chosen.more | apart)


def _run(folder: Path, name: str, load: Load, tell: bool) -> Result:
    if tell:
        told(name)
    folder.mkdir()
    who, transport = name.split(", ")
    with (lane if who == "ours" else PEERS[who])(folder) as receiver:
        return _measured(name, transport, receiver, load)


class _Mark(NamedTuple):
    """A moment: seconds of the clock, and of the processor that the process has taken by then."""

    at: float
    cpu_s: float


def _mark(receiver: Receiver) -> _Mark:
    return _Mark(time.monotonic(), spent(receiver.pid))


def _measured(name: str, transport: str, receiver: Receiver, load: Load) -> Result:
    """What the receiver takes until all is stored, and then until it lies as it stays.

    What the process would have taken in that last wait with nothing to do is not counted: how long it lasts follows
    from the minute, not from the messages.
    """
    idle = _idle(receiver)
    times, began = _sent(transport, receiver, load)
    taken, stored = _all_taken(receiver, load.messages)
    settled = _settled(receiver) if load.minute_files else stored
    rest = max(0.0, settled.cpu_s - stored.cpu_s - idle * (settled.at - stored.at))
    units = taken.stored
    more = {
        "sent": float(load.messages),
        "sent_per_s": load.messages / (times.ended - times.began),
        "kernel_dropped": float(kernel_drops(receiver.ports["udp"])),
        "dropped": float(taken.dropped),
        "hits": float(taken.hits),
        "until_stored_cpu_us": (stored.cpu_s - began.cpu_s) / max(units, 1) * 1e6,
        "minute_files_cpu_us": rest / max(units, 1) * 1e6,
        "idle_cpu_ms_s": idle * 1e3,
    }
    cpu_s, wall_s = stored.cpu_s - began.cpu_s + rest, stored.at - times.began
    return Result(name=name, units=units, cpu_s=cpu_s, wall_s=wall_s, rss_mib=held(receiver.pid), more=more)


def _idle(receiver: Receiver) -> float:
    """Seconds of the processor in a second, when nothing comes."""
    before = _mark(receiver)
    time.sleep(_IDLE)
    after = _mark(receiver)
    return (after.cpu_s - before.cpu_s) / (after.at - before.at)


def _sent(transport: str, receiver: Receiver, load: Load) -> tuple[Times, _Mark]:
    """Sends the messages by a process of its own; when they went, and the receiver's mark before."""
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as folder:
        made = lines.messages(load.messages, load.rate, SystemClock().now())
        file = lines.write(Path(folder) / "messages", made)
        plan = Plan(file=str(file), transport=transport, port=receiver.ports[transport], rate=load.rate)
        command = [sys.executable, "-m", "lab.bench.sender", msgspec.json.encode(plan).decode()]
        began = _mark(receiver)
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UnavailableError(f"{transport}: sending failed: {''.join(last)}")
    return msgspec.json.decode(done.stdout, type=Times), began


def _all_taken(receiver: Receiver, sent: int) -> tuple[Taken, _Mark]:
    """Waits until each message is stored or dropped, or nothing more comes; what became of them, and the mark then."""
    taken, mark = receiver.taken(), _mark(receiver)
    while _accounted(receiver, taken) < sent and time.monotonic() - mark.at < _QUIET:
        time.sleep(_LOOK)
        now = receiver.taken()
        if now != taken:
            taken, mark = now, _mark(receiver)
    time.sleep(_LOOK)  # the last messages are judged after they are stored
    return taken, mark._replace(cpu_s=spent(receiver.pid))


def _accounted(receiver: Receiver, taken: Taken) -> int:
    return taken.stored + taken.dropped + kernel_drops(receiver.ports["udp"])


def _settled(receiver: Receiver) -> _Mark:
    end = time.monotonic() + _MINUTE_FILES
    while not receiver.settled():
        if time.monotonic() > end:
            raise UnavailableError(f"what was stored was in no minute file after {_MINUTE_FILES:.0f} s")
        time.sleep(_LOOK)
    time.sleep(_LOOK)
    return _mark(receiver)
