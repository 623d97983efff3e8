"""The SNMP lane over the lab's whole sector: how late polls are, and what collection, rates and store take.

``HAIDANG_SNMP_MINUTES`` (10) and ``HAIDANG_SNMP_SITES`` (800) make the runs shorter and smaller.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import pytest
from fleets import running

from app.lane_snmp import SnmpLane
from collectors.snmp.failures import Failure
from collectors.snmp.readings import Reading
from core.clock import SECOND, SystemClock
from core.files import make_folder
from core.sealed import SealedSet, SealedSets, encode_sealed
from core.settings import LanesSettings, Settings, SnmpSettings
from core.stores.credentials import subject
from core.vault import Secret, Vault
from inventory.credentials import SnmpV2c, SnmpV3, encode_credential
from inventory.snapshot import encode_snapshot
from lab.bench.measure import peak, percentile, spent
from lab.fleet.faults import effects_of, load_scenario, planned
from lab.fleet.invented import invented_sector, parse_size
from lab.fleet.sector import Sector
from lab.fleet.stock import SPACE, inventory_of

MINUTES = float(os.environ.get("HAIDANG_SNMP_MINUTES", "10"))
SITES = int(os.environ.get("HAIDANG_SNMP_SITES", "800"))
SIZE = f"{SITES}x4x24"
SECONDS = MINUTES * 60
PERIOD = 60.0
LATEST = 5.0
"""Seconds by which a poll may be late."""

MOST_CPU = 0.4
"""Of one core."""

CREDENTIALS = {
    "2c": SnmpV2c(community=Secret("public")),
    "3": SnmpV3(user=Secret("noc"), auth_passphrase=Secret("authpass1"), priv_passphrase=Secret("privpass1")),
}
SCENARIO = """
title: {{vi: Một phần năm thiết bị hỏng, en: A fifth of the devices is ill}}
faults:
  - {{at: {dead_at}, lasts: {lasts}, kind: dead, share: 0.2}}
  - {{at: {late_at}, lasts: {lasts}, kind: late, share: 0.2}}
"""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS * 2 + 300)]


class Link:
    """The centre, as far as the lane asks it: the snapshots, which never change."""

    def __init__(self, **contents: bytes) -> None:
        self._contents = contents

    async def snapshot(self, kind: str, version: str) -> tuple[str, bytes] | None:
        return None if version else ("1", self._contents[kind])


class Poll(NamedTuple):
    """A poll that was answered; times in seconds."""

    device: str
    at: float
    late: float
    values: int


class WatchedLane(SnmpLane):
    """The lane, whose polls are noted, and the time of the processor that its threads take."""

    def watch(self) -> None:
        self.polls: list[Poll] = []
        self.silent: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self._counting = Lock()

    def read(self, reading: Reading) -> None:
        values = reading.tally.varbinds + reading.tally.walked
        self.polls.append(Poll(reading.device, reading.steady_ns / SECOND, reading.late_ns / SECOND, values))
        super().read(reading)

    def failed(self, device: str, failure: Failure, given_up: bool) -> None:
        self.silent[device] += 1
        self.failures[failure] += 1
        super().failed(device, failure, given_up)

    def _record(self) -> None:
        self._counted("rates, changes and append", super()._record)

    def _maintain(self) -> None:
        self._counted("files and roll-ups", super()._maintain)

    def _keep(self) -> None:
        self._counted("states", super()._keep)

    def _counted(self, name: str, work: Callable[[], None]) -> None:
        began = time.thread_time()
        work()
        with self._counting:
            self.cpu[name] += time.thread_time() - began


@contextmanager
def as_the_lane_s_process() -> Iterator[None]:
    """As many files as there are devices, and garbage looked for as rarely as the lane's process does."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    collected = gc.get_threshold()
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.set_threshold(100_000)
    try:
        yield
    finally:
        gc.set_threshold(*collected)
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))


def lane_for(folder: Path, port: int, version: str, sector: Sector) -> WatchedLane:
    settings = Settings(data=folder, lane=LanesSettings(snmp=SnmpSettings(port=port, space=SPACE)))
    credential = CREDENTIALS[version]
    make_folder(settings.secrets)
    body = Vault(settings.secrets).encrypt(encode_credential(credential), subject("lab"))
    kind = "snmp_v2c" if version == "2c" else "snmp_v3"
    sealed = SealedSets(
        sets=(SealedSet(name="lab", kind=kind, body=body),),
        targets=tuple(("site", site.id, "lab") for site in sector.sites),
    )
    link = Link(inventory=encode_snapshot(inventory_of(sector)), credentials=encode_sealed(sealed))
    lane = WatchedLane(settings, link, SystemClock())
    lane.watch()
    return lane


