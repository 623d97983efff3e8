"""A fleet to ask: in the process with a clock that is held, or as the command that people run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from core.clock import SECOND, HeldClock
from lab.fleet import ber
from lab.fleet.agents import Agents, Secrets
from lab.fleet.faults import FOREVER, Fault, Terms
from lab.fleet.invented import invented_sector, parse_size
from lab.fleet.messages import GET, GET_BULK, GET_NEXT, V2C, Pdu, ask, request
from lab.fleet.state import World
from lab.fleet.timeline import Timeline

ROOT = Path(__file__).resolve().parents[2]
START = 1_795_600_000 * SECOND
"""When the fleets of the tests begin: on a full second."""

SYSTEM, PORTS, MORE = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
UPTIME, NAME = f"{SYSTEM}.3.0", f"{SYSTEM}.5.0"


class Reply(NamedTuple):
    """A response: its request-id, its error and its variables, each with name, tag and value."""

    request_id: bytes
    error: int
    place: int
    variables: list[tuple[str, int, object]]

    @property
    def values(self) -> list[object]:
        return [value for _, _, value in self.variables]


class Fleet:
    """Agents at a time that the test sets."""

    def __init__(self, size: str, *terms: Terms, secrets: Secrets | None = None, seed: int = 1) -> None:
        self.sector = invented_sector(parse_size(size), seed)
        self.clock = HeldClock(START)
        self.timeline = Timeline(self.sector)
        self.world = World(self.sector, self.timeline, START)
        self.agents = Agents(self.world, secrets or Secrets())
        for one in terms:
            self.begin(one)

    def begin(self, terms: Terms, lasts: float | None = None) -> None:
        now = self.clock.now()
        until = FOREVER if lasts is None else now + round(lasts * SECOND)
        self.timeline.add(Fault(terms=terms, since=now, until=until))

    def wait(self, seconds: float) -> None:
        self.clock.forward(round(seconds * SECOND))

    def silent(self, device: str) -> bool:
        return self.timeline.conduct(self.sector.by_name[device].number, self.clock.now()).silent

    def send(self, device: str, data: bytes, largest: int = 0) -> bytes | None:
        address = self.sector.by_name[device].packed
        return self.agents.answer(address, data, self.clock.now(), largest)

    def ask(self, device: str, pdu: Pdu, version: int = V2C) -> Reply:
        answer = self.send(device, request(version, b"public", pdu))
        assert answer is not None
        return decode(answer)

    def get(self, device: str, *oids: str, version: int = V2C) -> list[object]:
        return self.ask(device, get_pdu(GET, oids), version).values

    def walk(self, device: str, root: str, limit: int = 10_000) -> dict[str, object]:
        """All variables below an object identifier, by GETBULK."""
        found: dict[str, object] = {}
        last = root if "." in root else f"{root}.0"
        while len(found) < limit:
            reply = self.ask(device, get_pdu(GET_BULK, [last], second=30))
            for name, tag, value in reply.variables:
                if tag == ber.END_OF_MIB_VIEW or not name.startswith(f"{root}."):
                    return found
                found[name] = value
                last = name
        return found

    def column(self, device: str, oid: str) -> dict[int, object]:
        """A column of a table with one index, by index."""
        return {int(name.rpartition(".")[2]): value for name, value in self.walk(device, oid).items()}

    def by_port(self, device: str, oid: str) -> dict[object, object]:
        """A column of an interface table by ifName."""
        names = self.column(device, f"{MORE}.1")
        return {names[index]: value for index, value in self.column(device, oid).items()}


def get_pdu(tag: int, oids: list[str] | tuple[str, ...], first: int = 0, second: int = 0, number: int = 77) -> Pdu:
    names = tuple(ber.oid(ber.parse_dotted(oid)) for oid in oids)
    return Pdu(tag, number.to_bytes(4, "big"), ask(first, second, names))


def next_pdu(*oids: str) -> Pdu:
    return get_pdu(GET_NEXT, oids)


def decode(data: bytes) -> Reply:
    """A response of version 1 or 2c, every octet of it looked at."""
    start, stop = ber.expect(data, 0, len(data), ber.SEQUENCE)
    assert stop == len(data)
    _, at = ber.expect(data, start, stop, ber.INTEGER)
    _, at = ber.expect(data, at, stop, ber.OCTET_STRING)
    tag, at, end = ber.read(data, at, stop)
    assert (tag, end) == (0xA2, stop)
    fields = []
    for _ in range(3):
        first, at = ber.expect(data, at, end, ber.INTEGER)
        fields.append(data[first:at])
    at, last = ber.expect(data, at, end, ber.SEQUENCE)
    assert last == end
    return Reply(fields[0], ber.read_integer(fields[1]), ber.read_integer(fields[2]), list(_variables(data, at, last)))


def _variables(data: bytes, at: int, end: int) -> Iterator[tuple[str, int, object]]:
    while at < end:
        first, at = ber.expect(data, at, end, ber.SEQUENCE)
        start, stop = ber.expect(data, first, at, ber.OBJECT_ID)
        tag, value, last = ber.read(data, stop, at)
        assert last == at
        yield ber.dotted(ber.read_oid(data[start:stop])), tag, _value(tag, data[value:last])


def _value(tag: int, content: bytes) -> object:
    if tag in (ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.COUNTER64):
        return ber.read_integer(content)
    if tag == ber.OBJECT_ID:
        return ber.dotted(ber.read_oid(content))
    if tag == ber.IP_ADDRESS:
        return str(IPv4Address(content))
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


class Running(NamedTuple):
    """A fleet as a process of its own."""

    port: int
    process: subprocess.Popen[str]


@contextmanager
def running(*arguments: str, within: tuple[str, ...] = ()) -> Iterator[Running]:
    """``python -m lab fleet`` on a port of its own; ``within`` is the command that starts it, as in another network."""
    command = [*within, sys.executable, "-m", "lab", "fleet", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        try:
            yield Running(int(told.rsplit(" ", 1)[1]), process)
        finally:
            process.terminate()
            process.wait(20)
