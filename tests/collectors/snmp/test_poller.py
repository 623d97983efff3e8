"""Many devices at once, some of them dead: over UDP, in a hurry."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, suppress
from typing import Any

from collectors.snmp.failures import Failure
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.poller import Poller
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.readings import Reading
from core.clock import SECOND, SystemClock


class Taken:
    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.failures: list[tuple[str, Failure, bool]] = []

    def read(self, reading: Reading) -> None:
        self.readings.append(reading)

    def failed(self, device: str, failure: Failure, given_up: bool) -> None:
        self.failures.append((device, failure, given_up))


async def until(reached: Any) -> None:
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110 - what is awaited has no event
            await asyncio.sleep(0.01)


def test_the_dead_delay_nobody_and_come_back(sync, made_agent, device, port):
    async def ran() -> tuple[Taken, Counter[str]]:
        taken, pollers, agents = Taken(), {}, {}
        async with AsyncExitStack() as stack:
            for name in ("a", "b", "c", "dead"):
                made = made_agent(device(port(1, "p", 5)), timeout=0.05)
                agents[name], session = await stack.enter_async_context(made)
                pollers[name] = DevicePoller(Polled(device=name), session, shipped_profiles(), SystemClock())
            agents["dead"].dead = True
            poller = Poller(pollers, SECOND // 2, taken)
            running = asyncio.create_task(poller.run())
            await until(lambda: any(given_up for _, _, given_up in taken.failures))
            seen = Counter(reading.device for reading in taken.readings)
            agents["dead"].dead = False
            await until(lambda: any(reading.device == "dead" for reading in taken.readings))
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            return taken, seen

    taken, seen = sync(ran())
    assert {name for name, _, _ in taken.failures} == {"dead"}
    assert {failure for _, failure, _ in taken.failures} == {Failure.SILENT}
    assert all(seen[name] >= 2 for name in ("a", "b", "c"))
    assert max(reading.late_ns for reading in taken.readings) < SECOND


def test_devices_that_are_taken_away_are_closed_and_not_asked(sync, made_agent, device):
    async def ran() -> Taken:
        taken = Taken()
        async with made_agent(device()) as (_, one), made_agent(device()) as (_, other):
            pollers = {
                name: DevicePoller(Polled(device=name), session, shipped_profiles(), SystemClock())
                for name, session in (("stays", one), ("goes", other))
            }
            poller = Poller(pollers, SECOND // 5, taken)
            poller.replace({"stays": pollers["stays"]})
            running = asyncio.create_task(poller.run())
            await until(lambda: len(taken.readings) >= 3)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            return taken

    taken = sync(ran())
    assert {reading.device for reading in taken.readings} == {"stays"}
    assert taken.failures == []
