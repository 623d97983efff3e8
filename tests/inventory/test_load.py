import unicodedata

import pytest

from core.errors import ContentError
from inventory import checks, tables
from inventory.formats.rows import Row
from inventory.load import check_rows, inventory_of, load_inventory

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
        files = GOOD | {".".join(name.rsplit("_", 1)): text for name, text in changed.items()}
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
        ({"units_yml": UNITS.replace("province", "village")}, r"units\.yml, line 2: .*village.*province, area"),
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


FURTHER = {
    "spaces": "id,name\nwan,Mạng diện rộng\n",
    "calendars": 'id,name,weekdays,hours\nhc,Hành chính,1-5,"07:30-11:30,13:00-16:30"\n',
    "calendar_days": "calendar,valid_from,valid_to,kind,name\nhc,2030-02-02,2030-02-08,holiday,Tết\n",
    "places": "id,site,kind,name,parent\nr1,hn,rack,Tủ 1,p1\np1,hn,room,Phòng máy chủ,\n",
    "interfaces": "device,name,role,speed_mbps\nRT-HN,Gi0/1,uplink,1000\n",
    "circuits": "id,site,kind,far_site\nc1,hn,state,dc\n",
    "links": "id,a_device,a_interface,b_device,kind,circuit\nl1,rt-hn,Gi0/1,sv-hn,state,c1\n",
    "services": "id,name,unit,kind,address,site\nqlvb,Quản lý văn bản,tc,web,https://a.example,dc\n",
    "policies": "tier,what,role,minimum_mbps,valid_from,valid_to\nAREA,access,access,100,2022-12-02,\n",
}
SERVER = "sv-hn,hn,10.1.0.10,linux,Debian 12,server,\n"


@pytest.fixture
def load_further(load):
    def load_changed(**changed):
        files = {f"{kind}_csv": text for kind, text in (FURTHER | changed).items()}
        return load(**({"devices_csv": DEVICES + SERVER} | files))

    return load_changed


def test_every_table_is_loaded(load_further):
    inventory = load_further()
    assert [place.parent for place in inventory.places] == ["p1", ""]
    assert inventory.links[0].circuit == inventory.circuits[0].id == "c1"
    assert inventory.interfaces[0].speed_mbps == 1000
    assert inventory.policies[0].minimum_mbps == 100


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("spaces", "wan,", "lan,", r"sites\.csv, line 2: unknown space 'wan'; expected an id from the spaces file"),
        ("calendar_days", "hc,", "x,", r"calendar_days\.csv, line 2: unknown calendar 'x'"),
        ("calendar_days", "Tết\n", "Tết\nhc,2030-02-08,2030-02-09,working,bù\n", "line 3: duplicate day 2030-02-08"),
        ("places", "p1\np1,hn", "p1\np1,dc", r"places\.csv, line 2: place 'p1' is at site 'dc'"),
        ("places", "Tủ 1,p1", "Tủ 1,p2", r"places\.csv, line 2: unknown place 'p2'"),
        ("places", "Phòng máy chủ,", "Phòng máy chủ,r1", r"places\.csv, line 2: place 'r1' lies within itself"),
        ("places", "p1,hn,room", "p1,hn,position", r"line 2: a rack within a position; expected a larger place"),
        ("places", "r1,hn,rack", "r1,hn,rack,Tủ,\nr2,hn,room,A,r1\nr3,hn,rack", "line 3: a room within a rack"),
        (
            "interfaces",
            "RT-HN",
            "rt-x",
            r"interfaces\.csv, line 2: unknown device 'rt-x'; expected a name from the dev",
        ),
        (
            "interfaces",
            "1000\n",
            "1000\nrt-hn,Gi0/1,,\n",
            "line 3: duplicate interface 'rt-hn Gi0/1', first at .* line 2",
        ),
        ("circuits", ",dc", ",hp", r"circuits\.csv, line 2: unknown site 'hp'"),
        ("links", "sv-hn", "sv-x", r"links\.csv, line 2: unknown device 'sv-x'"),
        ("links", ",c1", ",c2", r"links\.csv, line 2: unknown circuit 'c2'"),
        ("links", "Gi0/1", "Gi0/9", r"links\.csv, line 2: unknown interface 'Gi0/9' of 'rt-hn'"),
        ("services", ",tc,", ",x,", r"services\.csv, line 2: unknown unit 'x'"),
        (
            "policies",
            "02,\n",
            "02,\nAREA,device,access,9,2024-01-01,\n",
            "line 3: overlaps the policy access access from",
        ),
    ],
)
def test_what_does_not_fit_with_the_rest_is_named_with_its_place(load_further, kind, old, new, message):
    assert old in FURTHER[kind]
    with pytest.raises(ContentError, match=message):
        load_further(**{kind: FURTHER[kind].replace(old, new)})


