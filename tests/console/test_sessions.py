"""When a session ends, where it holds, and what the user may do at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from litestar.middleware.session.client_side import ClientSideSessionBackend

from console.sessions import live_user, session_config
from console.web import create_app, end_streams
from core.clock import HOUR, MINUTE
from core.scope import Grant
from core.stores.event_search import Found, Progress
from core.stores.users import disable_user, end_sessions

PASSWORD = "right and long enough"
ENDS = {
    "disabled": lambda centre: in_state(centre, lambda connection: disable_user(connection, 1, "quantri", "an")),
    "signed out": lambda centre: in_state(centre, lambda connection: end_sessions(connection, 1, "quantri", "an")),
}


class Endless:
    """Events whose search never ends."""

    def first(self, _: int) -> int:
        return 0

    def find(self, *_: object) -> Iterator[Found]:
        pause = threading.Event()
        while True:
            pause.wait(0.05)
            yield Found([], {}, Progress(0, 1, 0, 1), more=False, done=False)


def in_state(centre, change) -> None:
    with centre.state.begin() as connection:
        change(connection)


@contextmanager
def served(app) -> Iterator[str]:
    """The application on a real port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        end_streams(app)
        server.should_exit = True
        thread.join()


def sign_in(client: httpx.Client) -> None:
    token = re.search(r'_csrf_token" value="(\w+)"', client.get("/sign-in").text)[1]
    form = {"_csrf_token": token, "name": "an", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 303


@pytest.mark.parametrize("change", [{"disabled": 1}, {"session": 2}])
def test_a_session_ends_when_its_user_is_disabled_or_all_its_sessions_are(analyst, centre, change):
    assert analyst.get("/").status_code == 200
    centre.set_user("an", **change)
    assert analyst.get("/").headers["location"].startswith("/sign-in")
    assert analyst.get("/incidents.json").status_code == 401


def test_a_session_ends_after_twelve_hours_however_busy(analyst, clock):
    for _ in range(12 * 6 - 1):
        clock.forward(10 * MINUTE)
        assert analyst.get("/").status_code == 200
    clock.forward(10 * MINUTE - 1)
    assert analyst.get("/").status_code == 200
    clock.forward(1)
    assert analyst.get("/").headers["location"] == "/sign-in?next=%2F&ended=over"


@pytest.mark.parametrize(("who", "page", "minutes"), [("analyst", "/", 15), ("administrator", "/password", 5)])
def test_a_session_ends_without_a_sign_of_life(request, clock, who, page, minutes):
    browser = request.getfixturevalue(who)
    for _ in range(3):
        clock.forward(minutes * MINUTE - 1)
        assert browser.get(page).status_code == 200
    clock.forward(minutes * MINUTE)
    ended = browser.get(page)
    assert ended.headers["location"].endswith("ended=idle")
    told = browser.get(ended.headers["location"]).text
    assert "vì một thời gian không có thao tác" in told
    assert f'name="next" value="{page}"' in told
    assert browser.get(page).headers["location"] == f"/sign-in?next={quote(page, safe='')}"


def test_a_part_that_a_page_fetches_by_itself_is_no_sign_of_life(analyst, clock):
    clock.forward(14 * MINUTE)
    assert analyst.get("/queue", **{"HX-Request": "true"}).status_code == 200
    clock.forward(MINUTE)
    assert analyst.get("/queue", **{"HX-Request": "true"}).status_code == 401


def test_an_open_page_stays_alive_by_what_is_done_after_it_was_opened(analyst, clock, monkeypatch):
    opened = []
    monkeypatch.setattr("console.pages.live_user", lambda *values: opened.append(values))
    analyst.get("/stream")
    clock.forward(14 * MINUTE)
    analyst.get("/")
    clock.forward(15 * MINUTE - 1)
    assert live_user(*opened[0]).name == "an"
    clock.forward(1)
    assert live_user(*opened[0]) is None


def test_what_is_noted_of_sessions_that_are_over_is_forgotten(analyst, console, clock, monkeypatch):
    monkeypatch.setattr("console.sessions._MOST_NOTED", 1)
    console.seen.update({"one": clock.now(), "another": clock.now()})
    clock.forward(13 * HOUR)
    assert analyst.get("/").status_code == 303
    analyst.sign_in("an")
    clock.forward(MINUTE)
    assert analyst.get("/").status_code == 200
    assert list(console.seen.values()) == [clock.now()]


def test_a_reason_for_a_lost_session_is_one_of_ours(browser):
    assert "đã bị thu hồi" in browser.get("/sign-in?ended=over").text
    assert 'role="alert"></p>' in browser.get("/sign-in?ended=hello").text


def test_a_wallboard_stays_signed_in_for_days_at_its_address_alone(browser, centre, clock):
    centre.set_user("xem", address="testclient")
    browser.sign_in("xem")
    clock.forward(40 * 24 * HOUR)
    assert browser.get("/").status_code == 200
    centre.set_user("xem", address="192.0.2.7")
    assert browser.get("/").headers["location"].startswith("/sign-in")


def test_a_cookie_of_an_earlier_form_is_no_session(browser, console):
    old = {"name": "an", "number": 1, "until": console.clock.now() + HOUR}
    backend = ClientSideSessionBackend(session_config(console))
    (sealed,) = backend.dump_data(old)
    browser.client.cookies.set("haidang_session", sealed.decode())
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/stream", "/events/stream"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whoever_loses_the_session_is_out_of_an_open_stream_within_five_seconds(console, centre, path, end):
    app = create_app(replace(console, events=Endless()))
    with served(app) as address, httpx.Client(base_url=address, follow_redirects=False) as client:
        sign_in(client)
        with client.stream("GET", path, timeout=5) as answer:
            lines = answer.iter_lines()
            assert next(lines) in {"event: refresh", "event: progress", "event: histogram"}
            changed = time.monotonic()
            end(centre)
            said = list(lines)
            assert time.monotonic() - changed < 5
        assert "event: failed" not in said
        assert path != "/stream" or "event: ended" in said
        assert client.get("/").headers["location"].startswith("/sign-in")


def test_a_changed_role_counts_at_once(analyst, centre):
    assert analyst.get("/incidents/new").status_code == 200
    centre.set_grants("an", Grant("viewer"))
    assert analyst.get("/incidents/new").status_code == 403


def test_a_role_that_needs_a_second_factor_counts_at_once(analyst, centre):
    centre.set_grants("an", Grant("engineer"))
    assert analyst.get("/").headers["location"] == "/second-factor?next=%2F"
