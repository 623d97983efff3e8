"""What a person does in the console, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pyotp
from playwright.sync_api import Page
from running import Platform

ANALYST = "truc"
OWN_PASSWORD = "hải-đăng-soi-đường"
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def sign_in(page: Page, platform: Platform) -> None:
    """As an analyst of the whole sector, new, who must choose a password of his own."""
    by_password(page, platform, ANALYST, platform.add_user(ANALYST, "analyst"), "/")
    _choose_password(page)
    page.wait_for_selector("#queue")


def by_password(page: Page, platform: Platform, name: str, password: str, path: str = "/") -> None:
    page.goto(f"http://{platform.console}{path}")
    page.fill("#name", name)
    page.fill("#password", password)
    page.keyboard.press("Enter")


def new_engineer(page: Page, platform: Platform, name: str) -> pyotp.TOTP:
    """A new account whose role needs a second factor, signed in and with its telephone."""
    by_password(page, platform, name, platform.add_user(name, "engineer"), "/rules")
    _choose_password(page)
    page.get_by_role("button", name="Bắt đầu thiết lập").click()
    totp = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.fill("#code", totp.now())
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules")
    return totp


def _choose_password(page: Page) -> None:
    page.fill("#password", OWN_PASSWORD)
    page.fill("#again", OWN_PASSWORD)
    page.keyboard.press("Enter")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it is now."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
