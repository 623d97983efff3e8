"""From a frame to an event: text, time, quarantine, and every rule's own examples."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detections
from collectors.logs.decode import QUARANTINE, SOURCE, Decoder, connection_cut
from collectors.logs.frames import Frame
from collectors.logs.ledger import Interrupted
from core.changes import SERVICES, Change, change_event
from core.clock import HOUR, MINUTE, VIETNAM, from_datetime, iso
from core.errors import ContentError
from core.records import Event, Logsource
from core.settings import LogsSettings, SourceSettings

SEEN = from_datetime(datetime(2026, 11, 22, 6, 52, 0, tzinfo=VIETNAM))
DECODER = Decoder(LogsSettings(sources={"10.9.9.9": SourceSettings(timezone="UTC")}))
RULES = Path(detections.__file__).parent / "rules"
EXAMPLES = [
    pytest.param(example, id=f"{path.stem.removesuffix('.events')}-{number}")
    for path in sorted(RULES.rglob("*.events.jsonl"))
    for number, line in enumerate(path.read_bytes().splitlines())
    if (example := msgspec.json.decode(line))["logsource"].get("product") != "windows"  # these come as JSON
]


def frame(raw: bytes, **changed: Any) -> Frame:
    return Frame(**{"source": "10.21.4.10", "transport": "tcp", "raw": raw, "seen": SEEN, **changed})


def event_of(raw: bytes, **changed: Any) -> Event:
    return DECODER.decode(frame(raw, **changed), "logs/7/42").event


def at(nanoseconds: int) -> bytes:
    return f"<13>1 {iso(nanoseconds)} h p - - - x".encode()


def test_an_event_has_its_id_source_transport_and_header():
    decoded = DECODER.decode(frame(b"<38>Nov 22 06:31:07 sv-tha sshd[2231]: hello"), "logs/7/42")
    assert not decoded.quarantined
    assert not decoded.untrusted_time
    assert decoded.event == Event(
        id="logs/7/42",
        time=from_datetime(datetime(2026, 11, 22, 6, 31, 7, tzinfo=VIETNAM)),
        seen=SEEN,
        logsource=Logsource(product="linux", service="sshd"),
        fields={
            "observer.ip": "10.21.4.10",
            "network.transport": "tcp",
            "message": "hello",
            "log.syslog.facility.code": 4,
            "log.syslog.severity.code": 6,
            "host.name": "sv-tha",
            "process.name": "sshd",
            "process.pid": "2231",
        },
        raw=b"<38>Nov 22 06:31:07 sv-tha sshd[2231]: hello",
    )


def test_decomposed_letters_are_composed_and_the_raw_bytes_kept():
    raw = unicodedata.normalize("NFD", "<13>p: Đăng nhập thất bại ở Thừa Thiên Huế").encode()
    event = event_of(raw)
    assert event.fields["message"] == "Đăng nhập thất bại ở Thừa Thiên Huế"
    assert event.raw == raw
    assert raw != unicodedata.normalize("NFC", raw.decode()).encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0", b"\n\0", b"\r"])
def test_what_ends_a_line_is_no_part_of_the_text(end):
    assert event_of(b"<13>p: x" + end).fields["message"] == "x"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b" \r\n", "empty"),
        (b"\0\0\0", "empty"),
        (bytes(range(256)), "binary: not text in UTF-8"),
        (b"<13>" + b"\xff\xfe" * 20, "binary: not text in UTF-8"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "binary: not text in UTF-8"),
    ],
)
def test_what_is_no_text_goes_to_quarantine_with_its_reason(raw, reason):
    decoded = DECODER.decode(frame(raw), "logs/7/42")
    assert decoded.quarantined
    assert decoded.event.logsource == QUARANTINE
    assert decoded.event.fields["error.message"] == reason
    assert (decoded.event.raw, decoded.event.time, decoded.event.id) == (raw, SEEN, "logs/7/42")


def test_a_fault_of_the_framing_goes_to_quarantine_even_where_the_text_is_good():
    decoded = DECODER.decode(frame(b"<13>p: x", fault="oversized: at most 8 bytes are taken"), "i")
    assert decoded.quarantined
    assert decoded.event.fields == {
        "observer.ip": "10.21.4.10",
        "network.transport": "tcp",
        "error.message": "oversized: at most 8 bytes are taken",
    }


@pytest.mark.parametrize("raw", [b"<13>p: caf\xe9 and more text", b"<13>p: \x1b[31mred\x1b[0m", b"<13>p:\ta\tb"])
def test_a_stray_byte_does_not_make_a_text_binary(raw):
    assert not DECODER.decode(frame(raw), "i").quarantined


def hour_of(decoder: Decoder, source: str) -> int:
    """The hour, UTC, of half past six by the sender's own clock."""
    event = decoder.decode(frame(b"<13>Nov 22 06:30:00 h p: x", source=source), "i").event
    return int(event.fields.get("haidang.time.original", iso(event.time))[11:13])


def test_a_sender_writes_in_the_zone_of_its_device_unless_the_settings_say_another():
    decoder = Decoder(LogsSettings(sources={"10.9.9.9": SourceSettings(timezone="UTC")}))
    assert [hour_of(decoder, source) for source in ("10.9.9.9", "10.0.0.1")] == [6, 23]
    decoder.know_zones({"10.9.9.9": "Asia/Tokyo", "10.0.0.1": "Asia/Tokyo", "10.0.0.2": ""})
    assert [hour_of(decoder, source) for source in ("10.9.9.9", "10.0.0.1", "10.0.0.2")] == [6, 21, 23]


