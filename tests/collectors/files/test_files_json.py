from __future__ import annotations

import json

import msgspec
import pytest

from collectors.files import jsonl
from collectors.files.flat import MAX_DEPTH, MAX_FIELDS, MAX_NAME
from collectors.files.found import Bad, record_of
from collectors.files.jsonl import decode_json
from core.errors import ContentError
from core.records import Event, Logsource

NESTED = "nested deeper"


def fields(document: object) -> dict[str, object]:
    return decode_json(json.dumps(document).encode(), "file/x/0").fields


def deep(levels: int, inner: str = "1") -> bytes:
    return b'{"a":' * levels + inner.encode() + b"}" * levels


def test_a_flat_object_is_its_fields() -> None:
    line = b' {"Channel":"Security","EventID":4624,"b":true,"n":null,"x":1.5}\r'
    event = decode_json(line, "file/x/7")
    assert event.fields == {"Channel": "Security", "EventID": 4624, "b": True, "n": None, "x": 1.5}
    assert (event.id, event.raw, event.logsource.product) == ("file/x/7", line.strip(), "windows")


def test_nested_names_are_joined_and_lists_become_texts() -> None:
    assert fields({"a": {"b": {"c": 1}, "d": "x"}, "e": ["x", 1, 1.0, 1.5, True, None]}) == {
        "a.b.c": 1,
        "a.d": "x",
        "e": ["x", "1", "1", "1.5", "true"],
    }


def test_a_list_of_objects_is_told_as_texts_and_by_what_they_hold() -> None:
    found = fields({"a": [{"b": 1, "c": {"d": "x"}}, {"b": "2"}, 3]})
    assert found == {"a": ['{"b":1,"c":{"d":"x"}}', '{"b":"2"}', "3"], "a.b": ["1", "2"], "a.c.d": ["x"]}


def test_lists_within_lists_do_not_multiply() -> None:
    found = fields({"a": [{"b": [{"c": [{"d": "x" * 1000}]}]}]})
    assert found["a.b.c.d"] == ["x" * 1000]
    assert sum(len(str(value)) for value in found.values()) < 3000


@pytest.mark.parametrize(
    "line", [b"text", b"[1]", b'"x"', b"{", b'{"a":}', deep(2000), b"[" * 100_000, deep(MAX_DEPTH + 1)]
)
def test_what_is_no_object_within_bounds_is_refused_with_a_reason(line) -> None:
    with pytest.raises(ContentError):
        decode_json(line, "file/x/0")


def test_so_many_levels_are_read() -> None:
    assert decode_json(deep(MAX_DEPTH), "file/x/0").fields == {".".join("a" * MAX_DEPTH): 1}


@pytest.mark.parametrize(
    "document",
    [
        {"a": {str(number): 1 for number in range(MAX_FIELDS + 1)}},
        {"a": [{str(number): 1 for number in range(MAX_FIELDS + 1)}]},
        {"a": {"x" * MAX_NAME: 1}},
    ],
)
def test_fields_without_number_and_names_without_end_are_refused(document) -> None:
    with pytest.raises(ContentError, match=r"more than|longer than"):
        fields(document)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (rb'{"a":"cmd\ud800.exe"}', "cmd?.exe"),
        (rb'{"a":"\udc00\ud83d\ude00"}', "?😀"),
        (b'{"a":"cmd\xff.exe"}', "cmd\ufffd.exe"),
        (rb'{"a":"x\u0000y"}', "x\0y"),
        (b'{"a":' + b"1" * 5000 + b"}", "1" * 5000),
        (b'{"a":1e999}', "1e999"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":"b"}', "b"),
    ],
)
def test_what_strict_readers_refuse_is_still_looked_at(line, value) -> None:
    event = decode_json(line, "file/x/0")
    assert event.fields == {"a": value}
    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ({"@timestamp": "2026-11-22T01:51:07.5Z"}, 1_795_312_267_500_000_000),
        ({"UtcTime": "2026-11-22 01:51:07.500"}, 1_795_312_267_500_000_000),
        ({"timestamp": "2026-11-22T08:51:07.500000+0700"}, 1_795_312_267_500_000_000),
        ({"TimeCreated": "2026-11-22T01:51:07.5000000Z"}, 1_795_312_267_500_000_000),
        ({"ts": 1_795_312_267.5}, 1_795_312_267_500_000_000),
        ({"@timestamp": 1_795_312_267_500}, 1_795_312_267_500_000_000),
        ({"@timestamp": "yesterday", "time": 1_795_312_267}, 1_795_312_267_000_000_000),
        ({"@timestamp": -1}, 0),
        ({"@timestamp": 1e300}, 0),
        ({"@timestamp": True}, 0),
        ({}, 0),
    ],
)
def test_the_time_is_what_the_event_says(told, time) -> None:
    event = decode_json(json.dumps(told).encode(), "file/x/0")
    assert (event.time, event.seen) == (time, time)


def test_our_own_form_comes_with_its_log_source_and_raw_message() -> None:
    own = {"logsource": {"product": "cisco", "service": "ios"}, "fields": {"a": [1]}, "raw": "<189>x", "site": "tha"}
    event = decode_json(json.dumps(own).encode(), "file/x/0")
    assert event.logsource == Logsource(product="cisco", service="ios")
    assert (event.fields, event.raw, event.site) == ({"a": ["1"]}, b"<189>x", "tha")


def test_a_stored_event_that_was_printed_is_read_again() -> None:
    event = Event(
        id="logs/1/2", time=5, seen=6, logsource=Logsource(product="linux"), fields={"a": "b"}, raw=b"x", site="tha"
    )
    plain = {**msgspec.to_builtins(event), "raw": "x"}
    again = decode_json(json.dumps(plain).encode(), "file/x/0")
    assert again == msgspec.structs.replace(event, id="file/x/0", seen=5)


def test_our_own_form_with_a_wrong_type_is_refused() -> None:
    with pytest.raises(ContentError, match="logsource"):
        decode_json(b'{"logsource":{"product":1},"fields":{}}', "file/x/0")


def test_a_bad_line_is_named_and_its_neighbours_are_read(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\nno object\n' + deep(100) + b'\n{"a":2}')
    first, bad, nested, last = jsonl.read(path)
    assert isinstance(first, Event)
    assert isinstance(last, Event)
    assert (record_of(first), record_of(last), last.id) == (0, 4, "file/events.jsonl/4")
    assert isinstance(bad, Bad)
    assert isinstance(nested, Bad)
    assert (bad.file, bad.record, nested.record) == (str(path), 2, 3)
    assert NESTED in nested.reason


def test_a_line_that_is_too_long_is_passed_over(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("collectors.files.lines.MAX_LINE", 20)
    monkeypatch.setattr("collectors.files.lines._PIECE", 7)
    path = tmp_path / "events.jsonl"
    fits = b'{"a":"0123456789ab"}'
    assert len(fits) == 20
    path.write_bytes(fits + b"\n" + b'{"a":"' + b"x" * 50 + b'"}\n{"a":2}\n' + b"y" * 30)
    kinds = [type(one) for one in jsonl.read(path)]
    assert kinds == [Event, Bad, Event, Bad]
