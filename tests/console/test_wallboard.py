"""The wallboard: figures alone, nothing about persons, nothing to click that its account may not open."""

from __future__ import annotations

import re

import pytest
from inventory_pages import NOW, SOURCES

from core.clock import HOUR
from core.records import Severity
from core.scope import Grant
from core.sources import Sources

COUNT = re.compile(r'<b>(\d+)</b> <span class="(?:severity|health) (\w+)">')


@pytest.fixture
def board(at):
    return lambda *given, **more: at(*(given or (Grant("wallboard"),)), **more)


def test_the_wallboard_counts_open_incidents_sites_and_silent_sources(board, store):
    store(sites=("dn",), severity=Severity.CRITICAL)
    store(sites=("lc",), severity=Severity.LOW, cause="b")
    page = board().get("/wallboard").text
    assert {word: int(count) for count, word in COUNT.findall(page)} == {
        "critical": 1,
        "high": 0,
        "medium": 0,
        "low": 1,
        "informational": 0,
        "down": 1,
        "degraded": 1,
        "unknown": 4,
        "up": 1,
    }
    assert "<b>2</b> <span>trên 4</span>" in page


def test_it_holds_no_name_of_a_user_no_address_and_no_raw_line(board, store, make_alert):
    store(make_alert(b"a raw line of somebody"), sites=("dn",), owner="binh", devices=("RT-DN",))
    page = board().get("/wallboard").text
    body = page[page.index("<body>") :]
    for text in ("binh", "203.0.113.7", "RT-DN", "raw line", "SSH", "Trụ sở"):
        assert text not in body
    assert not re.search(r"\b(an|binh)\b", re.sub(r"<[^>]+>", " ", body))
    assert "/password" not in body


def test_its_account_sees_nothing_else_and_it_has_no_link(board):
    browser = board()
    page = browser.get("/wallboard").text
    assert re.findall(r'<a[^>]* href="([^"]+)"', page) == ["#main"]
    assert "<nav" not in page
    for path in ("/sites", "/units", "/map", "/leader", "/sources", "/sites.json", "/leader/serious", "/stream"):
        assert browser.get(path).status_code == 403
    assert browser.get("/").headers["location"] == "/wallboard"


def test_it_asks_for_its_part_each_half_minute_and_says_when_the_line_is_lost(board):
    browser = board()
    page = browser.get("/wallboard").text
    assert 'data-polls hx-get="/wallboard/part" hx-trigger="every 30s"' in page
    assert 'id="lost"' in page
    assert browser.get("/wallboard/part").text.startswith('<section id="board"')


def test_what_is_not_known_is_said_and_never_zero(board):
    page = board(told=Sources(written=NOW - HOUR, sources=SOURCES)).get("/wallboard").text
    assert "chưa có số liệu" in page
    assert {word: count for count, word in COUNT.findall(page)}["unknown"] == "7"
    assert "tình trạng hiện nay chưa rõ" in page


def test_a_board_of_one_province_counts_that_alone(board, store):
    store(sites=("dn",), severity=Severity.CRITICAL)
    page = board(Grant("wallboard", "vks-lao-cai")).get("/wallboard").text
    counts = {word: int(count) for count, word in COUNT.findall(page)}
    assert (counts["critical"], counts["up"], counts["unknown"], counts["down"]) == (0, 1, 1, 0)


def test_a_leader_comes_back_from_it(board):
    assert '<a href="/leader">' in board(Grant("leader")).get("/wallboard").text
