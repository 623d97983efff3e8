"""Syslog over TCP (RFC 6587).

TCP acknowledges to the kernel only: what the kernel had taken when this process dies is gone. The ledger keeps each
connection's count, and a connection that breaks off is counted and told: one that we end ourselves, when we stop, at
the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ssl import SSLContext

from collectors.logs.datagrams import plain_address
from collectors.logs.frames import Frame, Inlet, Transport
from collectors.logs.framing import Part, SyslogSplitter
from collectors.logs.ledger import Entry, Ledger
from collectors.logs.streams import CHUNK, PeerReader, StreamServer
from core.clock import Clock

WINDOW = 512
"""Messages of one connection on their way to the disk: what dies with this process is at most these."""


class TcpReceiver:
    """Listens and reads connections until stopped.

    Args:
        max_message: bytes of one message that are taken.
        inlet: where messages go.
        clock: tells when they were received.
        ledger: keeps the connections' counts.
        cut: told the source of each connection that broke off, or was one too many.
    """

    def __init__(
        self, max_message: int, inlet: Inlet, clock: Clock, ledger: Ledger, cut: Callable[[str], None]
    ) -> None:
        self._max = max_message
        self._inlet = inlet
        self._clock = clock
        self._ledger = ledger
        self._cut = cut

    def server(self, address: tuple[str, int], tls: SSLContext | None = None) -> StreamServer:
        """The server for this address, to be started; over TLS (RFC 5425) where there are keys."""
        self._transport: Transport = "tls" if tls else "tcp"
        return StreamServer(self._transport, address, self._serve, lambda host: self._cut(plain_address(host)), tls)

    async def _serve(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        source = plain_address(writer.get_extra_info("peername")[0])
        connection = _Connection(source, self._ledger.open(source))
        splitter = SyslogSplitter(self._max)
        while data := await reader.read(CHUNK):
            for part in splitter.feed(data):
                await self._put(connection, part)
        if reader.broken is not None:
            self._cut(source)
        rest = splitter.end(orderly=reader.orderly)
        if rest is not None:
            await self._put(connection, rest)
        if not reader.stopped:  # else the peer may have sent what we have not read: the row tells of it
            connection.close()

    async def _put(self, connection: _Connection, part: Part) -> None:
        mark = await connection.received()
        frame = Frame(
            connection.source,
            self._transport,
            part.raw,
            self._clock.now(),
            stream=connection.stream if mark else "",
            mark=mark,
            fault=part.fault,
            stored=connection.stored,
        )
        await self._inlet.put(frame)


class _Connection:
    """One connection: its source, its row in the ledger if one was free, and how much may be on its way."""

    def __init__(self, source: str, entry: Entry | None) -> None:
        self.source = source
        self.stream = entry.stream if entry else ""
        self._entry = entry
        self._window = asyncio.Semaphore(WINDOW)

    async def received(self) -> int:
        """One more message was read: its mark, 0 without a row; waits while too many are on their way to the disk."""
        await self._window.acquire()
        return self._entry.received() if self._entry is not None else 0

    def stored(self) -> None:
        """One more of them is on disk."""
        self._window.release()
        if self._entry is not None:
            self._entry.stored()

    def close(self) -> None:
        """The connection has ended."""
        if self._entry is not None:
            self._entry.close()
