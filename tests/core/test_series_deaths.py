"""The series store beside a writer that is killed and readers that are busy; what its disk needs."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest
from series_rows import START, asked, read, rows

from core.clock import MINUTE, HeldClock
from core.errors import RefusedError
from core.scope import EVERYTHING
from core.stores.series import SeriesStore
from core.stores.series_manifest import DAY
from core.stores.series_need import disk_need, measured_on, retention
from core.stores.series_read import LocalSeries


@pytest.fixture
def clock():
    return HeldClock(START)


@pytest.fixture
def store(tmp_path, clock):
    made = SeriesStore(tmp_path, clock)
    yield made
    made.close()


WRITER = """
import sys
from pathlib import Path
from core.clock import MINUTE, HeldClock
from core.stores.series import SeriesStore

clock = HeldClock(int(sys.argv[2]))
store = SeriesStore(Path(sys.argv[1]), clock)
while True:
    now = clock.now()
    store.append("interfaces", {"site": ["a"], "device": ["b"], "object": ["c"], "time": [now], "in_bps": [1]})
    print(now, flush=True)
    clock.forward(20 * MINUTE)
    store.maintain()
"""


def test_a_writer_that_is_killed_at_any_moment_has_lost_and_doubled_nothing(tmp_path, clock):
    told, now = [], START
    for lines in (1, 7, 30):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(now)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            told += [int(line) for line in itertools.islice(process.stdout, lines)]
            process.kill()
            told += [int(line) for line in process.stdout]
        reader = LocalSeries(tmp_path)
        found = [row[3] for row in reader.read(EVERYTHING, asked("in_bps")).rows]
        (counted,) = read(reader, "count", step="span")
        reader.close()
        assert len(found) == len(set(found)) == counted[0]
        assert set(told) <= set(found)
        told, now = found, found[-1] + 20 * MINUTE
    clock.forward(now - START + 2 * DAY)
    store = SeriesStore(tmp_path, clock)
    store.maintain()
    assert read(store, "count", step="span") == [(len(told),)]
    store.close()


ROUNDS = 25


def test_a_reader_beside_a_busy_writer_never_misses_or_doubles_a_row(tmp_path):
    clock = HeldClock(START)
    store = SeriesStore(tmp_path, clock)
    written, failed = [0], []

    def write():
        try:
            for number in range(ROUNDS):
                store.append("interfaces", rows((clock.now(), 1)))
                written[0] = number + 1
                clock.forward(20 * MINUTE)
                store.maintain()
        except BaseException as error:  # noqa: BLE001 - told to the test, which fails
            failed.append(error)

    reader = LocalSeries(tmp_path)
    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        least = written[0]
        for step in (0, DAY):
            found = read(reader, "in_bps" if step == 0 else "count", step=step)
            counted = len(found) if step == 0 else sum(count for (count,) in found)
            assert least <= counted <= written[0] + 1
    thread.join()
    assert failed == []
    assert len(read(reader, "in_bps")) == ROUNDS
    reader.close()
    store.close()


def test_retention_is_dated_data():
    assert retention("2026-11-22") == {"raw": 14, "minute": 90, "hour": 762, "day": 3653, "month": 3653}
    assert retention("2020-01-01") == retention("2026-11-22")


def test_the_disk_that_retention_needs_follows_from_measured_bytes():
    sector = disk_need({"interfaces": 76_800, "devices": 3_200, "hosts": 3_200}, 60, "2026-11-26")
    assert 5e9 < sector["raw"] < 20e9
    assert sector["minute"] == pytest.approx(sector["raw"] * 76 / 14)
    assert (
        disk_need({"interfaces": 10}, 10, "2026-11-26")["raw"]
        == 6 * disk_need({"interfaces": 10}, 60, "2026-11-26")["raw"]
    )
    assert disk_need({"peers": 10}, 60, "2026-11-26") == disk_need({"interfaces": 10}, 60, "2026-11-26")
    assert measured_on() >= "2026-11-22"
    with pytest.raises(RefusedError):
        disk_need({"nothing": 1}, 60, "2026-11-26")
