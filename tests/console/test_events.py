"""The search over events: its page, what comes by the stream, and what a reader does with it."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from html import unescape

import msgspec
import pytest

from console.event_views import AskedEvents, advance, event_row, histogram, local_time
from console.searching import Searches
from core.clock import HOUR, MINUTE, SECOND, HeldClock
from core.errors import IntegrityError, UnavailableError
from core.records import Event, Logsource
from core.scope import EVERYTHING, Grant, Scope
from core.stores.event_search import Buckets, Found, Progress
from core.stores.events import EventWriter
from core.stores.spool import Spool

NOW = 1_795_300_000_000_000_000


def event(number, message="Failed password", *, at=NOW, **fields):
    return Event(
        id=f"logs/1/{number:06}",
        time=at,
        seen=at + SECOND,
        logsource=Logsource(product="linux", service="sshd"),
        fields={"message": message, "observer.ip": "10.1.0.1", **fields},
        raw=b"<38>raw \x1b line",
        site="hn",
        device="sv-hn",
    )


@pytest.fixture
def put(tmp_path):
    """Puts events into the store's spool."""

    def putting(*events):
        spool = Spool(tmp_path / "spool", HeldClock(NOW))
        spool.open(b"")
        spool.append([msgspec.msgpack.encode(one) for one in events])
        spool.close()

    return putting


def streamed(browser, address):
    """The stream's messages, event and data; lines of data joined."""
    told = []
    for block in browser.get(address).text.replace("\r\n", "\n").strip().split("\n\n"):
        lines = block.split("\n")
        name = next((line.removeprefix("event: ") for line in lines if line.startswith("event: ")), "")
        told.append((name, "\n".join(line.removeprefix("data: ") for line in lines if line.startswith("data: "))))
    return told


def found(browser, query=""):
    """Messages of the rows that the page gets for this query string."""
    rows = "".join(data for name, data in streamed(browser, f"/events/stream?{query}") if name == "rows")
    return [unescape(text) for text in re.findall(r'class="clamp">([^<]*)<', rows)]


def test_the_page_names_the_stream_of_what_it_asks_for(analyst):
    page = unescape(analyst.get('/events?q=user.name:"a b"&span=24h').text)
    assert 'data-stream="/events/stream?q=user.name%3A%22a+b%22&span=24h"' in page
    assert 'value="user.name:"a b""' in page
    assert '<option value="24h" selected>24 giờ qua</option>' in page


def test_rows_histogram_progress_and_end_come_by_the_stream(analyst, put):
    put(*(event(n, f"line {n}", at=NOW - 4 * n * MINUTE) for n in range(5)))
    told = streamed(analyst, "/events/stream?span=1h")
    assert [name for name, _ in told] == ["rows", "histogram", "progress", "end"]
    rows, drawn, progress, end = (data for _, data in told)
    assert re.findall(r'class="clamp">([^<]*)<', rows) == [f"line {n}" for n in range(5)]
    assert "22/11/2026 05:26:40.000" in rows
    assert "Viện KSND thành phố Hà Nội" in rows
    assert "‹ESC›" in rows
    assert "<b>5 bản ghi</b>" in drawn
    assert len(re.findall('class="bar"', drawn)) == 5
    assert "Xong: đã xem 5 bản ghi trong 1 tệp." in progress
    assert end.strip() == ""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=hai", ["Hai"]),
        ("q=user.name:an", ["Một"]),
        ("q=-user.name:an", ["Hai"]),
        ("q=nowhere", []),
        ("span=15m", ["Hai"]),
        ("span=24h", ["Hai", "Một"]),
        ("span=nonsense", ["Hai", "Một"]),
        ("span=own&from=2026-11-22T04:50&to=2026-11-22T05:00:00", ["Một"]),
        ("span=own&from=2026-11-22T04:58", ["Hai"]),
        ("span=own", ["Hai", "Một"]),
    ],
)
def test_query_and_time_say_what_is_found(analyst, put, query, expected):
    put(event(1, "Một", at=NOW - 30 * MINUTE, **{"user.name": "an"}), event(2, "Hai", at=NOW))
    assert found(analyst, query) == expected


