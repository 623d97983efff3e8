"""From a real sshd's log, through a real rsyslogd, to an incident in a real browser."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from pages import ANALYST, sign_in, violations
from peers import Sshd, relp_to, rsyslogd, sshd
from playwright.sync_api import Page, expect
from running import Platform, eventually, running

TITLE = "Đăng nhập SSH thành công sau khi dò mật khẩu"
FOLLOW = """
module(load="imfile" mode="inotify")
input(type="imfile" File="{log}" Tag="sshd:" Facility="auth" Severity="info")
"""


def attack(server: Sshd) -> None:
    """Twelve wrong passwords, then the right one."""
    assert not any(server.log_in(f"wrong-{guess}") for guess in range(12))
    assert server.log_in(Sshd.PASSWORD)


@pytest.mark.timeout(300)
def test_a_login_after_guessing_is_one_incident_with_every_line_and_is_acknowledged_in_the_browser(
    tmp_path: Path, page: Page
):
    log = tmp_path / "auth.log"
    log.touch()
    with running(tmp_path / "platform") as platform:
        forward = FOLLOW.format(log=log) + relp_to(platform.relp_port)
        with rsyslogd(tmp_path / "rsyslog", forward), sshd(tmp_path / "sshd", log) as server:
            sign_in(page, platform)
            attack(server)
            said = time.monotonic()
            row = page.locator("#queue tr", has_text=TITLE)
            row.wait_for()
            print(f"shown {time.monotonic() - said:.1f} s after the login")
            assert page.locator("#queue tbody tr").count() == 1
            shown = eventually(lambda: complete(platform))
            row.get_by_role("link").click()
            check_raw_lines(page, log, shown)
            page.keyboard.press("a")
            eventually(lambda: platform.incidents()[0]["state"] == "acknowledged")
            assert platform.incidents()[0]["owner"] == ANALYST
            assert "đã tiếp nhận" in platform.run("incidents", "list").stdout


def complete(platform: Platform):
    """The incident once all thirteen lines have come."""
    (incident,) = platform.incidents()
    shown = platform.json("incidents", "show", str(incident["id"]))[0]
    return shown if max(alert["count"] for alert in shown["alerts"]) == 13 else None


def check_raw_lines(page: Page, log: Path, shown) -> None:
    """Every line of the attack that sshd wrote is in the incident and on its page, once an alert."""
    written = [line.strip() for line in log.read_text().splitlines() if line.startswith(("Failed", "Accepted"))]
    assert len(written) == 13
    (gravest,) = [alert for alert in shown["alerts"] if alert["severity"] == "critical"]
    raw = [item["raw"] for item in gravest["evidence"]]
    text = page.locator("main").inner_text()
    for line in written:
        assert sum(line in one for one in raw) == 1
        assert line in text
    expect(page.locator("h1")).to_contain_text(TITLE)


def test_axe_finds_nothing_on_any_page(tmp_path: Path, page: Page):
    with running(tmp_path / "platform") as platform:
        page.goto(f"http://{platform.console}/")
        assert violations(page) == []
        sign_in(page, platform)
        assert violations(page) == []
        with socket.create_connection(("127.0.0.1", platform.logs_port)) as sender:
            for guess in range(12):
                sender.sendall(b"<38>sshd[9]: Failed password for root from 192.0.2.7 port %d ssh2\n" % (guess + 1024))
        page.locator("#queue tbody tr").wait_for()
        assert violations(page) == []
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/incidents/*")
        assert violations(page) == []
        page.keyboard.press("c")
        page.locator("dialog#close[open]").wait_for()
        assert violations(page) == []
        page.goto(f"http://{platform.console}/incidents/new")
        assert violations(page) == []
