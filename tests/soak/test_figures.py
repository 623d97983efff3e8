"""Figures for docs/figures.md: `make soak` prints them; nothing here is asserted but that all arrived."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
from pathlib import Path

import pytest
from pages import sign_in
from peers import relp_to, rsyslogd
from playwright.sync_api import sync_playwright
from running import HAIDANG, PATIENCE, alive, eventually, running

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3000)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attack(source: str) -> list[str]:
    wrong = [f"<38>sshd[9]: Failed password for root from {source} port {guess + 1024} ssh2" for guess in range(12)]
    return [*wrong, f"<38>sshd[9]: Accepted password for root from {source} port 5 ssh2"]


def test_seconds_from_the_last_line_to_the_screen(tmp_path: Path):
    waited = []
    with running(tmp_path) as platform, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET).new_page()
        sign_in(page, platform)
        for number in range(30):
            with socket.create_connection(("127.0.0.1", platform.logs_port)) as sender:
                sender.sendall("".join(f"{line}\n" for line in attack(f"192.0.2.{number + 1}")).encode())
            said = time.monotonic()
            page.locator("#queue tr", has_text=f"192.0.2.{number + 1} ").locator("text=dò mật khẩu").wait_for()
            waited.append(time.monotonic() - said)
    ordered = sorted(waited)
    print(f"\nlast line to browser, 30 attacks: median {statistics.median(waited):.2f} s, worst {ordered[-1]:.2f} s")


def test_seconds_from_the_command_to_the_first_incident(tmp_path: Path):
    began = time.monotonic()
    with (tmp_path / "output").open("wb") as output:
        demo = subprocess.Popen([HAIDANG, "demo", "--folder", str(tmp_path / "demo")], stdout=output, stderr=output)
    eventually(lambda: "Ctrl-C" in (tmp_path / "output").read_text())
    up = time.monotonic() - began
    listing = [HAIDANG, "incidents", "list", "--settings", str(tmp_path / "demo" / "haidang.toml")]
    eventually(lambda: "nghiêm trọng" in subprocess.run(listing, capture_output=True, text=True, check=False).stdout)
    print(f"\ndemo: up after {up:.1f} s, the scenario's incident after {time.monotonic() - began:.1f} s")
    demo.send_signal(signal.SIGINT)
    assert demo.wait(PATIENCE) == 0


def test_lines_a_second_and_what_they_cost(tmp_path: Path):
    count = 200_000
    with (
        running(tmp_path / "platform") as platform,
        rsyslogd(tmp_path / "rsyslog", relp_to(platform.relp_port)) as peer,
    ):
        lane = platform.pids()["logs"]
        before, began = cpu_seconds(lane), time.monotonic()
        sender = threading.Thread(target=peer.log, args=([f"app[7]: line {n:06d} of a soak" for n in range(count)],))
        sender.start()
        eventually_long(lambda: platform.metrics().get("stored", 0) >= count)
        took, cost = time.monotonic() - began, cpu_seconds(lane) - before
        sender.join()
        memory = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{lane}/status").read_text())[0])
        print(
            f"\nRELP from rsyslogd: {count} lines in {took:.1f} s, {count / took:.0f} lines/s, "
            f"{cost / count * 1e6:.0f} us CPU a line in the lane, {memory // 1024} MiB at most"
        )


def test_a_storm_of_kills_loses_and_doubles_nothing_over_relp(tmp_path: Path):
    count, kills = 100_000, 12
    chance = random.Random(20261122)  # noqa: S311 - the same storm each time
    with (
        running(tmp_path / "platform") as platform,
        rsyslogd(tmp_path / "rsyslog", relp_to(platform.relp_port)) as peer,
    ):
        lines = [f"app[7]: line {n:06d} of a storm" for n in range(count)]
        sender = threading.Thread(target=peer.log, args=(lines,))
        sender.start()
        for share in sorted(chance.uniform(0.02, 0.95) for _ in range(kills)):
            eventually_long(lambda share=share: platform.spooled() >= share * count)
            name = chance.choice(["logs", "logs", "centre", "console"])
            if alive(platform.pids().get(name, 0)):
                platform.kill(name)
        sender.join()
        eventually_long(lambda: platform.spooled() >= count)
        stored = [raw.rpartition("line ")[2] for raw in platform.stored("of a storm")]
        assert len(stored) == len(set(stored)) == count
        print(f"\nkill -9 {kills} times during {count} lines: {len(stored)} stored, none lost, none doubled")


def eventually_long(look) -> None:
    """As ``eventually``, for what may take minutes."""
    end = time.monotonic() + 1500
    while not seen(look):
        assert time.monotonic() < end
        time.sleep(0.1)


def seen(look) -> bool:
    try:
        return bool(look())
    except OSError:
        return False  # the lane is being started again
