import csv
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ContentError
from inventory.changes import plan
from inventory.formats.csv_ import read_csv, write_csv
from inventory.formats.files import FORMATS, read_rows, write_inventory
from inventory.load import check_rows, inventory_of
from inventory.objects import (
    Calendar,
    CalendarDay,
    Circuit,
    Interface,
    Link,
    Place,
    Policy,
    Service,
    Space,
)
from inventory.records import Device, Inventory, Prefix, Site
from inventory.registry import TABLES
from inventory.units import Succession, Unit, UnitFact

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵĐƠƯ"
AWKWARD = "=+-@'\"|\\,;:#&*{}[]!%`~?<>＝＋－＠\u00a0\u0301\u200b😀_x0_ \t"
LETTERS = st.sampled_from(VIETNAMESE + AWKWARD + "0123456789")
TEXT = st.text(LETTERS | st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), max_size=12)


def is_a_cell(text):
    return not set(text) & set("\t\ufeff\ufffe\uffff") and text == unicodedata.normalize("NFC", text).strip()


LINE = TEXT.map(lambda text: unicodedata.normalize("NFC", text).strip()).filter(is_a_cell)
WORDS = LINE.filter(bool)
DAYS = st.dates().map(str)
SPEEDS = st.none() | st.floats(0.001, 1_000_000) | st.integers(1, 400_000).map(float)
LIVES = st.sampled_from(["planned", "commissioning", "in_service", "retired"])


@st.composite
def sites(draw):
    return Site(
        id=draw(WORDS),
        name=draw(WORDS),
        unit="tc",
        address_space="wan",
        tier=draw(WORDS),
        location=draw(LINE),
        latitude=draw(st.none() | st.floats(-90, 90)),
        longitude=draw(st.none() | st.floats(-180, 180)),
        life_cycle=draw(LIVES),
        opened=draw(DAYS | st.just("")),
        calendar="hc",
        owner=draw(LINE),
    )


@st.composite
def devices_at(draw, site):
    names = draw(st.lists(WORDS, min_size=2, max_size=4, unique_by=lambda name: name.casefold()))
    return tuple(
        Device(
            name=name,
            site=site,
            address=f"10.0.0.{number}",
            vendor=draw(WORDS),
            model=draw(WORDS),
            role=draw(st.sampled_from(["router", "cipher_gateway", "=cmd"])),
            place=draw(st.sampled_from(["", "r1"])),
            position=draw(st.none() | st.integers(1, 100)),
            serial=draw(LINE),
            mac=draw(st.sampled_from(["", "00:1b:54:aa:00:01"])),
            purpose=draw(LINE),
            support_end=draw(DAYS | st.just("")),
            access="read_only",
        )
        for number, name in enumerate(names)
    )


@st.composite
def circuits_at(draw, site):
    return Circuit(
        id=draw(WORDS),
        site=site,
        kind="state",
        carrier=draw(LINE),
        hotline=draw(LINE),
        contracted_mbps_down=draw(SPEEDS),
        contracted_mbps_up=draw(SPEEDS),
        sla_percent=draw(st.none() | st.floats(0.1, 100)),
        life_cycle=draw(LIVES),
    )


@st.composite
def inventories(draw):
    """Small, whole, and with a row in every table."""
    unit = Unit(id="tc", name=draw(WORDS), type="supreme")
    former = Unit(id="cũ", name=draw(WORDS), type="area", parent="tc", valid_to="2025-06-30")
    site = draw(sites())
    devices = draw(devices_at(site.id))
    return Inventory(
        units=(unit, former),
        unit_facts=(UnitFact(unit="tc", what="alias", value=draw(WORDS), source=draw(LINE)),),
        successions=(Succession(predecessor="cũ", successor="tc", day="2025-07-01", source=draw(LINE)),),
        sites=(site,),
        places=(
            Place(id="r1", site=site.id, kind="rack", name=draw(WORDS), parent="p1"),
            Place(id="p1", site=site.id, kind="room", name=draw(WORDS)),
        ),
        devices=devices,
        interfaces=(Interface(device=devices[0].name, name="Gi0/1", role="uplink", speed_mbps=draw(SPEEDS)),),
        links=(
            Link(id=draw(WORDS), a_device=devices[0].name, b_device=devices[1].name, kind="local", a_interface="Gi0/1"),
        ),
        circuits=(draw(circuits_at(site.id)),),
        spaces=(Space(id="wan", name=draw(WORDS), description=draw(LINE)),),
        prefixes=(Prefix(space="wan", prefix="2001:db8::/32", site=site.id),),
        services=(Service(id=draw(WORDS), name=draw(WORDS), unit="tc", kind=draw(WORDS), address=draw(WORDS)),),
        calendars=(Calendar(id="hc", name=draw(WORDS), weekdays="1-5", hours="07:30-11:30,13:00-16:30"),),
        calendar_days=(
            CalendarDay(
                calendar="hc", valid_from="2030-01-01", valid_to="2030-01-01", kind="holiday", name="Tết Dương lịch"
            ),
        ),
        policies=(Policy(tier=draw(WORDS), what="access", role="access", minimum_mbps=100, source=draw(LINE)),),
    )


