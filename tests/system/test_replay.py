"""Quarantine on a real platform: looked at, asked for again, and still quarantined while no parser was mended."""

from __future__ import annotations

import socket
from pathlib import Path

from running import eventually, running


def test_a_replay_is_asked_for_done_and_in_the_audit_chain(tmp_path: Path):
    with running(tmp_path) as platform:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>\x82\x83\x84\x85", ("127.0.0.1", platform.logs_port))
        (kept,) = eventually(lambda: platform.json("events", "quarantined"))
        assert kept["fields"]["error.message"].startswith("binary")
        refused = platform.run("replay", "--since", "2030-01-01", "--until", "2029-01-01", "--reason", "x")
        assert refused.returncode == 1
        asked = platform.run("replay", "--source", "127.0.0.1", "--reason", "bảng mã cũ")
        assert asked.returncode == 0, asked.stderr
        eventually(lambda: "0 messages of the quarantine are events now" in platform.said())
        assert len(platform.json("events", "quarantined")) == 1
        assert platform.run("audit", "verify").returncode == 0
