import socket
import unicodedata
from collections import Counter
from ipaddress import ip_address

from inventory.load import load_inventory
from lab.sector import SECTOR


def test_the_sector_has_30_sites_and_90_devices():
    sector = load_inventory(SECTOR)
    assert Counter(site.tier for site in sector.sites) == {"DC": 1, "PROVINCE": 10, "AREA": 19}
    assert Counter((d.vendor, d.role) for d in sector.devices) == {
        ("cisco", "router"): 30,
        ("fortinet", "firewall"): 30,
        ("linux", "server"): 30,
    }
    assert Counter(unit.type for unit in sector.units) == {"supreme": 1, "province": 10, "area": 19}


def test_every_site_has_a_router_a_firewall_and_a_server_within_its_own_prefix(sector):
    for number, site in enumerate(sector.sites, 1):
        devices = {d.role: d for d in sector.devices if d.site == site.id}
        assert {role: d.address for role, d in devices.items()} == {
            "router": f"127.1.{number}.1",
            "firewall": f"127.1.{number}.2",
            "server": f"127.1.{number}.10",
        }
        assert all(sector.site_of("lab", d.address) == site for d in devices.values())


def test_an_ipv6_address_has_its_site_too(sector):
    assert sector.site_of("lab", "2001:db8:1::5").id == "dc"


def test_provinces_bear_the_names_they_have_now(sector):
    names = {unit.id: unit.name for unit in sector.units}
    assert names["dni"] == "VKSND thành phố Đồng Nai"
    assert names["tha"] == "VKSND tỉnh Thanh Hóa"
    assert names["tha-kv1"] == "VKSND khu vực 1 - Thanh Hóa"
    assert all(unicodedata.is_normalized("NFC", name) for name in names.values())


def test_each_site_belongs_to_the_unit_of_its_tier(sector):
    types = {"DC": "supreme", "PROVINCE": "province", "AREA": "area"}
    assert all(sector.unit(site.unit).type == types[site.tier] for site in sector.sites)


def test_every_table_says_that_areas_and_addresses_are_invented():
    for path in SECTOR.iterdir():
        assert "invented for the lab" in path.read_text(encoding="utf-8").split("\n\n")[0], path.name


def test_a_device_can_really_send_from_its_address(sector):
    for device in sector.devices:
        assert ip_address(device.address).is_loopback
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((device.address, 0))
