"""The fleet plays the devices of an inventory that is there."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from core.errors import ContentError
from inventory.load import load_inventory
from inventory.objects import Interface
from lab.fleet.invented import FEWEST_PORTS
from lab.fleet.known import PORTS, known_sector, sector_of
from lab.fleet.stock import write_stock
from lab.sector import SECTOR


@pytest.fixture(scope="module")
def sector():
    return sector_of(str(SECTOR))


def test_every_device_of_the_labs_sector_is_played_as_what_the_inventory_says(sector):
    devices = {device.name: device for device in load_inventory(SECTOR).devices}
    assert {node.name for node in sector.nodes} == set(devices)
    for node in sector.nodes:
        device, family = devices[node.name], node.family
        assert (node.address, sector.sites[node.site].id) == (device.address, device.site)
        assert (family.vendor, family.model, family.role) == (device.vendor, device.model, device.role)
    assert {node.ports for node in sector.nodes} == {PORTS}


def test_lines_go_from_areas_to_their_province_and_from_provinces_to_the_centre(sector):
    lines = {(sector.nodes[cable.a].name, sector.nodes[cable.b].name) for cable in sector.cables if cable.wide}
    assert len(lines) == len(sector.sites) - 1
    assert {("rt-hn", "rt-dc"), ("rt-nan-kv1", "rt-nan"), ("rt-nan", "rt-dc")} <= lines
    local = {(sector.nodes[cable.a].name, sector.nodes[cable.b].name) for cable in sector.cables if not cable.wide}
    assert {("rt-hn", "fw-hn"), ("fw-hn", "sv-hn")} <= local


def test_an_invented_sector_s_inventory_is_played_as_the_same_sector(tmp_path):
    invented = sector_of("12x4x8+3")
    write_stock(invented, tmp_path)
    known = sector_of(str(tmp_path))
    assert [site.id for site in known.sites] == [site.id for site in invented.sites]
    told = [
        [(node.name, node.address, node.family_name, node.ports) for node in one.nodes] for one in (known, invented)
    ]
    assert sorted(told[0]) == sorted(told[1])
    assert known.cables[-1].wide


def test_a_device_that_cannot_be_played_is_left_out():
    inventory = load_inventory(SECTOR)
    first, second, third, *others = inventory.devices
    strange = (changed(first, vendor="acme"), changed(second, role="oven"), changed(third, address="10.0.0.1"))
    found = known_sector(replace(inventory, devices=(*strange, *others)), "there")
    assert {node.name for node in found.nodes} == {device.name for device in others}
    assert len(found.of_site(0)) == 3


def test_devices_of_which_few_ports_are_named_have_enough_to_be_cabled():
    inventory = load_inventory(SECTOR)
    one = Interface(device="rt-dc", name="Gi0/0/0")
    sector = known_sector(replace(inventory, interfaces=(one,)), "there")
    assert sector.by_name["rt-dc"].ports == FEWEST_PORTS
    assert len(sector.cables) == len(known_sector(inventory, "there").cables)


def test_a_centre_that_has_only_a_ups_is_still_the_end_of_all_lines():
    inventory = load_inventory(SECTOR)
    centre = changed(next(one for one in inventory.devices if one.site == "dc"), vendor="generex", role="ups")
    others = (one for one in inventory.devices if one.site != "dc")
    sector = known_sector(replace(inventory, devices=(centre, *others)), "there")
    assert sum(cable.wide for cable in sector.cables) == len(sector.sites) - 1


def test_an_inventory_of_which_nobody_can_be_played_is_one_clear_line():
    inventory = load_inventory(SECTOR)
    devices = tuple(changed(device, address="::1") for device in inventory.devices)
    with pytest.raises(ContentError, match=r"there: no device of it can be played; expected .*router.*cisco"):
        known_sector(replace(inventory, devices=devices), "there")