def test_nothing_found_is_said(analyst):
    told = dict(streamed(analyst, "/events/stream?q=nowhere"))
    assert "Không có bản ghi nào như vậy" in told["end"]
    assert "<b>0 bản ghi</b>" in told["histogram"]


def test_what_is_quarantined_is_found_when_asked_for(analyst, put):
    kept = msgspec.structs.replace(event(1, "kept"), logsource=Logsource(product="haidang", service="quarantine"))
    put(kept, event(2, "other"))
    assert found(analyst, "quarantined=1") == ["kept"]
    assert found(analyst) == ["other"]


def test_a_long_answer_is_cut_and_goes_on_where_it_was(analyst, put):
    put(*(event(n, f"line {n}", at=NOW - n // 7) for n in range(250)))
    address, lines, counted = "/events/stream?span=1h", [], []
    while address:
        told = streamed(analyst, address)
        lines += re.findall(r'class="clamp">([^<]*)<', "".join(data for name, data in told if name == "rows"))
        counted += [data for name, data in told if name == "histogram"]
        end = unescape(told[-1][1])
        address = (re.findall(r'data-stream="([^"]+)"', end) or [""])[0]
        assert bool(address) == ("còn nữa" in end)
    assert len(lines) == len(set(lines)) == 250
    assert len(counted) == 1
    assert "<b>250 bản ghi</b>" in counted[0]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ('q=a+"b', "Câu tìm, ký tự 3: dấu nháy không được đóng."),
        ("q=(a", "Câu tìm, ký tự 1: dấu ngoặc không được đóng."),
        ("q=x:>y", "Câu tìm, ký tự 3: sau > hay < phải là một số"),
        ("q=source.ip:10.0.0.0/12", "Câu tìm, ký tự 11: chỉ tìm được mạng IPv4 /8, /16, /24"),
        ("span=own&from=zzz", "'zzz' không phải thời điểm hợp lệ."),
        ("span=own&from=2026-11-22T05:00&to=2026-11-22T04:00", "Thời điểm kết thúc phải sau"),
    ],
)
def test_what_cannot_be_asked_is_told_and_not_searched(analyst, query, told):
    answer = analyst.get(f"/events?{query}")
    assert answer.status_code == 422
    assert told in unescape(answer.text)
    assert "data-stream" not in answer.text


def test_the_stream_tells_a_query_that_cannot_be_read_too(analyst):
    assert [name for name, _ in streamed(analyst, "/events/stream?q=(a")] == ["failed"]


def test_a_store_that_is_not_whole_is_told_and_not_passed_over(analyst, monkeypatch):
    def broken(*_):
        raise IntegrityError("hour-1.parquet is gone")
        yield

    monkeypatch.setattr("core.stores.events.LocalEvents.find", broken)
    ((name, data),) = streamed(analyst, "/events/stream")
    assert (name, "hour-1.parquet is gone" in data) == ("failed", True)


def test_programs_get_the_newest_as_json(analyst, put):
    put(event(1), event(2, at=NOW + 1))
    assert [one["id"] for one in analyst.get("/events.json").json()] == ["logs/1/000002", "logs/1/000001"]


@pytest.mark.parametrize("query", ["q=((", "q=a&from=zz&span=own"])
def test_programs_hear_of_what_cannot_be_asked(analyst, query):
    answer = analyst.get(f"/events.json?{query}")
    assert answer.status_code == 422
    assert answer.json()["reason"]


def test_how_many_events_others_have_is_not_told_to_who_sees_a_part(browser, centre, put):
    centre.set_grants("an", Grant("analyst", "hnoi"))
    others = [msgspec.structs.replace(event(n), site="dn") for n in range(2, 9)]
    put(event(1), *others)
    browser.sign_in("an")
    progress = dict(streamed(browser, "/events/stream?span=1h"))["progress"]
    assert progress.strip() == "Xong: đã xem hết phần của mình."


def test_the_histogram_of_who_sees_a_part_begins_with_his_own_first_event(browser, console, centre, put, tmp_path):
    others = msgspec.structs.replace(event(1, at=NOW - 48 * HOUR), site="dn")
    put(others, event(2, at=NOW - HOUR))
    spool = sorted((tmp_path / "spool").iterdir())
    EventWriter(tmp_path / "events", lambda payload: msgspec.msgpack.decode(payload, type=Event)).convert(spool)
    assert console.events.first(EVERYTHING, NOW) == NOW - 48 * HOUR
    assert console.events.first(Scope(sites=frozenset({"hn"})), NOW) == NOW - HOUR
    assert console.events.first(Scope(sites=frozenset({"x"})), NOW) == NOW
    centre.set_grants("an", Grant("analyst", "hnoi"))
    browser.sign_in("an")
    drawn = dict(streamed(browser, "/events/stream?span=own"))["histogram"]
    assert "20/11/2026" not in drawn
    assert "22/11/2026 04:26" in drawn


def test_nobody_searches_without_signing_in(browser):
    for address in ("/events", "/events.json", "/events/stream", "/sources", "/sources.json"):
        assert browser.get(address).status_code in {303, 302, 401}


def test_a_value_leads_to_the_search_for_it_and_for_what_lacks_it():
    asked = AskedEvents(text="a OR b", span="24h")
    row = event_row(event(1, **{"user.name": 'Nguyễn "An"', "tags": ["x", "y"], "empty": "", "ok": True}), asked, {})
    told = {(one.name, one.value): unescape(one.add) for one in row.fields}
    assert told[("user.name", 'Nguyễn "An"')].startswith("/events?q=%28a+OR+b%29+user.name%3A%22Nguy")
    assert ("tags", "y") in told
    assert ("ok", "true") in told
    assert ("empty", "∅") in told
    assert "+-site%3A%22hn%22" in next(one.leave_out for one in row.fields if one.name == "site")


def test_each_link_of_a_row_finds_the_row_and_each_exclusion_does_not(analyst, put):
    one = event(1, 'say "hi" <b>', **{"tags": ["x y", "z"], "empty": "", "n": 1.5, "source.port": 22})
    put(one)
    for field in event_row(one, AskedEvents(), {}).fields:
        assert found(analyst, field.add.partition("?")[2]) == ['say "hi" <b>'], field
        assert found(analyst, field.leave_out.partition("?")[2]) == [], field


def test_an_alert_leads_to_the_events_around_it(analyst, store, make_alert):
    store(make_alert())
    page = unescape(analyst.get("/incidents/1").text)
    (link,) = re.findall(r'href="(/events\?[^"]+)"', page)
    assert link == (
        "/events?q=source.ip%3A%22203.0.113.7%22&span=own&from=2026-11-22T05%3A20%3A40&to=2026-11-22T05%3A31%3A40"
    )


def test_an_alert_about_a_source_leads_to_what_it_sends_and_to_its_page(analyst, store, make_alert):
    fields = {"event.action": "source_silent", "source.ip": "2001:db8::1", "haidang.lane": "logs"}
    store(make_alert(object=(("source.ip", "2001:db8::1"),), fields=fields))
    page = unescape(analyst.get("/incidents/1").text)
    assert 'href="/events?q=observer.ip%3A%222001%3Adb8%3A%3A1%22&span=own' in page
    assert 'href="/sources/2001%3Adb8%3A%3A1"' in page


def test_an_alert_of_another_event_of_that_name_is_about_no_source(analyst, store, make_alert):
    store(make_alert(fields={"event.action": "source_silent", "source.ip": "203.0.113.7"}))
    page = unescape(analyst.get("/incidents/1").text)
    assert "q=source.ip%3A" in page
    assert 'href="/sources/' not in page


@pytest.mark.parametrize(
    ("site", "device", "fields", "sender"),
    [
        ("hn", "sv-hn", {"host.name": "may-1"}, "sv-hn"),
        ("hn", "", {"host.name": "may-1"}, ""),
        ("", "", {"host.name": "may-1"}, "may-1"),
        ("", "", {}, "10.1.0.1"),
    ],
)
def test_a_row_tells_who_sent_the_event_where_no_device_is_known(site, device, fields, sender):
    one = msgspec.structs.replace(event(1, **fields), site=site, device=device)
    assert event_row(one, AskedEvents(), {}).device == sender


def test_a_long_raw_or_value_is_folded_and_whole(analyst, put):
    long = "x" * 1_999 + "\x1b" + "y" * 62_000
    put(msgspec.structs.replace(event(1, long), raw=long.encode()))
    rows = "".join(data for name, data in streamed(analyst, "/events/stream") if name == "rows")
    told = re.findall(r">(x+‹ESC›)<.*?<summary>Còn 62000 ký tự</summary><code>(y+)</code></details>", rows, re.DOTALL)
    assert [(len(shown), len(rest)) for shown, rest in told] == [(2_004, 62_000)] * 2
    assert len(rows) < 3 * len(long)


def test_a_short_event_is_not_folded(analyst, put):
    put(event(1))
    assert 'class="rest"' not in str(streamed(analyst, "/events/stream"))


def test_a_bar_narrows_the_search_to_its_time():
    start = NOW // HOUR * HOUR
    drawn = histogram(
        {0: 4, 3: 2, 9: 1}, AskedEvents(text="x"), Buckets(start, MINUTE), start + 4 * MINUTE, is_whole=False
    )
    assert [(bar.x, bar.told) for bar in drawn.bars] == [(1, "4"), (31, "3")]
    assert drawn.bars[0].height == 100
    assert drawn.bars[1].link.endswith("from=2026-11-22T05%3A03%3A00&to=2026-11-22T05%3A04%3A00")
    assert (drawn.total, drawn.is_whole) == ("7", False)


def test_a_search_is_never_told_to_be_at_its_end_before_it_is():
    assert advance(Progress(9, 10, 1000, 1000), "vi").percent == 99
    assert advance(Progress(10, 10, 1000, 1000), "vi").percent == 100
    assert advance(Progress(0, 0, 0, 0), "vi").percent == 100


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "0001-01-01T00:00", "9999-01-01T00:00"])
def test_what_is_no_time_is_none(text):
    assert local_time(text) is None


