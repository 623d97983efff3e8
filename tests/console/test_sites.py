"""The list of sites and a site: in Vietnamese order, found as people type, never beyond the reader's scope."""

from __future__ import annotations

import dataclasses
import re
import time
from html import unescape

import pytest
from inventory_pages import NOW, SECTOR, SOURCES
from msgspec.structs import replace
from sectors import large_sector, large_sources

from core.clock import HOUR
from core.records import Severity
from core.scope import Grant
from core.sources import Sources
from inventory.records import Inventory

IN_ORDER = ["Trụ sở An Giang", "Trụ sở Ấp Mới", "Trụ sở Đà Nẵng", "Trụ sở Lào Cai", "Trụ sở Sơn Trà", "Trụ sở Yên Bái"]


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<td class="c-title"><a href="/sites/[^"]+">([^<]+)</a>', page)]


def test_sites_stand_in_vietnamese_order(at):
    assert names(at().get("/sites").text) == [*IN_ORDER, "Trung tâm dữ liệu"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=da+nang", ["dn", "dn1"]),
        ("q=đa", []),
        ("q=Đà", ["dn", "dn1"]),
        ("q=lao+cai", ["lc", "yb"]),
        ("q=YEN+BAI", ["yb"]),
        ("province=15", ["lc", "yb"]),
        ("province=01", ["dc"]),
        ("unit=vks-da-nang", ["dn", "dn1"]),
        ("unit=vks-da-nang-kv1", ["dn1"]),
        ("unit=vks-lao-cai", ["lc", "yb"]),
        ("unit=nowhere", []),
        ("tier=DC", ["dc"]),
        ("life=commissioning", ["yb"]),
        ("health=up", ["lc"]),
        ("health=degraded", ["dn"]),
        ("health=down", ["ag"]),
        ("health=unknown", ["ct", "dn1", "yb", "dc"]),
        ("health=watched", ["ag", "dn", "lc"]),
        ("health=reachable", ["dn", "lc"]),
        ("health=nonsense", []),
        ("page=99", ["ag", "ct", "dn", "lc", "dn1", "yb", "dc"]),
        ("page=x", ["ag", "ct", "dn", "lc", "dn1", "yb", "dc"]),
    ],
)
def test_each_filter_shows_its_own_in_the_list_and_for_programs(at, query, found):
    browser = at()
    assert re.findall(r'data-row="([^"]+)"', browser.get(f"/sites?{query}").text) == found
    assert [one["id"] for one in browser.get(f"/sites.json?{query}").json()] == found


def test_tabs_count_what_they_would_show(at):
    page = at().get("/sites?q=da+nang").text
    tabs = re.findall(r'<a href="/sites\?[^"]*q=[^"]*"(?: aria-current="true")?>([^<]+ \d+)</a>', page)
    assert tabs == ["Tất cả 2", "Mất kết nối 0", "Suy giảm 1", "Chưa có số liệu 1", "Tốt 0"]


def test_a_hundred_sites_stand_on_a_page(at):
    browser = at(inventory=large_sector(230, 230))
    assert [len(names(browser.get(f"/sites?page={page}").text)) for page in (1, 2, 3)] == [100, 100, 30]
    assert "Điểm cầu 201 đến 230 trong 230." in browser.get("/sites?page=3").text


