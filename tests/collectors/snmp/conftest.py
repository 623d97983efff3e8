"""A real agent (Debian's snmpd) on a port of its own, and one that is made for a test, hostile ones included."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api
from pysnmp.proto.api import v1, v2c

from collectors.snmp.session import Session, Sessions, Target, Version
from core.vault import Secret
from inventory.credentials import AuthProtocol, PrivProtocol, SnmpV2c, SnmpV3

COMMUNITY = "đọc-thôi"
AUTH, PRIV = "auth-passphrase", "priv-passphrase"
USERS = {
    "sha256": (AuthProtocol.SHA_256, PrivProtocol.AES_128, "SHA-256", "AES"),
    "sha": (AuthProtocol.SHA, PrivProtocol.AES_128, "SHA", "AES"),
    "md5": (AuthProtocol.MD5, PrivProtocol.DES, "MD5", "DES"),
    "sha512": (AuthProtocol.SHA_512, PrivProtocol.AES_128, "SHA-512", "AES"),
}
TYPES = {
    "int": v2c.Integer32,
    "text": v2c.OctetString,
    "oid": v2c.ObjectIdentifier,
    "counter32": v2c.Counter32,
    "counter64": v2c.Counter64,
    "gauge": v2c.Gauge32,
    "ticks": v2c.TimeTicks,
}


def run(made: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(made)


def free_port() -> int:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as v6,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as v4,
    ):
        v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        v4.bind(("127.0.0.1", 0))
        v6.bind(("::1", v4.getsockname()[1]))
        return int(v4.getsockname()[1])


class Snmpd:
    """A running snmpd, and snmpbulkwalk as the oracle of what it says."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._folder = folder

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/snmpd", "-f", "-C", "-c", str(self._folder / "snmpd.conf"), "-Lf", str(self._folder / "log")],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(self._folder / "kept"), "MIBS": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _await(self, self._process)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def restart(self) -> None:
        self.stop()
        self.start()

    def target(self, user: str = "", address: str = "127.0.0.1", version: Version = Version.V2C, **changed) -> Target:
        if user:
            auth, priv, _, _ = USERS[user]
            given = {"user": changed.get("named", user), "auth_passphrase": AUTH, "priv_passphrase": PRIV} | changed
            secrets = {name: Secret(text) for name, text in given.items() if name in {"user", *_PASSPHRASES}}
            kinds = {"auth_protocol": auth, "priv_protocol": priv}
            kinds |= {name: value for name, value in changed.items() if name in kinds}
            credential: SnmpV2c | SnmpV3 = SnmpV3(**secrets, **kinds)
        else:
            credential = SnmpV2c(community=Secret(changed.get("community", COMMUNITY)))
        return Target(address=address, credential=credential, port=self.port, version=version, timeout=1.0)

    def bulkwalk(self, root: str, *arguments: str) -> dict[str, str]:
        """What net-snmp's own client reads below ``root``: identifiers to ``TYPE: value`` as it prints them."""
        how = arguments or ("-v2c", "-c", COMMUNITY)
        done = subprocess.run(
            ["snmpbulkwalk", "-On", "-Oe", "-Ot", "-OU", "-t", "3", *how, f"127.0.0.1:{self.port}", f".{root}"],
            capture_output=True,
            check=True,
            env={**os.environ, "MIBS": "", "LC_ALL": "C.UTF-8"},
        )
        rows = (line.partition(" = ") for line in done.stdout.decode(errors="replace").splitlines())
        return {oid.lstrip("."): value for oid, found, value in rows if found}


_PASSPHRASES = ("auth_passphrase", "priv_passphrase")


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory) -> Iterator[Snmpd]:
    yield from running_snmpd(tmp_path_factory.mktemp("snmpd"))


@pytest.fixture
def restartable(tmp_path) -> Iterator[Snmpd]:
    """An agent of the test's own, which it may restart."""
    yield from running_snmpd(tmp_path)


@pytest.fixture
def unused_port() -> int:
    return free_port()


