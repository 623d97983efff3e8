"""The leader's page: few figures in plain words, each with a list of exactly what it counts, and none made up."""

from __future__ import annotations

import re

import pytest
from inventory_pages import NOW, SOURCES
from msgspec.structs import replace

from console.clocks import clocks, deadline, overdue
from console.figures import MOST_FIGURES
from core.clock import HOUR, MINUTE
from core.incident import Incident, State
from core.records import Severity
from core.scope import Grant
from core.sources import Sources
from inventory.records import Inventory

INCIDENT = Incident(
    id=7, cause="c", object=(), title={"vi": "Một"}, severity=Severity.LOW, occurred=0, detected=NOW, updated=NOW
)


@pytest.fixture
def leader(at):
    """``leader(unit="", ...)`` is a leader's browser."""
    return lambda unit="", **more: at(Grant("leader", unit), **more)


def figures(page: str) -> dict[str, tuple[str, str]]:
    """By key: the number as it is written, and the list that it opens."""
    found = {}
    for key, card in re.findall(r'<li class="card-figure \w+" id="figure-(\w+)">(.*?)</li>', page, re.DOTALL):
        value = re.search(r'<p class="value[^>]*>(.*?)</p>', card, re.DOTALL)
        link = re.search(r'href="([^"]+)"', card)
        assert value
        assert link
        found[key] = (re.sub(r"<[^>]+>", "", value[1]).strip(), link[1])
    return found


def test_the_figures_are_few_and_count_what_there_is(leader, store):
    store(sites=("dn",), severity=Severity.HIGH, detected=NOW - 80 * HOUR)
    store(sites=("lc",), severity=Severity.LOW, cause="b", detected=NOW - 30 * HOUR)
    store(sites=("ct",), severity=Severity.CRITICAL, cause="c", detected=NOW - HOUR)
    store(sites=("lc",), cause="d", detected=NOW - MINUTE, state=State.CLOSED)
    found = figures(leader().get("/leader").text)
    assert len(found) <= MOST_FIGURES
    assert {key: value for key, (value, _) in found.items()} == {
        "sites": "7",
        "watched": "3 trên 7",
        "reachable": "2 trên 3",
        "sources": "2 trên 4",
        "serious": "2",
        "new": "2",
        "overdue": "1",
        "provinces": "2 trên 3",
    }


def test_each_figure_opens_a_list_of_as_many_that_the_leader_may_open(leader, store):
    for number in range(3):
        store(sites=("dn",), severity=Severity.HIGH, cause=f"c{number}", detected=NOW - (50 - number) * HOUR)
    store(sites=("lc",), severity=Severity.LOW, cause="low", detected=NOW - HOUR)
    browser = leader()
    for key, (value, link) in figures(browser.get("/leader").text).items():
        answer = browser.get(link)
        assert answer.status_code == 200, link
        if key not in {"provinces", "sources"}:
            assert answer.text.count("data-row=") == int(value.split()[0]), key


def test_every_link_of_the_page_opens_for_the_leader(leader, store):
    store(sites=("dn",))
    browser = leader()
    pages = [browser.get(path).text for path in ("/leader", "/leader/serious", "/leader/overdue", "/map")]
    links = {link for page in pages for link in re.findall(r'<a[^>]* href="(/[^"#]*)"', page)}
    assert {link: browser.get(link).status_code for link in links if browser.get(link).status_code != 200} == {}


def test_what_is_not_known_is_said_and_never_zero(leader):
    found = figures(leader(inventory=Inventory(), told=Sources()).get("/leader").text)
    missing = {key for key, (value, _) in found.items() if value == "chưa có số liệu"}
    assert missing == {"sites", "watched", "reachable", "sources", "provinces"}


def test_old_figures_of_sources_count_no_site_as_reachable(leader):
    told = Sources(written=NOW - HOUR, sources=SOURCES)
    found = figures(leader(told=told).get("/leader").text)
    missing = {key for key, (value, _) in found.items() if value == "chưa có số liệu"}
    assert missing == {"reachable", "sources", "provinces"}


def test_a_leader_of_one_province_has_its_figures_alone(leader, store):
    store(sites=("dn",), severity=Severity.HIGH)
    found = figures(leader("vks-lao-cai").get("/leader").text)
    assert (found["sites"][0], found["serious"][0], found["provinces"][0]) == ("2", "0", "0 trên 1")


def test_the_page_says_what_the_deadlines_are_and_what_is_counted(leader):
    page = leader().get("/leader").text
    assert "Sự cố mức Cao trở lên: 24 giờ" in page
    assert "Mọi sự cố: 72 giờ" in page
    assert "NĐ 331/2026/NĐ-CP" in page
    assert "Nền tảng chưa ghi việc đã báo cáo" in page


def test_a_list_that_is_none_of_the_figures_is_not_there(leader):
    assert leader().get("/leader/nonsense").status_code == 404


@pytest.mark.parametrize("role", ["auditor", "wallboard"])
def test_who_may_open_none_of_the_lists_has_no_such_page(at, role):
    assert at(Grant(role)).get("/leader").status_code == 403


@pytest.mark.parametrize(
    ("severity", "hours", "is_late"),
    [
        (Severity.LOW, 71, False),
        (Severity.LOW, 73, True),
        (Severity.MEDIUM, 25, False),
        (Severity.HIGH, 23, False),
        (Severity.HIGH, 25, True),
        (Severity.CRITICAL, 25, True),
    ],
)
def test_an_incident_is_late_once_the_first_of_its_clocks_has_ended(severity, hours, is_late):
    one = replace(INCIDENT, severity=severity, detected=NOW - hours * HOUR)
    assert (overdue([one], NOW) == [one]) is is_late


def test_a_closed_incident_and_one_from_before_the_decree_have_no_clock():
    assert deadline(replace(INCIDENT, state=State.CLOSED)) == 0
    assert deadline(replace(INCIDENT, detected=NOW - 365 * 24 * HOUR)) == 0


def test_the_longest_overdue_stands_first():
    ones = [replace(INCIDENT, id=n, detected=NOW - (80 + n) * HOUR) for n in range(3)]
    assert [one.id for one in overdue(ones, NOW)] == [2, 1, 0]


def test_every_clock_says_where_it_is_written():
    assert [(one.hours, one.least_severity, one.valid_from) for one in clocks()] == [
        (24, Severity.HIGH, "2026-08-19"),
        (72, Severity.INFORMATIONAL, "2026-08-19"),
    ]
    assert all("331/2026" in one.source for one in clocks())
