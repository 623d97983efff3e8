"""Our poller as a process of its own, as the lane runs it but for what is stored: ``python -m lab.bench.snmp_own``.

Each line on its input is a few cycles to do; what one of them took is answered as a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Iterable, Sequence

import msgspec

from collectors.snmp.failures import Failure
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import Profiles
from collectors.snmp.readings import Reading
from collectors.snmp.session import Sessions, Target
from core.clock import SystemClock
from core.settings import SnmpSettings
from core.vault import Secret
from inventory.credentials import SnmpV2c, SnmpV3
from lab.bench.measure import peak
from lab.bench.snmp_work import AT_ONCE, COMMUNITY, USER, Devices, Taken, columns, profile, scalars

READY = b"ready\n"

CYCLES = 10
"""Cycles that are measured together: one takes too little time."""

WARM = 40
"""Cycles before: until the layouts are learnt, and how many values each device takes at once."""

_RARELY = 100_000


async def serve(devices: Devices, version: str) -> None:
    """Learns all devices, says `READY`, and measures cycles until the input ends."""
    pollers = _pollers(devices, version)
    wanted = frozenset(column.name for column in (*scalars(), *columns()))
    for _ in range(WARM):
        await _cycle(pollers)
    _say(READY)
    while sys.stdin.buffer.readline():
        _say(msgspec.json.encode(await _measured(pollers, wanted)) + b"\n")


async def _measured(pollers: Sequence[DevicePoller], wanted: frozenset[str]) -> Taken:
    units, varbinds, cpu_s, wall_s = [], 0, 0.0, 0.0
    for _ in range(CYCLES):
        cpu, wall = time.process_time(), time.perf_counter()
        readings = await _cycle(pollers)
        cpu_s += time.process_time() - cpu
        wall_s += time.perf_counter() - wall
        units.append(_units(readings, wanted))
        varbinds += sum(reading.tally.varbinds + reading.tally.walked for reading in readings)
    return Taken(
        units=min(units),
        varbinds=varbinds // CYCLES,
        cpu_s=cpu_s / CYCLES,
        wall_s=wall_s / CYCLES,
        rss_mib=peak(),
    )


def _pollers(devices: Devices, version: str) -> list[DevicePoller]:
    community = SnmpV2c(community=Secret(COMMUNITY))
    user = SnmpV3(
        user=Secret(USER.name), auth_passphrase=Secret(USER.authentication), priv_passphrase=Secret(USER.privacy)
    )
    credential = user if version == "3" else community
    sessions, clock, profiles = Sessions(), SystemClock(), Profiles([profile()])
    timeout = SnmpSettings().timeout_seconds
    return [
        DevicePoller(
            Polled(device=address),
            sessions.open(Target(address=address, port=devices.port, credential=credential, timeout=timeout)),
            profiles,
            clock,
        )
        for address in devices.addresses
    ]


async def _cycle(pollers: Sequence[DevicePoller]) -> list[Reading]:
    readings: list[Reading | Failure] = []
    for at in range(0, len(pollers), AT_ONCE):
        readings += await asyncio.gather(*(one.poll() for one in pollers[at : at + AT_ONCE]))
    return [reading for reading in readings if isinstance(reading, Reading)]


def _units(readings: Iterable[Reading], wanted: frozenset[str]) -> int:
    cells = (
        cell
        for reading in readings
        for table in reading.tables.values()
        for name, column in table.columns.items()
        if name in wanted
        for cell in column
    )
    return sum(cell is not None for cell in cells)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.set_threshold(_RARELY)  # as the lane does
    asyncio.run(serve(msgspec.json.decode(sys.argv[1], type=Devices), sys.argv[2]))
