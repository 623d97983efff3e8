"""A device's page: its facts, how long it is still supported, its place, ports, log sources and incidents."""

from __future__ import annotations

import re
from html import unescape

import pytest
from inventory_pages import SECTOR

from console.device_views import end_of
from core.scope import Grant


def plain(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_a_device_has_a_page_with_its_facts_and_place(at):
    page = plain(at().get("/devices/RT-DN").text)
    for text in ("Cisco X1", "Phòng 101 › Tủ A", "Vị trí trong tủ (U) 7", "Nối trong mạng lõi 10 Mbit/s", "đọc và ghi"):
        assert text in page
    assert "Truy cập chưa biết" in page
    assert "Hãng hỗ trợ đến 01/12/2026 còn 9 ngày" in page
    assert "Bảo hành đến chưa biết" in page


def test_what_has_ended_is_told_in_words_and_a_device_that_is_only_read_too(at):
    page = plain(at().get("/devices/FW-DN").text)
    assert "Bảo hành đến 01/11/2026 đã hết hạn 21 ngày" in page
    assert "chỉ đọc" in page
    assert "không bao giờ thay đổi cấu hình" in page


@pytest.mark.parametrize(
    ("day", "state", "days"),
    [("", "unknown", ""), ("2026-11-20", "over", "1"), ("2026-11-21", "soon", "0"), ("2027-03-01", "ahead", "100")],
)
def test_the_last_day_still_counts(day, state, days):
    end = end_of(day, "2026-11-21", "vi")
    assert (end.state, end.days) == (state, days)


def test_a_device_is_known_by_its_name_in_any_case(at):
    assert at().get("/devices/rt-dn").status_code == 200


def test_a_device_outside_of_the_scope_is_as_one_that_is_not_there(at):
    browser = at(Grant("analyst", "vks-lao-cai"))
    for name in ("RT-DN", "nowhere"):
        answer = browser.get(f"/devices/{name}")
        assert answer.status_code == 404
        assert f"Không có thiết bị &#39;{name}&#39;" in answer.text
    assert browser.get("/devices/RT-LC").status_code == 200


def test_log_source_incidents_and_events_are_shown_to_who_may_see_them(at, store):
    store(sites=("dn",), devices=("FW-DN",))
    store(sites=("dn",), devices=("RT-DN",), cause="other")
    page = at().get("/devices/FW-DN").text
    assert "Im lặng" in page
    assert 'href="/sources/addr-FW-DN"' in page
    assert 'href="/incidents/1"' in page
    assert 'href="/incidents/2"' not in page
    assert 'href="/events?q=host.name%3A' in page
    viewer = at(Grant("viewer")).get("/devices/FW-DN").text
    assert 'href="/incidents/1"' in viewer
    assert "/events" not in viewer
    auditor = at(Grant("auditor")).get("/devices/FW-DN").text
    assert "/incidents" not in auditor
    assert "/sources" not in auditor


def test_every_device_of_a_site_is_reached_from_its_page(at):
    browser = at()
    links = re.findall(r'href="(/devices/[^"]+)"', browser.get("/sites/dn").text)
    assert {link.rpartition("/")[2] for link in links} == {"RT-DN", "FW-DN"}
    assert all(browser.get(link).status_code == 200 for link in links)
    assert len(SECTOR.devices) == 3
