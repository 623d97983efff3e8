"""The map of how the provinces are: each tile counts its sites, leads to them, and shows nothing beyond the scope."""

from __future__ import annotations

import re

import pytest
from inventory_pages import NOW, SOURCES, texts

from core.clock import HOUR
from core.scope import Grant
from core.sources import Sources


def tiles(page: str) -> dict[str, str]:
    """Health by code of the provinces that are not unknown."""
    found = re.findall(r'class="tile map-(\w+)"[^>]* data-code="(\d+)"', page)
    return {code: health for health, code in found if health != "unknown"}


def test_the_map_shows_each_province_as_its_watched_sites_are(at):
    assert tiles(at().get("/map").text) == {"15": "up", "48": "degraded", "91": "down"}


def test_a_tile_counts_its_sites_and_leads_to_them(at):
    browser = at()
    page = browser.get("/map").text
    assert "Đà Nẵng: suy giảm. 2 điểm cầu: 1 suy giảm, 1 chưa có số liệu." in page
    assert 'href="/sites?province=48"' in page
    assert browser.get("/sites?province=48").text.count("data-row=") == 2


def test_the_worst_provinces_stand_beside_it_the_worst_first(at):
    page = at().get("/map").text
    assert texts(page, r'<a href="/sites\?province=\d+">([^<]+)</a>') == ["An Giang", "Đà Nẵng"]


def test_a_province_without_a_watched_site_is_never_up(at):
    page = at().get("/map").text
    assert "Cần Thơ: chưa có số liệu. 1 điểm cầu: 1 chưa có số liệu." in page


@pytest.mark.parametrize("told", [Sources(), Sources(written=NOW - HOUR, sources=SOURCES)])
def test_what_is_old_colours_no_tile(at, told):
    page = at(told=told).get("/map").text
    assert tiles(page) == {}
    assert "tình trạng hiện nay chưa rõ" in page


def test_somebody_of_one_province_sees_the_counts_of_that_alone(at):
    page = at(Grant("viewer", "vks-lao-cai")).get("/map").text
    assert tiles(page) == {"15": "up"}
    assert "Đà Nẵng: chưa có số liệu. Chưa biết điểm cầu nào." in page
    assert re.findall(r'href="(/sites\?province=\d+)"', page) == ["/sites?province=15"]


def test_the_live_part_is_asked_for_quietly_and_has_no_frame(at):
    part = at().get("/map/part").text
    assert part.startswith('<section id="board"')
    assert "<html" not in part


@pytest.mark.parametrize("role", ["auditor", "wallboard"])
def test_who_may_not_read_sources_has_no_map(at, role):
    assert at(Grant(role)).get("/map").status_code == 403
