"""What every poller has to do in ``bench snmp``: the same devices, the same scalars, the same columns.

These are what our shipped profile of any device reads each minute: three scalars, and of every port octets and packets
of 64 bits both ways, errors and discards both ways, both states, the speed, and when counting began anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from collectors.snmp.profiles import GENERIC, INTERFACES, SYSTEM, Column, Pace, Profile, shipped_profiles
from core.records import Record
from lab.bench.programs import running, said
from lab.fleet.invented import Size, invented_sector
from lab.fleet.usm import User

COMMUNITY = "public"
USER = User(name="noc", authentication="bench-auth", privacy="bench-priv")

AT_ONCE = 30
"""Devices that are asked at the same time by those who ask several."""

_LISTENS = re.compile(r"UDP (\d+)")


class Devices(Record, frozen=True, kw_only=True):
    """Simulated devices that answer: their addresses, the UDP port, and how many interfaces each has."""

    addresses: tuple[str, ...]
    port: int
    interfaces: int

    @property
    def values(self) -> int:
        """How many values one cycle brings."""
        return len(self.addresses) * (len(scalars()) + len(columns()) * self.interfaces)


class Taken(Record, frozen=True, kw_only=True):
    """What a cycle takes: ``units`` values that were wanted, of ``varbinds`` that came; the mean of several cycles.

    ``units`` is that of the cycle that brought fewest.
    """

    units: int
    varbinds: int
    cpu_s: float
    wall_s: float
    rss_mib: float


@cache
def profile() -> Profile:
    """What our poller reads of any device."""
    return shipped_profiles().by_name[GENERIC]


@cache
def scalars() -> tuple[Column, ...]:
    """The scalars that are read each minute."""
    return _each_minute(SYSTEM)


@cache
def columns() -> tuple[Column, ...]:
    """The columns that are read each minute."""
    return _each_minute(INTERFACES)


def _each_minute(name: str) -> tuple[Column, ...]:
    table = profile().table(name)
    return tuple(column for column in table.columns if column.pace is Pace.MINUTE) if table else ()


@contextmanager
def fleet(size: Size, folder: Path) -> Iterator[Devices]:
    """The lab's fleet of this size as a process of its own.

    Raises:
        UnavailableError: it did not start.
    """
    user = f"{USER.name}:{USER.authentication}:{USER.privacy}"
    command = [sys.executable, "-m", "lab", "fleet", "--port", "0", "--size", str(size), "--v3", user]
    with running(command, folder, lambda: _LISTENS.search(said(folder)) is not None):
        port = _LISTENS.findall(said(folder))[0]
        addresses = tuple(node.address for node in invented_sector(size).nodes)
        yield Devices(addresses=addresses, port=int(port), interfaces=size.ports)
