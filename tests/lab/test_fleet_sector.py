from collections import Counter
from ipaddress import ip_address

import pytest
from fleets import Fleet

from core.errors import ContentError, UnavailableError
from inventory.load import load_inventory
from lab.fleet.families import families, families_of
from lab.fleet.invented import Size, invented_sector, parse_size
from lab.fleet.stock import inventory_of, write_stock

REMOTE, LOCAL = "1.0.8802.1.1.2.1.4.1.1", "1.0.8802.1.1.2.1.3"


@pytest.fixture(scope="module")
def sector():
    return invented_sector(parse_size("800x4x24"))


def test_the_whole_sector_has_as_many_of_all_as_its_size_says(sector):
    assert (len(sector.sites), len(sector.nodes)) == (800, 3200)
    assert sum(node.ports for node in sector.nodes) == 76_800
    assert Counter(site.tier for site in sector.sites) == {"DC": 1, "PROVINCE": 34, "AREA": 765}
    assert len({site.unit for site in sector.sites if site.tier == "AREA"}) <= 355
    assert {node.role for node in sector.nodes} == {"router", "switch", "firewall", "server"}


def test_addresses_and_names_are_each_device_s_own_and_on_loopback(sector):
    assert len(sector.by_address) == 3200
    assert len(sector.by_name) == 6400
    assert all(ip_address(node.address).is_loopback for node in sector.nodes)
    assert len({site.id for site in sector.sites}) == 800


def test_with_facilities_every_family_occurs():
    nodes = invented_sector(parse_size("60x4x8+3")).nodes
    assert {node.family_name for node in nodes} == set(families())
    assert {node.ports for node in nodes if node.role in ("ups", "pdu", "sensor")} == {1}
    assert set(families_of("router")) == {"cisco-router", "huawei-router", "juniper-router", "mikrotik-router"}


@pytest.mark.parametrize("size", ["1x1x4", "1x4x4", "2x1x4", "3x2x4", "5x6x4+3", "36x3x5"])
def test_a_sector_of_any_size_hangs_together(size):
    sector = invented_sector(parse_size(size))
    reached, todo = {0}, [0]
    network, facility = parse_size(size).devices, parse_size(size).facility
    while todo:
        for one in sector.neighbours[todo.pop()]:
            if one.node not in reached:
                reached.add(one.node)
                todo.append(one.node)
    first = {node.number for node in sector.nodes if node.number % (network + facility) < min(network, 4)}
    assert reached >= first
    ends = [(cable.a, cable.a_row) for cable in sector.cables] + [(cable.b, cable.b_row) for cable in sector.cables]
    assert all(0 <= row < sector.nodes[node].ports for node, row in ends)


def test_a_size_reads_back_as_it_was_written():
    for text in ("800x4x24", "2x1x4+3"):
        assert str(parse_size(text)) == text
    assert parse_size("2x3x4+1") == Size(sites=2, devices=3, ports=4, facility=1)


@pytest.mark.parametrize(
    "text", ["", "800", "0x4x24", "800x4", "800x4x2", "99999x4x24", "1x201x24", "1x4x24+4", "-1x4x24"]
)
def test_a_size_that_cannot_be_is_refused(text):
    with pytest.raises(ContentError, match="is no size"):
        parse_size(text)


def test_neighbours_by_lldp_are_symmetric():
    """What each device says of its neighbours is what these say of it, by the names and ports on the wire."""
    fleet = Fleet("12x5x8")
    seen = set()
    for node in fleet.sector.nodes:
        ports = fleet.column(node.name, f"{LOCAL}.7.1.3")
        far_names, far_ports = fleet.walk(node.name, f"{REMOTE}.9"), fleet.walk(node.name, f"{REMOTE}.7")
        for name, far in far_names.items():
            index = name.removeprefix(f"{REMOTE}.9.")
            seen.add((node.name, ports[int(index.split(".")[1])], far, far_ports[f"{REMOTE}.7.{index}"]))
    assert len(seen) == 2 * len(fleet.sector.cables)
    assert {(far, far_port, near, port) for near, port, far, far_port in seen} == seen


def test_a_neighbour_s_chassis_is_the_one_it_tells_itself():
    fleet = Fleet("12x5x8")
    own = {node.name: fleet.get(node.name, f"{LOCAL}.2.0")[0] for node in fleet.sector.nodes}
    assert len(set(own.values())) == len(own)
    for node in fleet.sector.nodes:
        chassis, names = fleet.walk(node.name, f"{REMOTE}.5"), fleet.walk(node.name, f"{REMOTE}.9")
        assert list(chassis.values()) == [own[name] for name in names.values()]


def test_provinces_peer_with_the_centre_and_areas_are_adjacent_to_their_province():
    fleet = Fleet("20x2x8")
    addresses = {node.name: node.address for node in fleet.sector.nodes}
    centre = fleet.walk("rt-dc", "1.3.6.1.2.1.15.3.1.9")
    assert len(centre) == sum(site.tier == "PROVINCE" for site in fleet.sector.sites)
    assert len(set(centre.values())) == len(centre)
    for site in fleet.sector.sites[1:]:
        router = fleet.sector.router(site.number).name
        peers = fleet.walk(router, "1.3.6.1.2.1.15.3.1.7")
        near = fleet.walk(router, "1.3.6.1.2.1.14.10.1.3")
        if site.tier == "PROVINCE":
            assert list(peers.values()) == [addresses["rt-dc"]]
        else:
            assert peers == {}
            above = next(one for one in fleet.sector.sites if one.unit == site.province)
            assert list(near.values()) == [fleet.sector.router(above.number).address]


def test_the_inventory_loads_and_says_what_the_devices_say(tmp_path):
    fleet = Fleet("40x4x6+3")
    write_stock(fleet.sector, tmp_path / "stock")
    loaded = load_inventory(tmp_path / "stock")
    assert loaded == inventory_of(fleet.sector)
    assert len(loaded.sites) == 40
    for device in loaded.devices[::7]:
        assert fleet.get(device.address, "1.3.6.1.2.1.1.5.0") == [device.name]
        assert loaded.site_of("lab", device.address).id == device.site
        ports = [port.name for port in loaded.interfaces if port.device == device.name]
        assert list(fleet.column(device.name, "1.3.6.1.2.1.31.1.1.1.1").values()) == ports
    areas = {site.unit for site in loaded.sites if site.tier == "AREA"}
    assert all(loaded.unit(unit).type == "area" for unit in areas)
    assert len(loaded.links) == len(fleet.sector.cables)


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UnavailableError, match="expected a folder"):
        write_stock(invented_sector(parse_size("1x1x4")), tmp_path / "file")
