"""RELP, the Reliable Event Logging Protocol, version 0: nothing is acknowledged before it is on disk.

Source: "RELP - The Reliable Event Logging Protocol (Specification)", Rainer Gerhards, 2014.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from ssl import SSLContext
from weakref import WeakValueDictionary

from collectors.logs.datagrams import plain_address
from collectors.logs.frames import Frame, Inlet
from collectors.logs.framing import FramingError, RelpFrame, RelpSplitter
from collectors.logs.resend import Overlap, Streams
from collectors.logs.siblings import Siblings
from collectors.logs.streams import CHUNK, PeerReader, StreamServer
from core.clock import Clock

_OFFERS = b"200 OK\nrelp_version=0\nrelp_software=haidang\ncommands=syslog"
_PATIENCE = 5.0
"""Seconds after which a sender that says nothing more is taken to have sent its whole resend.

Shorter, and a line that stalls within a resend doubles it; longer, and a lone message waits for its answer.
"""


class RelpReceiver:
    """Listens and serves sessions until stopped."""

    def __init__(
        self,
        max_message: int,
        inlet: Inlet,
        clock: Clock,
        streams: Streams,
        patience: float = _PATIENCE,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._refused = refused
        self._max = max_message
        self._inlet = inlet
        self._clock = clock
        self._streams = streams
        self._patience = patience
        self._siblings: WeakValueDictionary[str, Siblings] = WeakValueDictionary()

    def server(self, address: tuple[str, int], tls: SSLContext | None = None) -> StreamServer:
        """The server for this address, to be started; over TLS where there are keys."""
        return StreamServer("relp over tls" if tls else "relp", address, self._serve, tls=tls)

    async def _serve(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        source = plain_address(writer.get_extra_info("peername")[0])
        resends = _Resends(self._streams, source, self._siblings.setdefault(source, Siblings()))
        session = _Session(self._inlet, self._clock, resends, writer, self._patience)
        splitter = RelpSplitter(self._max)
        try:
            while (data := await session.read(reader)) != b"":
                for frame in splitter.feed(data):
                    await session.take(frame)
        except FramingError:
            self._refused(source)
        except OSError:
            pass  # the sender comes again and resends what it has no answer for
        finally:
            session.leave()


class _Resends:
    """Which stream a session carries, and which of its first messages are a resend."""

    def __init__(self, streams: Streams, source: str, siblings: Siblings) -> None:
        self._streams = streams
        self._source = source
        self._siblings = siblings
        self._overlap: Overlap | None = None
        self.stream = ""
        self.resting = asyncio.Event()
        siblings.join(self)

    @property
    def awaited(self) -> bool:
        """Whether another session of this source waits for us to know what we are."""
        return self._siblings.waiting > 0

    async def decided(self, raw: bytes) -> bool:
        """Takes in one more message; whether it is known now what the first ones were."""
        if self._overlap is None:
            await self._siblings.take_turn()
            self._overlap = Overlap({})  # ours is the turn from here on, also if the next line is cut short
            self._overlap = Overlap(self._streams.ends(self._source, await self._siblings.at_rest()))
        self._overlap.push(raw)
        return self._overlap.decided

    def decide(self) -> int:
        """Settles it by what is known; how many of the first messages are a resend."""
        overlap, self._overlap = self._overlap, None
        self._siblings.end_turn()
        if overlap is None or not overlap.stream:
            self.stream = self._streams.start(self._source)
            return 0
        self._siblings.carry_on(overlap.stream)
        self._streams.take_up(overlap.stream)
        self.stream = overlap.stream
        return overlap.folded

    def remember(self, raw: bytes) -> None:
        """A message is on its way to the disk."""
        self._streams.remember(self.stream, raw)

    def begin_anew(self) -> None:
        """Another session carries our stream on; should the peer speak again, it is another sender."""
        self.stream = ""

    def leave(self, *, finished: bool) -> None:
        """The connection has ended, in good order or not."""
        self.resting.set()
        self._siblings.leave(self)
        if self._overlap is not None:
            self._siblings.end_turn()
        if self.stream and finished:
            self._streams.finish(self.stream)
        elif self.stream:
            self._streams.leave(self.stream)


class _Session:
    """One connection: first finds out what of it is a resend, then passes messages on."""

    def __init__(
        self, inlet: Inlet, clock: Clock, resends: _Resends, writer: asyncio.StreamWriter, patience: float
    ) -> None:
        self._inlet = inlet
        self._clock = clock
        self._resends = resends
        self._writer = writer
        self._patience = patience
        self._source = plain_address(writer.get_extra_info("peername")[0])
        self._held: list[RelpFrame] = []
        self._owed = 0
        self._nothing_owed = asyncio.Event()
        self._nothing_owed.set()
        self._closing: RelpFrame | None = None
        self._closed = False
        self._answers: list[bytes] = []

    async def read(self, reader: PeerReader) -> bytes:
        """What arrives next; empty at the end."""
        if self._closing is not None:
            await self._close(self._closing)
            return b""
        await self._writer.drain()  # who does not take our answers is not read
        if self._held:
            return await self._read_patiently(reader)
        self._resends.resting.set()
        data = await reader.read(CHUNK)
        self._resends.resting.clear()
        return data

    async def take(self, frame: RelpFrame) -> None:
        """Does what one frame asks; after ``close`` nothing is."""
        if self._closing is not None:
            return
        if frame.command == "syslog":
            await self._take_message(frame)
        elif frame.command == "open":
            self._answer(frame.number, _OFFERS)
        elif frame.command == "close":
            if self._held:
                await self._release()
            self._closing = frame
        else:
            self._answer(frame.number, b"500 unknown command")

    def leave(self) -> None:
        """The connection is gone."""
        self._send_answers()
        self._resends.leave(finished=self._closed)

    async def _read_patiently(self, reader: PeerReader) -> bytes:
        try:
            return await asyncio.wait_for(reader.read(CHUNK), self._patience)
        except TimeoutError:
            if self._resends.awaited:
                return b""  # our sender has come again; of what we hold nothing is answered, all is sent again
            await self._release()
            return await self.read(reader)

    async def _take_message(self, frame: RelpFrame) -> None:
        if self._resends.stream:
            await self._put(frame, resent=False)
            return
        self._held.append(frame)
        if await self._resends.decided(frame.data):
            await self._release()

    async def _release(self) -> None:
        folded = self._resends.decide()
        held, self._held = self._held, []
        for position, frame in enumerate(held):
            await self._put(frame, resent=position < folded)

    async def _put(self, frame: RelpFrame, *, resent: bool) -> None:
        stream = self._resends.stream
        if not resent:
            self._resends.remember(frame.data)
        self._owed += 1
        self._nothing_owed.clear()
        await self._inlet.put(
            Frame(
                self._source,
                "relp",
                frame.data,
                self._clock.now(),
                stream=stream,
                fault=frame.fault,
                resent=resent,
                stored=functools.partial(self._stored, frame.number),
            )
        )

    def _stored(self, number: int) -> None:
        self._answer(number, b"200 OK")
        self._owed -= 1
        if not self._owed:
            self._nothing_owed.set()

    async def _close(self, frame: RelpFrame) -> None:
        """Answers when all before it is on disk: a sender that has this answer forgets its messages."""
        await self._nothing_owed.wait()
        self._closed = not self._writer.is_closing()
        self._answer(frame.number, b"")
        self._answers.append(b"0 serverclose 0\n")
        self._send_answers()

    def _answer(self, number: int, text: bytes) -> None:
        """Answers soon: what is stored together is answered in one write."""
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._send_answers)
        self._answers.append(b"%d rsp %d%b%b\n" % (number, len(text), b" " if text else b"", text))

    def _send_answers(self) -> None:
        answers, self._answers = self._answers, []
        if answers and not self._writer.is_closing():
            self._writer.write(b"".join(answers))
