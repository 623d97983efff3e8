"""What one variant takes: time of the processor and of the clock, memory, and what else it tells."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from core.records import Record

KIB = 1024  # ru_maxrss counts in KiB

_CPUCLOCK_SCHED = 2
"""Of the kernel's clocks of a process that which counts all of its threads, in nanoseconds."""


class Work(Record, frozen=True, kw_only=True):
    """What every variant is given: folders of rules, files of JSON lines, and a folder for what is compiled.

    ``part`` and ``parts`` say which of the lines, ``every`` which of the rules: each second, tenth and so on.
    """

    rules: tuple[str, ...]
    events: tuple[str, ...]
    cache: str
    part: int = 0
    parts: int = 1
    every: int = 1

    def lines(self) -> list[bytes]:
        """The lines of this part."""
        lines = [line for file in self.events for line in Path(file).read_bytes().splitlines() if line.strip()]
        return lines[self.part :: self.parts]

    def folders(self) -> list[Path]:
        """The folders of rules."""
        return [Path(folder) for folder in self.rules]


class Result(Record, frozen=True, kw_only=True):
    """What a variant took for so many events; ``more`` holds figures of its own, each with its unit in its name."""

    name: str
    units: int
    cpu_s: float
    wall_s: float
    rss_mib: float
    more: dict[str, float]

    @property
    def cpu_us(self) -> float:
        """Microseconds of the processor for one event."""
        return self.cpu_s / max(self.units, 1) * 1e6


def taken(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the clock that a run takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


class Rounds(NamedTuple):
    """Seconds of the round that took least of the processor, and what half of the rounds took at most."""

    cpu_s: float
    wall_s: float
    median_cpu_s: float


def repeated(run: Callable[[], object], rounds: int) -> Rounds:
    """The same run several times."""
    took = [taken(run) for _ in range(rounds)]
    return Rounds(*min(took), median(cpu for cpu, _ in took))


def age() -> float:
    """Seconds since this process began, to the hundredth (proc(5), field 22 of stat)."""
    began = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    return uptime - began / os.sysconf("SC_CLK_TCK")


def spent(pid: int) -> float:
    """Seconds of the processor, user and system, that a process has taken (clock_getcpuclockid(3)).

    Raises:
        OSError: there is no such process.
    """
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)


def held(pid: int) -> float:
    """The most memory that a process held, in MiB (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / KIB


def peak() -> float:
    """The most memory that this process held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the ordered values lies."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
