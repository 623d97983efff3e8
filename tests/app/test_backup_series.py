"""The SNMP lane's part of a backup: no row is lost and none is there twice."""

from __future__ import annotations

import shutil

import pytest
from series_rows import START, rows, settle

from app import backup
from app.backup import back_up, restore
from core.clock import HOUR, MINUTE, HeldClock
from core.device_states import DeviceState, DeviceStates, read_device_states, write_device_states
from core.files import make_folder
from core.scope import EVERYTHING
from core.settings import Settings
from core.snapshots import keep_snapshot, last_snapshot, snapshot
from core.stores.migrate import open_state
from core.stores.series import SeriesStore
from core.stores.series_read import SeriesQuery


def silent(_: str) -> None:
    """Says nothing."""


def told(store):
    query = SeriesQuery(table="interfaces", columns=("in_bps",), since=START - HOUR, until=START + 30 * HOUR)
    return sorted(store.read(EVERYTHING, query).rows)


@pytest.fixture
def clock():
    return HeldClock(START)


@pytest.fixture
def filled(tmp_path):
    settings = Settings(data=tmp_path / "data")
    open_state(settings.state).dispose()
    return settings


@pytest.fixture
def store(filled, clock):
    """Rows in a file of an hour, in a piece, in a closed segment and in one that grows."""
    made = SeriesStore(filled.series, clock)
    made.append("interfaces", rows((START, 1), (START + MINUTE, 2)))
    settle(made, clock, 3 * HOUR)
    for number, wait in enumerate((2 * MINUTE, 2 * MINUTE, 0)):
        made.append("interfaces", rows((clock.now(), 10 + number)))
        clock.forward(wait)
        if number == 0:
            made.maintain()
    yield made
    made.close()


def restored(settings, tmp_path, clock):
    empty = settings.model_copy(update={"data": tmp_path / "restored"})
    restore(empty, tmp_path / "backup", "all", clock, silent)
    return empty


def test_series_are_restored_wherever_they_lay(filled, store, tmp_path, clock):
    back_up(filled, tmp_path / "backup", clock, silent)
    again = SeriesStore(restored(filled, tmp_path, clock).series, clock)
    assert len(told(store)) == 5
    assert told(again) == told(store)
    settle(again, clock, 3 * HOUR)
    assert told(again) == told(store)
    again.close()


@pytest.mark.parametrize("when", range(4))
def test_a_lane_that_turns_rows_into_files_meanwhile_loses_and_doubles_none(
    filled, store, tmp_path, clock, monkeypatch, when
):
    before, copy, seen = told(store), shutil.copyfile, []

    def copied(source, target, **options):
        if "series" in str(source):
            seen.append(source)
            if len(seen) == when + 1:
                settle(store, clock, 3 * HOUR)
        return copy(source, target, **options)

    monkeypatch.setattr(shutil, "copyfile", copied)
    back_up(filled, tmp_path / "backup", clock, silent)
    assert len(seen) > when
    again = SeriesStore(restored(filled, tmp_path, clock).series, clock)
    assert told(again) == before
    settle(again, clock, 3 * HOUR)
    assert told(again) == before
    again.close()


def test_what_is_known_of_devices_is_restored_and_what_waits_for_others_is_not(filled, tmp_path, clock):
    for folder in ("changes", "remote-write"):
        (filled.snmp / folder).mkdir(parents=True)
        (filled.snmp / folder / "1.jsonl").write_text("{}", encoding="utf-8")
    device = DeviceState(name="rt-hn", site="hn", address="10.0.0.1")
    write_device_states(filled.device_states, DeviceStates(devices=(device,)))
    keep_snapshot(filled.snmp / "snapshots", "inventory", snapshot(b"inventory"))
    known = filled.snmp / "known.msgpack"
    known.write_bytes(b"told")
    back_up(filled, tmp_path / "backup", clock, silent)
    found = restored(filled, tmp_path, clock)
    assert (found.snmp / known.name).read_bytes() == b"told"
    assert read_device_states(found.device_states) == read_device_states(filled.device_states)
    assert last_snapshot(found.snmp / "snapshots", "inventory") == snapshot(b"inventory")
    assert {path.name for path in found.snmp.iterdir()} == {"snapshots", filled.device_states.name, known.name}


def test_what_changes_while_the_logs_are_copied_is_not_held_for_told(filled, tmp_path, clock, monkeypatch):
    known = make_folder(filled.snmp) / "known.msgpack"
    known.write_bytes(b"before")
    monkeypatch.setattr(backup, "_copy_logs", lambda *_: known.write_bytes(b"after"))
    back_up(filled, tmp_path / "backup", clock, silent)
    assert (restored(filled, tmp_path, clock).snmp / known.name).read_bytes() == b"before"
