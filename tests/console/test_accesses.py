"""What the console has entered in the audit chain of what its readers see."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from msgspec.structs import replace

from console.deps import Console
from console.events import noted
from console.searching import Searches
from core.clock import SECOND, HeldClock
from core.errors import UnavailableError
from core.records import Event, Logsource
from core.scope import EVERYTHING, Grant
from core.stores.event_search import Query
from core.stores.incidents import put_alert
from core.stores.spool import Spool
from core.stores.users import read_user

NOW = 1_795_300_000_000_000_000


@pytest.fixture
def stored(tmp_path):
    """Three events of Hà Nội."""
    event = Event(id="", time=NOW, seen=NOW, logsource=Logsource(product="linux"), fields={}, raw=b"x", site="hn")
    spool = Spool(tmp_path / "spool", HeldClock(NOW))
    spool.open(b"")
    spool.append([msgspec.msgpack.encode(replace(event, id=f"l/1/{n}", time=NOW - n * SECOND)) for n in range(3)])
    spool.close()


@pytest.fixture
def notes(centre):
    """Notes that the centre was given: who, what, of what, how many, whether cut short."""

    def look():
        told = [(actor, values) for action, actor, values in centre.calls if action == "access.note"]
        return [(actor, one["what"], one["object"], one["count"], one["cut"]) for actor, one in told]

    return look


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("address", ["/events/stream?span=1h", "/events.json?span=1h"])
def test_a_search_is_noted_once(analyst, notes, address):
    analyst.get(address)
    assert notes() == [("an", "search", "events", 3, False)]


@pytest.mark.usefixtures("stored")
def test_a_search_in_quarantine_is_told_apart(analyst, notes):
    analyst.get("/events/stream?quarantined=1")
    assert notes() == [("an", "search", "quarantine", 0, False)]


def test_the_page_of_the_search_alone_is_no_search(analyst, notes):
    analyst.get("/events?q=x")
    assert notes() == []


def test_a_query_that_cannot_be_read_finds_nothing_and_says_so_in_the_chain(analyst, notes):
    analyst.get("/events/stream?q=(a")
    assert notes() == [("an", "search", "events", 0, True)]


@pytest.mark.usefixtures("stored")
def test_a_search_that_is_left_is_noted_with_what_was_told(console: Console, notes):
    with console.state.connect() as connection:
        user = read_user(connection, "an")
    query = Query()

    def endless():
        while True:
            time.sleep(0.01)
            yield from console.events.find(EVERYTHING, query)

    async def leave():
        told = Searches().run(noted(console, user, query, (one._replace(done=False) for one in endless())), bool)
        assert await anext(told)
        await told.aclose()
        while not notes():  # noqa: ASYNC110 - the search's thread ends by itself
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(leave(), 10))
    ((actor, what, _, count, is_cut),) = notes()
    assert (actor, what, is_cut) == ("an", "search", True)
    assert count >= 3


def test_raw_lines_are_noted_with_the_page_and_not_with_its_live_part(analyst, store, make_alert, notes):
    store(make_alert(lines=4, site="hn"))
    analyst.get("/incidents/1")
    analyst.get("/incidents/1/part")
    assert notes() == [("an", "raw", "incident/1", 4, False)]


def test_a_live_part_that_shows_what_its_page_did_not_is_noted_once(analyst, store, make_alert, notes, state):
    stored = store(make_alert(lines=4, site="hn"))
    for _ in range(3):
        analyst.get("/incidents/1/part")
    assert notes() == [("an", "raw", "incident/1", 4, False)]
    with state.begin() as connection:
        put_alert(connection, stored.id, make_alert(lines=6, site="hn"))
    for _ in range(3):
        analyst.get("/incidents/1/part", **{"HX-Request": "true"})
    assert notes()[1:] == [("an", "raw", "incident/1", 6, False)]


def test_what_each_session_is_shown_by_a_live_part_is_noted(analyst, browse, console, store, make_alert, notes):
    store(make_alert(lines=4, site="hn"))
    other = browse(console)
    other.sign_in("binh")
    for browser in (analyst, other, analyst, other):
        browser.get("/incidents/1/part")
    assert [actor for actor, *_ in notes()] == ["an", "binh"]


def test_of_an_alert_of_two_sites_only_ones_own_lines_are_shown_and_counted(browser, centre, store, make_alert, notes):
    centre.set_grants("an", Grant("analyst", "hnoi"))
    lines = make_alert(b"line of ha noi", 3).evidence + make_alert(b"line of da nang", 2, site="dn").evidence
    store(
        make_alert(evidence=lines, count=9, site="hn", sites=("dn", "hn")), sites=("dn", "hn"), units=("dnang", "hnoi")
    )
    browser.sign_in("an")
    for path in ("/incidents/1", "/incidents/1/part"):
        page = browser.get(path).text
        assert page.count("line of ha noi") == 3
        assert "line of da nang" not in page
        assert "2 dòng của đơn vị khác không hiện." in page
        assert "4 sự kiện ở giữa" in page
    assert notes() == [("an", "raw", "incident/1", 3, False)]


def test_a_line_of_no_known_site_is_only_for_who_sees_the_sector(browser, centre, store, make_alert):
    centre.set_grants("an", Grant("analyst", "hnoi"))
    store(make_alert(evidence=make_alert(b"of nowhere", site="").evidence, site="hn"))
    browser.sign_in("an")
    assert "of nowhere" not in browser.get("/incidents/1").text


def test_an_incident_without_raw_lines_is_no_entry(analyst, store, notes):
    store()
    analyst.get("/incidents/1")
    assert notes() == []


@pytest.mark.parametrize("path", ["/incidents/1", "/incidents/1/part"])
def test_who_reads_no_events_sees_no_raw_lines(viewer, store, make_alert, notes, path):
    store(make_alert(b"secret line", site="hn"))
    page = viewer.get(path).text
    assert "secret line" not in page
    assert "/events?" not in page
    assert "Nguyên văn nhật ký chỉ hiện với người có quyền đọc nhật ký của điểm cầu này." in page
    assert notes() == []


def test_raw_lines_are_shown_for_the_sites_whose_events_one_reads(browser, centre, store, make_alert, notes):
    centre.set_grants("xem", Grant("viewer"), Grant("analyst", "hnoi"))
    store(make_alert(b"of Hanoi", site="hn"), make_alert(b"of Danang", id="alert-2", site="dn"), sites=("hn", "dn"))
    browser.sign_in("xem")
    page = browser.get("/incidents/1").text
    assert "of Hanoi" in page
    assert "of Danang" not in page
    assert notes() == [("xem", "raw", "incident/1", 1, False)]


def test_while_the_centre_is_away_what_is_seen_waits_and_goes_with_the_next(analyst, centre, store, make_alert, notes):
    store(make_alert(site="hn"))
    centre.error = UnavailableError("the centre does not answer")
    assert "one raw line" in analyst.get("/incidents/1").text
    centre.error = None
    centre.calls.clear()
    analyst.get("/incidents/1")
    assert [count for *_, count, _ in notes()] == [1, 1]


def test_where_nothing_can_be_noted_nothing_is_shown(analyst, store, make_alert, tmp_path):
    store(make_alert(site="hn"))
    (tmp_path / "accesses").write_bytes(b"in the way")
    answer = analyst.get("/incidents/1")
    assert answer.status_code == 503
    assert "one raw line" not in answer.text
