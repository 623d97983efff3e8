"""What is known of connections when the process that served them is gone."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import collectors
from collectors.logs.ledger import SLOTS, Interrupted, Ledger

ROOT = Path(collectors.__file__).parent.parent
DYING = """
import os, signal, sys
from pathlib import Path
from collectors.logs.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]))
one, two, three, four = (ledger.open(f"10.0.0.{number}") for number in (1, 2, 3, 4))
for _ in range(1000):
    one.received()
for _ in range(990):
    one.stored()
two.received()
two.stored()
two.close()
four.received()
four.close()
os.kill(os.getpid(), signal.SIGKILL)
"""


def reopened(path: Path) -> list[Interrupted]:
    with contextlib.closing(Ledger(path)) as ledger:
        return [found._replace(stream="") for found in ledger.interrupted]


def test_rows_survive_a_process_that_is_killed(tmp_path):
    path = tmp_path / "connections"
    died = subprocess.run([sys.executable, "-c", DYING, path], cwd=ROOT, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert reopened(path) == [
        Interrupted("10.0.0.1", 1000, 990),
        Interrupted("10.0.0.3", 0, 0),
        Interrupted("10.0.0.4", 1, 0),  # it had closed, with a message that was not stored yet
    ]


def test_an_interruption_is_told_once(tmp_path):
    path = tmp_path / "connections"
    with contextlib.closing(Ledger(path)) as ledger:
        ledger.open("10.0.0.1")
    assert len(reopened(path)) == 1
    assert reopened(path) == []


def test_a_name_longer_than_a_row_holds_is_cut(tmp_path):
    path = tmp_path / "connections"
    with contextlib.closing(Ledger(path)) as ledger:
        entry = ledger.open("x" * 46 + "đ" * 10)
        assert entry is not None
        entry.received()
    (interrupted,) = reopened(path)
    assert interrupted.source.startswith("x" * 46)
    assert len(interrupted.source) == 47
    assert (interrupted.received, interrupted.stored) == (1, 0)


def test_when_all_rows_are_taken_there_is_none_and_counting_goes_on(tmp_path):
    path = tmp_path / "connections"
    with contextlib.closing(Ledger(path)) as ledger:
        entries = [ledger.open(f"s{number}") for number in range(SLOTS)]
        assert None not in entries
        assert ledger.open("late") is None
        for entry in entries:
            entry.received()
        entries[7].stored()
        entries[7].close()
        assert ledger.open("later") is not None
        assert ledger.open("too late") is None
    counts = {found.source: (found.received, found.stored) for found in reopened(path)}
    assert len(counts) == SLOTS
    assert counts[f"s{SLOTS - 1}"] == (1, 0)
    assert counts["later"] == (0, 0)
    assert "s7" not in counts


def test_each_connection_has_a_stream_of_its_own_that_is_forgotten_when_all_it_brought_is_on_disk(tmp_path):
    path, forgotten = tmp_path / "connections", []
    with contextlib.closing(Ledger(path, forgotten.append)) as ledger:
        one, two = ledger.open("10.0.0.1"), ledger.open("10.0.0.1")
        assert [one.received(), one.received(), two.received()] == [1, 2, 1]
        one.stored()
        one.close()
        assert forgotten == []
        one.stored()
        assert forgotten == [one.stream]
    with contextlib.closing(Ledger(path)) as ledger:
        assert ledger.interrupted == [Interrupted("10.0.0.1", 1, 0, two.stream)]
    assert one.stream != two.stream


def test_a_row_that_is_used_again_begins_at_nothing(tmp_path):
    path = tmp_path / "connections"
    with contextlib.closing(Ledger(path)) as ledger:
        first = ledger.open("a-long-name-of-a-source")
        for _ in range(5):
            first.received()
            first.stored()
        first.close()
        ledger.open("b")
    assert reopened(path) == [Interrupted("b", 0, 0)]


def test_a_file_of_another_size_is_begun_anew(tmp_path):
    path = tmp_path / "connections"
    path.write_bytes(b"something else")
    assert reopened(path) == []
    with contextlib.closing(Ledger(path)) as ledger:
        ledger.open("10.0.0.1")
    assert reopened(path) == [Interrupted("10.0.0.1", 0, 0)]


def test_a_ledger_of_another_format_is_not_read(tmp_path):
    path = tmp_path / "connections"
    with contextlib.closing(Ledger(path)) as ledger:
        ledger.open("10.0.0.1")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"HDLEDGER2", b"HDLEDGER1"))
    assert reopened(path) == []
