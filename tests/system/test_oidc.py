"""Signing in as people do it: by a real OpenID provider, with a telephone's codes, and being shown out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import pytest
from pages import OWN_PASSWORD, by_password, new_engineer, violations
from peers import program
from playwright.sync_api import Page, expect
from running import PATIENCE, Platform, eventually, free_ports

from core.centre import CentreClient
from core.secrets import token

SCRIPT = Path(__file__).resolve().parents[1] / "support" / "oidc_provider.mjs"
PEOPLE = {"nguyen.van-an": ["soc-hn"], "le.chi": ["elsewhere"], "truong_phong": ["soc-hn"]}
INVENTORY = {
    "units": "id,name,type,parent\nv,VKSND tối cao,supreme,\nhn,VKSND thành phố Hà Nội,province,v\n"
    "dn,VKSND thành phố Đà Nẵng,province,v\n",
    "sites": "id,name,unit,address_space,tier\nhn1,Trụ sở Hà Nội,hn,hn,PROVINCE\ndn1,Trụ sở Đà Nẵng,dn,dn,PROVINCE\n",
    "devices": "name,site,address,vendor,model,role\n",
    "prefixes": "space,prefix,site\n",
}
SECTION = """
[console.oidc]
issuer = "http://localhost:{port}"
client_id = "haidang"
client_secret_file = "oidc.secret"
redirect_uri = "http://{console}/sign-in/oidc/callback"
amr = ["otp"]
grants = [{{ group = "soc-hn", role = "analyst", unit = "hn" }}]
label = {{ vi = "Đăng nhập bằng tài khoản ngành Kiểm sát", en = "Sign in with the Procuracy's account" }}
"""


class Provider:
    """The provider's process; on the other name of this machine, so that it is another site for browsers."""

    def __init__(self, platform: Platform) -> None:
        (self.port,) = free_ports(1)
        with platform.file.open("a", encoding="utf-8") as file:
            file.write(SECTION.format(port=self.port, console=platform.console))
        secret = platform.folder / "oidc.secret"
        secret.touch(0o600)
        secret.write_text("a-secret-of-the-tests\n")
        self._output = platform.folder / "provider.txt"
        self._command = [program("node"), str(SCRIPT), str(self.port)]
        self._command += [f"http://{platform.console}/sign-in/oidc/callback", json.dumps(PEOPLE)]

    def start(self) -> None:
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT, env=os.environ)
        eventually(lambda: "ready" in self._output.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self._output.read_text()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("oidc")
    for name, rows in INVENTORY.items():
        (folder / "inventory").mkdir(exist_ok=True)
        (folder / "inventory" / f"{name}.csv").write_text(rows, encoding="utf-8")
    made = Platform(folder, 'inventory = "inventory"')
    provider = Provider(made)
    try:
        provider.start()
        made.start()
        yield made
        made.stop()
    finally:
        provider.stop()
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait()


@pytest.fixture(scope="module")
def centre(platform) -> Iterator[CentreClient]:
    """What the console's own token allows."""
    data = platform.folder / "data"
    client = CentreClient(data / "centre" / "api.sock", token(data / "secrets", "console.token"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def incidents(platform, centre) -> dict[str, int]:
    """The number of an incident at each of two sites."""
    platform.add_user("truc", "analyst")
    centre.call("session.password", actor="truc", name="truc", password=OWN_PASSWORD)
    common = {"severity": "high", "channel": "telephone"}
    names = {"hn1": "Việc của Hà Nội", "dn1": "Việc của Đà Nẵng"}
    return {
        site: centre.call("incidents.create", actor="truc", site=site, title=title, **common)["id"]
        for site, title in names.items()
    }


def by_provider(page: Page, platform: Platform, path: str, login: str) -> None:
    page.goto(f"http://{platform.console}{path}")
    page.get_by_role("link", name="Đăng nhập bằng tài khoản ngành Kiểm sát").click()
    page.wait_for_url("http://localhost:*/login/*")
    page.fill("#login", login)
    page.keyboard.press("Enter")


def next_code(totp: pyotp.TOTP) -> str:
    """The code of the next step, which the drift allows: that of this one has been used."""
    return totp.at(int(time.time()) + totp.interval)


def test_whom_the_provider_vouches_for_lands_where_he_wanted_and_sees_his_own_unit(platform, page, incidents):
    by_provider(page, platform, f"/incidents/{incidents['hn1']}", "nguyen.van-an")
    page.wait_for_url(f"http://{platform.console}/incidents/{incidents['hn1']}")
    expect(page.locator("h1")).to_contain_text("Việc của Hà Nội")
    expect(page.locator(".who")).to_contain_text("nguyen_van_an")
    page.goto(f"http://{platform.console}/")
    expect(page.locator("#queue tbody tr")).to_have_count(1)
    assert page.goto(f"http://{platform.console}/incidents/{incidents['dn1']}").status == 404
    (session,) = [one for one in page.context.cookies() if one["name"] == "haidang_session"]
    assert session["sameSite"] == "Strict"
    assert "haidang_oidc" not in [one["name"] for one in page.context.cookies()]


@pytest.mark.usefixtures("incidents")
def test_who_has_no_role_or_cancels_reads_why_on_the_sign_in_page(platform, page):
    by_provider(page, platform, "/", "le.chi")
    expect(page.get_by_role("alert")).to_contain_text("các nhóm của bạn không có vai trò nào tại đây")
    assert violations(page) == []
    page.context.clear_cookies()
    page.goto(f"http://{platform.console}/sign-in")
    page.get_by_role("link", name="Đăng nhập bằng tài khoản ngành Kiểm sát").click()
    page.locator("#cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("không xác nhận, hoặc bạn đã hủy")


def test_nobody_at_the_provider_takes_over_a_local_account(platform, page):
    platform.add_user("truong_phong", "analyst")
    by_provider(page, platform, "/", "truong_phong")
    expect(page.get_by_role("alert")).to_contain_text("tên 'truong_phong' đã thuộc về một tài khoản khác")


def test_a_second_factor_is_set_up_and_then_asked_for(platform, page):
    totp = new_engineer(page, platform, "ky_su")
    page.get_by_role("button", name="Đăng xuất").click()
    by_password(page, platform, "ky_su", OWN_PASSWORD, "/rules")
    page.wait_for_url("**/sign-in/code*")
    assert violations(page) == []
    page.fill("#code", "000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Mã không đúng")
    page.fill("#code", next_code(totp))
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules")


def test_the_pages_of_signing_in_are_sound_and_the_picture_is_shown(platform, page):
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text) if message.type == "error" else None)
    page.goto(f"http://{platform.console}/sign-in")
    assert violations(page) == []
    by_password(page, platform, "quan_ly", platform.add_user("quan_ly", "approver"))
    page.fill("#password", OWN_PASSWORD)
    page.fill("#again", OWN_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/second-factor*")
    assert violations(page) == []
    page.get_by_role("button", name="Bắt đầu thiết lập").click()
    page.locator(".qr svg").wait_for()
    assert page.locator(".qr svg").bounding_box()["height"] > 150
    assert violations(page) == []
    page.fill("#code", "000000")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Tạo khóa mới").wait_for()
    assert violations(page) == []
    assert not [text for text in blocked if "Content Security Policy" in text]


@contextmanager
def led_out_within_five_seconds(page: Page) -> Iterator[None]:
    """The open page, untouched, comes to the sign-in page that soon after what is done within."""
    begun = time.monotonic()
    yield
    done = time.monotonic()
    page.wait_for_url("**/sign-in?*", timeout=5000)
    print(f"led out {time.monotonic() - done:.2f} s after, {time.monotonic() - begun:.2f} s after it was begun")
    assert re.search(r"kết thúc", page.get_by_role("alert").inner_text())


ENDS = {"signed_out": ("signout",), "disabled": ("disable",), "revoked": ("revoke", "--role", "analyst")}


@pytest.mark.parametrize(("name", "command"), ENDS.items(), ids=ENDS)
def test_an_open_page_is_left_within_five_seconds_of_the_end_of_its_session(platform, centre, page, name, command):
    platform.add_user(name, "analyst")
    centre.call("session.password", actor=name, name=name, password=OWN_PASSWORD)
    with page.expect_response(lambda answer: "/stream" in answer.url):
        by_password(page, platform, name, OWN_PASSWORD)
    page.locator("#queue").wait_for()
    with led_out_within_five_seconds(page):
        platform.run("users", *command, name).check_returncode()
