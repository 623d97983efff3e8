"""The live line: what it says when something changes, when nothing does, and when the session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from console.reads import Queue, dossier_mark, queue_mark
from console.stream import Changes, page_events
from core.incident import Dossier
from core.stores.state import read_state


async def take(changes: Changes, look: Callable[[], str | None], count: int, beat: float = 30) -> list[str]:
    """The first events of a stream; every time one has come, the database is said to have changed."""
    events = []
    stream = page_events(changes, look, beat)
    async for message in stream:
        events.append(message.event)
        if len(events) == count:
            break
        changes.announce()
    await stream.aclose()
    return events


def run(state, marks: list[str | None], count: int, beat: float = 30) -> list[str]:
    looks = iter(marks)
    return asyncio.run(take(Changes(state), lambda: next(looks), count, beat))


def test_a_page_is_refreshed_when_it_opens_and_when_what_it_shows_has_changed(state):
    assert run(state, ["a", "b", "c"], 3) == ["refresh", "refresh", "refresh"]


def test_a_change_elsewhere_does_not_refresh_it(state):
    assert run(state, ["a", "a", "b"], 3, beat=0.01) == ["refresh", "beat", "refresh"]


def test_a_quiet_line_still_beats_with_a_comment(state):
    async def beat() -> bytes:
        stream = page_events(Changes(state), lambda: "a", 0.01)
        await anext(stream)
        message = await anext(stream)
        await stream.aclose()
        return message.encode()

    text = asyncio.run(beat()).decode()
    assert text.startswith(": beat")
    assert "event: beat" in text


def test_the_end_of_the_session_ends_the_line(state):
    assert run(state, ["a", None], 9) == ["refresh", "ended"]


def test_a_stop_ends_the_line(state):
    async def stop() -> list[str]:
        changes = Changes(state)
        events = []
        async for message in page_events(changes, lambda: "a", 30):
            events.append(message.event)
            changes.close()
        return events

    assert asyncio.run(stop()) == ["refresh"]


def test_a_commit_of_another_process_is_noticed(store, tmp_path):
    async def noticed() -> None:
        reader = read_state(tmp_path / "state.db")
        changes = Changes(reader)
        with changes.watched():
            await asyncio.sleep(0)  # lets the watcher take its first look
            change = changes.next_change()
            await asyncio.to_thread(store)
            await asyncio.wait_for(change.wait(), 10)
        reader.dispose()

    asyncio.run(noticed())


def test_nothing_is_watched_once_the_last_page_is_closed(state):
    async def watchers() -> list[bool]:
        changes = Changes(state)
        seen = []
        with changes.watched():
            with changes.watched():
                await asyncio.sleep(0)
            seen.append(changes._watcher.cancelling() == 0)
        await asyncio.gather(changes._watcher, return_exceptions=True)
        return [*seen, changes._watcher.cancelled()]

    assert asyncio.run(watchers()) == [True, True]


def test_a_watcher_that_stops_is_reported(state, monkeypatch, caplog):
    def broken(_: object) -> int:
        raise OSError("disk gone")

    monkeypatch.setattr("console.stream._data_version", broken)

    async def watched() -> None:
        with Changes(state).watched():
            for _ in range(3):
                await asyncio.sleep(0)

    asyncio.run(watched())
    assert "the watcher stopped" in caplog.text


def test_the_stream_of_a_session_that_has_ended_says_so(analyst, monkeypatch):
    def ended(*_: object) -> None:
        analyst.client.app.state["changes"].is_closed = True  # so that a stream that goes on does not hang this test

    monkeypatch.setattr("console.pages.live_user", ended)
    answer = analyst.get("/stream?state=open")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.split() == ["event:", "ended", "data:"]


def test_nobody_listens_without_a_session(browser):
    assert browser.get("/stream", **{"HX-Request": "true"}).status_code == 401


def test_marks_differ_where_the_page_would(store, make_alert):
    incident = store()
    queue = Queue([incident], "201")
    assert queue_mark(queue, 1) != queue_mark(queue, 0)
    assert queue_mark(queue, 1) != queue_mark(Queue([incident], "202"), 1)
    assert queue_mark(queue, 1) == queue_mark(Queue([incident], "201"), 1)
    before = Dossier(incident=incident, alerts=(make_alert(count=1),), timeline=())
    after = Dossier(incident=incident, alerts=(make_alert(count=2),), timeline=())
    assert dossier_mark(before) != dossier_mark(after)
