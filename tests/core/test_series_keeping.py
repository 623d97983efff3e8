"""The series store: how roll-ups follow late rows, and how long all is kept."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from series_rows import START, poll, read, rows, settle, stages

from core.clock import HOUR, MINUTE, HeldClock
from core.errors import IntegrityError, UnavailableError
from core.stores import series_read
from core.stores.manifest import swap_manifest
from core.stores.series import SEGMENT_ROWS, SeriesStore
from core.stores.series_manifest import DAY, SeriesManifest, month_start, present
from core.stores.series_tables import stored_schema
from core.stores.spool import segments


@pytest.fixture
def clock():
    return HeldClock(START)


@pytest.fixture
def store(tmp_path, clock):
    made = SeriesStore(tmp_path, clock)
    yield made
    made.close()


def test_a_day_becomes_one_file_of_rows_an_hour_one_of_hours_and_one_of_its_day(store, clock):
    poll(store, clock, 60, START + DAY)
    clock.forward(10 * MINUTE)
    store.maintain()
    assert sorted(stages(store)) == ["day", "hour", *["raw"] * 24]
    assert len(segments(store._reader._folder / "spool")) == 1


def test_a_month_that_is_over_is_rolled_up(store, clock):
    store.append("interfaces", rows((START, 5), (START + HOUR, 9)))
    settle(store, clock, month_start(START, 1) - START + HOUR)
    assert stages(store).count("month") == 1
    assert read(store, "in_bps", "in_bps_p95", "count", step="month") == [(7, 9, 2)]


def test_late_rows_amend_what_is_read_at_once_and_the_roll_ups_later(store, clock):
    store.append("interfaces", rows((START, 10)))
    settle(store, clock)
    store.append("interfaces", rows((START + MINUTE, 20), (START + 3 * HOUR, 30)))
    for _ in range(4):
        assert read(store, "in_bps", "in_bps_max", "count", step=DAY) == [(20, 30, 3)]
        assert read(store, "in_bps", "count", step=HOUR) == [(15, 2), (30, 1)]
        settle(store, clock, 90 * MINUTE)
    settle(store, clock)
    assert sorted(stages(store)) == ["day", "hour", "raw", "raw"]
    assert read(store, "in_bps", "in_bps_max", "count", step=DAY) == [(20, 30, 3)]


def test_rows_that_trickle_in_late_rewrite_their_hour_once_an_hour_at_most(store, clock):
    store.append("interfaces", rows((START, 10)))
    settle(store, clock, 2 * HOUR)
    (before,) = [
        part.number for part in present(store._reader._folder / "interfaces").partitions if part.stage == "raw"
    ]
    for number in range(5):
        clock.forward(2 * MINUTE)
        store.append("interfaces", rows((START + 1 + number, 1)))
        store.maintain()
    (after,) = [part.number for part in present(store._reader._folder / "interfaces").partitions if part.stage == "raw"]
    assert after == before
    settle(store, clock, 2 * HOUR)
    assert set(stages(store)) == {"raw", "hour"}


def test_polls_faster_than_a_minute_are_rolled_up_by_minute_and_slower_ones_serve_as_they_are(store, clock):
    poll(store, clock, 20, START + 2 * HOUR, device="fast")
    settle(store, clock, HOUR)
    assert stages(store).count("minute") == 2
    assert read(store, "in_bps", "count", step=MINUTE, until=START + 3 * MINUTE) == [(1, 3), (4, 3), (7, 3)]
    assert len(read(store, "in_bps", until=START + MINUTE)) == 3


def test_rows_that_are_too_old_or_ahead_of_the_clock_are_left_out_and_counted(store):
    given = rows((START - 13 * DAY - 1, 1), (START - 13 * DAY, 2), (START + HOUR, 3), (START + HOUR + 1, 4))
    assert store.append("interfaces", given) == 2
    assert store.refused == 2
    assert sorted(read(store, "in_bps")) == [(2,), (3,)]


def test_each_stage_goes_when_its_time_is_over(store, clock):
    poll(store, clock, 20, START + HOUR)
    clock.forward(4 * HOUR)
    store.append("hosts", {"site": ["tha"], "device": ["d"], "object": [""], "time": [START + HOUR], "cpu": [50]})
    seen = {}
    for day in (1, 12, 14, 89, 91, 761, 763, 3690):
        clock.forward(START + day * DAY + DAY - clock.now())
        store.maintain()
        seen[day] = set(stages(store))
    assert seen[1] == {"raw", "minute", "hour", "day"}
    assert seen[12] == {"raw", "minute", "hour", "day", "month"}
    assert seen[14] == {"minute", "hour", "day", "month"}
    assert seen[89] == {"minute", "hour", "day", "month"}
    assert seen[91] == {"hour", "day", "month"}
    assert seen[763] == {"day", "month"}
    assert seen[3690] == set()


def test_rows_no_faster_than_a_minute_are_kept_as_long_as_minutes(store, clock):
    store.append("interfaces", rows((START, 1)))
    settle(store, clock, 80 * DAY)
    assert read(store, "in_bps") == [(1,)]
    settle(store, clock, 12 * DAY)
    assert read(store, "in_bps") == []
    assert read(store, "in_bps", step=HOUR) == [(1,)]


def test_where_rows_are_gone_a_percentile_is_estimated_from_those_that_hours_have_kept(store, clock):
    poll(store, clock, 60, START + 3 * HOUR)
    exact = read(store, "in_bps_p95", step=DAY)
    settle(store, clock)
    assert read(store, "in_bps_p95", step=6 * HOUR) == exact == [(170,)]
    settle(store, clock, 95 * DAY)
    assert read(store, "in_bps_p95", step=DAY) == exact
    assert read(store, "in_bps_p95", step=6 * HOUR) == [(176,)]


def test_late_rows_of_an_hour_whose_own_are_gone_do_not_become_the_whole(store, clock):
    store.append("interfaces", rows((START, 1), (START + 1, 3)))
    settle(store, clock, DAY)
    clock.forward(11 * DAY)
    store.append("interfaces", rows((START + 2, 1000)))
    folder = store._reader._folder / "interfaces"
    manifest = present(folder)
    kept = tuple(part for part in manifest.partitions if part.stage != "raw")
    swap_manifest(folder, SeriesManifest(number=manifest.number, through=manifest.through, partitions=kept))
    settle(store, clock, 2 * DAY)
    assert read(store, "in_bps", "count", step=HOUR) == [(2, 2)]


def test_a_segment_with_many_rows_becomes_files_before_its_minute_is_over(store):
    count = SEGMENT_ROWS
    given = {name: pa.array([values[0]] * count) for name, values in rows((START, 1)).items() if name != "gap"}
    store.append("interfaces", pa.table(given))
    store.maintain()
    assert stages(store) == ["piece"]


def test_every_file_names_its_format_and_is_in_order(store, clock):
    for device in "cab":
        store.append("interfaces", rows((START, 1), (START - 5, 2), device=device))
    clock.forward(2 * MINUTE)
    store.maintain()
    settle(store, clock)
    folder = store._reader._folder / "interfaces"
    parts = present(folder).partitions
    assert {part.stage for part in parts} == {"raw", "hour", "day"}
    for part in parts:
        found = pq.read_table(folder / part.name)
        assert found.schema.metadata[b"haidang.format"] == b"1"
        assert found.schema.names == stored_schema("interfaces", part.stage).names
        keys = list(zip(*(found[name].to_pylist() for name in ("site", "device", "object", "time")), strict=True))
        assert keys == sorted(keys)


def test_a_file_that_is_gone_is_said_and_not_passed_over(store, clock):
    store.append("interfaces", rows((START, 1)))
    settle(store, clock)
    folder = store._reader._folder / "interfaces"
    for part in present(folder).partitions:
        (folder / part.name).unlink()
    for step in (0, DAY):
        with pytest.raises(IntegrityError, match="is not whole"):
            read(store, "in_bps", step=step)


def test_a_store_that_never_comes_to_rest_is_said_and_not_waited_for(store, monkeypatch):
    answers = (SeriesManifest(through=number) for number in range(1000))
    monkeypatch.setattr(series_read, "present", lambda _: next(answers))
    with pytest.raises(UnavailableError, match="keeps changing: try again"):
        read(store, "in_bps")


def test_what_a_run_that_died_has_left_is_swept_away(tmp_path, clock):
    SeriesStore(tmp_path, clock).close()
    for name in ("raw-00498689-7.parquet", "hour-1.new"):
        (tmp_path / "interfaces" / name).touch()
    SeriesStore(tmp_path, clock).close()
    assert list((tmp_path / "interfaces").iterdir()) == []


def test_a_clock_that_goes_back_costs_nothing(tmp_path):
    clock = HeldClock(START)
    store = SeriesStore(tmp_path, clock)
    for number in range(4):
        store.append("interfaces", rows((START + number, number)))
        clock.forward(2 * MINUTE)
        store.maintain()
        clock.forward(-5 * MINUTE)
    assert sorted(read(store, "in_bps")) == [(0,), (1,), (2,), (3,)]
    store.close()
