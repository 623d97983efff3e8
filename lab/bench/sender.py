"""Sends messages at a given rate, each from its device's own loopback address, in a process of its own.

``python -m lab.bench.sender PLAN`` prints when it began and ended, as JSON; times are the machine's monotonic clock.
"""

from __future__ import annotations

import gc
import re
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core.records import Record
from lab.bench.lines import read
from lab.framing import octet_counted

BURSTS = 1000
"""Bursts a second: a device does not send with a metronome, and a sleep each message is beyond the kernel's timers."""

WINDOW = 128
"""Messages of one RELP session that may be unanswered; as many as librelp's client has."""

PATIENCE = 60.0
_ANSWER = re.compile(rb"\d+ rsp (\d+)(?: ([^\n]*(?:\n[^\n]*)*?))?\n(?=\d|\Z)")


class Plan(Record, frozen=True, kw_only=True):
    """What to send, how, where to and how fast."""

    file: str
    transport: str
    port: int
    rate: float


class Times(Record, frozen=True, kw_only=True):
    """When the first message was sent and the last one had been, in seconds of the monotonic clock."""

    began: float
    ended: float


class Wire(Protocol):
    """One device's way to the receiver."""

    def send(self, raw: bytes) -> None:
        """Sends one message."""
        ...

    def close(self) -> None:
        """Ends in good order, with all that was sent."""
        ...


class Udp:
    """A socket of datagrams."""

    def __init__(self, source: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self._socket.connect(("127.0.0.1", port))

    def send(self, raw: bytes) -> None:
        """One message, one datagram."""
        self._socket.send(raw)

    def close(self) -> None:
        """Nothing is owed."""
        self._socket.close()


class Tcp:
    """A connection with octet counting."""

    def __init__(self, source: str, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))

    def send(self, raw: bytes) -> None:
        """Waits while the receiver takes nothing."""
        self._socket.sendall(octet_counted(raw))

    def close(self) -> None:
        """The kernel sends what is left."""
        self._socket.close()


class Relp:
    """A session whose sender waits when `WINDOW` messages are unanswered."""

    def __init__(self, source: str, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self._number, self._open, self._rest = 0, 0, b""
        self._ask(b"open", b"relp_version=0\nrelp_software=bench\ncommands=syslog")
        self._settle(0)

    def send(self, raw: bytes) -> None:
        """Sends, once there is room in the window."""
        self._settle(WINDOW - 1)
        self._ask(b"syslog", raw)

    def close(self) -> None:
        """Waits until all are answered."""
        self._settle(0)
        self._ask(b"close", b"")
        self._socket.close()

    def _ask(self, command: bytes, data: bytes) -> None:
        self._number += 1
        self._open += 1
        self._socket.sendall(b"%d %b %d%b%b\n" % (self._number, command, len(data), b" " if data else b"", data))

    def _settle(self, most: int) -> None:
        while self._open > most:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the RELP session ended early")
            self._rest += data
            while found := _ANSWER.match(self._rest):
                self._rest = self._rest[found.end() :]
                self._open -= 1


WIRES: dict[str, Callable[[str, int], Wire]] = {"udp": Udp, "tcp": Tcp, "relp": Relp}


def send(plan: Plan) -> Times:
    """Sends all of the plan's messages."""
    made = read(Path(plan.file))
    wires = {source: WIRES[plan.transport](source, plan.port) for source in dict.fromkeys(source for source, _ in made)}
    gc.freeze()
    burst = max(1, round(plan.rate / BURSTS))
    began = time.monotonic()
    for place in range(0, len(made), burst):
        time.sleep(max(0.0, began + place / plan.rate - time.monotonic()))
        for source, raw in made[place : place + burst]:
            wires[source].send(raw)
    for wire in wires.values():
        wire.close()
    return Times(began=began, ended=time.monotonic())


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(send(msgspec.json.decode(sys.argv[1], type=Plan))))
