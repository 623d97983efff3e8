import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.addresses import pack_address, parse_address, parse_network
from inventory.lookup import AddressTable
from inventory.records import Device, Inventory, Prefix, Site

BITS = {4: 32, 6: 128}
ADDRESS = {4: IPv4Address, 6: IPv6Address}


def random_networks(chance, version, count):
    """Half of them inside one that was made before, so that they nest."""
    bits, made = BITS[version], {}
    while len(made) < count:
        around, inside = chance.choice([*made, (0, 0)]) if chance.random() < 0.5 else (0, 0)
        length = chance.randint(inside, bits)
        number = around << length - inside | chance.getrandbits(length - inside)
        made[number, length] = f"s{version}-{len(made)}"
    return [(number, length, site) for (number, length), site in made.items()]


def random_addresses(chance, version, networks, count):
    """A third anywhere, a third inside a network, a third at its edges: the first, the last and those beside them."""
    bits = BITS[version]
    for turn in range(count):
        number, length, _ = chance.choice(networks)
        free = bits - length
        inside = number << free | chance.getrandbits(free)
        edge = (number + chance.randint(0, 1) << free) - chance.randint(0, 1)
        yield (chance.getrandbits(bits), inside, edge % (1 << bits))[turn % 3]


def table_of(networks, version):
    def text(number, length):
        return f"{ADDRESS[version](number << BITS[version] - length)}/{length}"

    return AddressTable(prefixes=[(text(number, length), site) for number, length, site in networks])


@pytest.mark.parametrize("version", [4, 6])
def test_a_hundred_thousand_random_addresses_have_the_site_that_a_plain_search_finds(version):
    chance = random.Random(version)  # noqa: S311 - the same addresses at every run
    networks = random_networks(chance, version, 200)
    table = table_of(networks, version)
    plain = [(BITS[version] - length, number, site) for number, length, site in sorted(networks, key=lambda n: -n[1])]
    wrong = []
    for number in random_addresses(chance, version, networks, 100_000):
        expected = next((site for shift, start, site in plain if number >> shift == start), None)
        if table.owner_of(pack_address(str(ADDRESS[version](number)))) != expected:
            wrong.append(number)
    assert wrong == []


@st.composite
def nested(draw, version):
    # The bits that differ are few and lie together, so that networks hold and touch one another often.
    shift = draw(st.sampled_from([0, 3, BITS[version] - 4]))
    number = draw(st.integers(0, 15)) << shift
    length = draw(st.integers(max(0, BITS[version] - shift - 5), BITS[version]))
    return ip_network((ADDRESS[version](number), length), strict=False)


@given(
    st.lists(nested(4) | nested(6), max_size=14, unique=True),
    st.sampled_from([4, 6]),
    st.integers(0, 15),
    st.integers(0, 15),
)
def test_the_longest_of_nested_and_touching_prefixes_gives_the_site(networks, version, high, low):
    table = AddressTable(prefixes=[(str(network), number) for number, network in enumerate(networks)])
    address = ADDRESS[version](high << BITS[version] - 4 | low)
    holding = [(network.prefixlen, number) for number, network in enumerate(networks) if address in network]
    assert table.owner_of(address.packed) == (max(holding)[1] if holding else None)


@pytest.mark.parametrize(("first", "last"), [("0.0.0.0", "255.255.255.255"), ("::", ":".join(["ffff"] * 8))])
def test_a_prefix_of_all_addresses_holds_the_first_and_the_last(first, last):
    everything = AddressTable(prefixes=[(f"{first}/0", "all")])
    assert [everything.owner_of(pack_address(text)) for text in (first, last)] == ["all", "all"]


def test_a_prefix_of_one_version_holds_no_address_of_the_other():
    table = AddressTable(prefixes=[("0.0.0.0/0", "four")])
    assert table.owner_of(pack_address("::1")) is None
    assert AddressTable(prefixes=[("::/0", "six")]).owner_of(pack_address("::ffff:10.0.0.1")) is None


def test_a_prefix_of_ipv4_mapped_addresses_is_the_ipv4_one():
    assert parse_network("::ffff:10.1.0.0/112") == ip_network("10.1.0.0/16")
    assert AddressTable(prefixes=[("::ffff:10.1.0.0/112", "a")]).owner_of(pack_address("10.1.2.3")) == "a"


