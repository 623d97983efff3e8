"""Syslog over TCP with real sockets: every message that was read is handed on, and what broke off is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from collectors.logs import streams
from collectors.logs.ledger import SLOTS, Interrupted, Ledger
from collectors.logs.streams import StreamServer
from collectors.logs.tcp import TcpReceiver
from core.clock import HeldClock
from core.errors import UnavailableError

NOW = 1_795_312_267_000_000_000
LIMIT = 64
HOME = ("127.0.0.1", 0)
CUT = "cut: the connection ended within a message"
RESET = struct.pack("ii", 1, 0)


class Lane:
    """A receiver that listens, and what it has said."""

    def __init__(self, inlet, ledger) -> None:
        self.server = TcpReceiver(LIMIT, inlet, HeldClock(NOW), ledger, self._tell).server(HOME)
        self.cut: list[str] = []
        self.was_cut = asyncio.Event()
        self.clients: list[socket.socket] = []

    @property
    def port(self) -> int:
        return self.server.port

    def connect(self) -> socket.socket:
        self.clients.append(socket.create_connection(("127.0.0.1", self.port), timeout=10))
        return self.clients[-1]

    def _tell(self, source: str) -> None:
        self.cut.append(source)
        self.was_cut.set()


@asynccontextmanager
async def listening(inlet, ledger) -> AsyncIterator[Lane]:
    lane = Lane(inlet, ledger)
    await lane.server.start()
    try:
        yield lane
    finally:
        for client in lane.clients:
            client.close()
        await lane.server.stop()


@pytest.fixture
def ledger(tmp_path):
    with contextlib.closing(Ledger(tmp_path / "connections")) as opened:
        yield opened


def open_rows(tmp_path):
    """What another process would find in the ledger if this one died now."""
    copy = tmp_path / "copy"
    copy.write_bytes((tmp_path / "connections").read_bytes())
    with contextlib.closing(Ledger(copy)) as opened:
        return [found._replace(stream="") for found in opened.interrupted]


def test_fifty_identical_lines_in_one_second_are_fifty_frames(run, inlet, ledger):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            lane.connect().sendall(b"<13>x\n" * 50)
            frames = await inlet.take(50)
            assert {(frame.source, frame.transport, frame.raw, frame.seen) for frame in frames} == {
                ("127.0.0.1", "tcp", b"<13>x", NOW)
            }
            assert not any(frame.resent or frame.fault for frame in frames)
            assert ({frame.stream for frame in frames}, [frame.mark for frame in frames]) == (
                {frames[0].stream},
                list(range(1, 51)),
            )
            assert inlet.waiting == 0

    run(dialogue())


def test_counted_messages_and_lines_are_taken_from_one_port(run, inlet, ledger):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            lane.connect().sendall(b"7 <13>a\nb")
            lane.connect().sendall(b"<13>c\n")
            assert sorted(frame.raw for frame in await inlet.take(2)) == [b"<13>a\nb", b"<13>c"]

    run(dialogue())


def test_what_is_too_long_or_ends_early_is_handed_on_with_its_fault(run, inlet, ledger):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            client = lane.connect()
            client.sendall(b"x" * 100 + b"\n<13>a\n9 <13>b")
            client.shutdown(socket.SHUT_WR)
            long, good, early = await inlet.take(3)
            assert (len(long.raw), long.fault) == (LIMIT, f"oversized: at most {LIMIT} bytes are taken")
            assert (good.raw, good.fault) == (b"<13>a", "")
            assert (early.raw, early.fault) == (b"9 <13>b", CUT)
            assert lane.cut == []

    run(dialogue())


def test_a_last_line_without_line_feed_is_a_message_when_the_sender_closes(run, inlet, ledger):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            client = lane.connect()
            client.sendall(b"<38>a\n<38>b")
            client.shutdown(socket.SHUT_WR)
            assert [(frame.raw, frame.fault) for frame in await inlet.take(2)] == [(b"<38>a", ""), (b"<38>b", "")]
            assert lane.cut == []

    run(dialogue())


def test_a_last_line_without_line_feed_is_cut_when_the_connection_breaks(run, narrow_inlet, ledger):
    async def dialogue():
        async with listening(narrow_inlet, ledger) as lane:
            client = lane.connect()
            client.sendall(b"<38>a\n<38>b\n<38>c")
            first = await narrow_inlet.take(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            await asyncio.wait_for(lane.was_cut.wait(), 10)
            frames = first + await narrow_inlet.take(2)
            assert [(frame.raw, frame.fault) for frame in frames] == [(b"<38>a", ""), (b"<38>b", ""), (b"<38>c", CUT)]

    run(dialogue())


def test_a_reset_connection_is_told_and_what_had_arrived_is_handed_on(run, narrow_inlet, ledger):
    async def dialogue():
        async with listening(narrow_inlet, ledger) as lane:
            client = lane.connect()
            lines = [b"<13>%d" % number for number in range(200)]
            client.sendall(b"\n".join(lines) + b"\n")
            first = await narrow_inlet.take(1)  # the rest waits for room, or lies unread
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            frames = first + await narrow_inlet.take(199)
            assert [frame.raw for frame in frames] == lines
            await asyncio.wait_for(lane.was_cut.wait(), 10)
            assert lane.cut == ["127.0.0.1"]

    run(dialogue())


def test_a_connection_that_closes_is_not_told(run, inlet, ledger, tmp_path):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            client = lane.connect()
            client.sendall(b"<13>a\n")
            (frame,) = await inlet.take(1)
            client.shutdown(socket.SHUT_WR)
            assert await asyncio.to_thread(client.recv, 1) == b""  # the other side has closed as well
            frame.stored()
            assert lane.cut == []
            assert open_rows(tmp_path) == []

    run(dialogue())


def test_the_ledger_counts_what_was_received_and_what_of_it_is_stored(run, inlet, ledger, tmp_path):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            lane.connect().sendall(b"<13>a\n<13>b\n<13>c\n")
            frames = await inlet.take(3)
            frames[0].stored()
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 3, 1)]
            for frame in frames[1:]:
                frame.stored()
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 3, 3)]

    run(dialogue())


def test_a_closed_connection_keeps_its_row_until_all_of_it_is_stored(run, inlet, ledger, tmp_path):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            first = lane.connect()
            first.sendall(b"<13>a\n")
            (frame,) = await inlet.take(1)
            first.shutdown(socket.SHUT_WR)
            assert await asyncio.to_thread(first.recv, 1) == b""
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 1, 0)]
            second = lane.connect()
            second.sendall(b"<13>b\n")
            await inlet.take(1)
            frame.stored()  # counts for its own connection, which is gone, not for one that came after
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 1, 0)]

    run(dialogue())


def test_a_server_that_stops_hands_on_what_it_has_read(run, narrow_inlet, ledger):
    async def dialogue():
        async with listening(narrow_inlet, ledger) as lane:
            lane.connect().sendall(b"<13>x\n" * 100)
            await narrow_inlet.take(1)
            stopping = asyncio.ensure_future(lane.server.stop())
            assert len(await narrow_inlet.take(99)) == 99
            await stopping

    run(dialogue())


def test_a_stop_of_ours_leaves_the_row_for_the_next_start_to_tell_of(run, inlet, ledger, tmp_path):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            lane.connect().sendall(b"<13>a\n<13>b\n<13>c")
            frames = await inlet.take(2)
            await lane.server.stop()
            frames += await inlet.take(1)
            assert (frames[2].raw, frames[2].fault) == (b"<13>c", CUT)
            frames[0].stored()
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 3, 1)]
            for frame in frames[1:]:
                frame.stored()
            assert open_rows(tmp_path) == [Interrupted("127.0.0.1", 3, 3)]

    run(dialogue())


def test_a_connection_that_had_closed_before_we_stop_gives_its_row_back(
    run, narrow_inlet, ledger, tmp_path, monkeypatch
):
    closed = asyncio.Event()

    class Reader(streams.PeerReader):
        def feed_eof(self):
            super().feed_eof()
            closed.set()

    async def dialogue():
        async with listening(narrow_inlet, ledger) as lane:
            client = lane.connect()
            client.sendall(b"<13>a\n<13>b\n<13>c")
            client.shutdown(socket.SHUT_WR)
            frames = await narrow_inlet.take(1)
            await asyncio.wait_for(closed.wait(), 10)  # the end is here, what came before it not all handed on
            stopping = asyncio.ensure_future(lane.server.stop())
            frames += await narrow_inlet.take(2)
            await stopping
            assert [(frame.raw, frame.fault) for frame in frames] == [(b"<13>a", ""), (b"<13>b", ""), (b"<13>c", "")]
            assert len(open_rows(tmp_path)) == 1
            for frame in frames:
                frame.stored()
            assert open_rows(tmp_path) == []

    monkeypatch.setattr(streams, "PeerReader", Reader)
    run(dialogue())


def test_one_connection_too_many_is_closed_at_once_and_told(run, inlet, ledger, tmp_path, monkeypatch):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            first = lane.connect()
            first.sendall(b"<13>a\n")
            lane.connect().sendall(b"<13>b\n")
            await inlet.take(2)
            refused = lane.connect()
            assert await asyncio.to_thread(refused.recv, 1) == b""
            assert lane.cut == ["127.0.0.1"]
            assert len(open_rows(tmp_path)) == 2
            first.shutdown(socket.SHUT_WR)
            assert await asyncio.to_thread(first.recv, 1) == b""
            lane.connect().sendall(b"<13>c\n")  # there is room again
            assert [frame.raw for frame in await inlet.take(1)] == [b"<13>c"]

    monkeypatch.setattr(streams, "MOST_OPEN", 2)
    run(dialogue())


def test_the_ledger_has_more_rows_than_connections_can_be_open():
    assert SLOTS > streams.MOST_OPEN


def test_connections_without_a_row_in_the_ledger_are_served_all_the_same(run, inlet, tmp_path):
    async def dialogue():
        with contextlib.closing(Ledger(tmp_path / "connections")) as full:
            while full.open("10.0.0.1"):
                pass
            async with listening(inlet, full) as lane:
                lane.connect().sendall(b"<13>a\n")
                (frame,) = await inlet.take(1)
                frame.stored()

    run(dialogue())


def test_a_peer_that_vanishes_without_a_word_is_asked_for(run):
    async def dialogue():
        seen = asyncio.Event()

        async def serve(_, writer):
            connection = writer.get_extra_info("socket")
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 90_000
            seen.set()

        server = StreamServer("tcp", HOME, serve)
        await server.start()
        with socket.create_connection(("127.0.0.1", server.port)):
            await asyncio.wait_for(seen.wait(), 10)
        await server.stop()

    run(dialogue())


def test_a_port_that_is_taken_is_told_with_its_number(run, inlet, ledger):
    async def dialogue():
        async with listening(inlet, ledger) as lane:
            second = StreamServer("tcp", ("127.0.0.1", lane.port), lane.server._serve)
            with pytest.raises(UnavailableError, match=rf"tcp: cannot listen on 127.0.0.1:{lane.port}: "):
                await second.start()

    run(dialogue())
