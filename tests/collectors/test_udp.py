"""Syslog over UDP: datagrams come through the thread, and what the kernel drops is counted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter

import pytest

from collectors.logs import udp
from collectors.logs.datagrams import plain_address
from collectors.logs.udp import UdpReceiver, force_receive_buffer, kernel_figures, shared_out
from core.clock import SECOND, HeldClock
from core.errors import UnavailableError

NOW = 1_795_312_267_000_000_000


@pytest.fixture(params=[("127.0.0.1", 0), ("::1", 0)], ids=["ipv4", "ipv6"])
def receiver(request, inlet):
    return UdpReceiver(request.param, 1 << 20, inlet, HeldClock(NOW))


def send(receiver: UdpReceiver, *datagrams: bytes) -> None:
    with socket.socket(receiver.socket.family, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, receiver.socket.getsockname())


def test_each_datagram_is_a_frame_with_its_sender(run, receiver, inlet):
    async def dialogue():
        receiver.start(asyncio.get_running_loop())
        try:
            send(receiver, b"<13>a", b"", b"<13>b\n", b"<13>b\n", b"x" * 60_000)
            frames = await inlet.take(5)
        finally:
            await asyncio.to_thread(receiver.stop)
        assert [frame.raw for frame in frames] == [b"<13>a", b"", b"<13>b\n", b"<13>b\n", b"x" * 60_000]
        sources = {(frame.source, frame.transport, frame.seen) for frame in frames}
        assert sources == {(receiver_address, "udp", NOW)}

    receiver_address = receiver.socket.getsockname()[0]
    run(dialogue())


def test_stopping_ends_the_thread_and_frees_the_port(run, receiver, inlet):
    async def dialogue():
        address = receiver.socket.getsockname()[:2]
        receiver.start(asyncio.get_running_loop())
        await asyncio.to_thread(receiver.stop)
        assert not receiver._thread.is_alive()
        again = UdpReceiver(address, 1 << 20, inlet, HeldClock(NOW))
        again.start(asyncio.get_running_loop())
        await asyncio.to_thread(again.stop)

    run(dialogue())


def test_a_receiver_that_is_stopped_is_no_source_of_its_own(run, receiver, inlet):
    async def dialogue():
        receiver.start(asyncio.get_running_loop())
        await asyncio.to_thread(receiver.stop)
        await asyncio.sleep(0)
        assert inlet.waiting == 0

    run(dialogue())


class BusyClock(HeldClock):
    """A clock that keeps who asks waiting until it may go on; each answer takes so long."""

    def __init__(self, step: int = 0) -> None:
        super().__init__(NOW)
        self._step = step
        self.asked = threading.Event()
        self.go = threading.Event()

    def now(self) -> int:
        self.asked.set()
        assert self.go.wait(10)
        self.forward(self._step)
        return super().now()


async def stop_with_much_unread(inlet, clock: BusyClock) -> None:
    """Stops a receiver that was busy with a first datagram when a hundred more came, until it was told to stop."""
    receiver = UdpReceiver(("127.0.0.1", 0), 1 << 20, inlet, clock, at_once=1)
    receiver.start(asyncio.get_running_loop())
    send(receiver, b"first")
    assert await asyncio.to_thread(clock.asked.wait, 10)
    send(receiver, *(b"%d" % number for number in range(100)))
    join = receiver._thread.join

    def told() -> None:
        clock.go.set()
        join()

    receiver._thread.join = told
    await asyncio.to_thread(receiver.stop)


def test_what_the_kernel_has_taken_when_we_stop_is_handed_on(run, inlet):
    async def dialogue():
        await stop_with_much_unread(inlet, BusyClock())
        assert inlet.waiting == 101  # all were offered before the stop was over
        assert [frame.raw for frame in await inlet.take(101)] == [b"first", *(b"%d" % number for number in range(100))]

    run(dialogue())


def test_reading_what_is_left_ends_after_two_seconds(run, inlet):
    async def dialogue():
        await stop_with_much_unread(inlet, BusyClock(SECOND // 2))
        assert 2 <= inlet.waiting <= 5

    run(dialogue())


def test_reading_what_is_left_ends_after_so_many(run, inlet, monkeypatch):
    async def dialogue():
        await stop_with_much_unread(inlet, BusyClock())
        assert inlet.waiting == 11

    monkeypatch.setattr(udp, "_MOST_LEFT", 10)
    run(dialogue())


def test_what_the_kernel_drops_is_read_from_its_table(inlet):
    receiver = UdpReceiver(("127.0.0.1", 0), 4096, inlet, HeldClock(NOW))
    assert receiver.dropped() == {}
    send(receiver, *[b"x" * 1000] * 100)
    receiver.socket.setblocking(False)
    taken = 0
    with contextlib.suppress(BlockingIOError):
        while receiver.socket.recv(2000):
            taken += 1
    assert 0 < taken < 100
    assert receiver.dropped() == {"kernel": 100 - taken}
    assert receiver.dropped() == {}
    receiver.socket.close()


def test_while_the_lane_is_busy_datagrams_wait_in_the_kernel_as_long_as_it_has_room(run, inlet):
    async def dialogue():
        inlet.busy = True
        receiver = UdpReceiver(("127.0.0.1", 0), 200_000, inlet, HeldClock(NOW))
        send(receiver, *[b"x" * 1000] * 10)
        receiver.start(asyncio.get_running_loop())
        assert receiver._should_wait()
        assert inlet.waiting == 0
        send(receiver, *[b"y" * 1000] * 300)
        assert len(await inlet.take(50)) == 50
        inlet.busy = False
        await asyncio.to_thread(receiver.stop)

    run(dialogue())


def test_drops_are_shared_out_as_what_got_through():
    assert shared_out(0, Counter({"a": 1})) == {}
    assert shared_out(7, Counter()) == {"kernel": 7}
    assert shared_out(10, Counter({"a": 98, "b": 2})) == {"a": 10}
    assert shared_out(101, Counter({"a": 50, "b": 25, "c": 25})) == {"a": 51, "b": 25, "c": 25}


def test_a_socket_that_is_not_in_the_kernels_tables_has_no_drops():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        assert kernel_figures(other) == (0, 0)


def test_the_receive_buffer_that_was_given_is_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        given = force_receive_buffer(plain, 100_000)
        assert given == plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        assert 0 < given <= 100_000


class Unprivileged(socket.socket):
    """A socket of a process that may not go beyond net.core.rmem_max."""

    def setsockopt(self, level, option, value):
        if option == getattr(socket, "SO_RCVBUFFORCE", 33):
            raise PermissionError
        super().setsockopt(level, option, value)


def test_without_the_right_to_force_it_the_buffer_is_what_the_kernel_allows():
    with Unprivileged(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        assert force_receive_buffer(plain, 8192) == 8192


def test_a_port_that_is_taken_is_told_with_its_number(inlet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=rf"udp: cannot listen on 127.0.0.1:{port}: "):
            UdpReceiver(("127.0.0.1", port), 4096, inlet, HeldClock(NOW))


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::ffff:1", "2001:db8::ffff:1"),
    ],
)
def test_an_address_is_written_plainly(host, plain):
    assert plain_address(host) == plain