def running_snmpd(folder: Path) -> Iterator[Snmpd]:
    port = free_port()
    users = "".join(
        f'createUser {name} {auth} "{AUTH}" {priv} "{PRIV}"\nrouser {name} authpriv\n'
        for name, (_, _, auth, priv) in USERS.items()
    )
    (folder / "snmpd.conf").write_text(
        f"agentAddress udp:127.0.0.1:{port},udp6:[::1]:{port}\n"
        f'rocommunity "{COMMUNITY}" 127.0.0.1\nrocommunity6 "{COMMUNITY}" ::1\n{users}'
        'sysLocation "Phòng máy"\ndisk / 10%\nproc snmpd\nproc nobody-runs-this\nload 12 10 5\n'
    )
    kept = folder / "kept"
    kept.mkdir()
    agent = Snmpd(port, folder)
    agent.start()
    try:
        yield agent
    finally:
        agent.stop()


def _await(agent: Snmpd, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            agent.bulkwalk("1.3.6.1.2.1.1.3", "-v2c", "-c", COMMUNITY, "-r", "0")
        except subprocess.CalledProcessError:
            assert process.poll() is None, "snmpd ended at once"
            assert time.monotonic() < until, "snmpd does not answer"
        else:
            return


class Agent(asyncio.DatagramProtocol):
    """An SNMPv1 and v2c agent over UDP, whose values and faults a test sets.

    Attributes:
        values: object identifiers to (type, value).
        most: variables of a request that it answers; more are too big, or, if ``truncates``, left out.
        drops: requests it does not answer before it answers again.
        lag: seconds before it answers.
        backwards: repeats its first row for ever in walks.
        requests: what it was asked: PDU and number of variables.
    """

    def __init__(self, values: dict[str, tuple[str, Any]]) -> None:
        self.values = values
        self.most = 1000
        self.truncates = self.backwards = self.silent_if_big = self.dead = False
        self.drops, self.lag = 0, 0.0
        self.requests: list[tuple[str, int]] = []
        self.on_request: Callable[[int], None] = lambda _: None

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address) -> None:
        version = int(api.decodeMessageVersion(data))
        if version not in api.PROTOCOL_MODULES:
            return
        module = api.PROTOCOL_MODULES[version]
        message, _ = decoder.decode(data, asn1Spec=module.Message())
        request = module.apiMessage.get_pdu(message)
        asked = (
            [tuple(oid) for oid, _ in module.apiPDU.get_varbinds(request)]
            if not _is_bulk(request)
            else [tuple(oid) for oid, _ in v2c.apiBulkPDU.get_varbinds(request)]
        )
        self.requests.append((type(request).__name__, len(asked)))
        self.on_request(len(self.requests))
        if self.dead or (self.silent_if_big and len(asked) > self.most):
            return
        if self.drops:
            self.drops -= 1
            return
        answer = module.apiMessage.get_response(message)
        self._fill(module, request, module.apiMessage.get_pdu(answer), asked)
        made = encoder.encode(answer)
        if self.lag:
            asyncio.get_running_loop().call_later(self.lag, self.transport.sendto, made, address)
        else:
            self.transport.sendto(made, address)

    def _fill(self, module, request, response, asked) -> None:
        if len(asked) > self.most and not self.truncates:
            module.apiPDU.set_error_status(response, 1)
            module.apiPDU.set_varbinds(response, [])
            return
        kept = asked[: self.most]
        if _is_bulk(request):
            rows = [row for oid in kept for row in self._after(oid, int(v2c.apiBulkPDU.get_max_repetitions(request)))]
        elif type(request).__name__.startswith("GetNext"):
            rows = [row for oid in kept for row in self._after(oid, 1)]
        else:
            rows = [(oid, self._at(oid)) for oid in kept]
        if module is v1 and any(value is None or isinstance(value, v2c.EndOfMibView) for _, value in rows):
            module.apiPDU.set_error_status(response, 2)
            module.apiPDU.set_error_index(response, 1)
            rows = [(oid, v1.Null("")) for oid in asked]
        module.apiPDU.set_varbinds(response, [(oid, self._made(module, value)) for oid, value in rows])

    def _made(self, module, value):
        if value is not None:
            return value
        return v1.Null("") if module is v1 else v2c.NoSuchInstance("")

    def _at(self, oid):
        found = self.values.get(".".join(map(str, oid)))
        return None if found is None else TYPES[found[0]](found[1])

    def _after(self, oid, count):
        order = sorted(tuple(map(int, one.split("."))) for one in self.values)
        later = [one for one in order if one > oid][:count]
        if self.backwards and later:
            later = [later[0]] * count
        return [(one, self._at(one)) for one in later] or [(oid, v2c.EndOfMibView(""))]


