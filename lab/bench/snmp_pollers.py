"""Those who poll in ``bench snmp``: ours, Debian's prometheus-snmp-exporter, and net-snmp's snmpbulkwalk."""

from __future__ import annotations

import gzip
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec
import yaml

from collectors.snmp.profiles import Column, Kind
from core.errors import UnavailableError
from lab.bench.measure import KIB, held, spent
from lab.bench.programs import free_ports, program, running
from lab.bench.snmp_own import READY
from lab.bench.snmp_work import AT_ONCE, COMMUNITY, USER, Devices, Taken, columns, scalars

EXPORTER, BULKWALK, GET = "prometheus-snmp-exporter", "snmpbulkwalk", "snmpget"

V2C, V3 = "v2c", "v3"

_TABLES = ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1")
"""IF-MIB::ifTable and ifXTable."""

_REPETITIONS = 25
"""What snmp_exporter asks for as a rule; it fetches a column of 24 rows, with its end, in one answer."""

_SCRAPES = 3
"""Cycles of the exporter that are measured together."""

_PATIENCE = 30.0
_COUNTERS = (Kind.COUNTER32, Kind.COUNTER64)


class Poller(Protocol):
    """Polls all devices."""

    def measure(self) -> Taken:
        """What a cycle takes.

        Raises:
            UnavailableError: it does not go on.
        """
        ...


Start: TypeAlias = Callable[[Devices, Path], AbstractContextManager[Poller]]


class _Own:
    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self._errors = folder / "errors"

    def measure(self) -> Taken:
        line = self._ask()
        if not line:
            last = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise UnavailableError(f"our poller failed: {''.join(last)}")
        return msgspec.json.decode(line, type=Taken)

    def _ask(self) -> bytes:
        if self._process.stdin is None or self._process.stdout is None:
            return b""
        with suppress(BrokenPipeError):
            os.write(self._process.stdin.fileno(), b"\n")  # nothing stays in a buffer if it has ended
        return self._process.stdout.readline()


def own(version: str) -> Start:
    """Our poller, by this version of SNMP."""

    @contextmanager
    def start(devices: Devices, folder: Path) -> Iterator[Poller]:
        plan = msgspec.json.encode(devices).decode()
        command = [sys.executable, "-m", "lab.bench.snmp_own", plan, version.removeprefix("v")]
        pipe = subprocess.PIPE
        with (folder / "errors").open("wb") as errors:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors)
        with process:
            try:
                if process.stdout is None or process.stdout.readline() != READY:
                    _Own(process, folder).measure()
                yield _Own(process, folder)
            finally:
                process.kill()

    return start


_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
"""How Prometheus asks (2.42, Debian 12)."""


class _Exporter(NamedTuple):
    """The exporter's process, where it listens, by which version it asks, and whom."""

    pid: int
    port: int
    version: str
    devices: Devices

    def measure(self) -> Taken:
        """Scrapes all devices; what the exporter itself takes is counted, and not what asks it."""
        cpu, wall = spent(self.pid), time.perf_counter()
        units = [self.scrape() for _ in range(_SCRAPES)]
        cpu, wall = spent(self.pid) - cpu, time.perf_counter() - wall
        return Taken(
            units=min(units),
            varbinds=min(units),
            cpu_s=cpu / _SCRAPES,
            wall_s=wall / _SCRAPES,
            rss_mib=held(self.pid),
        )

    def scrape(self) -> int:
        """Asks for all devices once; how many values came."""
        addresses = self.devices.addresses
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return sum(threads.map(self._several, [addresses[start::AT_ONCE] for start in range(AT_ONCE)]))

    def _several(self, addresses: Sequence[str]) -> int:
        """Asks for some devices over one connection, as Prometheus does."""
        names = frozenset(_name(column).encode() for column in (*scalars(), *columns()))
        connection, found = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE), 0
        for address in addresses:
            connection.request(
                "GET", f"/snmp?module={self.version}&target={address}:{self.devices.port}", headers=_HEADERS
            )
            lines = gzip.decompress(connection.getresponse().read()).splitlines()
            found += sum(line.partition(b" ")[0].partition(b"{")[0] in names for line in lines)
        connection.close()
        return found


