from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from collectors.logs.frames import Frame
from collectors.logs.relp import RelpReceiver
from collectors.logs.resend import Streams
from core.clock import HeldClock

NOW = 1_795_312_267_000_000_000
LIMIT = 64
PATIENCE = 10.0


class Inlet:
    """Where receivers put frames in tests: a queue with room for so many."""

    def __init__(self, room: int = 0) -> None:
        self._queue: asyncio.Queue[Frame] = asyncio.Queue(room)
        self.busy = False

    async def put(self, frame: Frame) -> None:
        await self._queue.put(frame)

    def offer(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._queue.put_nowait(frame)

    def crowded(self) -> bool:
        return self.busy

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def take(self, count: int) -> list[Frame]:
        """The next frames; fails if they do not come."""
        async with asyncio.timeout(PATIENCE):
            return [await self._queue.get() for _ in range(count)]


@pytest.fixture
def inlet() -> Inlet:
    return Inlet()


@pytest.fixture
def narrow_inlet() -> Inlet:
    """An inlet that is full with one frame."""
    return Inlet(1)


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a coroutine to its end, within a bound; a task that failed unseen fails the test."""

    def running(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(_watched(work))

    return running


async def _watched(work: Coroutine[Any, Any, None]) -> None:
    failed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    async with asyncio.timeout(3 * PATIENCE):
        await work
    assert failed == []


class Client:
    """One connection of a RELP sender."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0

    def send(self, *messages: bytes, command: bytes = b"syslog") -> None:
        for message in messages:
            self._number += 1
            self._writer.write(b"%d %b %d %b\n" % (self._number, command, len(message), message))

    def raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> bytes:
        """The next line that comes back."""
        return await asyncio.wait_for(self._reader.readline(), PATIENCE)

    async def answers(self, count: int) -> list[bytes]:
        return [await self.answer() for _ in range(count)]

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def reset(self) -> None:
        """Ends the connection with a reset, as a crash does."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def ended(self) -> bytes:
        """All that comes until the other side closes."""
        return await asyncio.wait_for(self._reader.read(), PATIENCE)


@asynccontextmanager
async def relp_listening(inlet, streams=None, patience=PATIENCE) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    receiver = RelpReceiver(LIMIT, inlet, HeldClock(NOW), Streams() if streams is None else streams, patience)
    server = receiver.server(("127.0.0.1", 0))
    await server.start()
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", server.port)))
        return clients[-1]

    try:
        yield connect
    finally:
        await server.stop()
        for client in clients:
            await client.close()


@pytest.fixture
def relp() -> Callable[..., AbstractAsyncContextManager[Callable[[], Awaitable[Client]]]]:
    """A RELP receiver that hands frames to this inlet, knows these streams and has this patience, and its clients."""
    return relp_listening
