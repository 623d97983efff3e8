"""Sends planned lines at their time, each from its device's own loopback address."""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from core.clock import SECOND, Clock
from core.errors import UnavailableError
from core.records import Record
from lab.framing import octet_counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from lab.scenario import Planned

Endpoint: TypeAlias = tuple[str, int]

_PATIENCE = 5.0
"""Seconds that a TCP peer may take to accept a connection or a line."""


class Target(Record, frozen=True, kw_only=True):
    """Where lines go, by transport: loopback host and port."""

    udp: Endpoint
    tcp: Endpoint


class Tally(Record, frozen=True, kw_only=True):
    """Lines sent, and how many of them nobody took, as far as the kernel says."""

    sent: int
    refused: int


class Wires:
    """The sockets of the devices, opened when first needed, one for each device and transport.

    A line that nobody takes is counted in ``refused`` and is no error: real devices do not stop either.
    """

    def __init__(self, target: Target) -> None:
        self.refused = 0
        self._target = target
        self._udp: dict[str, socket.socket] = {}
        self._tcp: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, line: Planned, payload: bytes) -> None:
        """Sends the payload from the line's address by the line's transport.

        Raises:
            UnavailableError: this machine cannot send from that address.
        """
        if line.transport == "udp":
            self._send_udp(line.source_address, payload)
        else:
            self._send_tcp(line.source_address, octet_counted(payload))

    def close(self) -> None:
        """Closes all sockets; a refusal of a last datagram is still counted."""
        for wire in self._udp.values():
            if wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused += 1
            wire.close()
        for wire in self._tcp.values():
            wire.close()
        self._udp.clear()
        self._tcp.clear()

    def _send_udp(self, source: str, payload: bytes) -> None:
        if source not in self._udp:
            self._udp[source] = _bound(socket.SOCK_DGRAM, source)
            self._udp[source].connect(self._target.udp)
        try:
            self._udp[source].send(payload)
        except ConnectionRefusedError:  # the answer to the datagram before; this one has not left yet
            self.refused += 1
            self._udp[source].send(payload)

    def _send_tcp(self, source: str, payload: bytes) -> None:
        if source in self._tcp:
            with suppress(OSError):
                self._tcp[source].sendall(payload)
                return
            self._tcp.pop(source).close()
        wire = _bound(socket.SOCK_STREAM, source)
        try:
            wire.connect(self._target.tcp)
            wire.sendall(payload)
        except OSError:
            self.refused += 1
            wire.close()
        else:
            self._tcp[source] = wire


def play(
    plan: Iterable[Planned],
    target: Target,
    clock: Clock,
    sleep: Callable[[float], object],
    *,
    speed: float = 1.0,
    tick: Callable[[], object] = lambda: None,
) -> Tally:
    """Sends every line of the plan when its time has come and says how many there were.

    Args:
        plan: lines in the order of their time; may be endless.
        target: where to.
        clock: gives the start and the time written into the lines.
        sleep: waits for so many seconds.
        speed: 2.0 plays twice as fast.
        tick: called after each line, for a progress line.

    Raises:
        UnavailableError: this machine cannot send from a device's address.
    """
    start = clock.now()
    sequences: Counter[str] = Counter()
    with Wires(target) as wires:
        for line in plan:
            early = (start - clock.now()) / SECOND + line.at / speed
            if early > 0:
                sleep(early)
            sequences[line.device.name] += 1
            wires.send(line, line.payload(clock.now(), sequences[line.device.name]))
            tick()
    return Tally(sent=sequences.total(), refused=wires.refused)


def _bound(kind: socket.SocketKind, source: str) -> socket.socket:
    wire = socket.socket(socket.AF_INET, kind)
    try:
        wire.bind((source, 0))
    except OSError as error:
        wire.close()
        raise UnavailableError(f"cannot send from {source}: {error.strerror}; run the lab on Linux") from error
    wire.settimeout(_PATIENCE)
    return wire
