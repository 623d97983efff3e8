"""Syslog over UDP (RFC 5426): one datagram, one message. What the kernel drops is read and counted."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
from collections import Counter
from threading import BoundedSemaphore, Event, Thread
from typing import NamedTuple

from collectors.logs.datagrams import Datagram, Datagrams
from collectors.logs.frames import Frame, Inlet
from core.clock import SECOND, Clock
from core.errors import UnavailableError

_AT_ONCE = 256
_FEW = 64
_GATHER = 0.004
"""Datagrams read by one call; after fewer than so many, the seconds in which more may gather for the next."""

_ON_THE_WAY = 4
"""Reads handed to the loop and not yet taken by it: beyond, datagrams wait in the kernel's buffer, which counts."""

_MOST_LEFT = 100_000
_LEAVE = 2 * SECOND
"""Datagrams that are still read at the end, and the nanoseconds that may take: who sends on and on is left then."""


class UdpReceiver:
    """Reads datagrams in a thread of its own: asyncio's datagram protocol loses half of a burst.

    Args:
        address: where it listens.
        receive_buffer: bytes that are asked for; ``given_buffer`` tells what the kernel gave.
        inlet: where messages go.
        clock: tells when they were received.
        at_once: datagrams read by one call.
    """

    def __init__(
        self, address: tuple[str, int], receive_buffer: int, inlet: Inlet, clock: Clock, at_once: int = _AT_ONCE
    ) -> None:
        self._inlet = inlet
        self._clock = clock
        self._stopping = Event()
        self._wake = secrets.token_bytes(16)
        self.socket = _bound_socket(address)
        self.given_buffer = force_receive_buffer(self.socket, receive_buffer)
        self._datagrams = Datagrams(self.socket, at_once)
        self._on_the_way = BoundedSemaphore(_ON_THE_WAY)
        self._thread = Thread(target=self._read, name="udp", daemon=True)
        self._dropped = 0
        self._since: Counter[str] = Counter()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to read; frames are offered on this loop."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Hands on what the kernel has taken, ends the thread and closes the socket."""
        self._stopping.set()
        with contextlib.suppress(OSError):  # a full buffer wakes the thread as well
            self.socket.sendto(self._wake, self.socket.getsockname())
        self._thread.join()
        self.socket.close()

    def dropped(self) -> dict[str, int]:
        """Datagrams that the kernel dropped since the last call, by source; to be called on the loop.

        The kernel counts them for the socket and tells nobody whose they were: they are shared out as those that did
        get through meanwhile.
        """
        total = kernel_figures(self.socket).dropped
        fresh, self._dropped = total - self._dropped, total
        seen, self._since = self._since, Counter()
        return shared_out(fresh, seen)

    def _read(self) -> None:
        while not self._stopping.is_set():
            if self._should_wait() or self._take(self._datagrams.read()) < _FEW:
                self._stopping.wait(_GATHER)
        self._read_what_is_left(self._clock.now() + _LEAVE)

    def _should_wait(self) -> bool:
        """Whether the lane is busy and the kernel has room: only when it has not, is anything dropped, by share."""
        return self._inlet.crowded() and kernel_figures(self.socket).queued * 2 < self.given_buffer

    def _read_what_is_left(self, deadline: int) -> None:
        left = _MOST_LEFT
        while left > 0 and (found := self._datagrams.read(wait=False)):
            left -= self._take(found)
            if self._clock.now() > deadline:
                return

    def _take(self, found: list[Datagram]) -> int:
        seen = self._clock.now()
        frames = [Frame(source, "udp", raw, seen) for raw, source in found if raw != self._wake]
        if frames:
            self._on_the_way.acquire()
            self._loop.call_soon_threadsafe(self._offer, frames)
        return len(found)

    def _offer(self, frames: list[Frame]) -> None:
        self._on_the_way.release()
        self._since.update(frame.source for frame in frames)
        self._inlet.offer(frames)


def shared_out(count: int, by: Counter[str]) -> dict[str, int]:
    """A whole number in shares as these, whole numbers that sum to it; ``kernel`` has all where there are none."""
    if not count:
        return {}
    total = by.total()
    if not total:
        return {"kernel": count}
    shares = {source: count * seen // total for source, seen in by.items()}
    most = by.most_common(1)[0][0]
    shares[most] += count - sum(shares.values())
    return {source: share for source, share in shares.items() if share}


def force_receive_buffer(receiver: socket.socket, wanted: int) -> int:
    """Asks for a receive buffer, beyond net.core.rmem_max where we may; returns the bytes that were given.

    Linux doubles the figure for its own book-keeping (socket(7)); the half is told here.
    """
    force = getattr(socket, "SO_RCVBUFFORCE", 33)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, force, wanted)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
    return receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


_SO_MEMINFO = 55
_MEMINFO = struct.Struct("@9I")
"""Option and form of SO_MEMINFO (linux/sock_diag.h); the first word are bytes that wait, the ninth drops."""


class KernelFigures(NamedTuple):
    """What the kernel tells of a UDP socket: bytes that wait in its buffer, datagrams that it has dropped."""

    queued: int
    dropped: int


def kernel_figures(receiver: socket.socket) -> KernelFigures:
    """The socket's figures (SO_MEMINFO, as ``ss -m`` shows them)."""
    words = _MEMINFO.unpack(receiver.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))
    return KernelFigures(words[0], words[8])


def _bound_socket(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:  # as for TCP: what listens on [::] is IPv6's alone
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        receiver.bind(address)
    except OSError as error:
        receiver.close()
        raise UnavailableError(f"udp: cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error
    return receiver
