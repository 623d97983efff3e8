"""The sources' pages: the list with its filters, one source, and what is noteworthy about it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from console.source_views import AskedSources, duration, number, source_row
from core.clock import HOUR, SECOND
from core.sources import Source, Sources, SourceState, write_sources

NOW = 1_795_300_000_000_000_000


def source(address, **changed):
    values = {
        "address": address,
        "device": "fw-hn",
        "site": "hn",
        "known": True,
        "kinds": ("fortinet/traffic",),
        "ways": ("udp", "relp"),
        "first": NOW - 24 * HOUR,
        "last": NOW - 3 * SECOND,
        "state": SourceState.ALIVE,
        "since": NOW - HOUR,
        "rate": 12.34,
        "usual": 10.0,
        "received": 12_345,
        "stored": 12_300,
        "duplicates": 20,
        "quarantined": 18,
        "dropped": 7,
        "understood": 12_177,
        "untrusted": 4,
        "lag": 0.42,
        "offset": -3.2,
        "zone": "Asia/Tokyo",
        "zone_from": "settings",
        "limit": 900.0,
        "limit_from": "learnt",
    }
    return Source(**(values | changed))


@pytest.fixture
def put(tmp_path):
    """Makes these sources the file of the lane."""

    def putting(*sources, **changed):
        write_sources(tmp_path / "sources.json", Sources(written=NOW, sources=sources, **changed))

    return putting


def names(page):
    return [unescape(name) for name in re.findall(r'<a href="/sources/[^"]+">([^<]+)</a>', page)]


def test_a_row_tells_all_that_a_person_on_duty_needs(analyst, put):
    put(source("10.1.0.1"))
    page = unescape(analyst.get("/sources").text)
    for text in ("Đang gửi", "fw-hn", "10.1.0.1", "Viện KSND thành phố Hà Nội", "fortinet/traffic", "(udp, relp)"):
        assert text in page
    figures = re.findall(r'class="figure[^"]*" data-label="[^"]+">([^<]+)<', page)
    assert figures == ["12,3", "10,0", "0,4 giây", "99,0 %", "7", "18", "chậm 3,2 giây"]
    assert page.count('class="figure bad"') == 2
    assert "Hiện 1 trong 1 nguồn." in page


def test_what_is_not_known_is_not_made_up(analyst, put):
    put(source("10.1.0.1", device="", site="", known=False, lag=None, offset=None, usual=0.0, stored=0, understood=0))
    page = analyst.get("/sources").text
    assert re.findall(r'class="figure" data-label="[^"]+">([^<]+)<', page)[1:4] == ["–", "–", "–"]
    assert "chưa có trong danh mục" in page
    assert names(page) == ["10.1.0.1"]


@pytest.mark.parametrize(
    ("changed", "told", "marked"),
    [
        ({"offset": -0.04}, "", False),
        ({"offset": 0.99}, "", False),
        ({"offset": 1.0}, "nhanh 1,0 giây", False),
        ({"offset": -86_400.0, "ways": ("file",)}, "", False),
        ({"offset": -3.2, "ways": ("file", "udp")}, "chậm 3,2 giây", True),
    ],
)
def test_a_clock_is_told_where_it_is_off_and_its_lag_says_so(changed, told, marked):
    row = source_row(source("10.1.0.1", **changed), {}, NOW, "vi", AskedSources())
    assert (row.offset, row.is_off) == (told, marked)


def test_an_empty_list_says_why(analyst, put):
    assert "Chưa nghe thấy nguồn nhật ký nào" in analyst.get("/sources").text
    put(source("10.1.0.1"))
    assert "Không có nguồn nào như vậy" in analyst.get("/sources?q=nowhere").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c", "d", "b", "a"]),
        ("state=silent", ["c"]),
        ("state=unknown", ["b"]),
        ("state=nonsense&sort=nonsense", ["c", "d", "b", "a"]),
        ("sort=rate", ["a", "b", "c", "d"]),
        ("sort=last", ["b", "a", "d", "c"]),
        ("sort=drops", ["d", "a", "b", "c"]),
        ("q=da+nang", ["d"]),
        ("q=đa", []),
        ("q=10.2+windows", ["b"]),
    ],
)
def test_each_filter_and_order_shows_its_own(analyst, put, query, found):
    put(
        source("10.1.0.1", device="a", rate=50.0),
        source("10.2.0.1", device="b", rate=40.0, known=False, last=NOW, dropped=0, kinds=("windows/security",)),
        source("10.3.0.1", device="c", rate=30.0, state=SourceState.SILENT, last=NOW - HOUR, dropped=0, quarantined=0),
        source(
            "10.4.0.1",
            device="d",
            rate=20.0,
            state=SourceState.SURGING,
            last=NOW - 60 * SECOND,
            dropped=9,
            site="đà nẵng",
        ),
    )
    assert names(analyst.get(f"/sources?{query}").text) == found
    assert [one["device"] for one in analyst.get(f"/sources.json?{query}").json()] == found


def test_tabs_count_what_the_search_would_show(analyst, put):
    put(source("10.1.0.1"), source("10.2.0.1", known=False, state=SourceState.SILENT))
    tabs = re.compile(r'<a href="/sources[^"]*"(?: aria-current="true")?>(\D+ \d+)</a>')
    expected = ["Tất cả 1", "Im lặng 1", "Tăng đột biến 0", "Đang học 0", "Đang gửi 0", "Chưa có trong danh mục 1"]
    assert tabs.findall(analyst.get("/sources?q=10.2").text) == expected


def test_a_source_has_a_page_with_all_figures_and_leads_to_its_events(analyst, put):
    put(source("2001:db8::1", device="fw-6"), unlisted=3)
    assert "Còn 3 nguồn" in analyst.get("/sources").text
    (link,) = re.findall(r'href="(/sources/[^"?]+)"', analyst.get("/sources").text)
    page = unescape(analyst.get(link).text)
    for text in (
        "12.345",
        "12.300",
        "12.177",
        "Asia/Tokyo",
        "thiết lập",
        "15 phút",
        "tự học",
        "chậm 3,2 giây",
        "99,0 %",
    ):
        assert text in page
    assert 'href="/events?q=observer.ip%3A%222001%3Adb8%3A%3A1%22&span=24h"' in page
    assert 'href="/events?q=observer.ip%3A%222001%3Adb8%3A%3A1%22&span=7d&quarantined=1"' in page


def test_a_source_that_is_not_there_is_told_in_vietnamese(analyst):
    answer = analyst.get("/sources/10.9.9.9")
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text
    assert '<li><a href="/sources">Về danh sách nguồn nhật ký</a></li>' in answer.text


def test_a_hostile_name_is_only_text(analyst, put):
    put(source('<b>&"', device="<script>\x1b[2J", kinds=("<i>/x",)))
    page = analyst.get("/sources").text
    assert "<script>\x1b" not in page
    assert "‹ESC›" in page
    assert analyst.get(re.findall(r'href="(/sources/[^"]+)"', page)[0]).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0,0 giây"),
        (9.94, "9,9 giây"),
        (59, "59 giây"),
        (60, "1 phút"),
        (7200, "2 giờ"),
        (200_000, "2 ngày"),
        (-5, "0,0 giây"),
    ],
)
def test_a_duration_is_told_in_the_largest_whole_unit(seconds, told):
    assert duration(seconds, "vi") == told


def test_numbers_are_written_as_the_language_writes_them():
    assert number(1234567.89, "vi", 1) == "1.234.567,9"
    assert number(1234567.89, "en", 1) == "1,234,567.9"
