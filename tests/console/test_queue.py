"""The queue: order, filters, words for every severity, rights, and the same list for programs."""

from __future__ import annotations

import re

import pytest

from console import reads
from console.reads import MOST_COUNTED
from core.incident import State, Verdict
from core.records import Severity


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-row="(\d+)"', page)]


def test_the_gravest_come_first_then_the_latest(analyst, store):
    for severity, updated in ((Severity.LOW, 9), (Severity.CRITICAL, 1), (Severity.HIGH, 2), (Severity.HIGH, 3)):
        store(severity=severity, updated=updated)
    assert numbers(analyst.get("/").text) == [2, 4, 3, 1]


def test_each_filter_shows_its_own(analyst, store):
    store()
    store(state=State.ACKNOWLEDGED, owner="an")
    store(state=State.ACKNOWLEDGED, owner="binh")
    store(state=State.CLOSED, owner="an", verdict=Verdict.BENIGN)
    assert sorted(numbers(analyst.get("/").text)) == [1, 2, 3]
    assert numbers(analyst.get("/?state=mine").text) == [2]
    assert numbers(analyst.get("/?state=closed").text) == [4]
    assert analyst.get("/?state=other").status_code == 400


@pytest.mark.parametrize("severity", list(Severity))
def test_a_severity_is_told_by_a_word_and_a_shape(analyst, store, severity):
    words = {"informational": "Thông tin", "low": "Thấp", "medium": "Trung bình", "high": "Cao"}
    store(severity=severity)
    page = analyst.get("/").text
    word = words.get(severity.value, "Nghiêm trọng")
    assert re.search(rf'class="severity {severity.value}"><span aria-hidden="true">\S</span> {word}<', page)


def test_a_row_tells_what_where_whose_and_since_when(analyst, store):
    store(owner="binh", state=State.ACKNOWLEDGED)
    page = analyst.get("/").text
    for text in ("Dò mật khẩu SSH", "source.ip 203.0.113.7", "Viện KSND thành phố Hà Nội", "binh", "Đã tiếp nhận"):
        assert text in page
    assert ">5 phút<" in page
    assert ">22/11/2026 05:21:40<" in page


def test_an_empty_queue_says_so_kindly(analyst):
    assert "Mọi việc đang yên ổn" in analyst.get("/").text
    assert "<table" not in analyst.get("/").text


def test_the_title_counts_what_nobody_has_acknowledged(analyst, store):
    assert "<title>Hàng đợi sự cố" in analyst.get("/").text
    store()
    store()
    store(state=State.ACKNOWLEDGED)
    assert "<title>(2) Hàng đợi sự cố" in analyst.get("/").text
    assert 'data-title="(2) Hàng đợi sự cố' in analyst.get("/queue?state=closed").text


def test_the_count_ends_where_counting_does(analyst, store):
    for _ in range(MOST_COUNTED):
        store()
    assert "<title>(99+) " in analyst.get("/").text


def test_the_live_part_is_the_queue_alone(analyst, store):
    store()
    page, part = analyst.get("/").text, analyst.get("/queue?state=open").text
    assert part.startswith('<section id="queue"')
    assert part.rstrip() in page


def test_a_viewer_sees_no_button_that_writes(browser, store):
    store()
    browser.sign_in("xem")
    page = browser.get("/").text
    assert numbers(page) == [1]
    assert "/acknowledge" not in page
    assert "/incidents/new" not in page


def test_programs_get_the_same_list(analyst, store):
    store()
    store(state=State.CLOSED)
    listed = analyst.get("/incidents.json?state=open").json()
    assert [(incident["id"], incident["severity"], incident["sites"]) for incident in listed] == [(1, "high", ["hn"])]
    assert [incident["id"] for incident in analyst.get("/incidents.json?state=closed").json()] == [2]


def test_a_title_is_never_markup(analyst, store):
    store(title={"vi": "<img src=x onerror=alert(1)>"}, object=(("user.name", "<b>root</b>"),))
    page = analyst.get("/").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "&lt;b&gt;root&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/", "Hiển thị 2 trong 4 sự cố"),
        ("/?state=mine", "Hiển thị 2 trong 3 sự cố"),
        ("/?state=closed", "Hiển thị 2 trong 2+ sự cố"),
    ],
)
def test_a_queue_that_is_cut_says_of_how_many_it_shows_some(analyst, store, monkeypatch, path, line):
    monkeypatch.setattr(reads, "MOST_ROWS", 2)
    for owner, state in (("an", State.NEW), ("an", State.ACKNOWLEDGED), ("an", State.NEW), ("binh", State.NEW)):
        store(owner=owner, state=state)
    for _ in range(3):
        store(state=State.CLOSED)
    page = analyst.get(path).text
    assert len(numbers(page)) == 2
    assert line in page


@pytest.mark.parametrize("chosen", ["open", "mine", "closed"])
def test_a_queue_that_is_whole_counts_nothing(analyst, store, monkeypatch, chosen):
    monkeypatch.setattr(reads, "MOST_ROWS", 2)
    for state in (State.NEW, State.ACKNOWLEDGED, State.CLOSED, State.CLOSED):
        store(owner="an", state=state)
    page = analyst.get(f"/?state={chosen}").text
    assert len(numbers(page)) == 2
    assert "Hiển thị" not in page
