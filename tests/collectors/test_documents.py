"""Documents from outside: bounded, never believed to be ours, and none stops its neighbours."""

from __future__ import annotations

import pytest

from collectors.files.eve import decode as decode_eve
from collectors.files.jsonl import decode_json
from collectors.files.zeek import Decoder as ZeekDecoder
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.spooling import decode_event, encode_record
from core.errors import ContentError
from core.settings import LogsSettings

NOW = 1_795_312_267_000_000_000
HUGE = 123456789012345678901234567890


def decoded(raw: bytes, form=decode_json, **changed):
    frame = Frame(**{"source": "192.0.2.1", "transport": "http", "raw": raw, "seen": NOW, "form": form, **changed})
    found = Decoder(LogsSettings()).decode(frame, "logs/1/1")
    assert decode_event(encode_record(found.event, "")) == found.event  # whatever it is, it can be stored
    return found


def test_a_document_is_an_event_received_now_from_its_sender():
    found = decoded(b'{"@timestamp":"2026-11-22T01:31:00Z","message":"x","host":{"name":"h"},"unit":"vks"}')
    assert not found.quarantined
    assert found.event.fields["observer.ip"] == "192.0.2.1"
    assert (found.event.fields["host.name"], found.event.seen, found.event.unit) == ("h", NOW, "")


def test_windows_events_of_winlogbeat_and_nxlog_are_the_same_events():
    beat = (
        b'{"@timestamp":"2026-11-22T01:31:00Z","host":{"name":"pc"},"event":{"code":"4625"},'
        b'"winlog":{"channel":"Security","event_id":"4625","computer_name":"pc","provider_name":'
        b'"Microsoft-Windows-Security-Auditing","event_data":{"TargetUserName":"an","IpAddress":"192.0.2.7"}}}'
    )
    nxlog = (
        b'{"EventTime":"2026-11-22 08:31:00","Hostname":"pc","EventID":4625,"Channel":"Security","SourceName":'
        b'"Microsoft-Windows-Security-Auditing","TargetUserName":"an","IpAddress":"192.0.2.7","Message":"x"}'
    )
    for raw in (beat, nxlog):
        event = decoded(raw).event
        assert event.logsource.product == "windows"
        assert event.time == 1_795_311_060_000_000_000
        assert event.fields.get("TargetUserName", event.fields.get("winlog.event_data.TargetUserName")) == "an"


@pytest.mark.parametrize("form", [decode_json, decode_eve])
def test_a_whole_number_that_no_store_holds_is_its_text(form):
    found = decoded(b'{"event_type":"x","a":%d,"b":{"c":%d}}' % (HUGE, -HUGE), form)
    assert (found.event.fields["a"], found.event.fields["b.c"]) == (str(HUGE), str(-HUGE))


@pytest.mark.parametrize("time", ["1001234567890000000", "1795312267000000022670000", "-5", '"6026-11-25T21:30:07Z"'])
def test_a_time_that_cannot_be_is_not_believed_and_costs_nothing(time):
    own = b'{"logsource":{"product":"linux"},"fields":{"@timestamp":"x"},"time":%b}' % time.encode()
    for raw in (own, b'{"@timestamp":%b,"message":"x"}' % time.encode()):
        assert decoded(raw).event.time == NOW


@pytest.mark.parametrize("product", [b"haidang", b"HaiDang", b" haidang "])
def test_a_document_that_says_it_is_ours_goes_to_quarantine(product):
    own = b'{"logsource":{"product":"%b","service":"source"},"fields":{"event.action":"source_silent"}}'
    found = decoded(own % product)
    assert found.quarantined
    assert "may not be of the product haidang" in found.event.fields["error.message"]


def test_whose_a_document_is_follows_from_its_sender_and_what_it_says_stays_beside():
    found = decoded(b'\xef\xbb\xbf{"observer":{"ip":"10.9.9.9"},"message":"x"}')
    assert found.event.fields["observer.ip"] == "192.0.2.1"
    assert found.event.fields["haidang.observer.ip"] == "10.9.9.9"


@pytest.mark.parametrize("raw", [b"", b"[1]", b'"x"', b"{", b"\xff\xfe", b'{"a":' * 100])
def test_what_is_no_document_goes_to_quarantine_with_its_reason(raw):
    found = decoded(raw)
    assert found.quarantined
    assert found.event.raw == raw


def test_a_zeek_table_without_a_separator_refuses_its_rows():
    decoder = ZeekDecoder("conn")
    for line in (b"#separator", b"#separator ", b"#fields\ta", b"#types\tstring", b"#set_separator\t"):
        assert decoder.decode(line, "x") is None
    with pytest.raises(ContentError, match="names none"):
        decoder.decode(b"row", "x")


def test_a_replayed_message_names_what_it_was_kept_aside_as():
    assert decoded(b"{}", origin="logs/0/7").event.fields["haidang.replayed.from"] == "logs/0/7"
