"""Real VictoriaMetrics and real Prometheus receive by remote-write, die in the middle, and hold every sample."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from peers import program
from running import PATIENCE, eventually, free_ports

from core.clock import SECOND, SystemClock
from core.remote_write import Receiver, RemoteWrite, open_remote_write
from core.remote_write_wire import EXPORTED

PORTS = 200
POLLS = 90
STEP = 10 * SECOND
KILLED_AFTER = (20, 50)
"""Polls; each time the receiver stays away while five more are made."""

Held = dict[tuple[str, str], dict[int, float]]
"""By metric and interface: milliseconds to values."""


class Receiving(NamedTuple):
    """What is one receiver's own: how it is started in a folder, when it is ready, and what it then holds."""

    name: str
    command: Callable[[Path, str], list[str]]
    ready: str
    held: Callable[[str], Held]


class Program:
    """A receiver of Debian's, with its data in a folder."""

    write = "/api/v1/write"

    def __init__(self, kind: Receiving, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._kind = kind
        self._folder = folder
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        command = self._kind.command(self._folder, self.address)
        log = (self._folder / "log.txt").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self._folder)
        log.close()
        eventually(self.answers)

    def answers(self) -> bool:
        """Whether it is there."""
        with suppress(httpx.TransportError):
            return httpx.get(self.url + self._kind.ready, trust_env=False).is_success
        return False

    def kill(self) -> None:
        """Kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def held(self) -> Held:
        """All samples it holds."""
        return self._kind.held(self.url)


def start_victoria_metrics(folder: Path, address: str) -> list[str]:
    return [program("victoria-metrics"), f"-storageDataPath={folder / 'data'}", f"-httpListenAddr={address}"]


def held_by_victoria_metrics(url: str) -> Held:
    """All samples it holds, as it exports them."""
    httpx.get(f"{url}/internal/force_flush", trust_env=False)
    query = {"match[]": '{__name__=~"haidang_.+"}'}
    lines = httpx.get(f"{url}/api/v1/export", params=query, trust_env=False, timeout=60).text.splitlines()
    found: Held = {}
    for one in map(json.loads, lines):
        samples = found.setdefault((one["metric"]["__name__"], one["metric"]["interface"]), {})
        samples.update(zip(one["timestamps"], one["values"], strict=True))
    return found


def start_prometheus(folder: Path, address: str) -> list[str]:
    """It scrapes nothing."""
    (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
    return [
        program("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
    ]


def held_by_prometheus(url: str) -> Held:
    """All samples it holds, as it answers for the last hour."""
    found: Held = {}
    for metric in {metric.name for metric in EXPORTED["interfaces"].metrics.values()}:
        query = {"query": f"{metric}[1h]"}
        answer = httpx.get(f"{url}/api/v1/query", params=query, trust_env=False, timeout=60).json()
        for one in answer["data"]["result"]:
            samples = {round(at * 1000): float(value) for at, value in one["values"]}
            found[metric, one["metric"]["interface"]] = samples
    return found


VICTORIA_METRICS = Receiving("VictoriaMetrics", start_victoria_metrics, "/health", held_by_victoria_metrics)
PROMETHEUS = Receiving("Prometheus", start_prometheus, "/-/ready", held_by_prometheus)


@contextmanager
def receiving(kind: Receiving, folder: Path) -> Iterator[Program]:
    made = Program(kind, folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def poll(number: int, at: int) -> dict[str, list[object]]:
    """What all ports of one device say at that time."""
    values = {name: [float(number * 1000 + port) for port in range(PORTS)] for name in EXPORTED["interfaces"].metrics}
    keys = {"site": ["vks-tha"] * PORTS, "device": ["sw-tha"] * PORTS, "object": [f"port {n}" for n in range(PORTS)]}
    return {**keys, "time": [at] * PORTS, **values}


def expected(start: int) -> Held:
    found: Held = {}
    for number in range(POLLS):
        milliseconds = (start + number * STEP) // 1_000_000
        for metric in EXPORTED["interfaces"].metrics.values():
            for port in range(PORTS):
                value = float(number * 1000 + port) * metric.factor
                found.setdefault((metric.name, f"port {port}"), {})[milliseconds] = value
    return found


def send_all(writer: RemoteWrite) -> None:
    """Until nothing is left, not even of what is sent again."""
    while writer._queue.next() is not None:
        writer.step()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", [VICTORIA_METRICS, PROMETHEUS], ids=lambda kind: kind.name)
def test_a_receiver_that_is_killed_in_the_middle_holds_every_sample(tmp_path: Path, kind: Receiving):
    start = time.time_ns() // SECOND * SECOND - POLLS * STEP
    with receiving(kind, tmp_path / "receiver") as receiver:
        writer = open_remote_write(
            tmp_path / "spool", SystemClock(), Receiver(url=receiver.url + receiver.write), lambda _: "tha"
        )
        stop = threading.Event()
        sender = threading.Thread(target=writer.run, args=(stop,))
        sender.start()
        try:
            away = 0
            for number in range(POLLS):
                writer.append({"interfaces": poll(number, start + number * STEP)})
                if number in KILLED_AFTER:
                    eventually(lambda: writer.sent > 0)
                    receiver.kill()
                    away = number + 5
                elif number == away and away:
                    assert writer.waiting() > 0
                    receiver.start()
                    away = 0
                    eventually(lambda: writer.waiting() == 0)
            eventually(lambda: writer.waiting() == 0)
        finally:
            stop.set()
            sender.join()
        send_all(writer)
        writer.close()
        wanted = expected(start)
        held = receiver.held()
        print(f"{kind.name}: sent {writer.sent}, again {writer.repeated}, dropped {writer.dropped}: {writer.words}")
        assert writer.dropped == writer.overflowed == writer.late == 0
        assert held.keys() == wanted.keys()
        assert all(held[series] == pytest.approx(wanted[series]) for series in wanted)
        assert writer.sent == sum(map(len, wanted.values()))


def test_a_kept_connection_that_is_gone_has_the_last_seconds_sent_again(tmp_path: Path):
    """VictoriaMetrics acknowledges what is in its memory only; a kill between two requests must cost nothing."""
    start = time.time_ns() // SECOND * SECOND - POLLS * STEP
    with receiving(VICTORIA_METRICS, tmp_path / "receiver") as receiver:
        writer = open_remote_write(
            tmp_path / "spool", SystemClock(), Receiver(url=receiver.url + receiver.write), lambda _: "tha"
        )
        for number in range(POLLS):
            writer.append({"interfaces": poll(number, start + number * STEP)})
            if number == POLLS - 1:
                receiver.kill()
                receiver.start()
            while writer.waiting():
                writer.step()
        send_all(writer)
        writer.close()
        assert writer.words == ""
        assert receiver.held() == {series: pytest.approx(samples) for series, samples in expected(start).items()}
