"""The messages that a measurement of syslog sends, the same to each receiver: what the lab's devices say.

A third each are Linux by RFC 5424, Linux by RFC 3164, and Cisco IOS, as routers and servers of 30 sites write them.
Of their logins one in ten is sent: each is a rule's hit, and a sector that said 25,000 messages a second would not log
in 3,000 times in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import TypeAlias

import msgspec

from core.clock import SECOND, VIETNAM, to_datetime
from inventory.records import Device
from lab.background import background
from lab.framing import frame
from lab.scenario import Planned
from lab.sector import load_sector

Sent: TypeAlias = tuple[str, bytes]
"""The address that a message is sent from, and its bytes."""

_PRIORITIES = {"sshd": 86, "CRON": 78}
_DAEMON = 30
_LOGIN = ("Accepted publickey", "USERAUTH")
_EACH = 10


def messages(count: int, rate: float, began: int) -> list[Sent]:
    """So many messages; equal arguments give equal ones.

    Args:
        count: how many.
        rate: how many are sent in a second, by which their times go on.
        began: time of the first, nanoseconds UTC.
    """
    lines = {vendor: _said_by(vendor) for vendor in ("linux", "cisco")}
    forms = cycle([("linux", frame), ("linux", traditional), ("cisco", frame)])
    made = list[Sent]()
    for number, (vendor, form) in enumerate(islice(forms, count)):
        line = next(lines[vendor])
        now = began + int(number / rate * SECOND)
        made.append((line.device.address, form(line.device, line.text, now, number)))
    return made


def _said_by(vendor: str) -> Iterator[Planned]:
    logins = 0
    for line in background(load_sector(), seed=len(vendor)):
        login = any(word in line.text for word in _LOGIN)
        logins += login
        if line.device.vendor == vendor and (not login or logins % _EACH == 0):
            yield line


def traditional(device: Device, text: str, now: int, _sequence: int) -> bytes:
    """A Linux line as Debian's rsyslogd forwards it by RFC 3164."""
    moment = to_datetime(now).astimezone(VIETNAM)
    priority = _PRIORITIES.get(text.partition("[")[0], _DAEMON)
    return f"<{priority}>{moment:%b} {moment.day:2} {moment:%H:%M:%S} {device.name} {text}".encode()


def write(path: Path, made: list[Sent]) -> Path:
    """Keeps messages in a file, for the process that sends them."""
    path.write_bytes(msgspec.msgpack.encode(made))
    return path


def read(path: Path) -> list[Sent]:
    """The messages of such a file."""
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Sent])
