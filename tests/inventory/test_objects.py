import msgspec
import pytest

from inventory.convert import Problem, read_record
from inventory.formats.rows import Row
from inventory.objects import Interface
from inventory.records import Device, Inventory
from inventory.registry import TABLES, cells_of, key_of, key_of_cells

DEVICE = {
    "name": "rt-hn",
    "site": "hn",
    "address": "10.1.0.1",
    "vendor": "cisco",
    "model": "ISR 4331",
    "role": "router",
}
CIRCUIT = {"id": "c1", "site": "hn", "kind": "state"}
DAY = {"calendar": "hc", "valid_from": "2030-02-02", "valid_to": "2030-02-08", "kind": "holiday", "name": "Tết"}
GOOD = {
    "units": {"id": "tc", "name": "Tối cao", "type": "supreme"},
    "sites": {"id": "hn", "name": "Hà Nội", "unit": "tc", "address_space": "wan", "tier": "PROVINCE"},
    "places": {"id": "p1", "site": "hn", "kind": "room", "name": "Phòng máy chủ"},
    "devices": DEVICE,
    "interfaces": {"device": "rt-hn", "name": "Gi0/1"},
    "links": {"id": "l1", "a_device": "rt-hn", "b_device": "fw-hn", "kind": "local"},
    "circuits": CIRCUIT,
    "services": {"id": "qlvb", "name": "Quản lý văn bản", "unit": "tc", "kind": "web", "address": "https://a.example"},
    "calendars": {"id": "hc", "name": "Hành chính", "weekdays": "1-5", "hours": "07:30-11:30,13:00-16:30"},
    "calendar_days": DAY,
    "policies": {"tier": "AREA", "what": "access", "role": "access", "minimum_mbps": "100"},
}


def made(kind, /, **cells):
    return read_record(kind, Row(place="f.csv, line 2", cells=GOOD[kind] | cells))


def test_every_table_is_an_attribute_of_the_inventory_and_the_other_way_round():
    assert list(TABLES) == list(Inventory.__dataclass_fields__)


@pytest.mark.parametrize("kind", TABLES)
def test_the_columns_of_a_key_may_tell_two_records_apart(kind):
    table = TABLES[kind]
    assert set(table.folded) <= set(table.key) <= set(table.columns)


@pytest.mark.parametrize("kind", GOOD)
def test_the_required_columns_alone_make_a_record_that_travels_small(kind):
    record = made(kind)
    assert msgspec.to_builtins(record).keys() == {
        field.name for field in msgspec.structs.fields(record) if field.required
    }
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=TABLES[kind].record) == record


@pytest.mark.parametrize("kind", GOOD)
def test_a_record_is_a_row_of_text_and_the_row_the_record(kind):
    assert read_record(kind, Row(place="", cells=cells_of(made(kind)))) == made(kind)


def test_numbers_are_read_as_numbers_and_an_empty_cell_as_none():
    circuit = made("circuits", contracted_mbps_down="100", contracted_mbps_up="0.5", sla_percent="")
    assert (circuit.contracted_mbps_down, circuit.contracted_mbps_up, circuit.sla_percent) == (100.0, 0.5, None)
    assert cells_of(circuit)["contracted_mbps_down"] == "100"


def test_a_mac_address_has_one_spelling():
    for text in ("00-1B-54-AA-00-01", "001b.54aa.0001", "001B54AA0001", "00:1b:54:aa:00:01"):
        assert made("devices", mac=text).mac == "00:1b:54:aa:00:01"


def test_a_cipher_gateway_is_only_ever_read():
    assert made("devices", role="cipher_gateway").access == "read_only"
    assert made("devices", role="cipher_gateway", access="read_only").access == "read_only"
    refused = made("devices", role="cipher_gateway", access="full")
    assert refused.reason == "access 'full' for a cipher gateway; expected read_only, since none may change it"
    assert made("devices").access == "full"


