"""haidang sites and devices: found without diacritics, in Vietnamese order, one by one."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from core.errors import NotFoundError

FILES = {
    "units.yml": (
        "- {id: tc, name: VKSND tối cao, type: supreme}\n"
        "- {id: dn, name: VKSND thành phố Đà Nẵng, type: province, parent: tc}\n"
        "- {id: tha, name: VKSND tỉnh Thanh Hóa, type: province, parent: tc}\n"
    ),
    "sites.csv": (
        "id,name,unit,address_space,tier,location\n"
        "tha,Trụ sở Thanh Hóa,tha,tha,PROVINCE,phường Hạc Thành\n"
        "dn,Trụ sở Đà Nẵng,dn,dn,PROVINCE,\n"
        "an,An Khê,dn,an,AREA,\n"
    ),
    "devices.csv": (
        "name,site,address,vendor,model,role,purpose,access\n"
        "RT-THA,tha,10.0.0.1,Cisco,C8300,router,Kết nối WAN,full\n"
        "MM-THA,tha,10.0.0.2,BCY,X,cipher_gateway,,read_only\n"
    ),
    "interfaces.csv": "device,name,role,speed_mbps\nRT-THA,Gi0/0,uplink,1000\n",
    "circuits.csv": "id,site,kind,carrier,hotline,contracted_mbps_down\nc1,tha,wan,VNPT,18001260,100\n",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "inventory"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    file = tmp_path / "haidang.toml"
    file.write_text(f'format = 1\ndata = "data"\ninventory = "{folder}"\n')

    def running(*words: str) -> str:
        done = CliRunner().invoke(build(words[0]), [*words, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return running


def ids(text: str, key: str = "id") -> list[str]:
    return [row[key] for row in json.loads(text)]


def test_sites_are_listed_in_vietnamese_order(run):
    assert ids(run("sites", "list", "--json")) == ["an", "dn", "tha"]


@pytest.mark.parametrize(
    ("text", "found"), [("da nang", ["dn"]), ("đà nẵng", ["dn"]), ("hac thanh", ["tha"]), ("dá", [])]
)
def test_sites_are_found_without_diacritics_unless_they_are_typed(run, text, found):
    assert ids(run("sites", "list", "--find", text, "--json")) == found


def test_sites_of_a_unit_and_those_below(run):
    assert ids(run("sites", "list", "--unit", "dn", "--json")) == ["an", "dn"]


def test_one_site_is_shown_with_what_it_has(run):
    told = run("sites", "show", "thanh hoa")
    for part in ("VKSND tỉnh Thanh Hóa", "RT-THA", "VNPT", "18001260", "phường Hạc Thành"):
        assert part in told
    (whole,) = json.loads(run("sites", "show", "tha", "--json"))
    assert [device["name"] for device in whole["devices"]] == ["RT-THA", "MM-THA"]


def test_a_name_of_several_sites_or_of_none_is_told(run):
    with pytest.raises(NotFoundError, match="2 điểm cầu"):
        run("sites", "show", "trụ sở")
    with pytest.raises(NotFoundError, match="no site 'mặt trăng'"):
        run("sites", "show", "mặt trăng")


def test_devices_are_found_by_what_they_are_for(run):
    assert ids(run("devices", "list", "--find", "ket noi wan", "--json"), "name") == ["RT-THA"]
    assert ids(run("devices", "list", "--site", "dn", "--json"), "name") == []


def test_one_device_is_shown_with_its_interfaces(run):
    told = run("devices", "show", "rt-tha")
    assert "Gi0/0" in told
    assert "Kết nối WAN" in told
    assert "read_only" in run("devices", "show", "MM-THA")
    with pytest.raises(NotFoundError, match="no device 'x'"):
        run("devices", "show", "x")
