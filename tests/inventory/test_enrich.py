from dataclasses import replace

import pytest

from core.records import Event, Logsource
from inventory.enrich import CONFLICT, Enricher
from inventory.records import Device, Inventory, Prefix, Site
from inventory.units import Unit


def device(name, site, address):
    return Device(name=name, site=site, address=address, vendor="linux", model="Debian 12", role="server")


INVENTORY = Inventory(
    units=(Unit(id="tc", name="Tối cao", type="supreme"), Unit(id="hn", name="Hà Nội", type="province", parent="tc")),
    sites=(
        Site(id="dc", name="Trung tâm dữ liệu", unit="tc", address_space="wan", tier="DC"),
        Site(id="hn", name="Trụ sở Hà Nội", unit="hn", address_space="wan", tier="PROVINCE"),
    ),
    devices=(device("sv-dc", "dc", "10.0.0.10"), device("sv-hn", "hn", "10.1.0.10")),
    prefixes=(Prefix(space="wan", prefix="10.1.0.0/16", site="hn"),),
)


def event(**fields):
    names = {"ip": "observer.ip", "host": "host.name"}
    return Event(
        id="e/1/1",
        time=1,
        seen=2,
        logsource=Logsource(product="linux"),
        fields={names[name]: value for name, value in fields.items()} | {"message": "x"},
        raw=b"raw",
    )


@pytest.mark.parametrize(
    ("fields", "unit", "site", "device"),
    [
        ({"ip": "10.0.0.10"}, "tc", "dc", "sv-dc"),
        ({"ip": "::ffff:10.0.0.10"}, "tc", "dc", "sv-dc"),
        ({"ip": "10.0.0.10", "host": "SV-DC"}, "tc", "dc", "sv-dc"),
        ({"ip": "10.0.0.10", "host": "stranger"}, "tc", "dc", "sv-dc"),
        ({"ip": "10.1.7.7", "host": "sv-hn"}, "hn", "hn", "sv-hn"),
        ({"ip": "192.0.2.9", "host": "sv-dc"}, "tc", "dc", "sv-dc"),
        ({"ip": "10.1.7.7", "host": "stranger"}, "hn", "hn", ""),
        ({"host": "sv-hn"}, "hn", "hn", "sv-hn"),
        ({"ip": "192.0.2.9"}, "", "", ""),
        ({"ip": ["10.0.0.10"], "host": 7}, "", "", ""),
        ({}, "", "", ""),
    ],
)
def test_the_address_of_a_device_comes_before_its_name_and_its_name_before_the_prefix(fields, unit, site, device):
    found = Enricher(INVENTORY, "wan").enrich(event(**fields))
    assert (found.unit, found.site, found.device) == (unit, site, device)
    assert CONFLICT not in found.fields


def test_a_name_that_is_another_device_s_loses_to_the_address_and_is_flagged():
    original = event(ip="10.0.0.10", host="SV-HN")
    found = Enricher(INVENTORY, "wan").enrich(original)
    assert (found.site, found.device) == ("dc", "sv-dc")
    assert found.fields[CONFLICT] == "SV-HN"
    assert CONFLICT not in original.fields


def test_a_name_of_another_site_than_the_addresss_loses_too_and_is_flagged():
    found = Enricher(INVENTORY, "wan").enrich(event(ip="10.1.7.7", host="sv-dc"))
    assert (found.unit, found.site, found.device) == ("hn", "hn", "")
    assert found.fields[CONFLICT] == "sv-dc"


def test_nobody_takes_the_events_of_others_by_naming_a_device_as_they_name_theirs():
    others = event(ip="10.1.7.7", host="sv-mail")
    taken = replace(INVENTORY, devices=(*INVENTORY.devices, device("sv-mail", "dc", "10.250.0.1")))
    assert Enricher(taken, "wan").enrich(others).site == Enricher(INVENTORY, "wan").enrich(others).site == "hn"


def test_an_address_means_something_in_its_own_space_only():
    assert Enricher(INVENTORY, "guest").enrich(event(ip="10.0.0.10")).site == ""


@pytest.mark.parametrize("text", ["::FFFF:10.0.0.10", "::ffff:a00:a", "10.0.0.10%eth0"])
def test_a_device_is_known_however_its_address_is_spelt(text):
    assert Enricher(INVENTORY, "wan").enrich(event(ip=text)).device == "sv-dc"


@pytest.mark.parametrize("text", ["sv-hn.example", "10.1.7", "10.1.0.10\0", "\ud800", "%", ":" * 1000])
def test_what_is_no_address_gives_nothing_and_the_name_counts(text):
    enricher = Enricher(INVENTORY, "wan")
    assert enricher.enrich(event(ip=text, host="stranger")).site == ""
    assert enricher.enrich(event(ip=text, host="sv-hn")).device == "sv-hn"


def test_sites_with_one_network_in_their_own_spaces_are_never_confused():
    sites = tuple(Site(id=f"s{n}", name="x", unit="tc", address_space=f"vrf-{n}", tier="AREA") for n in range(300))
    alike = Inventory(
        sites=sites,
        devices=tuple(device(f"rt-{site.id}", site.id, "192.168.1.1") for site in sites),
        prefixes=tuple(Prefix(space=site.address_space, prefix="192.168.1.0/24", site=site.id) for site in sites),
    )
    for site in sites:
        enricher = Enricher(alike, site.address_space)
        router, other = (enricher.enrich(event(ip=text)) for text in ("192.168.1.1", "192.168.1.9"))
        assert (router.site, router.device) == (site.id, f"rt-{site.id}")
        assert (other.site, other.device) == (site.id, "")


def test_what_is_already_known_is_kept_where_the_inventory_knows_nothing():
    known = Event(id="e", time=1, seen=1, logsource=Logsource(), fields={}, raw=b"", unit="u", site="s", device="d")
    assert Enricher(INVENTORY, "wan").enrich(known) == known


def test_all_else_of_the_event_stays_as_it_was():
    found = Enricher(INVENTORY, "wan").enrich(event(ip="10.0.0.10"))
    assert (found.id, found.time, found.seen, found.raw) == ("e/1/1", 1, 2, b"raw")
    assert found.fields == {"observer.ip": "10.0.0.10", "message": "x", "host.name": "sv-dc"}


def test_an_event_without_a_host_gets_the_devices_name_or_its_address():
    enricher = Enricher(INVENTORY, "wan")
    assert enricher.enrich(event(ip="10.0.0.10")).fields["host.name"] == "sv-dc"
    assert enricher.enrich(event(ip="198.51.100.9")).fields["host.name"] == "198.51.100.9"
