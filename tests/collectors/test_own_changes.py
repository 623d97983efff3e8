"""What another lane of ours tells in files is believed; what a sender or a file of the settings says is not."""

from __future__ import annotations

import msgspec
import pytest

from collectors.files.lineforms import change_lines, line_forms
from collectors.logs.decode import OURSELVES, QUARANTINE, Decoder
from collectors.logs.following import Follower, Watched
from collectors.logs.frames import Frame
from collectors.logs.marks import Marks
from core.changes import Change, ChangeLog
from core.clock import SECOND, HeldClock
from core.settings import LogsSettings

NOW = 1_795_312_267 * SECOND
CHANGE = Change(
    time=NOW - SECOND,
    service="link",
    unit="vks-tha",
    site="tha",
    device="sw-1",
    fields={"event.action": "link_down", "haidang.object": "sw-1/Gi0/1"},
)


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(LogsSettings())


def frame(raw: bytes, transport: str, form) -> Frame:
    return Frame(OURSELVES, transport, raw, NOW, form=form)


def test_a_change_is_an_event_of_ours_with_all_that_its_lane_knew(decoder, tmp_path):
    form = change_lines(tmp_path).form
    event = decoder.decode(frame(msgspec.json.encode(CHANGE), "own", form), "logs/1/2").event
    assert (event.id, event.time, event.seen) == ("logs/1/2", NOW - SECOND, NOW)
    assert (event.logsource.product, event.logsource.service) == ("haidang", "link")
    assert (event.unit, event.site, event.device) == ("vks-tha", "tha", "sw-1")
    assert event.fields == CHANGE.fields


def test_the_same_line_from_a_file_of_the_settings_goes_to_quarantine(decoder, tmp_path):
    line = msgspec.json.encode(CHANGE)
    for form in (change_lines(tmp_path).form, line_forms("json", "", tmp_path).form):
        told = decoder.decode(frame(line, "file", form), "logs/1/2").event
        assert told.logsource == QUARANTINE or told.logsource.product != "haidang"


def test_a_line_that_is_no_change_goes_to_quarantine_and_so_does_one_that_is_too_long(decoder, tmp_path):
    form = change_lines(tmp_path).form
    assert decoder.decode(frame(b"{}", "own", form), "x").quarantined
    overlong = Frame(OURSELVES, "own", b"{", NOW, form=form, fault="oversized")
    assert decoder.decode(overlong, "x").quarantined


def test_the_lane_follows_changes_across_their_files_each_once(run, inlet, tmp_path):
    async def following():
        marks = Marks()
        watched = [Watched(tmp_path, "*.jsonl", OURSELVES, change_lines, transport="own")]
        seen: list[bytes] = []
        for number in range(3):  # three lives of the writer, and of the reader
            log = ChangeLog(tmp_path, HeldClock(NOW + number))
            log.append([msgspec.structs.replace(CHANGE, time=NOW + number)])
            log.close()
            follower = Follower(watched, inlet, HeldClock(NOW), Marks(marks.content()))
            await follower.look()
            for one in await inlet.take(inlet.waiting):
                marks.set(one.stream, one.mark)
                seen.append(one.raw)
                assert (one.source, one.transport) == (OURSELVES, "own")
            follower.close()
        assert [msgspec.json.decode(raw)["time"] - NOW for raw in seen] == [0, 1, 2]

    run(following())
