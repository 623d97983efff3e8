"""What TCP and RELP receivers share: listening, and knowing the connections that are open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from core.errors import UnavailableError

CHUNK = 65536

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class StreamServer:
    """Listens on one port and remembers its connections, to close them at the end."""

    def __init__(self, name: str, address: tuple[str, int], serve: Serve) -> None:
        self._name = name
        self._address = address
        self._serve = serve
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to listen.

        Raises:
            UnavailableError: the port is taken.
        """
        host, port = self._address
        try:
            self._server = await asyncio.start_server(self._connected, host, port, limit=CHUNK)
        except OSError as error:
            raise UnavailableError(f"{self._name}: cannot listen on {host}:{port}: {error.strerror}") from error

    async def stop(self) -> None:
        """Closes the port, then every connection."""
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._guarded(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _guarded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What arrives, until the peer closes; a reset is a ConnectionError."""
    while data := await reader.read(CHUNK):
        yield data
