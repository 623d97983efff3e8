import unicodedata

import pytest

from core.errors import ContentError
from inventory import tables
from inventory.load import load_inventory

UNITS = """\
- {id: tc, name: Viện kiểm sát nhân dân tối cao, type: supreme}
- {id: 01, name: VKSND thành phố Hà Nội, type: province, parent: tc}
"""
SITES = "id,name,unit,address_space,tier\ndc,Trung tâm dữ liệu,tc,wan,DC\nhn,Trụ sở Hà Nội,01,wan,PROVINCE\n"
DEVICES = "name,site,address,vendor,model,role,timezone\nrt-hn,hn,10.1.0.1,cisco,ISR 4331,router,Asia/Ho_Chi_Minh\n"
PREFIXES = "space,prefix,site\nwan,10.1.0.0/16,hn\n"
GOOD = {"units.yml": UNITS, "sites.csv": SITES, "devices.csv": DEVICES, "prefixes.csv": PREFIXES}


@pytest.fixture
def load(tmp_path):
    def write_and_load(**changed):
        files = GOOD | {name.replace("_", "."): text for name, text in changed.items()}
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_inventory(tmp_path)

    return write_and_load


def test_a_good_folder_loads_whole(load):
    inventory = load()
    assert [unit.id for unit in inventory.units] == ["tc", "01"]
    assert inventory.unit("01").parent == "tc"
    assert inventory.site("hn").tier == "PROVINCE"
    assert inventory.device_at("wan", "10.1.0.1").timezone == "Asia/Ho_Chi_Minh"
    assert inventory.site_of("wan", "10.1.200.9").id == "hn"


def test_missing_files_are_empty_lists(tmp_path):
    inventory = load_inventory(tmp_path)
    assert (inventory.units, inventory.sites, inventory.devices, inventory.prefixes) == ((), (), (), ())


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ContentError, match="absent: no such folder"):
        load_inventory(tmp_path / "absent")


def test_every_table_may_be_yaml_or_csv(load):
    inventory = load(
        units_yml=None,
        units_csv="id,name,type,parent\ntc,Tối cao,supreme,\n01,Hà Nội,province,tc\n",
        devices_csv=None,
        devices_yml="# head\n- name: sv-hn\n  site: hn\n  address: 10.1.0.10\n  vendor: linux\n  model: Debian 12\n"
        "  role: server\n  timezone:\n",
        prefixes_csv=None,
        prefixes_yml="- {space: wan, prefix: 2001:DB8::/32, site: hn}\n",
    )
    assert inventory.device_named("sv-hn").timezone == ""
    assert inventory.prefixes[0].prefix == "2001:db8::/32"


def test_text_is_normalised_and_addresses_made_canonical(load):
    inventory = load(
        sites_csv=unicodedata.normalize("NFD", SITES),
        devices_csv=DEVICES.replace("10.1.0.1", "2001:0DB8::0001").encode("utf-8-sig"),
    )
    assert inventory.site("hn").name == unicodedata.normalize("NFC", "Trụ sở Hà Nội")
    assert inventory.devices[0].address == "2001:db8::1"


