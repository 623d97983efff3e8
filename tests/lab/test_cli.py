import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cli
from lab.sector import SECTOR

ROOT = Path(__file__).resolve().parents[2]

SHORT = """\
title: {vi: Ngắn, en: Short}
steps:
- {at: 0, device: sv-tha, lines: ['x: by udp']}
- {at: 0, device: sv-tha, transport: tcp, lines: ['x: by tcp']}
"""


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(30)
        yield wire


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


@pytest.fixture
def short(tmp_path):
    path = tmp_path / "short.yml"
    path.write_text(SHORT, encoding="utf-8")
    return str(path)


def at(wire):
    return "{}:{}".format(*wire.getsockname())


def test_sector_prints_the_folder_of_the_inventory(capsys):
    assert cli.main(["sector"]) == 0
    assert capsys.readouterr().out == f"{SECTOR}\n"


def test_a_scenario_is_played_to_both_targets(short, udp, tcp, capsys):
    assert cli.main(["scenario", short, "--target", at(udp), "--tcp-target", at(tcp)]) == 0
    assert udp.recv(4096).endswith(b"by udp")
    with tcp.accept()[0] as connection:
        assert connection.recv(4096).endswith(b"by tcp")
    assert "sent: 2" in capsys.readouterr().err


def test_lines_that_nobody_takes_end_a_scenario_with_one_clear_line(short, udp, capsys):
    assert cli.main(["scenario", short, "--target", at(udp)]) == 1
    assert "1 of 2 lines were taken by nobody" in capsys.readouterr().err


def test_a_scenario_that_comes_with_the_lab_is_known_by_name():
    assert cli._scenario_file("first_night").is_file()
    assert cli._scenario_file("other/night.yml") == Path("other/night.yml")


def test_an_absent_file_is_one_clear_line_and_status_1(udp, capsys):
    assert cli.main(["scenario", "absent.yml", "--target", at(udp)]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "absent.yml: cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["up"],
        ["up", "--target", "192.0.2.1:5514"],
        ["up", "--target", "[::1]:5514"],
        ["up", "--target", "127.0.0.1"],
        ["up", "--target", "127.0.0.1:70000"],
        ["up", "--target", "127.0.0.1:5514", "--seconds", "0"],
        ["scenario", "x.yml", "--target", "127.0.0.1:5514", "--speed", "fast"],
    ],
)
def test_bad_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m lab" in capsys.readouterr().err


def test_localhost_may_be_said_by_name():
    assert cli._endpoint("localhost:5514") == ("127.0.0.1", 5514)


def test_up_ends_after_its_seconds(udp, capsys, monkeypatch):
    monkeypatch.setattr(cli.time, "sleep", lambda _seconds: None)
    assert cli.main(["up", "--target", at(udp), "--seconds", "2.95"]) == 0
    assert "sent: 30" in capsys.readouterr().err


def test_up_runs_the_scenario_among_the_ordinary_lines_until_it_is_stopped(udp, tcp, short):
    command = [sys.executable, "-m", "lab", "up", "--target", at(udp), "--tcp-target", at(tcp), "--scenario", short]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = [udp.recv(4096) for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert any(line.endswith(b"by udp") for line in lines)
    assert process.returncode == 0
    assert (out, err.decode()) == (b"", "đã dừng / stopped\n")
