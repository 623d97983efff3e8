"""The inventory's pages in a real browser: without a finding of axe-core, not wider than the screen, and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from consoles import enter, large_console
from measuring import device_series, fill_series, port_series, steady_port
from pages import violations
from playwright.sync_api import Browser, Page

from core.clock import HOUR, MINUTE, SystemClock

READER = (
    *("/units", "/units?day=2025-06-30", "/units?q=yen+bai", "/units/vks-lao-cai", "/sites", "/sites/s15"),
    *("/sites/nowhere", "/devices/router-s15-0", "/map", "/leader", "/leader/overdue"),
    *("/devices", "/devices?q=ha+noi&state=down", "/devices?site=s15", "/devices/router-s15-0?span=12m"),
    *("/devices/router-s15-0/interfaces?port=ge-0/0/0", "/devices/router-s16-0"),
)
WIDE, NARROW = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder, now = tmp_path_factory.mktemp("console"), SystemClock().now()
    fill_series(folder / "series", now, [_measured(now)])
    with large_console(folder, 120, 480) as console:
        yield console


def _measured(now: int) -> dict[str, dict[str, list[Any]]]:
    """A port with a gap, a processor, a sensor that has failed, and a UPS on battery, over two hours."""
    times = [time for time in range(now - 2 * HOUR, now, MINUTE) if not HOUR < now - time < 90 * MINUTE]
    keys = {"site": ["s15"] * len(times), "device": ["router-s15-0"] * len(times), "time": times}
    one = [1.0] * len(times)
    power = {"object": ["UPS"] * len(times), "on_battery": one, "charge": one, "load": one}
    sensor = {"object": ["Tủ 1"] * len(times), "kind": ["temperature"] * len(times), "unit": ["°C"] * len(times)}
    return {
        "interfaces": port_series("router-s15-0", "s15", "ge-0/0/0", steady_port(times, 9.5e8)),
        "hosts": keys | {"object": ["system"] * len(times), "cpu": one},
        "power": keys | power,
        "sensors": keys | sensor | {"value": one, "state": ["failed"] * len(times)},
        "devices": device_series("router-s15-0", "s15", times, one),
    }


def opened(browser: Browser, size: tuple[int, int], scheme: str) -> Page:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="vi-VN")
    return context.new_page()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "paths"), [("an", READER), ("tuong", ("/wallboard",))], ids=["reader", "wallboard"])
def test_no_page_has_a_finding_of_axe_or_is_wider_than_the_screen(browser, address, size, scheme, name, paths):
    page = opened(browser, size, scheme)
    enter(page, address, name)
    for path in paths:
        page.goto(address + path)
        assert violations(page) == [], path
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0, path
    page.context.close()


def test_the_pages_are_reached_and_the_tree_is_walked_by_keys(page: Page, address: str):
    enter(page, address, "an")
    for key, path in (("b", "/map"), ("d", "/sites"), ("v", "/devices"), ("t", "/leader"), ("u", "/units")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"{address}{path}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText").startswith("VKSND thành phố Cần Thơ")
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText").startswith("VKSND khu vực 1, thành phố Cần Thơ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/units/vks-can-tho-kv1")


def test_the_wallboard_says_when_its_figures_are_no_longer_new(page: Page, address: str):
    enter(page, address, "tuong")
    page.goto(f"{address}/wallboard")
    page.context.set_offline(True)
    page.evaluate("htmx.ajax('GET', '/wallboard/part', {source: '#board', target: '#board'}).catch(() => {})")
    page.locator("#lost", has_text="Mất kết nối").wait_for()
    page.context.set_offline(False)
    page.evaluate("htmx.ajax('GET', '/wallboard/part', {source: '#board', target: '#board', swap: 'outerMorph'})")
    page.locator("#lost", has_text="Mất kết nối").wait_for(state="detached")