@pytest.mark.parametrize(
    ("kind", "cells", "reason"),
    [
        ("devices", {"mac": "00:1b:54"}, "bad MAC address '00:1b:54'; expected 00:1b:54:aa:00:01"),
        ("devices", {"position": "0"}, "Expected `int` >= 1 - at `$.position`"),
        ("devices", {"support_end": "2026-02-30"}, "bad date '2026-02-30'; expected a day of the calendar"),
        ("devices", {"life_cycle": "broken"}, "expected life_cycle to be one of planned, commissioning, in_service"),
        ("devices", {"purpose": "a\nb"}, "column 'purpose' holds a control character; expected one line"),
        ("devices", {"purpose": "a\u2028b"}, "control character"),
        ("devices", {"purpose": "\ud800"}, "control character"),
        ("devices", {"purpose": "x" * 1001}, "Expected `str` of length <= 1000"),
        ("devices", {"colour": "red"}, "unknown column 'colour'; expected name, site, address"),
        ("sites", {"latitude": "91"}, "Expected `float` <= 90.0 - at `$.latitude`"),
        ("sites", {"latitude": "nan"}, "at `$.latitude`"),
        ("sites", {"opened": "2026-02-02", "closed": "2026-02-01"}, "2026-02-02 is after 2026-02-01"),
        ("interfaces", {"role": "trunk"}, "role to be one of uplink, inter_switch, server, access"),
        ("interfaces", {"speed_mbps": "0"}, "Expected `float` > 0.0"),
        ("links", {"b_device": "rt-hn"}, "both ends are 'rt-hn'"),
        ("links", {"circuit": "c1"}, "a local link over circuit 'c1'"),
        ("circuits", {"sla_percent": "101"}, "Expected `float` <= 100.0"),
        ("circuits", {"kind": "TSLCD"}, "kind to be one of state, wan, internet, leased"),
        ("circuits", {"far_site": "hn"}, "both ends are site 'hn'"),
        ("calendars", {"weekdays": "5-1"}, "weekdays '5-1' run backwards"),
        ("calendars", {"weekdays": "0-5"}, "bad weekdays '0-5'"),
        ("calendars", {"hours": "07:30"}, "bad hours '07:30'"),
        ("calendars", {"hours": "07:30-07:30"}, "end before they begin"),
        ("calendars", {"hours": "07:60-08:00"}, "bad time '07:60'"),
        ("calendars", {"hours": "23:00-24:01"}, "bad time '24:01'"),
        ("calendar_days", {"valid_to": ""}, "at `$.valid_to`"),
        ("calendar_days", {"valid_to": "2032-01-01"}, "699 days; expected at most 366 in one row"),
        (
            "policies",
            {"what": "circuit"},
            "role 'access' of 'circuit'; expected an interface's role or a circuit's kind",
        ),
        ("policies", {"role": "internet"}, "role 'internet' of 'access'"),
    ],
)
def test_what_is_wrong_with_a_row_alone_is_told_with_what_was_expected(kind, cells, reason):
    found = made(kind, **cells)
    assert isinstance(found, Problem)
    assert found.place == "f.csv, line 2"
    assert reason in found.reason
    assert "\n" not in str(found)


def test_a_column_that_is_not_there_stays_as_it_is_and_an_empty_one_is_cleared():
    present = cells_of(made("devices", serial="S1", purpose="biên"))
    found = read_record("devices", Row(place="", cells={"name": "rt-hn", "serial": ""}), present)
    assert (found.serial, found.purpose, found.site) == ("", "biên", "hn")


def test_a_key_is_a_name_without_case_or_parts_that_cannot_run_together():
    assert key_of("devices", Device(**DEVICE | {"name": "RT-HN"})) == "rt-hn"
    assert key_of("interfaces", Interface(device="RT-HN", name="Gi0/1")) == "rt-hn|Gi0/1"
    one, other = Interface(device="a|b", name="c"), Interface(device="a", name="b|c")
    assert key_of("interfaces", one) != key_of("interfaces", other)
    assert key_of_cells("interfaces", {"device": "RT-HN", "name": "Gi0/1"}) == "rt-hn|Gi0/1"
    assert key_of_cells("interfaces", {}) == "|"
