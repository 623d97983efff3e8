"""RELP, the Reliable Event Logging Protocol, version 0: nothing is acknowledged before it is on disk.

Source: "RELP - The Reliable Event Logging Protocol (Specification)", Rainer Gerhards, 2014.
"""

from __future__ import annotations

import asyncio
import functools

from collectors.logs.frames import Frame, Inlet
from collectors.logs.framing import FramingError, RelpFrame, RelpSplitter
from collectors.logs.resend import Overlap, Streams
from collectors.logs.streams import CHUNK, StreamServer
from collectors.logs.udp import plain_address
from core.clock import Clock

_OFFERS = b"200 OK\nrelp_version=0\nrelp_software=haidang\ncommands=syslog"
_PATIENCE = 1.0
"""Seconds after which a sender that says nothing more is taken to have sent its whole resend."""


class RelpReceiver:
    """Listens and serves sessions until stopped."""

    def __init__(self, max_message: int, inlet: Inlet, clock: Clock, streams: Streams) -> None:
        self._max = max_message
        self._inlet = inlet
        self._clock = clock
        self._streams = streams

    def server(self, address: tuple[str, int]) -> StreamServer:
        """The server for this address, to be started."""
        return StreamServer("relp", address, self._serve)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source = plain_address(writer.get_extra_info("peername")[0])
        session = _Session(source, self._inlet, self._clock, self._streams, writer)
        splitter = RelpSplitter(self._max)
        try:
            while (data := await session.read(reader)) != b"":
                for frame in splitter.feed(data):
                    await session.take(frame)
        except (ConnectionError, FramingError):
            pass  # the sender comes again and resends what it has no answer for
        finally:
            session.leave()


class _Session:
    """One connection: first finds out what of it is a resend, then passes messages on."""

    def __init__(self, source: str, inlet: Inlet, clock: Clock, streams: Streams, writer: asyncio.StreamWriter) -> None:
        self._source = source
        self._inlet = inlet
        self._clock = clock
        self._streams = streams
        self._writer = writer
        self._overlap = Overlap(streams.broken(source))
        self._held: list[RelpFrame] = []
        self._stream = ""
        self._closed = False

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """What arrives next; empty at the end."""
        if not self._held:
            return b"" if self._closed else await reader.read(CHUNK)
        try:
            return await asyncio.wait_for(reader.read(CHUNK), _PATIENCE)
        except TimeoutError:
            self._overlap.settle()
            await self._release()
            return await self.read(reader)

    async def take(self, frame: RelpFrame) -> None:
        """Does what one frame asks."""
        if frame.command == "syslog":
            await self._take_message(frame)
        elif frame.command == "open":
            self._answer(frame.number, _OFFERS)
        elif frame.command == "close":
            await self._close(frame)
        else:
            self._answer(frame.number, b"500 unknown command")

    def leave(self) -> None:
        """The connection is gone."""
        if self._stream and self._closed:
            self._streams.finish(self._stream)
        elif self._stream:
            self._streams.leave(self._stream)

    async def _take_message(self, frame: RelpFrame) -> None:
        if self._stream:
            await self._put(frame, resent=False)
            return
        self._held.append(frame)
        self._overlap.push(frame.data)
        if self._overlap.decided:
            await self._release()

    async def _release(self) -> None:
        if self._overlap.stream:
            self._stream = self._overlap.stream
            self._streams.take_up(self._stream)
        else:
            self._stream = self._streams.start(self._source)
        held, self._held = self._held, []
        for position, frame in enumerate(held):
            await self._put(frame, resent=position < self._overlap.folded)

    async def _put(self, frame: RelpFrame, *, resent: bool) -> None:
        if not resent:
            self._streams.remember(self._stream, frame.data)
        await self._inlet.put(
            Frame(
                self._source,
                "relp",
                frame.data,
                self._clock.now(),
                stream=self._stream,
                fault=frame.fault,
                resent=resent,
                stored=functools.partial(self._answer, frame.number, b"200 OK"),
            )
        )

    async def _close(self, frame: RelpFrame) -> None:
        if self._held:
            self._overlap.settle()
            await self._release()
        self._closed = True
        self._answer(frame.number, b"")
        self._writer.write(b"0 serverclose 0\n")

    def _answer(self, number: int, text: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(b"%d rsp %d%b%b\n" % (number, len(text), b" " if text else b"", text))
