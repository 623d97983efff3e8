"""What is kept can be proved, and brought back."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from running import Platform, eventually, running

from collectors.logs.spooling import decode_event
from core.stores.events import EventWriter
from core.stores.manifest import read_manifest
from core.stores.spool import segments

GUESSES = 10


def guesses(sources: Iterable[int]) -> list[str]:
    """Ten wrong passwords from each of these sources: one incident a source."""
    return [
        f"<38>sshd[9]: Failed password for root from 198.51.{source // 250}.{source % 250} port {guess + 1024} ssh2"
        for source in sources
        for guess in range(GUESSES)
    ]


def send(platform: Platform, lines: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", platform.logs_port)) as sender:
        sender.sendall("".join(f"{line}\n" for line in lines).encode())


def incidents(platform: Platform) -> int:
    return len(platform.incidents())


def test_after_a_backup_1000_more_lines_and_a_restore_nothing_is_missing(tmp_path: Path):
    platform = Platform(tmp_path / "platform")
    platform.start()
    send(platform, guesses(range(20)))
    eventually(lambda: incidents(platform) == 20)
    made = platform.run("backup", str(tmp_path / "backup"))
    assert made.returncode == 0, made.stderr
    send(platform, guesses(range(20, 120)))
    eventually(lambda: incidents(platform) == 120)

    platform.kill_all()
    shutil.rmtree(platform.folder / "data" / "centre")
    restored = platform.run("restore", str(tmp_path / "backup"), "--part", "centre")
    assert restored.returncode == 0, restored.stderr
    assert incidents(platform) == 20
    platform.start()
    eventually(lambda: incidents(platform) == 120)
    assert evidence(platform) == 120 * GUESSES
    assert platform.run("audit", "verify").returncode == 0
    platform.stop()


def test_a_whole_restore_goes_on_where_the_backup_was_made(tmp_path: Path):
    with running(tmp_path / "first") as first:
        send(first, guesses(range(20)))
        eventually(lambda: incidents(first) == 20)
        assert first.run("backup", str(tmp_path / "backup")).returncode == 0
        refused = first.run("backup", str(tmp_path / "backup"))
        assert refused.returncode == 1
        assert "not empty" in refused.stderr
    second = Platform(tmp_path / "second")
    assert second.run("restore", str(tmp_path / "backup")).returncode == 0
    second.start()
    assert len(second.stored()) == 20 * GUESSES
    send(second, guesses(range(20, 120)))
    eventually(lambda: incidents(second) == 120)
    assert len(second.stored()) == 120 * GUESSES
    assert evidence(second) == 120 * GUESSES
    second.stop()


def evidence(platform: Platform) -> int:
    """Events that took part in all incidents."""
    with sqlite3.connect(platform.folder / "data" / "centre" / "state.db") as database:
        (count,) = database.execute("SELECT count(*) FROM hits").fetchone()
    database.close()
    return count


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Platform:
    """A stopped platform with a closed partition, an anchor kept elsewhere, and some audit entries."""
    platform = Platform(tmp_path_factory.mktemp("kept"))
    platform.start()
    send(platform, guesses(range(5)))
    eventually(lambda: incidents(platform) == 5)
    platform.stop()
    lane = platform.folder / "data" / "lanes" / "logs"
    writer = EventWriter(lane / "events", decode_event)
    writer.convert(segments(lane / "spool"))
    writer.compact(1 << 40)
    platform.start()
    eventually(lambda: all(part.announced for part in read_manifest(lane / "events").partitions))
    eventually(lambda: platform.run("audit", "verify", "--data").returncode == 0)
    platform.stop()
    shutil.copy(
        platform.folder / "data" / "centre" / "anchors" / "latest.json", platform.folder / "kept-elsewhere.json"
    )
    return platform


@pytest.fixture
def copy(kept: Platform, tmp_path: Path) -> Platform:
    """A copy to do damage to."""
    shutil.copytree(kept.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    damaged = Platform(tmp_path / "copy")
    assert damaged.run("audit", "verify", "--data").returncode == 0
    return damaged


def findings(platform: Platform, *arguments: str) -> str:
    done = platform.run("audit", "verify", *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout


def change(platform: Platform, statement: str) -> None:
    with sqlite3.connect(platform.folder / "data" / "centre" / "state.db") as database:
        database.execute(statement)
    database.close()


def test_one_flipped_byte_in_the_audit_table_is_found_and_named(copy: Platform):
    change(copy, "UPDATE audit SET detail = substr(detail, 1, length(detail) - 1) || '~' WHERE seq = 3")
    found = findings(copy)
    assert "changed" in found
    assert "entry 3" in found


def test_a_cut_tail_is_found_and_named(copy: Platform):
    change(copy, "DELETE FROM audit WHERE seq > 4")
    found = findings(copy)
    assert "cut" in found
    assert "after entry 4" in found


def test_a_chain_built_anew_is_found_with_the_anchor_kept_elsewhere(copy: Platform):
    shutil.rmtree(copy.folder / "data" / "centre")
    shutil.rmtree(copy.folder / "data" / "lanes")
    copy.start()
    send(copy, guesses(range(10, 20)))
    eventually(lambda: incidents(copy) == 10)
    copy.stop()
    assert copy.run("audit", "verify").returncode == 0
    found = findings(copy, "--anchor", str(copy.folder / "kept-elsewhere.json"))
    assert "rebuilt" in found


def test_a_changed_closed_partition_is_found_and_named(copy: Platform):
    (partition,) = (copy.folder / "data" / "lanes" / "logs" / "events").glob("hour-*.parquet")
    content = bytearray(partition.read_bytes())
    content[len(content) // 2] ^= 1
    partition.write_bytes(content)
    found = findings(copy, "--data")
    assert partition.name in found
    assert "has changed" in found


def test_a_missing_closed_partition_is_found_and_named(copy: Platform):
    (partition,) = (copy.folder / "data" / "lanes" / "logs" / "events").glob("hour-*.parquet")
    partition.unlink()
    assert "is gone" in findings(copy, "--data")
