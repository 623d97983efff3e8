"""Programs that are measured: found, started in a folder of their own, and stopped in good order."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.errors import UnavailableError

PATIENCE = 60.0
"""Seconds that a program may take to start or to stop."""


def program(name: str) -> str | None:
    """Where a program is, also where only administrators look."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@contextmanager
def running(command: Sequence[str], folder: Path, up: Callable[[], bool]) -> Iterator[int]:
    """Runs a program, what it says kept in the folder; gives its process id once it is up, and stops it at the end.

    Raises:
        UnavailableError: it ended, or was not up in time; with its last word.
    """
    with (folder / "output").open("wb") as output:
        # A session of its own: Ctrl-C ends the measurement, which then stops it in good order.
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        _await_up(process, folder, up)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.wait()


def said(folder: Path) -> str:
    """What a program that runs in this folder has said."""
    return (folder / "output").read_text(encoding="utf-8", errors="replace")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, neither by TCP nor by UDP; the kernel gives each once."""
    with ExitStack() as held:
        return [_free_port(held) for _ in range(count)]


def _free_port(held: ExitStack) -> int:
    """A port that is held until the stack ends."""
    while True:
        tcp, udp = (held.enter_context(socket.socket(type=kind)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        tcp.bind(("127.0.0.1", 0))
        with suppress(OSError):  # another uses it by UDP
            udp.bind(tcp.getsockname())
            return int(tcp.getsockname()[1])


def _await_up(process: subprocess.Popen[bytes], folder: Path, up: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not up():
        if process.poll() is not None or time.monotonic() > end:
            raise UnavailableError(f"{process.args!r} did not start: {''.join(said(folder).splitlines()[-1:])}")
        time.sleep(0.05)
