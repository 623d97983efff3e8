"""Figures of the lab's fleet at the size of the whole sector: `make soak` prints them."""

import os
import socket
import time

import pytest
from fleets import MORE, PORTS, get_pdu, running

from lab.bench.measure import held, spent
from lab.fleet import usm
from lab.fleet.ber import INTEGER, OCTET_STRING, SEQUENCE, tlv
from lab.fleet.invented import invented_sector, parse_size
from lab.fleet.messages import GET, V2C, Pdu, ask, request
from lab.fleet.usm import Engine, Secured, Security, User

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SIZE = "800x4x24"
COLUMNS = (
    *(f"{MORE}.{number}" for number in (6, 7, 10, 11, 15, 19)),
    *(f"{PORTS}.{number}" for number in (7, 8, 13, 14, 19, 20)),
)
USER = User(name="noc", authentication="authpass1", privacy="privpass1")
WINDOW = 60


class Asker:
    """Sends datagrams with so many unanswered, and says what the fleet took for them."""

    def __init__(self, fleet, wire):
        self.fleet = fleet
        self.wire = wire

    def ask(self, address, data):
        self.wire.sendto(data, (address, self.fleet.port))
        return self.wire.recv(4096)

    def figures(self, title, datagrams):
        pid, began = self.fleet.process.pid, time.monotonic()
        before, waiting = spent(pid), 0
        for address, data in datagrams:
            if waiting == WINDOW:
                self.wire.recv(4096)
                waiting -= 1
            self.wire.sendto(data, (address, self.fleet.port))
            waiting += 1
        for _ in range(waiting):
            self.wire.recv(4096)
        took, wall = spent(pid) - before, time.monotonic() - began
        micro = took / len(datagrams) * 1e6
        print(f"{title}: {micro:.1f} us a PDU, {len(datagrams) / took:.0f} PDUs/s of a core, {wall:.1f} s", flush=True)
        return micro


def rests(node):
    """288 values of a device in GETs of 60, as what follows the request-id."""
    first = node.family.first_index
    names = [f"{column}.{first + row}" for column in COLUMNS for row in range(node.ports)]
    return [get_pdu(GET, tuple(names[at : at + 60])).rest for at in range(0, len(names), 60)]


def plain(node):
    return [(node.address, request(V2C, b"public", Pdu(GET, b"\x40\0\0\x01", rest))) for rest in rests(node)]


def secured(asker, node, flags):
    empty = tlv(SEQUENCE, tlv(OCTET_STRING, b"") * 2 + tlv(GET, tlv(INTEGER, b"\x01") + ask(0, 0, ())))
    discovery = usm._message(b"\x05", usm.REPORTABLE, Engine(b"", 0, 0), (b"", b"", b"", b""), empty)
    engine = usm.read_secured(asker.ask(node.address, discovery)).engine
    asked = Secured(b"\x05", flags, engine, b"noc", (0, 0), b"", (0, 0))
    made = []
    for rest in rests(node):
        pdu = tlv(GET, tlv(INTEGER, b"\x40\0\0\x01") + rest)
        scoped = tlv(SEQUENCE, tlv(OCTET_STRING, engine.id) + tlv(OCTET_STRING, b"") + pdu)
        made.append((node.address, Security(USER)._secure(asked, engine, flags, scoped)))
    return made


def test_the_whole_sector_is_answered_at_little_cost():
    sector = invented_sector(parse_size(SIZE))
    began = time.monotonic()
    options = ("--size", SIZE, "--v3", "noc:authpass1:privpass1")
    with running(*options) as fleet, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        pid = fleet.process.pid
        print(f"\nup after {time.monotonic() - began:.2f} s, {spent(pid):.2f} s of CPU, {held(pid):.0f} MiB")
        wire.settimeout(5)
        asker = Asker(fleet, wire)
        cycle = [datagram for node in sector.nodes for datagram in plain(node)]
        asker.figures("v2c, first cycle of 3,200 devices x 288 values", cycle)
        fresh = asker.figures("v2c, next cycle, all values new", cycle)
        again = asker.figures("v2c, 60 devices over and over", cycle[:300] * 300)
        private = [datagram for node in sector.nodes for datagram in secured(asker, node, 3)]
        asker.figures("v3 authPriv, first cycle", private)
        asker.figures("v3 authPriv, next cycle", private)
        asker.figures("v3 authPriv, 60 devices over and over", private[:300] * 100)
        signed = [datagram for node in sector.nodes[:60] for datagram in secured(asker, node, 1)]
        asker.figures("v3 authNoPriv, 60 devices over and over", signed * 100)
        memory = held(pid)
        print(f"{memory:.0f} MiB at most; load {os.getloadavg()[0]:.1f}")
    assert again < 60
    assert fresh < 400
    assert memory < 400