def _is_bulk(request) -> bool:
    return type(request).__name__ == "GetBulkRequestPDU"


@asynccontextmanager
async def agent_with(values: dict[str, tuple[str, Any]]) -> AsyncIterator[Agent]:
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(lambda: Agent(values), local_addr=("127.0.0.1", 0))
    try:
        yield agent
    finally:
        transport.close()


@asynccontextmanager
async def session_to(target: Target) -> AsyncIterator[Session]:
    session = Sessions().open(target)
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def made_agent() -> Callable[..., Any]:
    """``async with made_agent(values) as (agent, session)``: an agent and a session to it."""

    @asynccontextmanager
    async def made(values, version: Version = Version.V2C, timeout: float = 0.2):  # noqa: ASYNC109 - the session's
        async with agent_with(values) as agent:
            credential = SnmpV2c(community=Secret("public"))
            target = Target(
                address="127.0.0.1", credential=credential, port=agent.port, version=version, timeout=timeout
            )
            async with session_to(target) as session:
                yield agent, session

    return made


@pytest.fixture
def garbage_agent() -> Callable[[], Coroutine[Any, Any, Any]]:
    """Asks an agent that answers with what is not SNMP."""

    class Garbage(asyncio.DatagramProtocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address) -> None:
            self.transport.sendto(b"\x30\x03" + data[5:9], address)

    async def asked() -> Any:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Garbage, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        target = Target(address="127.0.0.1", credential=SnmpV2c(community=Secret("x")), port=port, timeout=0.2)
        async with session_to(target) as session:
            found = await session.get(["1.3.6.1.2.1.1.3.0"])
        transport.close()
        return found

    return asked


@pytest.fixture
def opened() -> Callable[[Target], Any]:
    """``async with opened(target) as session``."""
    return session_to


@pytest.fixture
def sync() -> Callable[[Awaitable[Any]], Any]:
    """Runs a coroutine to its end."""
    return run


def port_values(index: int, name: str, octets: int, speed: int = 1000, **more: Any) -> dict[str, tuple[str, Any]]:
    """One port's row of IF-MIB."""
    table, wide = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
    return {
        f"{table}.2.{index}": ("text", more.get("descr", f"port {index}")),
        f"{table}.3.{index}": ("int", more.get("type", 6)),
        f"{table}.7.{index}": ("int", 1),
        f"{table}.8.{index}": ("int", more.get("oper", 1)),
        f"{table}.10.{index}": ("counter32", octets % 2**32),
        f"{table}.14.{index}": ("counter32", 0),
        f"{wide}.1.{index}": ("text", name),
        f"{wide}.6.{index}": ("counter64", octets),
        f"{wide}.10.{index}": ("counter64", octets),
        f"{wide}.15.{index}": ("gauge", speed),
        f"{wide}.18.{index}": ("text", f"to {name}"),
    }


def device_values(*ports: dict[str, tuple[str, Any]], uptime: int = 100_000, changed: int = 5) -> dict[str, Any]:
    """A device with these ports."""
    system = {
        "1.3.6.1.2.1.1.1.0": ("text", "Made for a test"),
        "1.3.6.1.2.1.1.2.0": ("oid", "1.3.6.1.4.1.99999.1"),
        "1.3.6.1.2.1.1.3.0": ("ticks", uptime),
        "1.3.6.1.2.1.1.5.0": ("text", "SW-1"),
        "1.3.6.1.2.1.2.1.0": ("int", len(ports)),
        "1.3.6.1.2.1.31.1.5.0": ("ticks", changed),
    }
    for port in ports:
        system |= port
    return system


@pytest.fixture
def port() -> Callable[..., dict[str, tuple[str, Any]]]:
    return port_values


@pytest.fixture
def device() -> Callable[..., dict[str, Any]]:
    return device_values
