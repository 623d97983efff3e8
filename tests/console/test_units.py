"""The tree of units as of a day, found by old names, and a unit with its history; nothing beyond the reader's scope."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

import pytest
from inventory_pages import SECTOR, texts
from msgspec.structs import replace

from console.directory import Directory
from core.scope import Grant
from inventory.records import Inventory
from inventory.units import UnitFact

DAYS = ("2025-06-30", "2025-07-01", "2026-01-31", "2026-02-01")


def branches(page: str) -> list[str]:
    """The units that have units below."""
    return texts(page, r"<summary><b>([^<]+)</b>")


def row(page: str, name: str) -> str:
    """What stands beside a unit's name in the tree."""
    (found,) = re.findall(rf"<summary><b>{name}</b>(.*?)</summary>", page, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", found)).strip()


def hits(page: str) -> list[str]:
    return texts(page, r'<li><a href="/units/([^"?]+)[^"]*">')


def test_the_tree_of_today_has_the_counts_and_health_of_what_lies_below(at):
    page = at().get("/units").text
    assert "34 cấp tỉnh" in page
    assert row(page, "VKSND tối cao") == "7 điểm cầu ▲ Suy giảm"
    assert row(page, "VKSND thành phố Đà Nẵng") == "2 điểm cầu ▲ Suy giảm"
    assert 'VKSND tỉnh Lào Cai</a> <span class="tally">2 điểm cầu</span> <span class="health up">' in page


def test_children_stand_in_vietnamese_order(at):
    page = at().get("/units").text
    shown = texts(page, r'<li class="leaf"><a href="/units/vks-[^"]+">VKSND tỉnh ([^<]+)</a>')
    assert shown[:6] == ["An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Đắk Lắk", "Điện Biên"]


def test_the_tree_of_an_earlier_day_has_the_units_and_names_of_that_day(at):
    page = at().get("/units?day=2025-06-30").text
    assert "63 cấp tỉnh" in page
    assert "VKSND tỉnh Yên Bái" in page
    assert "khu vực 1" not in page
    assert 'class="health' not in page
    assert '<input id="day" name="day" type="date" value="2025-06-30"' in page
    assert 'VKSND tỉnh Yên Bái</a> <span class="tally">1 điểm cầu' in page
    assert "5 điểm cầu chỉ đếm ở cấp trên" in page  # of units with two predecessors, or none
    assert row(page, "VKSND tối cao") == "7 điểm cầu"


@pytest.mark.parametrize("day", ["2025-13-01", "x", "0001-01-01", "99999-01-01"])
def test_a_day_that_is_none_is_told_and_today_is_shown(at, day):
    page = at().get(f"/units?day={day}").text
    assert "Ngày không hợp lệ" in page
    assert "34 cấp tỉnh" in page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Yên Bái", ["vks-lao-cai"]),
        ("yen bai", ["vks-lao-cai"]),
        ("VKSND tỉnh Yên Bái", ["vks-lao-cai"]),
        ("da nang", ["vks-da-nang", "vks-da-nang-kv1", "tc-vien-phuc-tham-da-nang"]),
        ("đa nang", []),
        ("vks-hue", ["vks-hue"]),
        ("no such unit", []),
    ],
)
def test_units_are_found_by_any_name_without_diacritics(at, text, found):
    assert hits(at().get(f"/units?q={text}").text) == found


def test_nothing_looked_for_is_the_whole_tree(at):
    page = at().get("/units?q=+").text
    assert hits(page) == []
    assert "34 cấp tỉnh" in page


def test_what_is_found_by_an_old_name_says_so(at):
    assert "Trước đây: VKSND tỉnh Lào Cai; VKSND tỉnh Yên Bái" in at().get("/units?q=yen+bai").text


def test_somebody_of_one_province_sees_that_alone_and_its_former_units(at):
    browser = at(Grant("viewer", "vks-lao-cai"))
    page = browser.get("/units").text
    assert texts(page, r'href="/units/(vks-[^"?]+)') == ["vks-lao-cai"]
    assert "1 cấp tỉnh." in page
    before = browser.get("/units?day=2025-06-30").text
    assert "2 cấp tỉnh." in before
    assert texts(before, r'href="/units/(vks-[^"?]+)') == ["vks-lao-cai-2014", "vks-yen-bai"]
    assert hits(browser.get("/units?q=da+nang").text) == []
    unit = browser.get("/units/vks-lao-cai").text
    assert "tối cao" not in unit
    for path in ("/units/vks-da-nang", "/units/vks-toi-cao", "/units/nowhere"):
        assert browser.get(path).status_code == 404


