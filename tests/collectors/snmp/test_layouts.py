from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp.layouts import Came, Found, layout_table, place_of, unique_names
from collectors.snmp.profiles import shipped_profiles

CELLS = st.one_of(st.none(), st.sampled_from(["", "a", "b", "a #2", "a (b)"]), st.integers(0, 3))


@given(st.lists(st.tuples(CELLS, CELLS), max_size=12))
def test_names_are_never_shared(rows):
    indexes = [str(number) for number in range(len(rows))]
    names = unique_names(indexes, list(zip(*rows, strict=True)))
    assert len(set(names)) == len(rows)


def test_a_row_without_a_name_is_called_by_its_index():
    assert unique_names(["10.0.0.1", "10.0.0.2"], []) == ("10.0.0.1", "10.0.0.2")


def test_the_place_of_a_sensor_is_told_from_the_outside_in():
    names = {"1": "Chassis", "10": "Slot 1", "11": "PSU 1", "99": "Temp"}
    assert place_of("99", {"99": "11", "11": "10", "10": "1", "1": "0"}, names) == "Chassis / Slot 1 / PSU 1"


def test_a_ring_of_containers_ends():
    assert place_of("1", {"1": "2", "2": "1"}, {"1": "a", "2": "b"}).count("/") < 20


def entities():
    table = shipped_profiles().by_name["entity"].table("entities")
    rows = {"1": ("Chassis", 0, 3), "2": ("Slot 1", 1, 5), "1004": ("Temp: Inlet", 2, 8), "1005": ("Temp: Inlet", 1, 8)}
    found = {
        "name": Found({index: row[0].encode() for index, row in rows.items()}),
        "contained_in": Found({index: row[1] for index, row in rows.items()}),
        "class": Found({index: row[2] for index, row in rows.items()}),
    }
    return layout_table(table, list(rows), found, None)


def test_a_sensor_has_the_name_place_and_scale_that_entity_mib_says():
    table = shipped_profiles().by_name["entity"].table("entity_sensors")
    indexes = ["1004", "1005"]
    found = {
        "kind": Found({"1004": 8, "1005": 8}),
        "scale": Found({"1004": 9, "1005": 8}),
        "precision": Found({"1004": 1, "1005": 0}),
        "value": Found({"1004": 235, "1005": 24000}),
        "state": Found({"1004": 1, "1005": 3}),
    }
    layout = layout_table(table, indexes, found, entities())
    assert layout.names == ("Temp: Inlet (Chassis / Slot 1)", "Temp: Inlet (Chassis)")
    assert layout.labels["place"] == ("Chassis / Slot 1", "Chassis")
    assert layout.labels["kind"] == ("temperature", "temperature")
    values = {"1.3.6.1.2.1.99.1.1.1.4.1004": 235, "1.3.6.1.2.1.99.1.1.1.4.1005": 24000}
    rows = layout.rows(values, quarter=False)
    assert rows.columns["value"] == [23.5, 24.0]


def test_rows_without_any_value_are_left_out():
    table = shipped_profiles().by_name["huawei"].table("huawei_temperatures")
    layout = layout_table(table, ["1", "2", "3"], {"value": Found({"1": 0, "2": 41, "3": 2147483647})}, None)
    assert layout.indexes == ("2",)


def test_a_table_without_a_row_is_none():
    table = shipped_profiles().by_name["huawei"].table("huawei_temperatures")
    assert layout_table(table, ["1"], {"value": Found({"1": 0})}, None) is None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_no_value_takes_the_place_of_one_that_was_given_up(sizes, data):
    asked = [f"1.3.6.1.{number}" for number in range(sum(sizes))]
    came, meant, at = Came(asked), {}, 0
    for size in sizes:
        part = asked[at : at + size]
        at += size
        if data.draw(st.booleans()):
            answer = {oid: int(oid.rpartition(".")[2]) for oid in part}
            came.take(part, answer)
            meant |= answer
    assert came.values == meant
    assert came.in_order in (None, list(meant.values()))
    assert (came.in_order is None) == (len(meant) < len(asked))
