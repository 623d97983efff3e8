"""Receivers of syslog as the processes they are: our logs lane under ``haidang up``, and Debian's rsyslogd."""

from __future__ import annotations

import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from core.errors import UnavailableError
from lab.bench.programs import PATIENCE, free_ports, program, running, said
from lab.sector import SECTOR

_SETTINGS = """\
format = 1
data = "data"
inventory = "{inventory}"
[console]
address = "127.0.0.1:{console}"
[centre]
relay = "127.0.0.1:{centre}"
[lane.logs]
space = "lab"
udp = "127.0.0.1:{udp}"
tcp = "127.0.0.1:{tcp}"
relp = "127.0.0.1:{relp}"
metrics = "127.0.0.1:{metrics}"
"""

_CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="64k" net.enableDNS="off")
module(load="imudp")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="seen" name="timegenerated" dateFormat="rfc3339" format="jsonf")
  property(outname="observer.ip" name="fromhost-ip" format="jsonf")
  property(outname="facility" name="syslogfacility" format="jsonf")
  property(outname="severity" name="syslogseverity" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="process.name" name="app-name" format="jsonf")
  property(outname="process.pid" name="procid" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="raw" name="rawmsg" format="jsonf")
}}
input(type="imudp" address="127.0.0.1" port="{udp}" rcvbufSize="1g")
action(type="omfile" file="{folder}/messages.json" template="json")
"""
"""What it writes is what our events hold, but for what rules and inventory add; its buffer is the largest it takes."""


class Taken(NamedTuple):
    """What became of the messages: on disk; given up by the receiver itself; and how many rules' hits they were."""

    stored: int
    dropped: int
    hits: int = 0


class Receiver(Protocol):
    """A running receiver.

    Attributes:
        pid: the one process that is measured.
        ports: where it listens, by transport.
    """

    pid: int
    ports: Mapping[str, int]

    def taken(self) -> Taken:
        """What has become of the messages so far."""
        ...

    def settled(self) -> bool:
        """Whether all that is stored is in the form in which it stays."""
        ...


class Lane:
    """Our lane, which ``haidang up`` in this folder has started."""

    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        self.ports = ports
        self.pid = _serving("logs", folder / "haidang.toml")
        self._spool = folder / "data" / "lanes" / "logs" / "spool"
        self._metrics = f"http://127.0.0.1:{ports['metrics']}/metrics"

    def taken(self) -> Taken:
        """From the lane's own figures."""
        with urllib.request.urlopen(self._metrics, timeout=PATIENCE) as answer:  # noqa: S310 - our own address
            text = answer.read().decode()
        stored, quarantined, dropped = (_sum(text, name) for name in ("stored", "quarantined", "dropped"))
        return Taken(stored + quarantined, dropped - kernel_drops(self.ports["udp"]), _sum(text, "hits"))

    def settled(self) -> bool:
        """Whether the one segment that is left is new and empty: all else is in minute files."""
        left = list(self._spool.glob("*.spool"))
        return len(left) == 1 and left[0].stat().st_size < _EMPTY


_EMPTY = 65536
"""Bytes below which a segment holds its head alone, which names the streams, and no messages."""


class Rsyslogd:
    """Debian's rsyslogd."""

    def __init__(self, pid: int, output: Path, ports: Mapping[str, int]) -> None:
        self.pid = pid
        self.ports = ports
        self._output = output
        self._read = self._lines = 0

    def taken(self) -> Taken:
        """The lines of its file."""
        if self._output.exists():
            with self._output.open("rb") as lines:
                lines.seek(self._read)
                while part := lines.read(1 << 20):
                    self._read += len(part)
                    self._lines += part.count(b"\n")
        return Taken(self._lines, 0)

    def settled(self) -> bool:
        """Its file is what stays."""
        return True


@contextmanager
def lane(folder: Path) -> Iterator[Lane]:
    """The platform with its shipped rules over the lab's inventory, started in this folder and stopped at the end."""
    names = ("console", "centre", "udp", "tcp", "relp", "metrics")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    file = folder / "haidang.toml"
    file.write_text(_SETTINGS.format(inventory=SECTOR, **ports), encoding="utf-8")
    command = [sys.executable, "-m", "app", "up", "--settings", str(file)]
    with running(command, folder, lambda: "is running" in said(folder)):
        yield Lane(folder, ports)


@contextmanager
def rsyslogd(folder: Path) -> Iterator[Rsyslogd]:
    """Rsyslogd from UDP to a file of JSON, started in this folder and stopped at the end."""
    ports = {"udp": free_ports(1)[0]}
    configuration = folder / "rsyslog.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, **ports), encoding="utf-8")
    command = [str(program("rsyslogd")), "-n", "-f", str(configuration), "-i", str(folder / "pid")]
    with running(command, folder, lambda: kernel_row(ports["udp"]) is not None) as pid:
        yield Rsyslogd(pid, folder / "messages.json", ports)


def kernel_row(port: int) -> Sequence[str] | None:
    """The columns of the kernel's table for the socket bound to 127.0.0.1 and this UDP port (proc(5))."""
    address = f"0100007F:{port:04X}"
    rows = map(str.split, Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:])
    return next((columns for columns in rows if columns[1] == address), None)


def kernel_drops(port: int) -> int:
    """Datagrams that the kernel has dropped for want of room."""
    row = kernel_row(port)
    return int(row[12]) if row else 0


def _serving(name: str, settings: Path) -> int:
    """The process that serves this under these settings."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            if words[-3:-1] == ["--settings", str(settings)] and name in words and "serve" in words:
                return int(entry.name)
    raise UnavailableError(f"{name} does not run")


def _sum(text: str, name: str) -> int:
    found = re.findall(rf"^haidang_{name}_total(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return round(sum(map(float, found)))
