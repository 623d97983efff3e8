"""The supervisor with small real processes; in a process of its own, for it takes the signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import PATIENCE, alive, eventually

from app.services import SERVICES
from app.supervisor import Running, Service, Supervisor, next_pause, own_service

SUPERVISOR = """
import json, sys
from app import supervisor
supervisor.STOP_SECONDS = float(sys.argv[2])
services = [supervisor.Service(name, tuple(command), ready) for name, command, ready in json.loads(sys.argv[1])]
say = lambda text: print("said", text, flush=True)
up = supervisor.Supervisor(services, say).run(lambda: print("started", flush=True))
print("returned", up, flush=True)
"""

CHILD = """
import os, signal, sys, time
name, log, manner = sys.argv[1:]
def write(word):
    with open(log, "a") as file:
        file.write(f"{word} {name} {os.getpid()}\\n")
def stop(*_):
    write("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "deaf" else stop)
write("began")
if manner == "dies":
    sys.exit(3)
if manner == "slow":
    time.sleep(0.2)
def wait():
    os.read(int(os.environ["HAIDANG_LIFELINE"]), 1)  # until the supervisor is gone
    sys.exit(1)
if manner == "silent":
    wait()
write("ready")
try:
    os.write(int(os.environ["HAIDANG_READY"]), b"ready")
except BrokenPipeError:
    pass
wait()
"""


class Supervised:
    """A supervisor over children that write down what happens to them."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log.txt"
        self._log.touch()
        self._process: subprocess.Popen[str] | None = None

    def start(self, *children: tuple[str, str], says_ready: bool = True, stop_seconds: float = 15) -> None:
        """Starts children by name and manner."""
        commands = [
            (name, [sys.executable, "-S", "-c", CHILD, name, str(self._log), manner], says_ready)
            for name, manner in children
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, json.dumps(commands), str(stop_seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line that the supervisor says."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip()

    def stop(self, number: int = signal.SIGTERM) -> list[str]:
        """Sends a signal and returns what is said until the end."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.end()

    def end(self) -> list[str]:
        assert self._process is not None
        said, _ = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0
        return said.splitlines()

    def log(self) -> list[str]:
        """What happened, without process ids."""
        return [line.rpartition(" ")[0] for line in self._log.read_text().splitlines()]

    def pids(self) -> list[int]:
        """Of all processes that ever began."""
        return [int(line.split()[2]) for line in self._log.read_text().splitlines() if line.startswith("began")]

    def clear(self) -> None:
        """Ends all that a failed test has left; the children first, for they hold the supervisor's output open."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        for pid in self.pids():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None and self._process.stdout is not None:
            self._process.wait()
            self._process.stdout.close()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    yield made
    made.clear()


def happened(supervised: Supervised, *lines: str) -> Callable[[], bool]:
    return lambda: set(lines) <= set(supervised.log())


@pytest.mark.parametrize(
    ("pause", "ran", "then"), [(0.2, 0, 0.4), (0.4, 29.9, 0.8), (3.2, 1, 5.0), (5.0, 1, 5.0), (5.0, 30, 0.2)]
)
def test_pauses_double_up_to_five_seconds_unless_the_process_ran_well(pause, ran, then):
    assert next_pause(pause, ran) == then


def test_our_own_services_are_run_by_this_python():
    service = own_service("logs", "--settings", "x.toml")
    command = (sys.executable, "-m", "app", "serve", "logs", "--settings", "x.toml")
    assert service == Service("logs", command, says_ready=True)


def test_the_centre_starts_before_those_who_ask_it():
    assert list(SERVICES) == ["centre", "logs", "snmp", "console"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_each_starts_when_the_one_before_is_up_and_stops_before_it(supervised, number):
    supervised.start(("a", "slow"), ("b", "slow"), ("c", "well"))
    assert supervised.line() == "started"
    assert supervised.log() == ["began a", "ready a", "began b", "ready b", "began c", "ready c"]
    assert supervised.stop(number) == ["returned True"]
    assert supervised.log()[6:] == ["stopped c", "stopped b", "stopped a"]
    assert not any(map(alive, supervised.pids()))


def test_one_that_does_not_say_when_it_is_up_is_not_waited_for(supervised):
    supervised.start(("a", "silent"), ("b", "silent"), says_ready=False)
    assert supervised.line() == "started"
    eventually(happened(supervised, "began a", "began b"))
    assert supervised.stop() == ["returned True"]
    assert supervised.log()[2:] == ["stopped b", "stopped a"]


def test_one_that_dies_before_it_is_up_ends_all_and_those_after_it_do_not_begin(supervised):
    supervised.start(("a", "well"), ("b", "dies"), ("c", "well"))
    assert supervised.end() == ["returned False"]
    assert supervised.log() == ["began a", "ready a", "began b", "stopped a"]


def test_a_stop_while_one_is_still_starting_stops_all(supervised):
    supervised.start(("a", "well"), ("b", "silent"), ("c", "well"))
    eventually(happened(supervised, "began b"))
    assert supervised.stop() == ["returned True"]
    assert supervised.log() == ["began a", "ready a", "began b", "stopped b", "stopped a"]


def test_what_dies_is_started_again_and_its_neighbours_stay(supervised):
    supervised.start(("a", "well"), ("b", "well"))
    assert supervised.line() == "started"
    os.kill(supervised.pids()[0], signal.SIGKILL)
    assert supervised.line() == "said a ended (by signal SIGKILL): started again in 0.2 s"
    eventually(lambda: supervised.log().count("ready a") == 2)
    assert supervised.stop() == ["returned True"]
    assert supervised.log().count("began b") == 1
    assert supervised.log()[-2:] == ["stopped b", "stopped a"]


def test_pauses_grow_while_it_goes_on_dying(supervised):
    supervised.start(("a", "dies"), says_ready=False)
    assert supervised.line() == "started"
    said = [supervised.line() for _ in range(3)]
    assert said == [f"said a ended (exit status 3): started again in {pause} s" for pause in (0.2, 0.4, 0.8)]
    assert supervised.stop() == ["returned True"]


def test_one_that_does_not_stop_in_time_is_killed_and_the_next_one_stopped(supervised):
    supervised.start(("a", "well"), ("b", "deaf"), stop_seconds=0.2)
    assert supervised.line() == "started"
    assert supervised.stop() == ["said b did not stop in 0 s: killed", "returned True"]
    assert supervised.log()[-1] == "stopped a"
    assert not any(map(alive, supervised.pids()))


class Ended:
    """A process that has ended."""

    def poll(self) -> int:
        return 1


def test_one_that_ran_well_is_started_again_at_once_whatever_came_before():
    said = []
    supervisor = Supervisor([], said.append)
    running = Running(Service("a", ("a",)), Ended(), since=0.0, pause=5.0)  # type: ignore[arg-type] # asked for poll only
    supervisor._revive(running, now=3600.0)
    assert said == ["a ended (exit status 1): started again in 0.2 s"]