def written(inventory, form, folder):
    for old in folder.iterdir():
        old.unlink()
    for name, content in write_inventory(inventory, form).items():
        (folder / name).write_bytes(content)
    return read_rows(folder / "inventory.xlsx" if form == "xlsx" else folder)


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_format_writes_it_reads_back_whole(form, tmp_path_factory):
    folder = tmp_path_factory.mktemp(form)

    @settings(max_examples=60, deadline=None)
    @given(inventories())
    def check(inventory):
        assert all(getattr(inventory, kind) for kind in TABLES)
        rows = written(inventory, form, folder)
        checked = check_rows(rows)
        assert checked.problems == []
        assert inventory_of(checked.records) == inventory
        found = plan(inventory, rows)
        assert (found.inventory, found.added, found.changed, found.problems) == (inventory, (), (), ())
        assert plan(Inventory(), rows).inventory == inventory

    check()


@given(st.lists(LINE, min_size=2, max_size=2))
@settings(deadline=None)
def test_no_cell_of_a_written_csv_is_a_formula_and_each_reads_back_equal(cells):
    row = dict(zip(("a", "b"), cells, strict=True))
    text = write_csv(("a", "b"), [row]).decode("utf-8-sig")
    _, shown = csv.reader(io.StringIO(text, newline=""))
    for cell in shown:
        assert not cell.startswith(("=", "+", "@", "＝", "＋", "－", "＠"))
        assert not cell.startswith("-") or cell.removeprefix("-").replace(".", "", 1).isdigit()
    assert [found.cells for found in read_csv("t.csv", text)] == [row]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("-2.5", "-2.5"),
        ("+84 24 0000", "'+84 24 0000"),
        ("'=1", "''=1"),
        ("'a", "'a"),
        ("＝1", "'＝1"),
    ],
)
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(cell, shown):
    assert write_csv(("a",), [{"a": cell}]).decode("utf-8-sig") == f"a\n{shown}\n"


def test_a_written_csv_begins_with_the_mark_by_which_spreadsheets_know_utf_8():
    assert write_csv(("tên",), []) == b"\xef\xbb\xbft\xc3\xaan\n"


def test_tables_without_rows_have_no_csv_or_yaml_file():
    inventory = Inventory(units=(Unit(id="tc", name="Tối cao", type="supreme"),))
    assert list(write_inventory(inventory, "csv")) == ["units.csv"]
    assert list(write_inventory(inventory, "yml")) == ["units.yml"]


def test_a_single_file_is_the_table_it_is_named_after(tmp_path):
    path = tmp_path / "spaces.csv"
    path.write_text("id,name\nwan,Mạng diện rộng\n", encoding="utf-8")
    (row,) = read_rows(path)["spaces"]
    assert (row.place, row.cells) == ("spaces.csv, line 2", {"id": "wan", "name": "Mạng diện rộng"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("kit.csv", b"a\n1\n", "the name is of no table; expected one of units, "),
        ("sites.json", b"{}", "expected a folder or a file .csv, .yml or .xlsx"),
        ("sites.csv", None, "cannot be read"),
        ("sites.csv", b"\xff\xfe", "line 1: not UTF-8"),
        ("inventory.xlsx", b"PK not a zip", "not a workbook"),
    ],
)
def test_what_is_no_inventory_is_told_in_one_line(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ContentError, match=message) as caught:
        read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_line_of_unicode_s_own_within_a_cell_does_not_end_the_row():
    (row,) = read_csv("t.csv", "a,b\none\u2028two,x\n")
    assert row.cells == {"a": "one\u2028two", "b": "x"}