STEP = Found([], {}, Progress(1, 2, 1, 2), more=False, done=False)


def test_a_search_ends_at_its_next_step_when_the_page_is_left():
    gone, steps = threading.Event(), []

    def endless():
        try:
            while True:
                time.sleep(0.01)
                steps.append(1)
                yield STEP
        finally:
            gone.set()

    async def leave():
        told = Searches().run(endless(), lambda: False)
        assert await anext(told) == STEP
        await told.aclose()

    asyncio.run(leave())
    assert gone.wait(5)


def test_a_stop_of_the_console_ends_a_search():
    async def run():
        return [step async for step in Searches().run(iter([STEP] * 3), lambda: True)]

    assert asyncio.run(run()) == []


def test_no_more_searches_run_than_the_machine_can_carry():
    held = threading.Event()

    def waits():
        held.wait(5)
        yield STEP._replace(done=True)

    async def run():
        searches = Searches(most=1, patience=0.05)
        first = searches.run(waits(), lambda: False)
        begun = asyncio.ensure_future(anext(first))
        await asyncio.sleep(0.05)
        with pytest.raises(UnavailableError, match="too many searches"):
            await anext(searches.run(iter([STEP]), lambda: False))
        held.set()
        assert (await begun).done
        await first.aclose()

    asyncio.run(run())
