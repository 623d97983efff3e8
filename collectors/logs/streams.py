"""What TCP and RELP receivers share: listening, and knowing the connections that are open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from ssl import SSLContext
from typing import SupportsIndex

from core.errors import UnavailableError

CHUNK = 65536
MOST_OPEN = 4096
"""Connections of one server at a time; one more is closed at once."""
_HANDSHAKE = 20.0
"""Seconds that a peer has to agree on TLS."""
_LEAVE = 2.0
"""Seconds that connections have at the end to hand on what was read from them."""
_IDLE, _INTERVAL, _PROBES = 60, 10, 3
"""Seconds of silence before a peer is asked whether it is still there, between questions, and how many (tcp(7))."""
_UNANSWERED_MS = 90_000
"""Milliseconds after which a peer that takes nothing any more is gone (tcp(7), TCP_USER_TIMEOUT)."""


class PeerReader(asyncio.StreamReader):
    """Reads also what had arrived before a connection broke; asyncio's own forgets it.

    Attributes:
        broken: why the connection broke, or None.
        stopped: we ended it ourselves, before the peer did.
    """

    def __init__(self) -> None:
        super().__init__(limit=CHUNK)
        self.broken: Exception | None = None
        self.stopped = False
        self._over = False

    @property
    def orderly(self) -> bool:
        """Whether it was the peer that ended the connection, and in good order; known at the end."""
        return self.broken is None and not self.stopped

    def stop(self) -> None:
        """We end the connection: nothing more is read than has arrived."""
        self.stopped = not self._over
        self.feed_eof()

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """More has arrived; nothing does after the end."""
        if not self._over:
            super().feed_data(data)

    def feed_eof(self) -> None:
        """Nothing more is read than has arrived."""
        self._over = True
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        """The connection broke."""
        self.broken = None if self._over else exc
        self.feed_eof()


Serve = Callable[[PeerReader, asyncio.StreamWriter], Awaitable[None]]


class StreamServer:
    """Listens on one port and remembers its connections, to close them at the end.

    Args:
        name: what it speaks, for errors.
        address: where it listens.
        serve: serves one connection to its end.
        refused: told the peer's address of each connection that was closed at once, as one too many.
        tls: speaks TLS, by these keys.
    """

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        serve: Serve,
        refused: Callable[[str], None] | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        self._name = name
        self._address = address
        self._serve = serve
        self._refused = refused
        self._tls = tls
        self._open: dict[asyncio.Task[None], PeerReader] = {}
        self._stopping = False

    @property
    def port(self) -> int:
        """The port it listens on, also where 0 left the choice to the kernel."""
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begins to listen.

        Raises:
            UnavailableError: the port is taken.
        """
        host, port = self._address
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol, host, port, ssl=self._tls, ssl_handshake_timeout=_HANDSHAKE if self._tls else None
            )
        except OSError as error:
            raise UnavailableError(
                f"{self._name}: cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}"
            ) from error

    async def stop(self) -> None:
        """Closes the port, lets each connection hand on what was read from it, then closes it."""
        self._stopping = True
        self._server.close()
        for reader in self._open.values():
            reader.stop()
        tasks = list(self._open)
        if tasks:
            await asyncio.wait(tasks, timeout=_LEAVE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = PeerReader()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._stopping or len(self._open) >= MOST_OPEN:
                self._refuse(writer)
                return
            _watch(writer.get_extra_info("socket"))
            task = asyncio.ensure_future(self._guarded(reader, writer))
            self._open[task] = reader
            task.add_done_callback(self._open.pop)

        return asyncio.StreamReaderProtocol(reader, connected)

    def _refuse(self, writer: asyncio.StreamWriter) -> None:
        if self._refused is not None:
            self._refused(writer.get_extra_info("peername")[0])
        writer.transport.abort()

    async def _guarded(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _watch(connection: socket.socket) -> None:
    """A peer that vanished without a word is noticed within two minutes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)
