"""Starts the platform's processes in order, starts again what dies, stops in reverse order."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.lifeline import LIFELINE, READY

START_SECONDS = 60.0
STOP_SECONDS = 15.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_STEADY_SECONDS = 30.0
"""A process that ran this long was well: its next restart comes at once."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process to keep running: its name and command. One that says when it is up is waited for."""

    name: str
    command: tuple[str, ...]
    says_ready: bool = True


@dataclass(slots=True)
class Running:
    """A service's present process and when it is to be started again."""

    service: Service
    process: subprocess.Popen[bytes]
    since: float
    pause: float = _FIRST_PAUSE
    due: float | None = field(default=None)


def next_pause(pause: float, ran_seconds: float) -> float:
    """How long to wait before the restart after this one: doubled, up to five seconds, unless it ran well."""
    return _FIRST_PAUSE if ran_seconds >= _STEADY_SECONDS else min(_LONGEST_PAUSE, pause * 2)


class Supervisor:
    """Keeps services running until told to stop.

    Args:
        services: in the order in which they start.
        say: told, in one line, what happens to them.
    """

    def __init__(self, services: Sequence[Service], say: Callable[[str], None]) -> None:
        self._services = services
        self._say = say
        self._running: list[Running] = []
        self._lifeline, self._held = os.pipe()
        self._wake, self._signal = os.pipe()
        os.set_blocking(self._signal, False)
        self._stopping = False

    def run(self, started: Callable[[], None]) -> bool:
        """Starts all services, each when the one before is up, tells ``started``, and keeps them until told to stop.

        Returns False if one did not come up; it has said why itself. Those before it are stopped.
        """
        self._catch_signals()
        up = all(self._stopping or self._start(service) for service in self._services)
        if up and not self._stopping:
            started()
            self.watch()
        self.stop()
        return up

    def watch(self) -> None:
        """Starts again what dies, until SIGTERM or SIGINT."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping:
                if selector.select(timeout=0.1):
                    os.read(self._wake, 4096)
                for running in self._running:
                    self._revive(running, time.monotonic())

    def stop(self) -> None:
        """Stops all services, the last started first; what does not stop in time is killed."""
        for running in reversed(self._running):
            running.process.terminate()
            try:
                running.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._say(f"{running.service.name} did not stop in {STOP_SECONDS:.0f} s: killed")
                running.process.kill()
                running.process.wait()
        self._running.clear()

    def _catch_signals(self) -> None:
        # The handler may run anywhere: it only notes the wish and wakes the loop.
        signal.set_wakeup_fd(self._signal, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _note_stop(self, *_: object) -> None:
        self._stopping = True

    def _start(self, service: Service) -> bool:
        reading, writing = os.pipe()
        process = self._spawn(service, writing)
        os.close(writing)
        self._running.append(Running(service, process, time.monotonic()))
        return not service.says_ready or self._came_up(reading)

    def _came_up(self, reading: int) -> bool:
        """Whether the process said so; a pipe that ends without a word is a process that died."""
        with selectors.DefaultSelector() as selector, os.fdopen(reading, "rb", buffering=0) as pipe:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            end = time.monotonic() + START_SECONDS
            while not self._stopping and time.monotonic() < end:
                for key, _ in selector.select(timeout=end - time.monotonic()):
                    if key.fileobj is pipe:
                        return bool(pipe.read(16))
                    os.read(self._wake, 4096)
        if not self._stopping:
            self._say(f"{self._running[-1].service.name} was not up after {START_SECONDS:.0f} s")
        return self._stopping

    def _spawn(self, service: Service, writing: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, LIFELINE: str(self._lifeline), READY: str(writing)}
        # A session of its own: Ctrl-C reaches the supervisor only, which stops the services in order.
        return subprocess.Popen(
            service.command, pass_fds=(self._lifeline, writing), env=environment, start_new_session=True
        )

    def _revive(self, running: Running, now: float) -> None:
        status = running.process.poll()
        if status is None:
            return
        if running.due is None:
            pause = _FIRST_PAUSE if now - running.since >= _STEADY_SECONDS else running.pause
            self._say(f"{running.service.name} ended ({_reason(status)}): started again in {pause:.1f} s")
            running.due = now + pause
            running.pause = next_pause(pause, now - running.since)
        elif now >= running.due:
            reading, writing = os.pipe()
            running.process = self._spawn(running.service, writing)
            os.close(reading)
            os.close(writing)
            running.since, running.due = now, None


def own_service(name: str, *arguments: str) -> Service:
    """One of our own processes, run by this Python: ``python -m app serve NAME``."""
    return Service(name, (sys.executable, "-m", "app", "serve", name, *arguments))


def _reason(status: int) -> str:
    return f"by signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
