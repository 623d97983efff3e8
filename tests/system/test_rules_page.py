"""The rules' pages in a real browser: by keyboard, without a finding of axe, and a rule switched off for all."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import new_engineer, violations
from playwright.sync_api import Page
from running import running

TITLE = "Đăng nhập SSH thất bại"


@pytest.mark.timeout(300)
def test_a_rule_is_found_by_keyboard_and_disabled_for_a_reason(tmp_path: Path, page: Page):
    with running(tmp_path / "platform") as platform:
        new_engineer(page, platform, "ky_su")
        page.keyboard.press("g")
        page.keyboard.press("r")
        page.fill("#q", "dang nhap ssh that bai")
        page.keyboard.press("Enter")
        page.wait_for_url("**/rules?q=*")
        assert violations(page) == []
        page.keyboard.press("Tab")
        page.locator("h1").click()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=TITLE).wait_for()
        assert violations(page) == []
        page.fill("#text", "máy quét nội bộ")
        page.get_by_role("button", name="Tắt quy tắc").click()
        page.get_by_role("button", name="Bật quy tắc").wait_for()
        assert "máy quét nội bộ" in page.locator(".facts").inner_text()
        assert violations(page) == []
        off = {rule["title"]["vi"]: rule["state"] for rule in platform.json("rules", "list", "--disabled")}
        assert off[TITLE] == "disabled"
        assert off["Dò mật khẩu SSH"] == "refused"
        assert "nguyên vẹn" in platform.run("audit", "verify").stdout
