"""The measurement of syslog runs with real receivers and tells what the contract says; speed is not for a test."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from core.errors import UnavailableError
from core.settings import LogsSettings
from lab.bench import lines, receivers, syslog
from lab.bench.measure import Result
from lab.bench.receivers import Taken, kernel_drops, kernel_row, rsyslogd
from lab.bench.sender import Plan, send
from lab.bench.syslog import Load
from lab.cli import main

NOW = 1_795_312_267_000_000_000
needs_rsyslogd = pytest.mark.skipif(not receivers.program("rsyslogd"), reason="rsyslogd is missing")


def test_messages_are_a_third_each_rfc_5424_rfc_3164_and_cisco_and_the_lane_reads_their_heads() -> None:
    made = lines.messages(300, 100.0, NOW)
    assert made == lines.messages(300, 100.0, NOW)
    decoder = Decoder(LogsSettings())
    events = [decoder.decode(Frame(source, "udp", raw, NOW + 3 * 10**9), "logs/1/1") for source, raw in made]
    assert not any(one.quarantined or one.untrusted_time for one in events)
    assert [sum(b">1 20" in raw for _, raw in made), sum(b": %" in raw for _, raw in made)] == [100, 100]
    assert {"linux", "cisco"} <= {one.event.logsource.product for one in events}
    assert all(one.event.fields.keys() & {"process.name", "event.code"} for one in events)
    assert len({source for source, _ in made}) > 30


def test_messages_go_by_udp_each_from_its_own_address(tmp_path) -> None:
    made = lines.messages(50, 1000.0, NOW)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        file = lines.write(tmp_path / "messages", made)
        times = send(Plan(file=str(file), transport="udp", port=port, rate=1000.0))
        assert [(source[0], raw) for raw, source in (receiver.recvfrom(4096) for _ in made)] == made
        assert times.ended - times.began >= 0.045
        assert kernel_row(port) is not None
        assert kernel_drops(port) == 0


def test_messages_go_by_tcp_counted_each_address_by_its_own_connection(tmp_path) -> None:
    made = [("127.1.1.1", b"<13>a"), ("127.1.1.2", b"<13>b\nc"), ("127.1.1.1", b"<13>d")]
    file = lines.write(tmp_path / "messages", made)
    with socket.create_server(("127.0.0.1", 0)) as server:
        send(Plan(file=str(file), transport="tcp", port=server.getsockname()[1], rate=1e6))
        came = dict(read_all(server) for _ in range(2))
    assert came == {"127.1.1.1": b"5 <13>a5 <13>d", "127.1.1.2": b"7 <13>b\nc"}


def read_all(server: socket.socket) -> tuple[str, bytes]:
    connection, (host, _) = server.accept()
    with connection, connection.makefile("rb") as stream:
        return host, stream.read()


def test_the_kernel_s_drops_are_read(tmp_path) -> None:
    file = lines.write(tmp_path / "messages", lines.messages(500, 1000.0, NOW))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        send(Plan(file=str(file), transport="udp", port=port, rate=1e6))
        assert kernel_drops(port) > 400
    assert kernel_drops(port) == 0


@needs_rsyslogd
def test_a_run_tells_messages_of_both_sides_and_their_ratio(monkeypatch, capsys) -> None:
    monkeypatch.setattr(syslog, "_IDLE", 0.2)
    options = ["--messages", "600", "--rate", "6000", "--until-stored", "--json", "--transport", "udp"]
    assert main(["bench", "syslog", *options, "--transport", "relp"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["work"] == "syslog"
    results = {one["name"]: one for one in report["results"]}
    assert list(results) == ["ours, udp", "rsyslogd, udp", "ours, relp"]
    assert all(one["units"] == one["more"]["sent"] == 600 for one in results.values())
    assert all(one["more"]["kernel_dropped"] == one["more"]["dropped"] == 0 for one in results.values())
    assert all(one["cpu_s"] >= 0 and one["wall_s"] > 0 and one["rss_mib"] > 1 for one in results.values())
    assert report["ratios"].keys() <= {"rsyslogd"}


@needs_rsyslogd
def test_what_rsyslogd_writes_is_json_with_the_message_s_parts(tmp_path) -> None:
    made = lines.messages(9, 100.0, NOW)
    file = lines.write(tmp_path / "messages", made)
    with rsyslogd(tmp_path) as receiver:
        send(Plan(file=str(file), transport="udp", port=receiver.ports["udp"], rate=100.0))
        taken, _ = syslog._all_taken(receiver, len(made))
    assert taken == Taken(stored=9, dropped=0)
    written = [json.loads(line) for line in (tmp_path / "messages.json").read_bytes().splitlines()]
    assert [(one["observer.ip"], one["raw"].encode()) for one in written] == made
    assert written[0]["process.name"] == made[0][1].split()[3].decode()


def test_a_receiver_that_does_not_start_is_told_with_its_last_word(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(receivers, "program", lambda _: shutil.which("false"))
    with pytest.raises(UnavailableError, match="did not start"), rsyslogd(tmp_path):
        pass


def test_a_measurement_that_is_stopped_stops_its_receivers(tmp_path) -> None:
    command = [sys.executable, "-m", "lab", "bench", "syslog", "--transport", "udp", "--messages", "1000000"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    bench = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not any(b"serve" in line for line in command_lines(tmp_path)):
        assert time.monotonic() < end
        time.sleep(0.1)
    bench.terminate()
    assert bench.wait(60) == 1
    assert command_lines(tmp_path) == []


def command_lines(folder: Path) -> list[bytes]:
    """Of all processes that are told of this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((entry / "cmdline").read_bytes())
    return [line for line in found if str(folder).encode() in line]


def test_a_sender_that_fails_is_told() -> None:
    class Nowhere:
        pid, ports = 1, {"tcp": 1, "udp": 1}

    with pytest.raises(UnavailableError, match=r"tcp: sending failed: .*refused"):
        syslog._sent("tcp", Nowhere(), Load(messages=1))


def test_of_several_rounds_the_middle_one_is_told() -> None:
    rounds = [
        Result(name="x", units=1_000_000, cpu_s=cpu, wall_s=1, rss_mib=1, more={"sent": 1.0}) for cpu in (9.0, 2.0, 4.0)
    ]
    assert syslog.middle(rounds[:1]) == rounds[0]
    told = syslog.middle(rounds)
    assert told.cpu_s == 4.0
    assert told.more == {"sent": 1.0, "rounds": 3.0, "least_cpu_us": 2.0, "most_cpu_us": 9.0}


def test_a_peer_that_is_not_installed_is_named_and_left_out(monkeypatch, capsys) -> None:
    monkeypatch.setattr(syslog, "program", {"here": "/bin/here"}.get)
    assert syslog.installed(["here", "absent"]) == ["here"]
    assert "absent: chưa cài" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--rate", "0"), ("--rate", "nan"), ("--messages", "0"), ("--against", "x")])
def test_wrong_options_are_told(wrong, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "syslog", *wrong])
    assert stopped.value.code == 2
    assert wrong[0] in capsys.readouterr().err
