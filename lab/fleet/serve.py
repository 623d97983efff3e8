"""The fleet's sockets: one for all of 127.0.0.0/8, one for IPv6; each response leaves from the address that was asked.

IPv6: ``::1`` is the first device. All others are ``fd7f::127.x.y.z``, once the machine takes that network for its own:
``ip -6 route add local fd7f::/96 dev lo`` (as root).
"""

from __future__ import annotations

import heapq
import math
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from core.clock import SECOND, Clock
from core.errors import UnavailableError
from lab.fleet.agents import Agents
from lab.fleet.control import Control, serve_one
from lab.fleet.messages import LARGEST
from lab.fleet.timeline import USUAL, Conduct

IPV6_NETWORK = bytes.fromhex("fd7f") + bytes(10)
"""Before an agent's four octets."""

LOOPBACK = 127
"""The first octet of every agent's address."""

BUFFER = 32 * 1024 * 1024
"""Octets of the receive buffer that are asked for."""

MOST_WAITING = 65_536
"""Late responses that are kept; more are lost."""

_DRAINED = 64
_IP_PKTINFO, _IPV6_FREEBIND, _SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 8, 78, 33, 32
_LOCALHOST6 = bytes(15) + b"\x01"
_SPACE = socket.CMSG_SPACE(20)
_NO_INTERFACE = struct.pack("i", 0)


class Late(NamedTuple):
    """A response that leaves at ``due``."""

    due: int
    number: int
    send: Callable[[], object]


class Server:
    """Answers until it is stopped.

    Raises:
        UnavailableError: the port is taken.
    """

    def __init__(self, agents: Agents, port: int, clock: Clock, seed: int = 1, *, ipv6: bool = True) -> None:
        self._agents = agents
        self._clock = clock
        self._random = Random(seed)  # noqa: S311 - repeatable loss is wanted, not secrets
        self._late: list[Late] = []
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], object]] = {}
        self.answered = 0
        self._first = agents.world.sector.nodes[0].packed
        self._wires = [_bound(socket.AF_INET, port)]
        self.port = int(self._wires[0].getsockname()[1])
        self._watch(self._wires[0], self._drain4)
        if ipv6 and socket.has_ipv6:
            with suppress(UnavailableError):  # a machine without IPv6 has a fleet all the same
                self._wires.append(_bound(socket.AF_INET6, self.port))
                self._watch(self._wires[1], self._drain6)

    def attach(self, wire: socket.socket, control: Control) -> None:
        """Serves a control socket too, and closes it at the end."""
        self._wires.append(wire)
        self._watch(wire, lambda: serve_one(wire, control))

    def run(self, seconds: float = math.inf) -> None:
        """Answers for so many seconds."""
        end = self._clock.now() + seconds * SECOND
        while (now := self._clock.now()) < end:
            due = min(end, self._late[0].due) if self._late else end
            wait = -1.0 if due == math.inf else max(0.0, (due - now) / SECOND)
            for descriptor, _ in self._poll.poll(wait):
                self._handlers[descriptor]()
            self._release()

    def close(self) -> None:
        """Closes all sockets; responses that wait are lost."""
        self._poll.close()
        for wire in self._wires:
            wire.close()

    def _watch(self, wire: socket.socket, handler: Callable[[], object]) -> None:
        self._handlers[wire.fileno()] = handler
        self._poll.register(wire, select.EPOLLIN)

    def _drain4(self) -> None:
        receive, send = self._wires[0].recvmsg, self._wires[0].sendmsg
        with suppress(BlockingIOError):
            for _ in range(_DRAINED):
                data, more, flags, sender = receive(LARGEST, _SPACE)
                if not more or flags & socket.MSG_TRUNC:
                    continue
                address = more[0][2][8:12]
                if address[0] == LOOPBACK:
                    source = (socket.IPPROTO_IP, _IP_PKTINFO, _NO_INTERFACE + address + address)
                    self._handle(address, data, send, (source, sender))

    def _drain6(self) -> None:
        receive, send = self._wires[1].recvmsg, self._wires[1].sendmsg
        with suppress(BlockingIOError):
            for _ in range(_DRAINED):
                data, more, flags, sender = receive(LARGEST, _SPACE)
                if not more or flags & socket.MSG_TRUNC:
                    continue
                asked = more[0][2][:16]
                address = self._address_of(asked)
                if address is not None:
                    source = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, asked + _NO_INTERFACE)
                    self._handle(address, data, send, (source, sender))

    def _address_of(self, asked: bytes) -> bytes | None:
        if asked == _LOCALHOST6:
            return self._first
        return asked[12:] if asked.startswith(IPV6_NETWORK) else None

    def _handle(self, address: bytes, data: bytes, send: Callable[..., object], way: tuple[Any, Any]) -> None:
        now = self._clock.now()
        conduct = self._conduct(address, now)
        if conduct.silent or (conduct.loss and self._random.random() < conduct.loss):
            return
        answer = self._agents.answer(address, data, now, conduct.largest)
        if answer is None:
            return
        self.answered += 1
        source, sender = way
        parts = (answer[: len(answer) // 2] if conduct.cut else answer,)
        if not conduct.delay:
            with suppress(OSError):  # the asker is gone, or the buffer is full: a datagram is lost
                send(parts, (source,), 0, sender)
        elif len(self._late) < MOST_WAITING:
            late = Late(now + conduct.delay, self.answered, lambda: send(parts, (source,), 0, sender))
            heapq.heappush(self._late, late)

    def _conduct(self, address: bytes, now: int) -> Conduct:
        world = self._agents.world
        node = world.sector.by_address.get(address)
        return world.timeline.conduct(node.number, now) if node else USUAL

    def _release(self) -> None:
        while self._late and self._late[0].due <= self._clock.now():
            with suppress(OSError):
                heapq.heappop(self._late).send()


def _bound(family: socket.AddressFamily, port: int) -> socket.socket:
    wire = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        wire.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    else:
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        wire.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)  # to answer from addresses that no interface bears
    for usual, force in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        try:
            wire.setsockopt(socket.SOL_SOCKET, force, BUFFER)
        except PermissionError:
            wire.setsockopt(socket.SOL_SOCKET, usual, BUFFER)
    try:
        wire.bind(("" if family == socket.AF_INET else "::", port))  # what is not for loopback is ignored
    except OSError as error:
        wire.close()
        raise UnavailableError(f"port {port}: {error.strerror}; expected a free UDP port (--port)") from error
    wire.setblocking(False)
    return wire
