"""Live pages: one watcher looks whether the database has changed, and tells every open page to look again.

A page's stream has three events: ``refresh`` (fetch your parts again), ``beat`` (nothing new, the line is alive)
and ``ended`` (the session is over). Source of the format: WHATWG HTML, section "Server-sent events".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager

from litestar.response.sse import ServerSentEventMessage
from sqlalchemy import Connection, Engine

POLL_SECONDS = 0.25
BEAT_SECONDS = 15.0

_log = logging.getLogger("haidang.console")


class Changes:
    """Wakes all who wait when another process has committed to the state database."""

    def __init__(self, state: Engine) -> None:
        self._state = state
        self._next = asyncio.Event()
        self._pages = 0
        self._watcher: asyncio.Task[None] | None = None
        self.is_closed = False

    def next_change(self) -> asyncio.Event:
        """Is set at the next change. Take it before reading, so that no change falls between."""
        return self._next

    def announce(self) -> None:
        """Wakes all who wait."""
        self._next.set()
        self._next = asyncio.Event()

    def close(self) -> None:
        """Ends all streams, so that a server which waits for its connections can stop."""
        self.is_closed = True
        self.announce()

    async def watch(self) -> None:
        """Looks every ``POLL_SECONDS`` until cancelled, on one connection of its own.

        SQLite's ``PRAGMA data_version`` differs once another connection has committed.
        """
        with self._state.connect().execution_options(isolation_level="AUTOCOMMIT") as kept:
            kept.detach()  # for as long as the console runs: not one of the pool's
            seen = _data_version(kept)
            while True:
                await asyncio.sleep(POLL_SECONDS)
                now = _data_version(kept)
                if now != seen:
                    seen = now
                    self.announce()

    @contextmanager
    def watched(self) -> Generator[None, None, None]:
        """Watches for as long as a page is open: the first one starts it, the last one ends it."""
        self._pages += 1
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self.watch())
            self._watcher.add_done_callback(_report)
        try:
            yield
        finally:
            self._pages -= 1
            if not self._pages:
                self._watcher.cancel()


async def page_events(
    changes: Changes, look: Callable[[], str | None], beat_seconds: float = BEAT_SECONDS
) -> AsyncGenerator[ServerSentEventMessage, None]:
    """The events of one open page.

    Args:
        changes: wakes this stream.
        look: a mark that differs where the page would look different; None once the session has ended.
        beat_seconds: at least this often something is sent.
    """
    shown = ""
    with changes.watched():
        while not changes.is_closed:
            change = changes.next_change()
            mark = await asyncio.to_thread(look)
            if mark is None:
                yield ServerSentEventMessage(event="ended")
                return
            if mark != shown:
                shown = mark
                yield ServerSentEventMessage(event="refresh")
            if not await _happens(change, beat_seconds):
                yield ServerSentEventMessage(event="beat", comment="beat")


async def _happens(change: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(change.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _report(watcher: asyncio.Task[None]) -> None:
    if not watcher.cancelled() and (error := watcher.exception()):
        _log.error("pages now refresh with each beat only: the watcher stopped", exc_info=error)


def _data_version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
