"""What is wrong is said in one clear line, without a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from running import HAIDANG, PATIENCE, Platform


def refusal(platform: Platform, command: str = "up") -> str:
    """The one line that the command says before it ends with status 1."""
    done = subprocess.run(
        [HAIDANG, command, "--settings", str(platform.file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def add(platform: Platform, text: str) -> None:
    platform.file.write_text(platform.file.read_text().replace("format = 1\n", f"format = 1\n{text}\n"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("colour = 1", "haidang.toml: colour: unknown key (known here: centre, console, data"),
        ("lateness_seconds = 'soon'", "haidang.toml: lateness_seconds: "),
        ("inventory = 'nowhere'", "nowhere"),
        ("rules = ['missing-rules']", "missing-rules"),
        ("format = ", "haidang.toml: not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, wrong: str, said: str):
    platform = Platform(tmp_path)
    add(platform, wrong)
    assert said in refusal(platform)


@pytest.mark.parametrize("which", ["console", "relp", "logs"])
def test_a_taken_port_is_named(tmp_path: Path, which: str):
    platform = Platform(tmp_path)
    port = {
        "console": int(platform.console.rpartition(":")[2]),
        "relp": platform.relp_port,
        "logs": platform.logs_port,
    }[which]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in refusal(platform)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    platform = Platform(tmp_path)
    (tmp_path / "data").write_text("a file is in the way")
    said = refusal(platform)
    assert str(tmp_path / "data") in said
    assert "cannot write" in said


def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path):
    platform = Platform(tmp_path)
    (tmp_path / "data").mkdir()
    readonly = "mount -t tmpfs -o ro none $1 && exec $2 up --settings $3"
    if os.geteuid() == 0:  # root may write anywhere, except where nothing can be written
        command = ["unshare", "--mount", "sh", "-c", readonly, "sh", tmp_path / "data", HAIDANG, platform.file]
    else:
        (tmp_path / "data").chmod(0o500)
        command = [HAIDANG, "up", "--settings", platform.file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"cannot write in folder {tmp_path / 'data'}" in done.stderr


def test_an_unknown_command_is_bad_usage(tmp_path: Path):
    done = subprocess.run([HAIDANG, "fly"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [["incidents", "list"], ["incidents", "ack", "1"], ["users", "list"], ["audit", "verify"]]
)
def test_a_command_without_a_running_platform_says_so(tmp_path: Path, command: list[str]):
    platform = Platform(tmp_path)
    done = platform.run(*command)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "haidang up" in done.stderr
