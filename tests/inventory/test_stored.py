"""The inventory as it rests in the state database."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import IntegrityError
from inventory.changes import plan
from inventory.formats.rows import Row
from inventory.records import Inventory
from inventory.registry import by_key
from inventory.stored import decode_inventory, puts_of, without


def row(place: str, **cells: str) -> Row:
    return Row(place=place, cells=cells)


ROWS = {
    "units": [row("units.csv, line 2", id="tc", name="VKSND tối cao", type="supreme")],
    "sites": [row("sites.csv, line 2", id="dc", name="DC", unit="tc", address_space="dc", tier="DC")],
    "devices": [
        row("devices.csv, line 2", name="RT-1", site="dc", address="10.0.0.1", vendor="x", model="y", role="router")
    ],
}
PLAN = plan(Inventory(), ROWS)


def stored(found) -> dict[str, list[bytes]]:
    tables: dict[str, list[bytes]] = {}
    for put in puts_of(found):
        tables.setdefault(put.kind, []).append(put.body)
    return tables


def test_what_was_stored_is_the_inventory_again():
    assert decode_inventory(stored(PLAN)) == PLAN.inventory
    assert decode_inventory({}) == Inventory()


def test_a_change_is_told_column_by_column():
    moved = plan(PLAN.inventory, {"sites": [row("s, line 1", id="dc", name="Trung tâm", unit="tc")]})
    (put,) = puts_of(moved)
    assert (put.kind, put.key, put.verb, put.detail) == ("sites", "dc", "change", "name: 'DC' -> 'Trung tâm'")


def test_a_record_is_found_by_its_key_without_regard_to_case():
    found = by_key(PLAN.inventory)
    assert found["devices"]["rt-1"] is PLAN.inventory.devices[0]
    assert "rt-2" not in found["devices"]
    assert "kings" not in found


def test_what_others_depend_on_is_told_before_it_goes():
    left, problems = without(PLAN.inventory, {("sites", "dc")})
    assert left.sites == ()
    assert ["unknown site 'dc'" in str(problem) for problem in problems] == [True]
    assert without(PLAN.inventory, {("sites", "dc"), ("devices", "rt-1")})[1] == []


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"kings": [b""]}, "a table 'kings'"),
        ({"sites": [b"\xc1"]}, "a stored record of sites"),
        ({"sites": [msgspec.msgpack.encode({"id": "x"})]}, "a stored record of sites"),
    ],
)
def test_what_another_version_wrote_is_refused_with_its_table(tables, told):
    with pytest.raises(IntegrityError, match=told):
        decode_inventory(tables)