def exporter(version: str) -> Start:
    """Debian's prometheus-snmp-exporter, by this version of SNMP, as it comes."""

    @contextmanager
    def start(devices: Devices, folder: Path) -> Iterator[Poller]:
        port = free_ports(1)[0]
        (folder / "snmp.yml").write_text(yaml.safe_dump(modules(), sort_keys=False), encoding="utf-8")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        command = [str(program(EXPORTER)), f"--config.file={folder / 'snmp.yml'}", listen, "--log.level=error"]
        with running(command, folder, lambda: _listens(port)) as pid:
            made = _Exporter(pid, port, version, devices)
            made.scrape()
            yield made

    return start


def modules() -> dict[str, Any]:
    """What snmp_exporter is told: the same scalars and columns, by version 2c and by 3."""
    walk = {
        "walk": [column.oid for column in columns()],
        "get": [f"{column.oid}.0" for column in scalars()],
        "max_repetitions": _REPETITIONS,
        "retries": 1,
        "timeout": "2s",
        "metrics": [_metric(column, []) for column in scalars()]
        + [_metric(column, [{"labelname": "ifIndex", "type": "gauge"}]) for column in columns()],
    }
    user = {
        "username": USER.name,
        "security_level": "authPriv",
        "password": USER.authentication,
        "auth_protocol": "SHA256",
        "priv_protocol": "AES",
        "priv_password": USER.privacy,
    }
    return {V2C: {**walk, "version": 2, "auth": {"community": COMMUNITY}}, V3: {**walk, "version": 3, "auth": user}}


def _metric(column: Column, indexes: list[dict[str, str]]) -> dict[str, Any]:
    kind = "counter" if column.kind in _COUNTERS else "gauge"
    return {
        "name": _name(column),
        "oid": column.oid,
        "type": kind,
        "help": f"{column.object} - {column.oid}",
        "indexes": indexes,
    }


def _name(column: Column) -> str:
    return column.object.partition("::")[2]


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class _Walks(NamedTuple):
    """What is walked, a process each, of all devices; scalars by one snmpget."""

    roots: Sequence[str]
    version: str
    devices: Devices

    def measure(self) -> Taken:
        """A cycle; what the processes take from their beginning to their end is counted."""
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        printed = [self._all_of(address) for address in self.devices.addresses]
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - wall
        wanted = tuple(f".{column.oid}." for column in (*scalars(), *columns()))
        lines = [line for text in printed for line in text.decode("utf-8", "replace").splitlines()]
        return Taken(
            units=sum(line.startswith(wanted) for line in lines),
            varbinds=sum(line.startswith(".1.3.") for line in lines),
            cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            wall_s=wall,
            rss_mib=after.ru_maxrss / KIB,
        )

    def _all_of(self, address: str) -> bytes:
        agent = f"{address}:{self.devices.port}"
        get = [GET, *_OPTIONS, *_CREDENTIALS[self.version], agent, *(f"{column.oid}.0" for column in scalars())]
        walk = [BULKWALK, *_OPTIONS, *_CREDENTIALS[self.version], f"-Cr{_REPETITIONS}", agent]
        commands = [get, *([*walk, root] for root in self.roots)]
        return b"".join(subprocess.run(one, capture_output=True, check=False).stdout for one in commands)


_OPTIONS = ("-m", "", "-Onq", "-t", "2", "-r", "1")
_CREDENTIALS: Mapping[str, Sequence[str]] = {
    V2C: ("-v", "2c", "-c", COMMUNITY),
    V3: (
        *("-v", "3", "-l", "authPriv", "-u", USER.name),
        *("-a", "SHA-256", "-A", USER.authentication, "-x", "AES", "-X", USER.privacy),
    ),
}


def walks(version: str, *, whole: bool) -> Start:
    """Net-snmp's programs as scripts use them: each column by a process of its own, or both tables whole."""

    @contextmanager
    def start(devices: Devices, _folder: Path) -> Iterator[Poller]:
        yield _Walks(_TABLES if whole else [column.oid for column in columns()], version, devices)

    return start
