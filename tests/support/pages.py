"""What a person does in the console, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page
from running import Platform

OWN_PASSWORD = "hải-đăng-soi-đường"
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def sign_in(page: Page, platform: Platform) -> None:
    """As the first administrator, who must choose a password of his own."""
    once = platform.one_time_password()
    page.goto(f"http://{platform.console}/")
    page.fill("#name", "admin")
    page.fill("#password", once)
    page.keyboard.press("Enter")
    page.fill("#again", OWN_PASSWORD)
    page.fill("#password", OWN_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#queue")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it is now."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