def test_a_section_that_says_no_zone_leaves_the_devices_and_the_lanes():
    said = {"10.0.0.1": {"silence_seconds": 5}, "10.0.0.2": {"limit": 9}}
    decoder = Decoder(LogsSettings.model_validate({"timezone": "UTC", "sources": said}))
    decoder.know_zones({"10.0.0.1": "Asia/Tokyo"})
    assert decoder.zone_of("10.0.0.1") == ("Asia/Tokyo", "inventory")
    assert decoder.zone_of("10.0.0.2") == ("UTC", "lane")


def test_zones_that_were_known_before_are_forgotten():
    decoder = Decoder(LogsSettings())
    decoder.know_zones({"10.0.0.1": "UTC"})
    assert hour_of(decoder, "10.0.0.1") == 6
    decoder.know_zones({"10.0.0.2": "UTC"})
    assert [hour_of(decoder, source) for source in ("10.0.0.1", "10.0.0.2")] == [23, 6]


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "../etc/passwd", "Asia"])
def test_a_zone_that_is_unknown_is_told_and_those_known_before_stay(zone):
    decoder = Decoder(LogsSettings())
    decoder.know_zones({"10.0.0.1": "UTC"})
    with pytest.raises(ContentError, match=r"10\.0\.0\.2: unknown timezone"):
        decoder.know_zones({"10.0.0.1": "Asia/Tokyo", "10.0.0.2": zone})
    assert hour_of(decoder, "10.0.0.1") == 6


def test_a_date_of_2038_is_not_believed_and_kept():
    decoded = DECODER.decode(frame(b"<13>1 2038-01-19T03:14:08Z h p - - - x"), "i")
    assert decoded.untrusted_time
    assert decoded.event.time == SEEN
    assert decoded.event.fields["haidang.time.original"] == "2038-01-19T03:14:08.000000Z"


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59-07:00", "0001-01-01T00:00:01Z", "1969-12-31T23:59:59Z"])
def test_a_date_that_cannot_be_shown_is_kept_as_a_number(stamp):
    decoded = DECODER.decode(frame(f"<13>1 {stamp} h p - - - x".encode()), "i")
    assert decoded.event.time == SEEN
    assert decoded.untrusted_time == ("haidang.time.original" in decoded.event.fields)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(decoded.event), type=Event) == decoded.event


@pytest.mark.parametrize("difference", [-72 * HOUR, 10 * MINUTE, 0, -1000, 1000])
def test_a_clock_within_bounds_is_believed(difference):
    decoded = DECODER.decode(frame(at(SEEN + difference)), "i")
    assert (decoded.event.time, decoded.untrusted_time) == (SEEN + difference, False)
    assert "haidang.time.original" not in decoded.event.fields


@pytest.mark.parametrize("difference", [-72 * HOUR - 1000, 10 * MINUTE + 1000])
def test_a_clock_just_beyond_its_bounds_is_not_believed(difference):
    decoded = DECODER.decode(frame(at(SEEN + difference)), "i")
    assert (decoded.event.time, decoded.untrusted_time) == (SEEN, True)
    assert decoded.event.fields["haidang.time.original"] == iso(SEEN + difference)


def test_a_message_without_time_happened_when_it_was_seen():
    decoded = DECODER.decode(frame(b"<13>p: x"), "i")
    assert (decoded.event.time, decoded.untrusted_time) == (SEEN, False)


def test_a_source_has_its_own_zone():
    raw = b"<13>Nov 21 23:31:07 h p: x"
    assert event_of(raw, source="10.9.9.9").time == from_datetime(datetime(2026, 11, 22, 6, 31, 7, tzinfo=VIETNAM))
    assert event_of(raw).time == from_datetime(datetime(2026, 11, 21, 23, 31, 7, tzinfo=VIETNAM))


def test_what_the_lane_says_itself_is_an_event_of_its_own():
    own = connection_cut(Interrupted("10.1.1.1", 12, 9), SEEN)
    decoded = DECODER.decode(own, "logs/7/42")
    assert not decoded.quarantined
    assert (decoded.event.logsource, decoded.event.time, decoded.event.raw) == (SOURCE, SEEN, own.raw)
    assert decoded.event.fields["event.action"] == "connection_cut"
    assert decoded.event.fields["source.ip"] == "10.1.1.1"
    assert "12 messages received, 3 of them not stored" in str(decoded.event.fields["message"])


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_rules_example_is_what_its_raw_line_decodes_to(example):
    own = example["logsource"]["product"] == "haidang"
    source = {"transport": "own"} if own else {"source": example["fields"]["observer.ip"]}
    raw = example["raw"].encode()
    if own and example["logsource"]["service"] in SERVICES:  # another lane told of it in a line
        raw = msgspec.json.encode(
            Change(time=SEEN, service=example["logsource"]["service"], fields=msgspec.json.decode(raw))
        )
        source["form"] = change_event
    event = event_of(raw, **source)
    assert event.raw == example["raw"].encode()
    assert event.logsource == Logsource(**example["logsource"])
    assert {name: event.fields.get(name) for name in example["fields"]} == example["fields"]


def test_there_are_examples_of_rules():
    assert len(EXAMPLES) >= 32


@given(st.binary(max_size=300), st.integers(0, 4_102_444_800 * 10**9))
def test_any_bytes_become_an_event_that_can_be_written(raw, seen):
    decoded = DECODER.decode(frame(raw, seen=seen), "i")
    assert decoded.event.raw == raw
    assert decoded.quarantined == (decoded.event.logsource == QUARANTINE)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(decoded.event), type=Event) == decoded.event


@given(st.text())
def test_any_text_becomes_an_event_in_normal_form_c(text):
    event = event_of(text.encode("utf-8", "replace"))
    shown = [value for name, value in event.fields.items() if isinstance(value, str) and name != "error.message"]
    assert all(unicodedata.is_normalized("NFC", value) for value in shown)
