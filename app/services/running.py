"""What processes share: running tasks until SIGTERM, and telling the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from core import lifeline

Tasks = Sequence[Coroutine[Any, Any, None]]


async def run_until_stopped(tasks: Tasks) -> None:
    """Runs all until SIGTERM; the failure of one ends all, and the supervisor starts the process again."""
    async with _stop_signal() as stopped:
        running = [asyncio.ensure_future(task) for task in (*tasks, _wait(stopped))]
        await asyncio.sleep(0)
        lifeline.ready()
        done, left = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()


async def _wait(stopped: asyncio.Event) -> None:
    await stopped.wait()


@contextlib.asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    yield stopped
