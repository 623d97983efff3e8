"""Polls many devices, each at its time: a task a device that is due, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from collectors.snmp.failures import Failure
from collectors.snmp.pacing import Due, Pacing
from collectors.snmp.poll import DevicePoller
from collectors.snmp.readings import Reading
from collectors.snmp.uptimes import steady
from core.clock import SECOND

_LONGEST_SLEEP = 1.0
"""Seconds: new devices are noticed that soon."""


class Outlet(Protocol):
    """Where what was found goes; called on the loop, and quick."""

    def read(self, reading: Reading) -> None:
        """A device has answered."""
        ...

    def failed(self, device: str, failure: Failure, given_up: bool) -> None:
        """A device has not answered; ``given_up`` if that made it one that is only probed."""
        ...


class Poller:
    """Runs all devices' cycles.

    Args:
        devices: their pollers by name.
        period: nanoseconds between two polls of a device.
        outlet: takes readings and failures.
        steady: nanoseconds that nobody sets.
    """

    def __init__(
        self,
        devices: Mapping[str, DevicePoller],
        period: int,
        outlet: Outlet,
        steady: Callable[[], int] = steady,
    ) -> None:
        self._devices = dict(devices)
        self._outlet = outlet
        self._steady = steady
        self._tasks: set[asyncio.Task[None]] = set()
        self.pacing = Pacing(self._devices, period, steady())

    def replace(self, devices: Mapping[str, DevicePoller]) -> None:
        """The devices are now these; pollers that are no longer among them are closed."""
        kept = {id(one) for one in devices.values()}
        for poller in self._devices.values():
            if id(poller) not in kept:
                poller.close()
        self._devices = dict(devices)
        self.pacing.replace(self._devices, self._steady())

    async def run(self) -> None:
        """Polls until it is cancelled; then no question is left open."""
        try:
            while True:
                for due in self.pacing.due(self._steady()):
                    self._begin(due)
                await asyncio.sleep(min(self.pacing.wait(self._steady()) / SECOND, _LONGEST_SLEEP))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, due: Due) -> None:
        task = asyncio.get_running_loop().create_task(self._turn(due))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error  # a defect: the loop's handler is told, and other devices go on

    async def _turn(self, due: Due) -> None:
        poller = self._devices.get(due.device)
        if poller is None:
            return
        outcome: Reading | Failure = Failure.MALFORMED
        try:
            failure = await poller.probe() if due.is_probe else None
            outcome = failure if failure is not None else await poller.poll(due.late)
        finally:  # of a defect too, or the device would seem asked for ever
            given_up = self._note(due.device, outcome)
        if isinstance(outcome, Failure):
            self._outlet.failed(due.device, outcome, given_up)
        else:
            self._outlet.read(outcome)

    def _note(self, device: str, outcome: Reading | Failure) -> bool:
        if isinstance(outcome, Failure):
            return self.pacing.failed(device, self._steady())
        self.pacing.answered(device, self._steady())
        return False
