"""What is typed and not sent, and what does not fit, in a real browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec
import pytest
import uvicorn
from peers import program
from playwright.sync_api import Dialog, Page, expect, sync_playwright
from running import free_ports

from console.web import create_app, end_streams
from core.clock import HeldClock
from core.records import Event, Logsource
from core.stores.spool import Spool

PASSWORD = "right and long enough"
LONG = "X" * 200
NOW = 1_795_300_000_000_000_000


@pytest.fixture
def address(console) -> Iterator[str]:
    """A console that listens."""
    app, (port,) = create_app(console), free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    end_streams(app)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()


@pytest.fixture
def page(chromium, address) -> Iterator[Page]:
    """A page on which an analyst is signed in."""
    context = chromium.new_context(base_url=address, locale="vi-VN")
    shown = context.new_page()
    shown.goto("/sign-in")
    shown.fill("#name", "an")
    shown.fill("#password", PASSWORD)
    shown.keyboard.press("Enter")
    shown.locator("#queue").wait_for()
    yield shown
    context.close()


@pytest.fixture
def asked(page) -> list[str]:
    """The questions that the browser has put; each is answered with: stay."""
    kinds: list[str] = []

    def stay(dialog: Dialog) -> None:
        kinds.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return kinds


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


@pytest.mark.parametrize("pressed", [("l",), ("g", "q"), ("g", "r"), ("n",)], ids="".join)
def test_no_key_leaves_a_half_written_note_without_asking(page, asked, store, pressed):
    store()
    page.goto("/incidents/1")
    page.fill("#note", "nửa chừng")
    keys(page, "Escape", *pressed)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.url.endswith("/incidents/1")
    expect(page.locator("#note")).to_have_value("nửa chừng")
    expect(page.locator("html")).to_have_attribute("lang", "vi")


@pytest.mark.parametrize("field", ["#title", "#text"])
def test_a_filled_report_is_not_left_without_asking(page, asked, field):
    page.goto("/incidents/new")
    page.fill(field, "máy lạ")
    keys(page, "Escape", "g", "q")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    expect(page.locator(field)).to_have_value("máy lạ")


def test_who_has_typed_nothing_is_not_asked(page, asked, store):
    store()
    page.goto("/incidents/1")
    keys(page, "l")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert asked == []


def test_what_is_sent_is_not_asked_about(page, asked, store):
    store()
    for _ in range(6):
        store(id=0)
    page.goto("/incidents/new")
    page.fill("#title", "máy lạ")
    keys(page, "Enter")
    page.wait_for_url("**/incidents/7")
    page.fill("#note", "đã gọi")
    keys(page, "Control+Enter")
    expect(page.locator("#note")).to_have_value("")
    keys(page, "Escape", "g", "q")
    page.locator("#queue").wait_for()
    assert asked == []


def test_keys_move_between_found_events_open_them_and_reach_the_search(page, tmp_path):
    kept = [
        Event(
            id=f"logs/1/{n}", time=NOW - n, seen=NOW, logsource=Logsource(), fields={"message": f"line {n}"}, raw=b"r"
        )
        for n in range(2)
    ]
    spool = Spool(tmp_path / "spool", HeldClock(NOW))
    spool.open(b"")
    spool.append([msgspec.msgpack.encode(one) for one in kept])
    spool.close()
    page.goto("/events")
    rows = page.locator(".c-event > details")
    rows.nth(1).wait_for()
    keys(page, "j", "j")
    expect(rows.nth(1).locator("> summary")).to_be_focused()
    keys(page, "Enter")
    expect(rows.nth(1)).to_have_attribute("open", "")
    keys(page, "k", "k", "Enter")
    expect(rows.nth(0)).to_have_attribute("open", "")
    keys(page, "/")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("")
    keys(page, "Escape", "?")
    expect(page.locator("#help")).to_contain_text("Đến ô tìm kiếm")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_title_without_a_space_breaks_no_page(page, store, make_alert, width):
    store(make_alert(title={"vi": LONG}, object=(("user.name", LONG),)), title={"vi": LONG})
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/incidents/1"):
        page.goto(path)
        page.get_by_text(LONG).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_line_that_decided_is_seen_without_opening_anything(page, store, make_alert):
    store(make_alert(raw=b"a line", lines=100))
    page.goto("/incidents/1")
    lines = page.locator("#evidence-1 code")
    expect(lines.last).to_be_visible()
    expect(lines.nth(50)).to_be_hidden()
    page.locator("#folded-1 summary").click()
    expect(lines.nth(50)).to_be_visible()
    hidden = page.locator("#evidence-1").evaluate("box => box.scrollHeight - box.clientHeight")
    assert hidden <= 0
