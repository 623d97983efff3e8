"""Figures of the inventory's pages over a sector as large as the real one: seconds to the first paint in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from consoles import enter, large_console
from peers import program
from playwright.sync_api import Page, sync_playwright
from running import eventually

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SITES, DEVICES = 800, 3200
MOST_SECONDS = 1.5
ROUNDS = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ANSWER = "(({requestStart, responseEnd}) => responseEnd - requestStart)(performance.getEntriesByType('navigation')[0])"


def _seconds(page: Page, address: str) -> tuple[float, float]:
    """To the whole answer of the server, and to the first paint."""
    page.goto(address)
    painted = eventually(lambda: page.evaluate(PAINT))
    return page.evaluate(ANSWER) / 1000, painted / 1000


def _span(seconds: tuple[float, ...]) -> str:
    return f"{min(seconds):.2f} to {max(seconds):.2f} s"


def test_seconds_to_the_first_paint_of_the_pages_of_800_sites(tmp_path: Path, capsys) -> None:
    worst = {}
    with large_console(tmp_path, SITES, DEVICES) as console, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET).new_page()
        enter(page, console, "lanhdao")
        for path in ("/sites", "/units", "/map", "/leader"):
            seen = [_seconds(page, console + path) for _ in range(ROUNDS)]
            answers, paints = zip(*seen, strict=True)
            worst[path] = max(paints)
            with capsys.disabled():
                print(f"\n{path}: answered in {max(answers):.2f} s, first paint {_span(paints)}")
    assert {path: seconds for path, seconds in worst.items() if seconds >= MOST_SECONDS} == {}
