"""Remote-write on the wire: a row becomes samples that read back as they were."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from remote_writing import NOW, decoded, encode, fields, rows

from core.remote_write_wire import EXPORTED, SAMPLES, Encoder, varint
from core.stores.series_tables import TABLES


def test_a_row_becomes_a_sample_with_its_labels_its_time_and_its_value():
    labels = {
        "__name__": "haidang_interface_in_bits_per_second",
        "site": "tha",
        "device": "sw",
        "interface": "Gi0/1",
        "unit": "vks-tha",
    }
    assert encode("interfaces", rows((0, 1234.5))) == [(labels, NOW // 1_000_000, 1234.5)]


def test_what_is_missing_is_not_sent():
    assert encode("interfaces", rows((0, None), (1, float("nan")), (2, float("inf")))) == []


def test_an_arrow_table_is_sent_as_columns_are():
    given = rows((0, 1.0))
    assert encode("interfaces", pa.table(given)) == encode("interfaces", given)


def test_percent_are_sent_as_a_ratio_and_a_state_as_one_or_none():
    given = rows((0, None), in_util=[50.0])
    assert [value for *_, value in encode("interfaces", given)] == [0.5]
    peers = {name: rows((0, 0), (1, 0))[name] for name in ("site", "device", "object", "time")}
    states = encode("peers", peers | {"kind": ["bgp", "bgp"], "state": ["Established", "idle"]})
    assert [(labels["kind"], value) for labels, _, value in states] == [("bgp", 1.0), ("bgp", 0.0)]


def test_every_table_and_column_that_is_exported_is_one_of_the_store():
    assert EXPORTED.keys() == TABLES.keys()
    for table, exported in EXPORTED.items():
        assert {*exported.metrics, *exported.labels.values()} <= TABLES[table].keys()


def test_a_series_has_one_sample_a_request_so_that_a_request_may_be_sent_twice():
    requests = list(Encoder(lambda _: "").encode({"interfaces": rows((0, 1), (1, 2), (2, 3))}))
    assert [[value for *_, value in decoded(one.body)] for one in requests] == [[1], [2], [3]]


def test_a_request_has_a_bounded_number_of_samples():
    count = SAMPLES + 5
    given = {name: [values[0]] * count for name, values in rows((0, 1.0)).items()}
    given["object"] = [f"port {number}" for number in range(count)]
    assert [one.samples for one in Encoder(lambda _: "").encode({"interfaces": given})] == [SAMPLES, 5]


def test_a_sample_behind_a_later_one_of_its_series_is_left_out_and_counted():
    encoder = Encoder(lambda _: "")
    sent = [one for polls in ((5, 1), (4, 2), (5, 3), (6, 4)) for one in encoder.encode({"interfaces": rows(polls)})]
    assert [value for one in sent for *_, value in decoded(one.body)] == [1, 4]
    assert encoder.late == 2


def test_a_time_that_the_wire_form_has_no_room_for_is_left_out():
    encoder = Encoder(lambda _: "")
    assert list(encoder.encode({"interfaces": rows((0, 1.0)) | {"time": [0]}})) == []
    assert encoder.late == 1


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@settings(max_examples=200)
@given(
    site=text,
    device=text,
    port=text,
    value=st.floats(allow_nan=False, allow_infinity=False),
    milliseconds=st.integers(1 << 35, (1 << 42) - 1),
)
def test_any_label_value_and_time_is_read_back_as_it_was(site, device, port, value, milliseconds):
    given = {
        "site": [site],
        "device": [device],
        "object": [port],
        "time": [milliseconds * 1_000_000],
        "in_bps": [value],
    }
    ((labels, time, read),) = encode("interfaces", given)
    assert (labels["site"], labels["device"], labels["interface"], time, read) == (
        site,
        device,
        port,
        milliseconds,
        value,
    )


@given(st.integers(0, 1 << 63))
def test_a_varint_is_read_back(number):
    assert list(fields(b"\x08" + varint(number))) == [(1, number)]
