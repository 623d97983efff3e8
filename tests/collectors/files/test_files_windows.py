from __future__ import annotations

import json
import shutil

import pytest
from corpus import regression_cases

from collectors.files import evtx
from collectors.files.found import Bad, record_of
from collectors.files.jsonl import decode_json
from core.errors import UnavailableError
from core.records import Event

SYSTEM = {
    "Provider": {"#attributes": {"Name": "P", "Guid": "{1}"}},
    "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 104},
    "TimeCreated": {"#attributes": {"SystemTime": "2026-11-22T01:51:07.500000Z"}},
    "Correlation": None,
    "Execution": {"#attributes": {"ProcessID": 4, "ThreadID": 8}},
    "Channel": "System",
    "Computer": "sv-tha",
}


def event(**parts: object) -> Event:
    return decode_json(json.dumps({"Event": {"System": SYSTEM, **parts}}).encode(), "file/x/0")


def test_the_systems_part_is_flat() -> None:
    found = event()
    assert found.fields == {
        "Provider_Name": "P",
        "Provider_Guid": "{1}",
        "EventID": 104,
        "EventID_Qualifiers": 0,
        "TimeCreated_SystemTime": "2026-11-22T01:51:07.500000Z",
        "Correlation": None,
        "Execution_ProcessID": 4,
        "Execution_ThreadID": 8,
        "Channel": "System",
        "Computer": "sv-tha",
    }
    assert (found.time, found.logsource.product) == (1_795_312_267_500_000_000, "windows")


def test_names_of_event_data_have_no_blanks_and_empty_data_is_empty_text() -> None:
    fields = event(EventData={"#attributes": {"Name": "N"}, "Threat Name": "EICAR", "Path": None}).fields
    assert (fields["ThreatName"], fields["Path"], fields["EventData_Name"]) == ("EICAR", "", "N")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"#text": ["a", "b"]}, ["a", "b"]), (["a", {"#text": "b"}], ["a", "b"]), ("a", "a"), (None, ""),
        ({"#attributes": {"x": "y"}}, ""),
    ],
)  # fmt: skip
def test_data_without_names_is_one_field(data, value) -> None:
    assert event(EventData={"Data": data}).fields["Data"] == value


def test_user_data_is_flat_and_does_not_hide_what_the_system_says() -> None:
    cleared = {"LogFileCleared": {"#attributes": {"xmlns": "u"}, "Channel": "Security", "A": {"B": 1}}}
    fields = event(UserData=cleared).fields
    assert (fields["Channel"], fields["winlog.channel"], fields["A.B"]) == ("Security", "System", 1)
    assert "xmlns" not in str(fields)


def test_winlogbeats_events_have_their_data_under_its_own_names() -> None:
    document = {"winlog": {"channel": "Security", "event_id": 4688, "event_data": {"New Name": "x", "Data": ["a"]}}}
    found = decode_json(json.dumps(document).encode(), "file/x/0")
    assert found.fields == {"winlog.channel": "Security", "winlog.event_id": 4688, "NewName": "x", "Data": ["a"]}
    assert found.logsource.product == "windows"


def test_an_event_without_the_parts_of_one_is_still_read() -> None:
    found = decode_json(b'{"Event":{"System":{},"EventData":"x","UserData":["y"]}}', "file/x/0")
    assert (found.fields, found.logsource.product) == ({}, "")


def test_every_regression_file_is_read_without_a_bad_record() -> None:
    found = [one for case in regression_cases() for one in evtx.read(case.file)]
    assert len(found) == 238
    assert all(isinstance(one, Event) and one.logsource.product == "windows" and one.time for one in found)


def test_a_broken_record_is_named_and_the_file_is_read_to_its_end(tmp_path) -> None:
    whole = regression_cases()[0].file.read_bytes()
    path = tmp_path / "broken.evtx"
    path.write_bytes(whole[:4700] + b"\xff" * 200 + whole[4900:] + whole[4096:])
    found = list(evtx.read(path))
    assert any(isinstance(one, Bad) and one.file == str(path) and one.reason for one in found)
    assert [one.record if isinstance(one, Bad) else record_of(one) for one in found] == list(range(len(found)))


@pytest.mark.parametrize("content", [b"", b"ElfFile\0", b"text", b"ElfFile\0" + b"\xff" * 5000])
def test_what_is_no_evtx_file_is_refused_by_name(tmp_path, content) -> None:
    path = tmp_path / "no.evtx"
    path.write_bytes(content)
    with pytest.raises(UnavailableError, match=r"no\.evtx"):
        list(evtx.read(path))


def test_a_file_cut_short_gives_what_it_still_has(tmp_path) -> None:
    path = tmp_path / "short.evtx"
    shutil.copy(regression_cases()[0].file, path)
    with path.open("r+b") as handle:
        handle.truncate(4096 + 300)
    assert all(isinstance(one, Bad) for one in evtx.read(path))
