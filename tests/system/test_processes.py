"""The processes by themselves: who is silent is told of, who is gone leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest
from peers import program
from running import HAIDANG, PATIENCE, Platform, alive, eventually, running


def listening(platform: Platform) -> bool:
    """Whether anybody still listens on one of the platform's ports."""
    for port in (
        int(platform.console.rpartition(":")[2]),
        platform.logs_port,
        platform.relp_port,
        platform.metrics_port,
    ):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process_and_no_open_port(tmp_path: Path, number: int):
    platform = Platform(tmp_path)
    platform.start()
    pids = platform.pids()
    assert pids.keys() == {"centre", "logs", "snmp", "console"}
    assert listening(platform)
    platform.process.send_signal(number)
    assert platform.process.wait(PATIENCE) == 0
    assert not any(alive(pid) for pid in pids.values())
    assert not listening(platform)
    assert "Traceback" not in platform.said()


def test_when_the_supervisor_is_killed_its_processes_end_by_themselves(tmp_path: Path):
    platform = Platform(tmp_path)
    platform.start()
    pids = platform.pids()
    os.kill(platform.process.pid, signal.SIGKILL)
    platform.process.wait(PATIENCE)
    eventually(lambda: not any(alive(pid) for pid in pids.values()))
    assert not listening(platform)


def test_what_dies_is_started_again_and_told(tmp_path: Path):
    with running(tmp_path) as platform:
        first = platform.pids()["console"]
        platform.kill("console")
        eventually(lambda: platform.pids().get("console", first) != first)
        assert "console ended (by signal SIGKILL): started again" in platform.said()


def test_a_lane_tells_by_its_own_channel_that_the_centre_is_silent(tmp_path: Path):
    with socket.socket(type=socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))
        channel.settimeout(PATIENCE)
        platform = Platform(tmp_path)
        alarm = f'alarm = "127.0.0.1:{channel.getsockname()[1]}"\ncentre_silence_seconds = 1\n'
        platform.file.write_text(platform.file.read_text() + alarm)
        platform.start()
        centre = platform.pids()["centre"]
        os.kill(centre, signal.SIGSTOP)
        try:
            assert b"the centre has been silent for" in channel.recv(4096)
        finally:
            os.kill(centre, signal.SIGCONT)
        assert b"the centre answers again" in channel.recv(4096)
        platform.stop()


def test_the_console_beyond_loopback_needs_tls_and_with_it_speaks_https(tmp_path: Path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    command = [
        program("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*command, "-out", str(certificate), "-keyout", str(key)], check=True, capture_output=True)
    platform = Platform(tmp_path / "platform")
    plain = platform.file.read_text()
    open_to_all = platform.console.replace("127.0.0.1", "0.0.0.0")
    platform.file.write_text(plain.replace(platform.console, open_to_all))
    refused = platform.run("check")
    assert refused.returncode == 1
    assert "beyond loopback needs tls_certificate" in refused.stderr
    tls = f'\ntls_certificate = "{certificate}"\ntls_key = "{key}"'
    platform.file.write_text(plain.replace(f'"{platform.console}"', f'"{platform.console}"{tls}'))
    platform.start()
    trust = ssl.create_default_context(cafile=str(certificate))
    trust.check_hostname = False
    with urllib.request.urlopen(f"https://{platform.console}/sign-in", context=trust, timeout=10) as page:
        assert "Hải Đăng" in page.read().decode()
    platform.stop()


def test_check_builds_everything_and_says_what_it_saw(tmp_path: Path):
    platform = Platform(tmp_path)
    done = platform.run("check")
    assert done.returncode == 0, done.stdout
    assert "correlations" in done.stdout
    assert "socket buffer" in done.stdout


def test_check_names_the_missing_capability_and_the_small_buffer(tmp_path: Path):
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root can give up capabilities")
    platform = Platform(tmp_path)
    low = platform.file.read_text().replace(f'relp = "127.0.0.1:{platform.relp_port}"', 'relp = "127.0.0.1:601"')
    platform.file.write_text(low)
    without = ["setpriv", "--bounding-set=-net_admin,-net_bind_service", "--inh-caps=-all"]
    start = "sysctl -q -w net.ipv4.ip_unprivileged_port_start=1024; exec " + " ".join(
        [*without, '"$0" check --settings "$1"']
    )
    # Low ports are free to all where the kernel says so, so the check runs in a network namespace of its own.
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", f"ip link set lo up; {start}", HAIDANG, str(platform.file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "CAP_NET_BIND_SERVICE" in done.stdout
    assert "net.core.rmem_max" in done.stdout or "rmem_max" in done.stdout