def test_comments_at_the_head_of_a_csv_are_skipped_and_counted(load):
    with pytest.raises(ContentError, match=r"devices\.csv, line 4: bad address"):
        load(devices_csv="# invented\n\n" + DEVICES.replace("10.1.0.1", "10.1.0.256"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sites_csv": SITES.replace("tier", "level")}, r"sites\.csv, line 2: unknown column 'level'; expected id, "),
        ({"sites_csv": SITES.replace(",01,", ",02,")}, r"sites\.csv, line 3: unknown unit '02'"),
        ({"sites_csv": SITES + "hn,Hai,tc,wan,DC\n"}, r"sites\.csv, line 4: duplicate site 'hn', first at .* line 3"),
        ({"sites_csv": SITES.replace("tier\n", "name\n")}, r"sites\.csv, line 1: a column is named twice"),
        ({"sites_csv": SITES.replace(",PROVINCE", "")}, r"sites\.csv, line 3: 4 cells; expected 5"),
        ({"sites_csv": SITES.replace(",PROVINCE", ",")}, r"sites\.csv, line 3: .*length >= 1.*tier"),
        ({"sites_csv": SITES + '"open'}, r"sites\.csv, line 4: unexpected end of data"),
        ({"sites_csv": SITES.encode("utf-16")}, r"sites\.csv, line 1: not UTF-8"),
        ({"devices_csv": DEVICES.replace(",hn,", ",hp,")}, r"devices\.csv, line 2: unknown site 'hp'"),
        ({"devices_csv": DEVICES.replace("10.1.0.1", "10.1.1")}, r"devices\.csv, line 2: bad address '10.1.1'"),
        ({"devices_csv": DEVICES.replace("Asia", "Sao_Hoa")}, r"devices\.csv, line 2: unknown timezone"),
        ({"devices_csv": DEVICES.replace("Asia/Ho_Chi_Minh", "../etc")}, r"devices\.csv, line 2: unknown timezone"),
        (
            {"devices_csv": DEVICES + "RT-HN,hn,10.1.0.2,cisco,ISR,router,\n"},
            r"devices\.csv, line 3: duplicate device name 'RT-HN', first at devices\.csv, line 2",
        ),
        (
            {"devices_csv": DEVICES + "rt-dc,dc,10.1.0.1,cisco,ISR,router,\n"},
            r"devices\.csv, line 3: duplicate address 10\.1\.0\.1 in one space",
        ),
        ({"prefixes_csv": PREFIXES.replace(",hn", ",hp")}, r"prefixes\.csv, line 2: unknown site 'hp'"),
        ({"prefixes_csv": PREFIXES.replace("10.1.0.0", "10.1.0.1")}, r"prefixes\.csv, line 2: bad prefix"),
        ({"prefixes_csv": PREFIXES + "wan,10.1.0.0/16,dc\n"}, r"prefixes\.csv, line 3: duplicate prefix"),
        ({"units_yml": UNITS.replace("province", "district")}, r"units\.yml, line 2: .*district.*province or area"),
        ({"units_yml": UNITS.replace("parent: tc", "parent: x")}, r"units\.yml, line 2: unknown unit 'x'"),
        ({"units_yml": UNITS.replace(", parent: tc", "")}, r"units\.yml, line 2: no parent"),
        ({"units_yml": UNITS.replace("supreme}", "supreme, parent: 01}")}, r"units\.yml, line 1: .*form a circle"),
        (
            {"units_yml": UNITS.replace("{id: tc,", "{id: tc, id: t,")},
            r"units\.yml, line 1: column 'id' is given twice",
        ),
        ({"units_yml": UNITS.replace("id: tc", "id: [tc]")}, r"units\.yml, line 1: expected a list of rows"),
        ({"units_yml": UNITS.replace("{id: tc", "&a {id: tc") + "- *a\n"}, r"units\.yml, line 3: expected a list"),
        ({"units_yml": "units: []\n"}, r"units\.yml, line 1: expected a list of rows"),
        ({"units_yml": "- {id: tc\n"}, r"units\.yml, line 2: .*expected a list of rows"),
        ({"units_yml": UNITS + "---\n[]\n"}, r"units\.yml, line 4: expected a list of rows"),
        ({"units_yml": "- \x00\n"}, r"units\.yml: not YAML text|units\.yml, line 1: "),
        ({"units_csv": "id,name,type,parent\n"}, r"both units\.yml and units\.csv"),
    ],
)
def test_a_bad_row_is_named_with_its_place_and_what_was_expected(load, changed, message):
    with pytest.raises(ContentError, match=message) as caught:
        load(**changed)
    assert "expected" in str(caught.value) or "keep one" in str(caught.value) or "save the file" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_address_may_stand_in_two_spaces(load):
    inventory = load(
        sites_csv=SITES.replace("tc,wan", "tc,mgmt"),
        devices_csv=DEVICES + "rt-dc,dc,10.1.0.1,cisco,ISR,router,\n",
    )
    assert inventory.device_at("mgmt", "10.1.0.1").name == "rt-dc"
    assert inventory.device_at("wan", "10.1.0.1").name == "rt-hn"


def test_deep_nesting_is_refused_at_its_first_step(load):
    with pytest.raises(ContentError, match=r"units\.yml, line 1: .*expected a list of rows"):
        load(units_yml="[" * 500_000)


def test_a_file_over_the_bound_is_refused(load, monkeypatch):
    monkeypatch.setattr(tables, "MAX_BYTES", 50)
    with pytest.raises(ContentError, match="larger than 50 bytes"):
        load()


def test_a_folder_in_a_file_s_place_cannot_be_read(tmp_path):
    (tmp_path / "sites.csv").mkdir()
    with pytest.raises(ContentError, match=r"sites\.csv: cannot be read"):
        load_inventory(tmp_path)


def test_empty_files_are_empty_lists(load):
    inventory = load(units_yml="# nothing yet\n", sites_csv="", devices_csv="# none\n", prefixes_csv="\n")
    assert (inventory.units, inventory.sites) == ((), ())
