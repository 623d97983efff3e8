"""A real platform for tests: its own folder and ports, its real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from collectors.logs.spooling import decode_event
from core.scope import EVERYTHING
from core.stores.events import LocalEvents, Query

HAIDANG = str(Path(sys.executable).with_name("haidang"))
PATIENCE = 60.0
"""Seconds that something may take on a busy machine; what is awaited usually takes far less."""


class Keys(NamedTuple):
    """PEM files: an authority, and a server's certificate of it with its key."""

    authority: Path
    certificate: Path
    key: Path


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, by TCP and UDP."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            stream = held.enter_context(socket.socket())
            stream.bind(("127.0.0.1", 0))
            port = stream.getsockname()[1]
            with suppress(OSError):  # a question that somebody asks by UDP may leave from it
                held.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
                found.append(port)
    return found


def eventually(look: Callable[[], Any]) -> Any:
    """Looks until what is seen is true, and returns it; fails when patience ends."""
    end = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s in vain for {look}"
        time.sleep(0.02)
    return seen


class Platform:
    """``haidang up`` over a folder."""

    def __init__(self, folder: Path, extra: str = "", of_snmp: str = "") -> None:
        console, relay, logs, relp, metrics, snmp, self.tls_port, self.relp_tls_port, self.http_port = free_ports(9)
        self.folder = folder
        self.console = f"127.0.0.1:{console}"
        self.logs_port, self.relp_port, self.metrics_port, self.snmp_metrics_port = logs, relp, metrics, snmp
        self.file = folder / "haidang.toml"
        self.output = folder / "output.txt"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(
            f"""
format = 1
data = "data"
{extra}
[console]
address = "{self.console}"
[centre]
relay = "127.0.0.1:{relay}"
[lane.snmp]
metrics = "127.0.0.1:{snmp}"
{of_snmp}
[lane.logs]
udp = "127.0.0.1:{logs}"
tcp = "127.0.0.1:{logs}"
relp = "127.0.0.1:{relp}"
metrics = "127.0.0.1:{metrics}"
timezone = "UTC"
http = "127.0.0.1:{self.http_port}"
""",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def listen_with(self, keys: Keys) -> None:
        """Adds the ways in over TLS, and TLS to HTTP."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(
                f"""
tls = "127.0.0.1:{self.tls_port}"
relp_tls = "127.0.0.1:{self.relp_tls_port}"
tls_certificate = "{keys.certificate}"
tls_key = "{keys.key}"
"""
            )

    def start(self) -> None:
        """Starts it and waits until it says that it runs."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [HAIDANG, "up", "--settings", str(self.file)], stdout=output, stderr=subprocess.STDOUT
            )
        said = self.said().count("is running")
        eventually(lambda: self.said().count("is running") > said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def stop(self) -> None:
        """Ctrl-C, and waits for its end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(PATIENCE) == 0, self.said()

    def kill_all(self) -> None:
        """kill -9 of the supervisor and all it started."""
        pids = [self.process.pid, *self.pids().values()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        eventually(lambda: not any(alive(pid) for pid in pids))

    def kill(self, name: str) -> None:
        """kill -9 of one process; its supervisor starts it again."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def pids(self) -> dict[str, int]:
        """The platform's processes by name."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                if "serve" in words and str(self.file) in words:
                    found[words[words.index("serve") + 1]] = int(entry.name)
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of haidang with these settings."""
        command = [HAIDANG, *arguments, "--settings", str(self.file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def json(self, *arguments: str) -> Any:
        """The parsed answer of a command with --json."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def incidents(self) -> list[dict[str, Any]]:
        """All open incidents."""
        return self.json("incidents", "list")

    def stored(self, text: str = "") -> list[str]:
        """The raw lines of all stored events with this text."""
        return [event["raw"] for event in self.json("events", "search", text, "--limit", "1000000")]

    def spooled(self) -> int:
        """How many events are stored by now; quick, for watching a flow."""
        lane = self.folder / "data" / "lanes" / "logs"
        return len(LocalEvents(lane / "spool", lane / "events", decode_event).search(EVERYTHING, Query(limit=1 << 30)))

    def metrics(self) -> dict[str, float]:
        """The lane's figures, summed over sources."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        sums: dict[str, float] = {}
        for name, value in re.findall(r"^haidang_(\w+?)(?:_total)?(?:\{[^}]*\})? (\S+)$", text, re.MULTILINE):
            sums[name] = sums.get(name, 0.0) + float(value)
        return sums

    def one_time_password(self) -> str:
        """The first administrator's, as it was printed."""
        return re.findall(r"one-time password: (\S+)", self.said())[0]

    def add_user(self, name: str, role: str, *options: str) -> str:
        """A new account, made by the machine's own; returns its one-time password."""
        done = self.run("users", "add", name, "--role", role, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def said(self) -> str:
        """All that it has printed."""
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""


def alive(pid: int) -> bool:
    """Whether the process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


@contextmanager
def running(folder: Path, extra: str = "", keys: Keys | None = None, of_snmp: str = "") -> Iterator[Platform]:
    """A platform that runs, and at the end is stopped in good order; with keys it also listens for TLS."""
    platform = Platform(folder, extra, of_snmp)
    if keys is not None:
        platform.listen_with(keys)
    try:
        platform.start()
        yield platform
        platform.stop()
    finally:
        if platform.process is not None and platform.process.poll() is None:
            platform.process.kill()
            platform.process.wait()
