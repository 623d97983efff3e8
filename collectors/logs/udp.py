"""Syslog over UDP (RFC 5426): one datagram, one message. What the kernel drops is read and counted."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from pathlib import Path
from threading import Thread
from typing import Any

from collectors.logs.frames import Frame, Inlet
from core.clock import SECOND, Clock
from core.errors import UnavailableError

_LARGEST_DATAGRAM = 65535
_MOST_LEFT = 100_000
_LEAVE = 2 * SECOND
"""Datagrams that are still read at the end, and the nanoseconds that may take: who sends on and on is left then."""


class UdpReceiver:
    """Reads datagrams in a thread of its own: asyncio's datagram protocol loses half of a burst."""

    def __init__(self, address: tuple[str, int], receive_buffer: int, inlet: Inlet, clock: Clock) -> None:
        self._address = address
        self._inlet = inlet
        self._clock = clock
        self._stopping = False
        self._wake = secrets.token_bytes(16)
        self.socket = _bound_socket(address)
        self.given_buffer = force_receive_buffer(self.socket, receive_buffer)
        self._thread = Thread(target=self._read, name="udp", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to read; frames are offered on this loop."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Hands on what the kernel has taken, ends the thread and closes the socket."""
        self._stopping = True
        with contextlib.suppress(OSError):  # a full buffer wakes the thread as well
            self.socket.sendto(self._wake, self.socket.getsockname())
        self._thread.join()
        self.socket.close()

    def kernel_drops(self) -> int:
        """Datagrams the kernel has dropped for this socket since it was opened."""
        return kernel_drops(self.socket)

    def _read(self) -> None:
        while not self._stopping:
            self._take(*self.socket.recvfrom(_LARGEST_DATAGRAM))
        self._read_what_is_left(self._clock.now() + _LEAVE)

    def _read_what_is_left(self, deadline: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MOST_LEFT):
                self._take(*self.socket.recvfrom(_LARGEST_DATAGRAM, socket.MSG_DONTWAIT))
                if self._clock.now() > deadline:
                    return

    def _take(self, raw: bytes, peer: tuple[Any, ...]) -> None:
        if raw == self._wake:
            return
        frame = Frame(plain_address(peer[0]), "udp", raw, self._clock.now())
        self._loop.call_soon_threadsafe(self._inlet.offer, frame)


def plain_address(host: str) -> str:
    """A peer's address without a zone index, an IPv4 one not dressed as IPv6."""
    return host.partition("%")[0].removeprefix("::ffff:")


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


def kernel_drops(receiver: socket.socket) -> int:
    """The last column of the socket's row in /proc/net/udp or udp6 (proc(5))."""
    inode = str(receiver_inode(receiver))
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        for row in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            columns = row.split()
            if columns[9] == inode:
                return int(columns[12])
    return 0


def receiver_inode(receiver: socket.socket) -> int:
    """The number by which the kernel's tables name the socket."""
    return Path(f"/proc/self/fd/{receiver.fileno()}").stat().st_ino


def _bound_socket(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    try:
        receiver.bind(address)
    except OSError as error:
        receiver.close()
        raise UnavailableError(f"udp: cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error
    return receiver
