"""haidang units: the sector's units on a day, as lists and one by one, in a pipe."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from app.commands import units
from core.errors import ContentError, NotFoundError

OWN = """\
- {id: tc, name: Viện kiểm sát nhân dân tối cao, type: supreme}
- {id: ha-noi, name: VKSND thành phố Hà Nội, type: province, parent: tc}
- {id: kv-10, name: VKSND khu vực 10 - Hà Nội, type: area, parent: ha-noi, valid_from: 2025-07-01}
- {id: kv-2, name: VKSND khu vực 2 - Hà Nội, type: area, parent: ha-noi, valid_from: 2025-07-01}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a pipe, with no inventory, and returns what it prints; an error comes as it was raised."""
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "haidang.toml"
    file.write_text('format = 1\ndata = "data"\n')

    def running(*arguments: str) -> str:
        done = CliRunner().invoke(units.commands, [*arguments, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return running


@pytest.fixture
def own(tmp_path, run):
    """The same where the installation has units of its own."""
    folder = tmp_path / "inventory"
    folder.mkdir()
    (folder / "units.yml").write_text(OWN, "utf-8")
    (tmp_path / "haidang.toml").write_text(f'format = 1\ndata = "data"\ninventory = "{folder}"\n')
    return run


@pytest.mark.parametrize(("day", "provinces"), [("2025-06-30", 63), ("2025-07-02", 34)])
def test_provincial_units_are_listed_as_of_a_day(run, day, provinces):
    listed = json.loads(run("list", "--as-of", day, "--type", "province", "--json"))
    assert len(listed) == provinces
    assert {row["type"] for row in listed} == {"province"}
    assert {row["parent"] for row in listed} == {"vks-toi-cao"}


def test_units_are_listed_from_above_and_in_vietnamese_order(run):
    lines = run("list", "--as-of", "2026-11-25").splitlines()
    assert lines[0].split() == ["Mã", "Tên", "Loại", "Trực", "thuộc", "Mã", "tỉnh"]
    ids = [line.split()[0] for line in lines[1:]]
    assert len(ids) == 1 + 27 + 34
    assert ids[0] == "vks-toi-cao"
    assert ids.index("vks-ca-mau") < ids.index("vks-cao-bang") < ids.index("vks-dak-lak") < ids.index("vks-gia-lai")
    assert "VKSND tối cao" in lines[-1]


def test_the_list_is_of_today_unless_a_day_is_named(run):
    assert "Viện kiểm sát nhân dân thành phố Đồng Nai" in run("list", "--type", "province")


def test_an_old_name_shows_its_successor_with_those_it_took_over_from(run):
    (shown,) = json.loads(run("show", "VKS Yên Bái", "--as-of", "2026-11-25", "--json"))
    assert shown["id"] == "vks-lao-cai"
    assert shown["code_gso"] == "15"
    assert shown["path"] == ["Viện kiểm sát nhân dân tối cao", "Viện kiểm sát nhân dân tỉnh Lào Cai"]
    assert {one["id"] for one in shown["predecessors"]} == {"vks-lao-cai-2014", "vks-yen-bai"}
    assert {one["day"] for one in shown["predecessors"]} == {"2025-07-01"}
    assert shown["successors"] == []


def test_a_former_unit_is_shown_as_of_its_time_with_its_successor(run):
    (shown,) = json.loads(run("show", "15", "--as-of", "2025-06-30", "--json"))
    assert (shown["id"], shown["valid_to"]) == ("vks-yen-bai", "2025-06-30")
    assert [one["id"] for one in shown["successors"]] == ["vks-lao-cai"]


def test_a_unit_is_shown_in_words(run):
    shown = run("show", "vks-lao-cai", "--as-of", "2026-11-25")
    assert "Viện kiểm sát nhân dân tỉnh Yên Bái (vks-yen-bai, 2025-07-01)" in shown
    assert "Mã định danh / code_ma_dinh_danh" in shown
    assert "cấp tỉnh" in shown


def test_units_whose_names_are_not_known_are_counted(run):
    (shown,) = json.loads(run("show", "TP.HCM", "--as-of", "2026-11-25", "--json"))
    assert (shown["children"], shown["known_counts"]) == ([], {"area": 19})
    assert "area: 19" in run("show", "TP.HCM", "--as-of", "2026-11-25")
    (before,) = json.loads(run("show", "TP.HCM", "--as-of", "2025-06-30", "--json"))
    assert before["known_counts"] == {}


def test_an_installations_own_units_come_before_those_that_are_shipped(own):
    listed = json.loads(own("list", "--as-of", "2026-11-25", "--json"))
    assert [row["id"] for row in listed] == ["tc", "ha-noi", "kv-2", "kv-10"]
    (shown,) = json.loads(own("show", "VKS Hà Nội", "--as-of", "2026-11-25", "--json"))
    assert (shown["id"], shown["children"], shown["known_counts"]) == ("ha-noi", ["kv-10", "kv-2"], {})


def test_a_name_that_nobody_bears_is_an_error(run):
    with pytest.raises(NotFoundError, match="there is no unit 'VKS Atlantis' on 2026-11-25"):
        run("show", "VKS Atlantis", "--as-of", "2026-11-25")


@pytest.mark.parametrize("day", ["30/6/2025", "2025-02-30", "yesterday"])
def test_what_is_no_day_is_an_error(run, day):
    with pytest.raises(ContentError, match="is not a day; expected a date such as"):
        run("list", "--as-of", day)