def test_a_device_stands_in_a_place_of_its_own_site(load_further):
    devices = (
        "name,site,address,vendor,model,role,place\nrt-hn,hn,10.1.0.1,cisco,ISR,router,r1\nsv-hn,dc,10.1.0.2,a,b,c,r1\n"
    )
    with pytest.raises(
        ContentError, match=r"devices\.csv, line 3: place 'r1' is at site 'hn'; expected a place of site"
    ):
        load_further(devices=devices)


def test_policies_may_follow_one_another(load_further):
    rows = "tier,what,role,minimum_mbps,valid_from,valid_to\nAREA,access,access,100,,2024-12-31\n"
    assert len(load_further(policies=rows + "AREA,access,access,1000,2025-01-01,\n").policies) == 2


def rows_of(**tables):
    def cells(line, head):
        return dict(zip(head.split(","), line.split(","), strict=True))

    found = {}
    for kind, text in tables.items():
        head, *lines = text.strip().split("\n")
        found[kind] = [
            Row(place=f"{kind}.csv, line {number}", cells=cells(line, head)) for number, line in enumerate(lines, 2)
        ]
    return found


def test_a_broken_row_and_all_that_depends_on_it_are_told_and_the_rest_is_kept():
    checked = check_rows(
        rows_of(
            units="id,name,type,parent\ntc,TC,supreme,\n01,Hà Nội,province,tc\n02,Huế,province,xx\n03,Lạ,area,02\n",
            sites="id,name,unit,address_space,tier\na,A,tc,wan,DC\nb,,01,wan,PROVINCE\nc,C,02,wan,PROVINCE\n",
            devices="name,site,address,vendor,model,role\nd1,a,10.0.0.1,v,m,r\nd2,b,10.0.0.2,v,m,r\nd3,c,10.0.0.3,v,m,r\n",
            interfaces="device,name\nd1,g1\nd2,g1\n",
        )
    )
    assert {problem.place: problem.reason.partition(";")[0] for problem in checked.problems} == {
        "sites.csv, line 3": "Expected `str` of length >= 1 - at `$.name`",
        "units.csv, line 4": "unknown unit 'xx'",
        "units.csv, line 5": "unknown unit '02'",
        "sites.csv, line 4": "unit '02' is refused at units.csv, line 4",
        "devices.csv, line 3": "site 'b' is refused at sites.csv, line 3",
        "devices.csv, line 4": "site 'c' is refused at sites.csv, line 4",
        "interfaces.csv, line 3": "device 'd2' is refused at devices.csv, line 3",
    }
    kept = inventory_of(checked.records)
    assert [unit.id for unit in kept.units] == ["tc", "01"]
    assert [site.id for site in kept.sites] == ["a"]
    assert [device.name for device in kept.devices] == ["d1"]
    assert [port.device for port in kept.interfaces] == ["d1"]


def test_places_that_lie_in_one_another_are_refused_and_their_racks_with_them():
    checked = check_rows(
        rows_of(
            units="id,name,type\ntc,Tối cao,supreme\n",
            sites="id,name,unit,address_space,tier\na,A,tc,wan,DC\n",
            places="id,site,kind,name,parent\np1,a,room,1,p2\np2,a,room,2,p1\nr1,a,rack,R,p1\nok,a,rack,R,\n",
        )
    )
    assert sorted(problem.place for problem in checked.problems) == [f"places.csv, line {line}" for line in (2, 3, 4)]
    assert [place.id for place in inventory_of(checked.records).places] == ["ok"]


def test_where_most_units_are_wrong_no_unit_is_kept(monkeypatch):
    monkeypatch.setattr(checks, "MOST_PROBLEMS_OF_UNITS", 3)
    lines = "".join(f"u{number},U,area,xx\n" for number in range(4))
    checked = check_rows(rows_of(units=f"id,name,type,parent\ntc,Tối cao,supreme,\n{lines}"))
    assert str(checked.problems[-1]) == "units: too many rows are wrong; correct these first"
    assert checked.records["units"] == []
