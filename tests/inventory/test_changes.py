import pytest

from core.errors import ContentError
from inventory import changes
from inventory.changes import Missing, plan
from inventory.formats.rows import Row
from inventory.objects import Interface, Place
from inventory.records import Device, Inventory, Prefix, Site
from inventory.units import Unit


def device(name, address, site="hn", **more):
    return Device(name=name, site=site, address=address, vendor="cisco", model="ISR", role="router", **more)


def site(name, **more):
    return Site(id=name, name=name.upper(), unit="tc", address_space="wan", tier="PROVINCE", **more)


CURRENT = Inventory(
    units=(Unit(id="tc", name="Tối cao", type="supreme"), Unit(id="hn", name="Hà Nội", type="province", parent="tc")),
    sites=(site("hn"), site("hp")),
    places=(Place(id="p1", site="hn", kind="room", name="Phòng máy chủ"),),
    devices=(device("rt-a", "10.0.0.1", serial="S1", place="p1"), device("rt-b", "10.0.0.2")),
    interfaces=(Interface(device="rt-a", name="Gi0/1"),),
    prefixes=(Prefix(space="wan", prefix="2001:db8::/32", site="hn"),),
)


def rows(kind, *cells):
    return {kind: [Row(place=f"{kind}.csv, line {number}", cells=row) for number, row in enumerate(cells, 2)]}


def new_device(name, address, **more):
    return {"name": name, "site": "hn", "address": address, "vendor": "v", "model": "m", "role": "server"} | more


def told(found):
    return [str(problem) for problem in found.problems]


def test_rows_are_added_changed_or_unchanged():
    found = plan(
        CURRENT,
        rows(
            "devices",
            {"name": "RT-A", "serial": "S2"},
            {"name": "rt-b"},
            new_device("sv-a", "10.0.0.9"),
        ),
    )
    (added,) = found.added
    assert (added.kind, added.key, added.place) == ("devices", "sv-a", "devices.csv, line 4")
    assert ("address", "", "10.0.0.9") in added.fields
    (changed,) = found.changed
    assert (changed.key, changed.fields) == ("rt-a", (("name", "rt-a", "RT-A"), ("serial", "S1", "S2")))
    assert found.unchanged == 1
    assert [one.name for one in found.inventory.devices] == ["RT-A", "rt-b", "sv-a"]
    assert found.inventory.devices[0].place == "p1"
    assert found.inventory.sites == CURRENT.sites


def test_what_was_imported_is_no_change_when_it_is_imported_again():
    file = rows("devices", {"name": "rt-a", "serial": "", "mac": "001b.54aa.0001"}, new_device("sv-a", "10.0.0.9"))
    first = plan(CURRENT, file)
    again = plan(first.inventory, file)
    assert (again.added, again.changed, again.unchanged, again.inventory) == ((), (), 2, first.inventory)


def test_a_network_is_the_same_however_it_is_spelt():
    found = plan(CURRENT, rows("prefixes", {"space": "wan", "prefix": "2001:0DB8::/32", "site": "hp"}))
    assert [change.fields for change in found.changed] == [(("site", "hn", "hp"),)]
    assert found.added == ()


def test_nothing_is_ever_removed_and_what_has_no_row_is_only_listed():
    found = plan(CURRENT, rows("devices", {"name": "rt-a"}, {"name": "rt-b", "position": "0"}), remove=True)
    assert found.missing == ()
    found = plan(CURRENT, rows("devices", {"name": "rt-a"}), remove=True)
    assert found.missing == (Missing(kind="devices", key="rt-b"),)
    assert found.inventory == CURRENT
    assert plan(CURRENT, rows("devices", {"name": "rt-a"})).missing == ()


def test_a_wrong_row_changes_nothing_and_takes_with_it_only_what_depends_on_it():
    file = rows("sites", {"id": "hp", "latitude": "99"}, {"id": "hue", "name": "Huế", "unit": "xx"})
    file |= rows(
        "devices",
        new_device("sv-1", "10.0.0.11", site="hue"),
        new_device("sv-2", "10.0.0.12", site="hp"),
    )
    found = plan(CURRENT, file)
    assert [(one.place, one.reason.partition(" - ")[0].partition(";")[0]) for one in found.problems] == [
        ("sites.csv, line 2", "Expected `float` <= 90.0"),
        ("sites.csv, line 3", "Object missing required field `address_space`"),
        ("devices.csv, line 2", "site 'hue' is refused at sites.csv, line 3"),
    ]
    assert found.inventory.sites == CURRENT.sites
    assert [one.name for one in found.inventory.devices] == ["rt-a", "rt-b", "sv-2"]


def test_addresses_may_change_places_within_one_import():
    found = plan(
        CURRENT, rows("devices", {"name": "rt-a", "address": "10.0.0.2"}, {"name": "rt-b", "address": "10.0.0.1"})
    )
    assert found.problems == ()
    assert [one.address for one in found.inventory.devices] == ["10.0.0.2", "10.0.0.1"]


def test_a_row_that_only_fitted_with_a_wrong_one_is_left_out_too():
    file = rows(
        "devices", {"name": "rt-a", "address": "10.0.0.2"}, {"name": "rt-b", "address": "10.0.0.1", "site": "x"}
    )
    found = plan(CURRENT, file)
    first, second = told(found)
    assert first == "devices.csv, line 3: unknown site 'x'; expected an id from the sites file"
    assert second.startswith("devices.csv, line 2: duplicate address 10.0.0.2 in one space, first at the present inv")
    assert found.inventory == CURRENT


