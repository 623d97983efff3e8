"""What holds for every route: an action, headers, no address beyond this console, protection against forged forms."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from console.render import STATIC
from console.sessions import OWN_ACCOUNT, PUBLIC
from console.web import HEADERS, create_app, end_streams
from core.errors import RefusedError
from core.scope import Grant
from core.stores.catalogue import CatalogueRule, RuleState, put_catalogue
from inventory.rights import ROLES, may

RULE = "43b774dd-fe57-4c3e-b194-1c299f864c6d"
QUEUE = ("/", "/?state=closed", "/incidents/1", "/incidents/new")
RULES = ("/rules", "/rules?q=ssh&state=enabled", f"/rules/{RULE}")
INVENTORY = (
    "/units",
    "/units?q=da+nang",
    "/units/dnang",
    "/sites",
    "/sites/hn",
    "/map",
    "/leader",
    "/leader/overdue",
    "/wallboard",
)
PAGES = (*QUEUE, *RULES, *INVENTORY, "/events?q=a", "/sources", "/password", "/sign-in", "/nothing-here")
OURS = (*sorted(STATIC.glob("*.*")), *sorted((STATIC.parent / "templates").iterdir()))


@pytest.fixture(autouse=True)
def _catalogue(state):
    """One rule, so that its page is there."""
    rule = CatalogueRule(
        id=RULE, file="a/b/c.yml", title={"vi": "SSH"}, guide={"vi": ("Xem",)}, state=RuleState.ENABLED
    )
    with state.begin() as connection:
        put_catalogue(connection, [rule], {"a/b/c.yml": b"title: SSH"})


def actions(app) -> dict[str, str]:
    """Path and method of every route to the action that it names."""
    return {
        f"{method} {route.path}": handler.opt.get("action", "")
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS"}
    }


def test_every_route_names_an_action_that_someone_may_take(browser):
    named = actions(browser.client.app)
    assert len(named) > 15
    real = {action for action in named.values() if action not in {PUBLIC, OWN_ACCOUNT}}
    assert real == {action for action in real if any(may([Grant(role)], action) for role in ROLES)}


def test_what_is_open_before_sign_in_is_little(browser):
    public = {path for path, action in actions(browser.client.app).items() if action == PUBLIC}
    assert public == {
        "GET /sign-in",
        "POST /sign-in",
        "GET /sign-in/code",
        "POST /sign-in/code",
        "GET /sign-in/oidc",
        "GET /sign-in/oidc/callback",
        "POST /language",
        "GET /static/{file_path:path}",
        "HEAD /static/{file_path:path}",
    }


def test_a_route_without_an_action_is_refused(analyst, monkeypatch):
    for route in analyst.client.app.routes:
        if route.path == "/password":
            for handler in route.route_handlers:
                monkeypatch.delitem(handler.opt, "action", raising=False)
    assert analyst.get("/password").status_code == 403


def test_every_route_that_writes_is_a_post(browser):
    writing = [path for path, action in actions(browser.client.app).items() if action == "incident.write"]
    assert [path for path in writing if not path.startswith("POST ")] == ["GET /incidents/new"]


@pytest.mark.parametrize("path", [*PAGES, "/queue", "/incidents.json", "/static/console.css", "/incidents/1/part"])
def test_every_answer_carries_the_headers(analyst, store, path):
    store()
    answer = analyst.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    expected = "max-age" if path.startswith("/static/") else "no-store"
    assert expected in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_says_its_language_and_has_no_inline_script_or_style(analyst, store, make_alert, path, language):
    store(make_alert())
    analyst.client.cookies.set("haidang_language", language)
    page = analyst.get(path).text
    assert f'<html lang="{language}">' in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)|javascript:", page)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_names_another_host(analyst, store, make_alert, path):
    store(make_alert())
    assert not re.search(r"(https?:)?//[a-z0-9]", analyst.get(path).text)


@pytest.mark.parametrize("file", OURS, ids=lambda path: path.name)
def test_no_file_of_ours_names_another_host(file: Path):
    text = file.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|[\"'(]//|@import", text)


def test_a_form_without_the_token_is_refused(analyst, store, centre):
    store()
    before = len(centre.calls)
    answer = analyst.client.post("/incidents/1/note", data={"text": "x"}, follow_redirects=False)
    assert answer.status_code == 403
    assert "Biểu mẫu đã hết hạn" in answer.text
    assert len(centre.calls) == before


def test_a_token_of_an_earlier_key_is_replaced_and_not_kept_for_ever(browser):
    browser.client.cookies.set("haidang_csrf", "0" * 128, domain="testserver.local", path="/")
    assert browser.post("/language", {"language": "en"}).status_code == 403
    assert browser.post("/language", {"language": "en"}).status_code == 303


def test_cookies_are_kept_from_scripts_and_other_sites(browser):
    browser.get("/sign-in")
    set_cookies = [*browser.sign_in().headers.get_list("set-cookie")]
    set_cookies += browser.post("/language", {"language": "en"}).headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in set_cookies} == {"haidang_session", "haidang_language"}
    for cookie in set_cookies:
        assert "httponly" in cookie.lower()
        assert "samesite=strict" in cookie.lower()


def test_by_tls_every_cookie_is_for_tls_only(console):
    app = create_app(dataclasses.replace(console, secure=True))
    with TestClient(app, base_url="https://testserver.local") as client:
        page = client.get("/sign-in")
        token = re.search(r'_csrf_token" value="(\w+)"', page.text)[1]
        form = {"_csrf_token": token, "name": "an", "password": "right and long enough", "language": "en"}
        answers = [page, *(client.post(path, data=form, follow_redirects=False) for path in ("/sign-in", "/language"))]
    cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert len(cookies) >= 3
    assert [cookie for cookie in cookies if "secure" not in cookie.lower()] == []


def test_the_reader_chooses_the_language_and_stays_where_he_was(analyst, store):
    store()
    answer = analyst.post("/language", {"language": "en", "back": "/incidents/1"})
    assert answer.headers["location"] == "/incidents/1"
    page = analyst.get("/incidents/1").text
    assert "SSH brute force" in page
    assert "Acknowledge" in page
    assert "Tiếp nhận" not in page


def test_an_unknown_language_changes_nothing(browser):
    assert browser.post("/language", {"language": "xx"}).status_code == 303
    assert '<html lang="vi">' in browser.get("/sign-in").text


def test_a_page_that_is_not_there_says_so_in_the_readers_language(browser):
    answer = browser.get("/nothing-here")
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text


def test_a_page_that_is_not_there_is_no_failed_action_and_leads_back(analyst):
    page = analyst.get(f"/rules/{RULE[:-1]}0").text
    assert "<h1>Không tìm thấy</h1>" in page
    assert "Không thực hiện được" not in page
    assert "Không có quy tắc" in page
    assert '<a href="/rules">Về danh sách quy tắc</a>' in page
    assert '<a href="/">Về hàng đợi sự cố</a>' in page
    assert "Trang, sự cố hoặc quy tắc này không có" in analyst.get("/incidents/404").text


def test_a_heading_is_not_said_again_below_it(analyst, centre):
    centre.error = RefusedError("incident 7 is closed")
    page = analyst.post("/sign-out").text
    assert page.count("Không thực hiện được") == 2  # the title and the heading
    assert "Sự cố số 7 đã đóng." in page


def test_a_defect_is_told_without_its_innards(analyst, monkeypatch, caplog):
    monkeypatch.setattr("console.pages.list_queue", lambda *_: 1 / 0)
    answer = analyst.get("/")
    assert answer.status_code == 500
    assert "ngoài dự kiến" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "division by zero" in caplog.text


def test_two_consoles_in_one_process_do_not_disturb_each_other(browser, console):
    with TestClient(create_app(console)) as other:
        assert other.get("/sign-in").status_code == 200
    assert browser.get("/sign-in").status_code == 200


def test_an_asked_stop_ends_all_streams(browser):
    app = browser.client.app
    end_streams(app)
    assert app.state["changes"].is_closed


@pytest.mark.parametrize("name", ["an", "xem", "quantri", "kysu", "duyet", "lanhdao", "kiemtoan"])
def test_the_list_of_keys_names_those_of_the_pages_that_one_may_open(browser, name):
    browser.sign_in(name)
    page = browser.get("/password").text
    (navigation,) = re.findall(r'<nav aria-label="Điều hướng">(.*?)</nav>', page, re.DOTALL)
    links = dict(re.findall(r'<a href="([^"]+)" data-key="(\w)"', navigation))
    told = re.findall(r"<kbd>g</kbd> rồi <kbd>(\w)</kbd>", page)
    assert sorted(told) == sorted(key for link, key in links.items() if link != "/incidents/new")
    assert {browser.get(link).status_code for link in links} == {200}
    assert ("Ghi nhận sự cố mới</dd>" in page) == ("/incidents/new" in links)
