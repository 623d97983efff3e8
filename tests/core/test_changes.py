"""Changes that one lane tells another: on disk, bounded, each read once, none believed that is of another kind."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from core import changes
from core.changes import Change, ChangeLog, Place, change_event, decode_change, told_since
from core.clock import SECOND, HeldClock
from core.errors import ContentError, UnavailableError

NOW = 1_795_312_267 * SECOND
START = Place()


def made(number: int, known: bytes = b"null") -> Change:
    fields = {"event.action": "link_down", "number": number}
    return Change(time=NOW + number, service="link", device="sw-1", fields=fields, known=msgspec.Raw(known))


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOW)


@pytest.fixture
def log(tmp_path, clock) -> Iterator[ChangeLog]:
    made_log = ChangeLog(tmp_path, clock)
    yield made_log
    made_log.close()


def numbers(folder, place: Place = START) -> list[object]:
    return [change.fields["number"] for change in told_since(folder, place)]


def test_what_was_told_is_read_in_order_and_from_a_place_on(tmp_path, log):
    log.append([made(1), made(2)])
    place = log.place
    log.append([made(3)])
    assert numbers(tmp_path) == [1, 2, 3]
    assert numbers(tmp_path, place) == [3]
    assert numbers(tmp_path, log.place) == []


def test_a_new_process_begins_a_new_file_also_when_the_clock_was_set_back(tmp_path, log, clock):
    log.append([made(1)])
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("ab") as torn:
        torn.write(b'{"time":')
    clock.forward(-SECOND)
    again = ChangeLog(tmp_path, clock)
    place = again.place
    again.append([made(2)])
    again.close()
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    assert numbers(tmp_path) == [1, 2]
    assert numbers(tmp_path, place) == [2]


def test_files_are_bounded_in_size_and_number(tmp_path, log, monkeypatch):
    monkeypatch.setattr(changes, "FILE_BYTES", 100)
    for number in range(40):
        log.append([made(number)])
    files = list(tmp_path.glob("*.jsonl"))
    assert len(files) == changes.MOST_FILES
    assert numbers(tmp_path)[-1] == 39
    assert all(file.stat().st_size < 400 for file in files)


def test_nothing_is_written_for_no_change(tmp_path, log):
    log.append([])
    assert list(tmp_path.glob("*.jsonl")) == []
    assert log.place == Place()


def test_a_disk_that_takes_nothing_is_told_and_the_next_change_goes_to_a_new_file(tmp_path, log, monkeypatch):
    log.append([made(1)])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(changes.os, "fsync", full)
        with pytest.raises(UnavailableError, match="No space left"):
            log.append([made(2)])
    log.append([made(3)])
    assert numbers(tmp_path)[-1] == 3
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_line_becomes_the_event_it_was_made_of():
    event = change_event(msgspec.json.encode(made(7)), "logs/1/2")
    assert (event.id, event.logsource.product, event.logsource.service) == ("logs/1/2", "haidang", "link")
    assert (event.time, event.device, event.fields["number"]) == (NOW + 7, "sw-1", 7)
    assert (event.seen, event.site, event.unit) == (NOW + 7, "", "")
    assert event.raw == msgspec.json.encode(made(7).fields)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"time":1,"service":"quarantine","fields":{}}',
        b'{"format":2,"time":1,"service":"env","fields":{}}',
    ],
)
def test_a_line_that_tells_of_no_change_is_refused(line):
    with pytest.raises(ContentError):
        decode_change(line)
