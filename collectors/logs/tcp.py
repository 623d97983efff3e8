"""Syslog over TCP (RFC 6587).

TCP acknowledges to the kernel only: what the kernel had taken when this process dies is gone. The ledger keeps each
connection's count, and a connection that breaks off is counted and told.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from collectors.logs.frames import Frame, Inlet
from collectors.logs.framing import Part, SyslogSplitter
from collectors.logs.ledger import Entry, Ledger
from collectors.logs.streams import CHUNK, PeerReader, StreamServer
from collectors.logs.udp import plain_address
from core.clock import Clock


class TcpReceiver:
    """Listens and reads connections until stopped.

    Args:
        address: where to listen.
        max_message: bytes of one message that are taken.
        inlet: where messages go.
        clock: tells when they were received.
        ledger: keeps the connections' counts.
        cut: told the source of each connection that broke off.
    """

    def __init__(
        self, max_message: int, inlet: Inlet, clock: Clock, ledger: Ledger, cut: Callable[[str], None]
    ) -> None:
        self._max = max_message
        self._inlet = inlet
        self._clock = clock
        self._ledger = ledger
        self._cut = cut

    def server(self, address: tuple[str, int]) -> StreamServer:
        """The server for this address, to be started."""
        return StreamServer("tcp", address, self._serve)

    async def _serve(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        source = plain_address(writer.get_extra_info("peername")[0])
        entry = self._ledger.open(source)
        splitter = SyslogSplitter(self._max)
        while data := await reader.read(CHUNK):
            for part in splitter.feed(data):
                await self._put(source, part, entry)
        if reader.broken is not None:
            self._cut(source)
        rest = splitter.end()
        if rest is not None:
            await self._put(source, rest, entry)
        if entry is not None:
            entry.close()

    async def _put(self, source: str, part: Part, entry: Entry | None) -> None:
        if entry is not None:
            entry.received()
        stored = functools.partial(_stored, entry)
        await self._inlet.put(Frame(source, "tcp", part.raw, self._clock.now(), fault=part.fault, stored=stored))


def _stored(entry: Entry | None) -> None:
    if entry is not None:
        entry.stored()