def test_the_same_row_twice_is_told_and_the_first_counts():
    found = plan(CURRENT, rows("devices", {"name": "rt-a", "serial": "1"}, {"name": "RT-A", "serial": "2"}))
    assert told(found) == [
        "devices.csv, line 3: duplicate device name 'rt-a', first at devices.csv, line 2; expected each once"
    ]
    assert found.inventory.devices[0].serial == "1"


def test_a_unit_that_would_stand_below_itself_is_the_one_that_is_told():
    found = plan(
        CURRENT, rows("units", {"id": "kv", "name": "KV", "type": "area", "parent": "hn"}, {"id": "hn", "parent": "kv"})
    )
    assert [one.place for one in found.problems] == ["units.csv, line 2", "units.csv, line 3"]
    assert found.inventory == CURRENT


def test_a_change_that_would_make_wrong_what_has_no_row_is_refused_whole():
    with pytest.raises(
        ContentError, match=r"present inventory, devices rt-a: place 'p1' is at site 'hp'.*import its row too"
    ):
        plan(CURRENT, rows("places", {"id": "p1", "site": "hp"}))
    moved = rows("places", {"id": "p1", "site": "hp"}) | rows("devices", {"name": "rt-a", "site": "hp"})
    assert plan(CURRENT, moved).problems == ()


def test_what_was_wrong_before_does_not_stop_an_import():
    wrong = Inventory(units=CURRENT.units, sites=CURRENT.sites, interfaces=CURRENT.interfaces)
    found = plan(wrong, rows("sites", {"id": "hn", "name": "Hà Nội"}))
    assert [change.key for change in found.changed] == ["hn"]
    assert found.inventory.interfaces == wrong.interfaces


def test_a_row_that_could_not_be_read_is_told_as_such():
    row = Row(place="devices.csv, line 9", cells={"name": "rt-a"}, fault="2 cells; expected 3: a, b, c")
    assert told(plan(CURRENT, {"devices": [row]})) == ["devices.csv, line 9: 2 cells; expected 3: a, b, c"]


def test_an_unknown_table_is_refused():
    with pytest.raises(ContentError, match="'kit' is no table; expected one of units"):
        plan(CURRENT, {"kit": []})


def test_rows_that_leave_out_one_another_without_end_are_given_up(monkeypatch):
    monkeypatch.setattr(changes, "MOST_ROUNDS", 1)
    with pytest.raises(ContentError, match="correct those that were told first"):
        plan(CURRENT, rows("devices", {"name": "rt-a", "site": "x"}))


SUPREME = Unit(id="tc", name="VKSND tối cao", type="supreme")
BELOW = Unit(id="hn", name="Hà Nội", type="province", parent="tc")


def of_units(*cells):
    return {"units": [Row(place=f"units.csv, line {at}", cells=one) for at, one in enumerate(cells, start=2)]}


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"id": "tc", "valid_to": "2026-06-30"}, "on 2026-07-01 there would be no such unit"),
        ({"id": "tc2", "name": "x", "type": "supreme"}, r"there would be 2 units without a parent \(tc, tc2\)"),
        (
            {"id": "tc2", "name": "x", "type": "supreme", "valid_from": "2026-01-01"},
            "on 2026-01-01 there would be 2 units",
        ),
        ({"id": "tc", "valid_from": "1960-07-26"}, "on 0001-01-01 there would be no such unit"),
    ],
)
def test_an_import_that_leaves_no_unit_or_several_above_all_on_some_day_is_refused(cells, told):
    with pytest.raises(ContentError, match=told):
        plan(Inventory(units=(SUPREME, BELOW)), of_units(cells))


def test_one_supreme_unit_may_follow_another():
    rows = of_units(
        {"id": "tc", "valid_to": "2026-06-30"},
        {"id": "tc2", "name": "x", "type": "supreme", "valid_from": "2026-07-01"},
    )
    assert len(plan(Inventory(units=(SUPREME, BELOW)), rows).added) == 1


def test_units_that_are_there_without_one_above_all_stop_no_import_of_something_else():
    two = Inventory(units=(SUPREME, Unit(id="tc2", name="x", type="supreme")))
    cells = {"id": "s", "name": "S", "unit": "tc", "address_space": "a", "tier": "DC"}
    row = Row(place="sites.csv, line 2", cells=cells)
    assert len(plan(two, {"sites": [row]}).added) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bad", "bad"),
        (
            "duplicate x, first at the present inventory, devices rt-a; expected each once",
            "duplicate x, first at what is beyond your units; expected each once",
        ),
        (
            "duplicate x, first at the present inventory, devices rt-own; expected each once",
            "duplicate x, first at the present inventory, devices rt-own; expected each once",
        ),
        (
            "the present inventory, devices rt-a: place 'p1' is at site 's'; import its row too",
            "what is beyond your units would no longer fit; leave out what it rests on",
        ),
        (
            "the present inventory, devices rt-own: place 'p1' is at site 's'; import its row too",
            "the present inventory, devices rt-own: place 'p1' is at site 's'; import its row too",
        ),
    ],
)
def test_of_what_may_not_be_named_a_reason_says_only_that_it_is_there(text, told):
    assert changes.discreet(text, lambda kind, key: (kind, key) == ("devices", "rt-own")) == told