async def poll_for(lane: WatchedLane, seconds: float) -> list[float]:
    """Runs the lane; the seconds of the processor that this process has taken by the end of each minute."""
    marks = [time.process_time()]
    await lane.start()
    tasks = [asyncio.create_task(task) for task in lane.tasks()]
    for _ in range(round(seconds / 60)):
        done, _ = await asyncio.wait(tasks, timeout=60, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        marks.append(time.process_time())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await lane.stop()
    return marks


def tell(title: str, lane: WatchedLane, marks: list[float], fleet_cpu: float) -> float:
    """Prints the figures; the share of one core."""
    minutes = [(then - before) / 60 for before, then in pairwise(marks)]
    late = sorted(poll.late for poll in lane.polls)
    values = sum(poll.values for poll in lane.polls)
    seconds = 60 * len(minutes)
    share = (marks[-1] - marks[0]) / seconds
    print(f"\n{title}: {len(lane.polls):,} polls of {SITES * 4:,} devices in {len(minutes)} minutes, {values:,} values")
    print(f"late: median {percentile(late, 0.5):.3f} s, p99 {percentile(late, 0.99):.3f} s, longest {late[-1]:.3f} s")
    print(f"left out: {lane._poller.pacing.missed}; unanswered polls: {dict(lane.failures)}")
    print(f"CPU of one core: {share:.1%} in all; by minute {' '.join(f'{one:.1%}' for one in minutes)}")
    for name, cpu in lane.cpu.items():
        print(f"  {name}: {cpu / seconds:.1%}")
    print(f"  collection and the rest: {share - sum(lane.cpu.values()) / seconds:.1%}")
    rows = lane.metrics.rows._value.get()
    print(f"{rows:,.0f} rows stored, {peak():.0f} MiB at most; fleet {fleet_cpu / seconds:.1%}", end="; ")
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    return share


def longest_waits(polls: list[Poll]) -> dict[str, float]:
    """Of each device the longest time between two of its polls."""
    times = defaultdict(list)
    for poll in polls:
        times[poll.device].append(poll.at)
    return {
        name: max((then - before for before, then in pairwise(found)), default=0.0) for name, found in times.items()
    }


def run(title: str, folder: Path, version: str, *options: str) -> tuple[WatchedLane, float]:
    sector = invented_sector(parse_size(SIZE))
    with running("--size", SIZE, "--v3", "noc:authpass1:privpass1", *options) as fleet, as_the_lane_s_process():
        lane = lane_for(folder, fleet.port, version, sector)
        began = spent(fleet.process.pid)
        marks = asyncio.run(poll_for(lane, SECONDS))
        share = tell(f"{title}, v{version}", lane, marks, spent(fleet.process.pid) - began)
    return lane, share


@pytest.mark.parametrize("version", ["2c", "3"])
def test_the_whole_sector_is_polled_each_minute(tmp_path, version):
    lane, share = run("all well", tmp_path, version)
    waits = longest_waits(lane.polls)
    assert len(waits) == SITES * 4
    assert len(lane.polls) >= SITES * 4 * (MINUTES - 1)
    assert max(poll.late for poll in lane.polls) <= LATEST
    assert max(waits.values()) <= PERIOD + LATEST
    assert not lane.silent
    assert lane.metrics.rows._value.get() >= len(lane.polls) * 25
    assert share <= MOST_CPU


@pytest.mark.parametrize("version", ["2c", "3"])
def test_no_healthy_device_is_late_when_a_fifth_is_dead_and_then_slow(tmp_path, version):
    half = (SECONDS - 60) / 2
    scenario = tmp_path / "ill.yml"
    scenario.write_text(SCENARIO.format(dead_at=60, late_at=60 + half, lasts=half))
    sector = invented_sector(parse_size(SIZE))
    faults = planned(load_scenario(scenario), 0)
    ill = {sector.nodes[effect.node].name for fault in faults for effect in effects_of(fault, sector)}
    lane, share = run("a fifth dead, then a fifth 2 s late", tmp_path, version, "--scenario", str(scenario))
    well = [poll for poll in lane.polls if poll.device not in ill]
    waits = longest_waits(well)
    print(f"healthy: {len(waits):,}, latest {max(poll.late for poll in well):.3f} s, ", end="")
    print(f"longest between two polls {max(waits.values()):.3f} s")
    assert len(waits) == SITES * 4 - len(ill)
    assert max(poll.late for poll in well) <= LATEST
    assert max(waits.values()) <= PERIOD + LATEST
    assert lane.silent.keys() <= ill
    assert share <= MOST_CPU
