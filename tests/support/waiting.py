"""Coroutines that a test runs, within a bound, and what they wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from running import PATIENCE


def run_bounded(work: Coroutine[Any, Any, None]) -> None:
    """Runs it, and fails when patience ends."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await work

    asyncio.run(bounded())


async def until(look: Callable[[], object]) -> None:
    """Returns when what is seen is true; the test's bound ends it otherwise."""
    while not look():  # noqa: ASYNC110 - what is looked at has no event to wait for
        await asyncio.sleep(0.01)