def test_somebody_of_one_province_sees_nothing_of_another(at, store):
    store(sites=("dn", "lc"), severity=Severity.CRITICAL)
    browser = at(Grant("analyst", "vks-lao-cai"))
    page = browser.get("/sites").text
    assert names(page) == ["Trụ sở Lào Cai", "Trụ sở Yên Bái"]
    assert "Tất cả 2" in page
    assert [one["id"] for one in browser.get("/sites.json?unit=vks-da-nang").json()] == []
    assert "Đà Nẵng" not in page
    assert "Đà Nẵng" not in browser.get("/sites?unit=vks-da-nang&q=da+nang").text
    assert browser.get("/sites.json?q=da+nang").json() == []
    for path in ("/sites/dn", "/sites/dc", "/devices/RT-DN", "/devices/rt-dn", "/units/vks-da-nang"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "Trụ sở" not in answer.text
    assert "Đà Nẵng" not in browser.get("/sites/lc").text


def test_a_site_outside_is_told_as_one_that_is_not_there(at):
    browser = at(Grant("analyst", "vks-lao-cai"))
    outside, nowhere = browser.get("/sites/dn").text, browser.get("/sites/nowhere").text
    assert re.sub(r"dn\b", "nowhere", outside) == nowhere
    assert '<a href="/sites">Về danh sách điểm cầu</a>' in outside


def test_a_serious_incident_degrades_its_site_and_a_lesser_one_does_not(at, store):
    browser = at()
    store(sites=("lc",), severity=Severity.MEDIUM)
    assert [one["id"] for one in browser.get("/sites.json?health=up").json()] == ["lc"]
    store(sites=("lc", "ct"), severity=Severity.HIGH, cause="other")
    found = {one["id"]: one for one in browser.get("/sites.json").json()}
    assert (found["lc"]["health"], found["lc"]["incidents"]) == ("degraded", 2)
    assert (found["ct"]["health"], found["ct"]["incidents"]) == ("unknown", 1)


def test_a_retired_site_is_not_down_for_its_silence(at):
    sites = tuple(replace(site, life_cycle="retired") if site.id == "ag" else site for site in SECTOR.sites)
    browser = at(inventory=dataclasses.replace(SECTOR, sites=sites))
    assert [one["health"] for one in browser.get("/sites.json?q=an+giang").json()] == ["unknown"]


@pytest.mark.parametrize("told", [Sources(), Sources(written=NOW - HOUR, sources=SOURCES)])
def test_no_site_is_up_while_the_lane_tells_nothing_new(at, told):
    browser = at(told=told)
    assert {one["health"] for one in browser.get("/sites.json").json()} == {"unknown"}
    assert "tình trạng hiện nay chưa rõ" in browser.get("/sites").text
    assert "tình trạng hiện nay chưa rõ" in browser.get("/sites/dn").text


def test_who_may_not_read_sources_is_told_no_health(at):
    browser = at(Grant("auditor"))
    page = browser.get("/sites?health=down").text
    assert len(names(page)) == 7
    assert "Mất kết nối" not in page
    assert {one["health"] for one in browser.get("/sites.json").json()} == {None}
    site = browser.get("/sites/ag").text
    assert "Mất kết nối" not in site
    assert "Sự cố đang mở" not in site


def test_a_site_has_a_page_with_all_that_stands_there(at, store):
    store(sites=("dn",))
    page = unescape(at().get("/sites/dn").text)
    for text in (
        "Viện kiểm sát nhân dân thành phố Đà Nẵng",
        "trong giờ làm việc",
        "Giờ hành chính: 00:00-24:00",
        "10.1.0.0/24",
        "1800 1234",
        "↓ 20,5 Mbit/s ↑ chưa biết",
        "99,95 %",
        "Phòng 101 › Tủ A",
        "Chưa đạt",
        "10 Mbit/s, tối thiểu",
        "1 cổng hoặc đường truyền chưa biết tốc độ",
        "nghe lần cuối",
        "#1 Dò mật khẩu SSH",
    ):
        assert text in page
    assert '<a href="/sites/dc">Trung tâm dữ liệu</a>' in page
    assert 'href="/devices/RT-DN"' in page
    assert 'href="/sources/addr-FW-DN"' in page


def test_the_other_end_of_a_circuit_outside_of_the_scope_is_not_named(at):
    page = at(Grant("analyst", "vks-da-nang")).get("/sites/dn").text
    assert "dn-tslcd" in page
    assert "Trung tâm dữ liệu" not in page


def test_a_site_of_a_former_unit_is_told_with_the_unit_of_today_and_the_former_one(at):
    page = unescape(at().get("/sites/yb").text)
    assert '<a href="/units/vks-lao-cai">Viện kiểm sát nhân dân tỉnh Lào Cai</a>' in page
    assert '<a href="/units/vks-yen-bai?day=2025-06-30">Viện kiểm sát nhân dân tỉnh Yên Bái</a>' in page
    assert "đến 30/06/2025" in page


def test_a_site_without_anything_says_what_is_not_known(at):
    page = at().get("/sites/ct").text
    for text in (
        "tình trạng của điểm cầu chưa biết được",
        "Chưa ghi đường truyền nào",
        "Chưa ghi thiết bị nào",
        "chưa rõ",
    ):
        assert text in page


def test_an_inventory_without_sites_says_how_to_import_one(at):
    assert "haidang inventory import" in at(inventory=Inventory()).get("/sites").text


def test_hostile_names_are_only_text(at):
    site = replace(SECTOR.sites[0], id='<b>"&?#', name="<script>x</script>", location="<i>", province="<u>")
    browser = at(inventory=dataclasses.replace(SECTOR, sites=(site,), devices=(), places=(), circuits=(), prefixes=()))
    page = browser.get("/sites").text
    (link,) = re.findall(r'href="(/sites/[^"]+)"', page)
    for text in (page, browser.get(unescape(link)).text):
        assert not re.search(r"<script>x|<i>|<u>|<b>\"", text)
        assert "&lt;script&gt;" in text


def test_the_list_of_a_large_sector_is_made_in_little_time(at):
    inventory = large_sector(800, 10_000)
    browser = at(inventory=inventory, told=large_sources(inventory, NOW))
    browser.get("/sites")
    took = []
    for query in ("", "?q=da+nang", "?health=down", "?page=8"):
        began = time.process_time()
        assert browser.get(f"/sites{query}").status_code == 200
        took.append(time.process_time() - began)
    assert max(took) < 0.5  # some 30 ms
