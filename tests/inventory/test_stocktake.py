from inventory.formats.files import write_sheets
from inventory.objects import Place
from inventory.records import Device, Inventory, Prefix, Site
from inventory.stocktake import COLUMNS, gaps, stock_take
from inventory.units import Unit

SECTOR = Inventory(
    units=(Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),),
    sites=(
        Site(
            id="dc", name="Trung tâm dữ liệu", unit="tc", address_space="wan", tier="DC", location="Hà Nội", latitude=21
        ),
    ),
    places=(
        Place(id="p1", site="dc", kind="room", name="Phòng máy chủ"),
        Place(id="r1", site="dc", kind="rack", name="Tủ A1", parent="p1"),
    ),
    devices=(
        Device(
            name="rt-dc",
            site="dc",
            address="10.0.0.1",
            vendor="cisco",
            model="ASR",
            role="router",
            place="r1",
            position=12,
            serial="S1",
            support_end="2029-04-30",
            purpose="Định tuyến lõi",
            owner="Bộ phận hạ tầng",
        ),
        Device(name="sv-dc", site="dc", address="2001:db8::1", vendor="linux", model="Debian", role="server"),
    ),
    prefixes=(
        Prefix(space="wan", prefix="10.0.0.0/8", site="dc"),
        Prefix(space="wan", prefix="10.0.0.0/24", site="dc"),
        Prefix(space="other", prefix="10.0.0.0/30", site="dc"),
    ),
)


def test_a_device_s_row_says_where_it_stands_on_the_map_and_in_the_network():
    columns, (row, _) = stock_take(SECTOR, "2026-11-22")
    assert tuple(row) == columns == tuple(COLUMNS)
    assert row["unit"] == "Viện kiểm sát nhân dân tối cao"
    assert (row["location"], row["latitude"], row["place"], row["position"]) == (
        "Hà Nội",
        "21",
        "Phòng máy chủ / Tủ A1",
        "12",
    )
    assert (row["address"], row["space"], row["network"]) == ("10.0.0.1", "wan", "10.0.0.0/24")
    assert (row["purpose"], row["life_cycle"], row["owner"]) == ("Định tuyến lõi", "in_service", "Bộ phận hạ tầng")
    assert gaps(row) == []


def test_what_the_rule_asks_for_and_is_not_known_is_named():
    _, (_, row) = stock_take(SECTOR, "2026-11-22")
    assert gaps(row) == ["support_end", "network", "purpose", "owner", "serial"]


def test_the_table_is_written_in_any_format():
    sheet = stock_take(SECTOR, "2026-11-22")
    assert write_sheets({"stock_take": sheet}, "csv", "stock_take")["stock_take.csv"].count(b"\n") == 3
    assert write_sheets({"stock_take": sheet}, "xlsx", "stock_take")["stock_take.xlsx"].startswith(b"PK")