def test_of_two_equal_prefixes_and_of_two_equal_addresses_the_later_counts():
    table = AddressTable([("10.0.0.1", "a"), ("::ffff:10.0.0.1", "b")], [("10.0.0.0/8", "a"), ("10.0.0.0/8", "b")])
    address = pack_address("10.0.0.1")
    assert (table.device_at(address), table.owner_of(address)) == ("b", "b")


def test_a_device_whose_address_is_none_is_at_no_address():
    table = AddressTable([("", "a"), ("rt-b", "b")])
    assert [table.device_at(address) for address in (None, b"")] == [None, None]


def test_a_prefix_that_is_no_network_is_refused():
    with pytest.raises(ValueError, match="host bits"):
        AddressTable(prefixes=[("10.0.0.1/8", "a")])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::FFFF:0A01:0203", "10.1.2.3"),
        ("0:0:0:0:0:ffff:10.1.2.3%eth0", "10.1.2.3"),
        ("10.1.2.3%eth0", "10.1.2.3"),
        ("FE80::1%eth0", "fe80::1"),
        ("fe80::1%a%b", "fe80::1"),
        ("2001:0DB8:0:0::0001", "2001:db8::1"),
        ("2001:db8::10.1.2.3", "2001:db8::a01:203"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::", "::"),
    ],
)
def test_every_spelling_of_an_address_is_that_address(text, canonical):
    assert pack_address(text) == ip_address(canonical).packed == parse_address(text).packed


HOSTILE = [
    *("", " ", "%", "%eth0", ":", ":::", ".", "rt-a", "10.1.2", "10.1.2.3.4", "10.1.2.256", "010.1.2.3", "0x0a.1.2.3"),
    *("10.1.2.3 ", "10.1.2.3\n", "10.1.2.3\0", "10.1.2.3/32", "[::1]", "1::2::3", "12345::", "::ffff:10.1.2.03"),
    *("1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8", "١.١.١.١", "fe80::é", "\ud800", "\0", "1" * 100_000, ":" * 100_000),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_address_has_neither_device_nor_site(text):
    assert pack_address(text) is None
    inventory = sites_alike(1)
    assert (inventory.device_at("vrf-0", text), inventory.site_of("vrf-0", text)) == (None, None)


PIECES = st.sampled_from(
    [*".:%0159afF", "::", "::ffff:", "10.1.2.3", "255", "256", "00", "01", "abcd", "12345", " ", "\0", "é", "\ud800"]
)


@given(st.lists(PIECES, max_size=16).map("".join) | st.text() | st.ip_addresses().map(lambda one: one.exploded.upper()))
def test_any_text_is_packed_as_it_is_parsed(text):
    try:
        expected = parse_address(text).packed
    except ValueError:
        expected = None
    assert pack_address(text) == expected


def sites_alike(count):
    """Sites, each in a space of its own, with one network and one router's address in all."""
    names = [(f"vrf-{number}", f"site-{number}") for number in range(count)]
    router = {"vendor": "cisco", "model": "ISR", "role": "router", "address": "192.168.1.1"}
    return Inventory(
        sites=tuple(Site(id=site, name=site, unit="tc", address_space=space, tier="AREA") for space, site in names),
        devices=tuple(Device(name=f"rt-{site}", site=site, **router) for _, site in names),
        prefixes=tuple(Prefix(space=space, prefix="192.168.1.0/24", site=site) for space, site in names),
    )


@pytest.mark.parametrize("spelling", ["192.168.1.{}", "::ffff:192.168.1.{}", "::FFFF:c0a8:010{}"])
def test_three_hundred_sites_with_one_network_are_never_confused(spelling):
    inventory = sites_alike(300)
    for number in range(300):
        space = f"vrf-{number}"
        assert inventory.device_at(space, spelling.format(1)).name == f"rt-site-{number}"
        assert inventory.device_at(space, spelling.format(7)) is None
        assert inventory.site_of(space, spelling.format(7)).id == f"site-{number}"


@pytest.mark.parametrize("space", ["", "vrf", "vrf-300", "VRF-1"])
def test_an_unknown_space_has_none_of_the_sites_and_devices_of_the_others(space):
    inventory = sites_alike(300)
    assert (inventory.device_at(space, "192.168.1.1"), inventory.site_of(space, "192.168.1.1")) == (None, None)
