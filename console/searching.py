"""A search in a thread of its own, told step by step to an open page; when the page goes, it ends at its next step."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import closing, contextmanager

from core.errors import HaidangError, UnavailableError
from core.stores.event_search import Found

MOST_SEARCHES = 4
"""At the same time; more would make each so much slower."""
PATIENCE_SECONDS = 20.0
TURN_SECONDS = 1.0

_log = logging.getLogger("haidang.console")


class Searches:
    """How many searches run in this console."""

    def __init__(self, most: int = MOST_SEARCHES, patience: float = PATIENCE_SECONDS) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._patience = patience

    async def run(self, steps: Generator[Found], is_closed: Callable[[], bool]) -> AsyncGenerator[Found | None, None]:
        """The steps as they come; None from time to time while there is none.

        Raises:
            HaidangError: why the search ended too soon: also that too many others run.
        """
        work = _Work(steps, asyncio.get_running_loop())
        threading.Thread(target=self._carry, args=(work,), name="search", daemon=True).start()
        try:
            while not is_closed():
                try:
                    step = await asyncio.wait_for(work.told.get(), TURN_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if isinstance(step, Exception):
                    raise step
                yield step
                if step.done:
                    return
        finally:
            work.left.set()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until fewer than the most searches run, and is one of them.

        Raises:
            UnavailableError: it took too long.
        """
        if not self._free.acquire(timeout=self._patience):
            raise UnavailableError("too many searches run: try again in a moment")
        try:
            yield
        finally:
            self._free.release()

    def _carry(self, work: _Work) -> None:
        try:
            with self.turn():
                work.carry()
        except UnavailableError as error:
            work.tell(error)


class _Work:
    """One search between its thread and the page."""

    def __init__(self, steps: Generator[Found], loop: asyncio.AbstractEventLoop) -> None:
        self._steps = steps
        self._loop = loop
        self.told: asyncio.Queue[Found | Exception] = asyncio.Queue()
        self.left = threading.Event()

    def carry(self) -> None:
        """Goes on to the end, or until the page is left."""
        try:
            with closing(self._steps):  # a search that is left ends here, not whenever it is forgotten
                for found in self._steps:
                    if self.left.is_set():
                        return
                    self.tell(found)
        except HaidangError as error:
            self.tell(error)
        except Exception as error:  # noqa: BLE001 - a defect is told on the page as well as in the log
            _log.exception("a search failed")
            self.tell(error)

    def tell(self, step: Found | Exception) -> None:
        """Hands it to the page; one whose server has stopped hears nothing any more."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.told.put_nowait, step)
