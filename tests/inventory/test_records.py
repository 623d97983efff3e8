import unicodedata
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.records import Device, Inventory, Prefix, Site
from inventory.units import Unit


def site(name, space="wan"):
    return Site(id=name, name=name, unit="tc", address_space=space, tier="AREA")


def device(name, at, address):
    return Device(name=name, site=at, address=address, vendor="cisco", model="ISR", role="router")


SECTOR = Inventory(
    units=(Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),),
    sites=(site("a"), site("b"), site("c", space="other")),
    devices=(device("rt-a", "a", "10.0.0.1"), device("rt-b", "b", "2001:db8::1"), device("rt-c", "c", "10.0.0.1")),
    prefixes=(
        Prefix(space="wan", prefix="10.0.0.0/8", site="a"),
        Prefix(space="wan", prefix="10.2.0.0/16", site="b"),
        Prefix(space="wan", prefix="10.2.3.4/32", site="a"),
        Prefix(space="wan", prefix="2001:db8::/32", site="a"),
        Prefix(space="wan", prefix="2001:db8:0:5::/64", site="b"),
        Prefix(space="other", prefix="0.0.0.0/0", site="c"),
    ),
)


@pytest.mark.parametrize(
    ("space", "address", "expected"),
    [
        ("wan", "10.9.9.9", "a"),
        ("wan", "10.2.9.9", "b"),
        ("wan", "10.2.3.4", "a"),
        ("wan", "2001:db8:1::1", "a"),
        ("wan", "2001:DB8:0:5::77", "b"),
        ("wan", "::ffff:10.2.9.9", "b"),
        ("other", "192.0.2.1", "c"),
        ("other", "10.2.9.9", "c"),
    ],
)
def test_the_longest_prefix_of_the_space_gives_the_site(space, address, expected):
    found = SECTOR.site_of(space, address)
    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(("space", "address"), [("wan", "192.0.2.1"), ("nowhere", "10.0.0.1"), ("wan", "rt-a")])
def test_an_address_outside_every_prefix_has_no_site(space, address):
    assert SECTOR.site_of(space, address) is None


def test_one_address_in_two_spaces_is_two_devices():
    assert SECTOR.device_at("wan", "10.0.0.1") is SECTOR.device_named("rt-a")
    assert SECTOR.device_at("other", "10.0.0.1") is SECTOR.device_named("rt-c")


@pytest.mark.parametrize("spelling", ["2001:db8::1", "2001:0DB8:0:0::0001", "2001:db8::1%eth0"])
def test_an_ipv6_device_is_found_however_its_address_is_spelt(spelling):
    assert SECTOR.device_at("wan", spelling) is SECTOR.device_named("rt-b")


def test_what_is_not_an_address_has_no_device():
    assert SECTOR.device_at("wan", "not-an-address") is None


def test_a_device_name_is_found_in_any_case_and_normal_form():
    sector = Inventory(sites=(site("a"),), devices=(device("Máy-Chủ", "a", "10.0.0.1"),))
    assert sector.device_named(unicodedata.normalize("NFD", "MÁY-CHỦ")) is sector.devices[0]
    assert sector.device_named("máy") is None


def test_units_and_sites_are_found_by_id():
    assert SECTOR.unit("tc") is SECTOR.units[0]
    assert SECTOR.site("b") is SECTOR.sites[1]
    assert SECTOR.site("tc") is None


@st.composite
def networks(draw):
    # Few high bits, so that networks hold one another often.
    number = draw(st.integers(0, 255)) << 24 | draw(st.integers(0, 3))
    return ip_network((number, draw(st.integers(0, 32))), strict=False)


@given(st.lists(networks(), max_size=12, unique=True), st.integers(0, 255), st.integers(0, 3))
def test_the_site_is_that_of_the_narrowest_network_that_holds_the_address(found, high, low):
    address = ip_address(high << 24 | low)
    sites = tuple(site(f"s{number}") for number in range(len(found)))
    prefixes = tuple(Prefix(space="wan", prefix=str(net), site=f"s{number}") for number, net in enumerate(found))
    holding = [(net.prefixlen, f"s{number}") for number, net in enumerate(found) if address in net]
    answer = Inventory(sites=sites, prefixes=prefixes).site_of("wan", str(address))
    assert (answer.id if answer else None) == (max(holding)[1] if holding else None)


def test_the_tree_of_units_is_grown_once_from_the_inventory_s_own_tables():
    assert SECTOR.org is SECTOR.org
    assert SECTOR.org.name("tc", "2026-11-22") == "Viện kiểm sát nhân dân tối cao"
