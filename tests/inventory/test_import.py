from inventory.changes import plan
from inventory.formats.files import read_rows
from inventory.records import Inventory, Site
from inventory.units import Unit

DEVICES = 10_000
BROKEN = 7_042

HEAD = "name,site,address,vendor,model,role,serial,purpose,support_end\n"
SECTOR = Inventory(
    units=(Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),),
    sites=tuple(
        Site(id=f"dc-{number}", name=f"Điểm cầu {number}", unit="tc", address_space="wan", tier="AREA")
        for number in range(800)
    ),
)


def line(number):
    address = "10.0.0.999" if number == BROKEN else f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return f"rt-{number},dc-{number % 800},{address},cisco,ISR 4331,router,SN{number:05},Định tuyến biên,2029-04-30\n"


def test_ten_thousand_devices_with_one_broken_row_are_planned_and_a_second_import_changes_nothing(tmp_path):
    path = tmp_path / "devices.csv"
    path.write_text("# sổ tài sản\n" + HEAD + "".join(map(line, range(DEVICES))), encoding="utf-8")
    found = plan(SECTOR, read_rows(path))
    (problem,) = found.problems
    assert problem.place == f"devices.csv, line {BROKEN + 3}"
    assert problem.reason == "bad address '10.0.0.999'; expected IPv4 or IPv6"
    assert len(found.added) == len(found.inventory.devices) == DEVICES - 1
    assert (found.changed, found.unchanged) == ((), 0)

    again = plan(found.inventory, read_rows(path))
    assert again.inventory == found.inventory
    assert (again.added, again.changed, again.unchanged) == ((), (), DEVICES - 1)
    assert again.problems == found.problems