def test_a_unit_that_is_not_there_is_told_in_vietnamese(at):
    answer = at().get("/units/nowhere")
    assert answer.status_code == 404
    assert "Không có đơn vị &#39;nowhere&#39;" in answer.text
    assert '<a href="/units">Về cây đơn vị</a>' in answer.text


def test_a_unit_tells_from_whom_it_took_over_with_the_days_before_and_after(at):
    page = unescape(at().get("/units/vks-lao-cai").text)
    assert '<a href="/units/vks-yen-bai?day=2025-06-30">Viện kiểm sát nhân dân tỉnh Yên Bái</a>' in page
    assert '<a href="/units/vks-yen-bai?day=2025-06-30">Xem ngày trước đó</a>' in page
    assert '<a href="/units/vks-lao-cai?day=2025-07-01">Xem ngày thay đổi</a>' in page
    assert "NQ 84/2025/UBTVQH15" in page
    assert "Trụ sở Yên Bái" in page
    assert "Trụ sở Lào Cai" in page
    assert '<a href="/sites?unit=vks-lao-cai">Xem 2 điểm cầu' in page


def test_a_former_unit_is_told_as_on_its_last_day_and_who_carries_it_on(at):
    page = unescape(at().get("/units/vks-yen-bai").text)
    assert "không tồn tại ngày" in page
    assert "Viện kiểm sát nhân dân tỉnh Lào Cai" in page
    assert "Trụ sở Yên Bái" in page
    then = at().get("/units/vks-yen-bai?day=2025-06-30").text
    assert "không tồn tại" not in then
    assert "Tình hình ngày 30/06/2025." in then


def test_every_link_of_a_unit_opens(at):
    browser = at()
    for path in ("/units/vks-lao-cai", "/units/vks-yen-bai", "/units?day=2025-06-30", "/sites/yb"):
        for link in set(texts(browser.get(path).text, r'href="(/(?:units|sites|devices)[^"]*)"')):
            assert browser.get(link).status_code == 200, link


def test_dated_facts_of_a_unit_lead_to_their_days(at):
    fact = UnitFact(unit="vks-hue", what="name", value="Tên <cũ>", valid_to="2019-12-31", source="QĐ 1")
    inventory = dataclasses.replace(SECTOR, unit_facts=(*SECTOR.unit_facts, fact))
    page = at(inventory=inventory).get("/units/vks-hue").text
    assert "Tên &lt;cũ&gt;" in page
    assert '<a href="/units/vks-hue?day=2019-12-31">đến 31/12/2019</a>' in page


def test_an_inventory_without_units_says_how_to_import_one(at):
    assert "haidang inventory import" in at(inventory=Inventory()).get("/units").text


def test_the_province_of_a_site_is_its_own_word_else_that_of_its_unit():
    found = Directory(SECTOR, "2026-11-21").provinces
    assert found == {"dc": "01", "dn": "48", "dn1": "48", "ag": "91", "lc": "15", "yb": "15", "ct": "92"}


def test_a_unit_without_a_code_lies_where_its_name_says():
    facts = tuple(fact for fact in SECTOR.unit_facts if fact.what != "code.gso")
    found = Directory(dataclasses.replace(SECTOR, unit_facts=facts), "2026-11-21").provinces
    assert found == Directory(SECTOR, "2026-11-21").provinces


def test_a_site_counts_only_while_it_is_open(at):
    sites = tuple(replace(site, opened="2025-07-01", closed="2026-01-31") for site in SECTOR.sites)
    browser = at(inventory=dataclasses.replace(SECTOR, sites=sites))
    counts = {day: browser.get(f"/units?day={day}").text.count("điểm cầu</span>") for day in DAYS}
    assert [bool(count) for count in counts.values()] == [False, True, True, False]


def test_what_several_carried_is_counted_above_all_of_them():
    before = Directory(SECTOR, "2025-06-30")
    assert before.lineage("vks-yen-bai") == ("vks-toi-cao", "vks-yen-bai")
    assert before.lineage("vks-lao-cai") == ("vks-toi-cao",)
    assert before.lineage("vks-da-nang-kv1") == ("vks-toi-cao",)
    assert before.lineage("nowhere") == ()
    assert Directory(SECTOR, "2026-01-01").lineage("vks-yen-bai") == ("vks-toi-cao", "vks-lao-cai")
