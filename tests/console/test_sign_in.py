"""Signing in and out, the first change of password, and when a session ends."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from console.account import own_path
from core.errors import RefusedError, UnavailableError

PASSWORD = "right and long enough"


def test_who_is_not_signed_in_is_sent_to_sign_in_and_then_back(browser, store):
    store()
    answer = browser.get("/incidents/1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fincidents%2F1")
    answer = browser.post("/sign-in", {"name": "an", "password": PASSWORD, "next": "/incidents/1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/1")
    assert browser.get("/incidents/1").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(browser):
    wrong = browser.post("/sign-in", {"name": "an", "password": "wrong"})
    unknown = browser.post("/sign-in", {"name": "nobody", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in wrong.text
    assert "the centre&#39;s own words" not in wrong.text
    assert wrong.text.replace('value="an"', "") == unknown.text.replace('value="nobody"', "")


def test_the_name_is_kept_and_the_password_is_not(browser):
    page = browser.post("/sign-in", {"name": "an", "password": "wrong-7391"}).text
    assert 'value="an"' in page
    assert "wrong-7391" not in page


def test_an_absent_centre_is_told_from_a_wrong_password(browser, centre):
    centre.error = UnavailableError("no answer")
    answer = browser.sign_in()
    assert answer.status_code == 503
    assert "Trung tâm xử lý chưa trả lời" in answer.text


def test_the_password_goes_to_the_centre_and_nowhere_else(browser, centre):
    browser.sign_in()
    typed = {"name": "an", "password": PASSWORD, "address": "testclient"}
    assert centre.calls == [("session.begin", "", typed)]
    assert all(PASSWORD not in cookie.value for cookie in browser.client.cookies.jar)


def test_signing_out_ends_the_session(analyst):
    assert analyst.get("/").status_code == 200
    assert analyst.post("/sign-out").headers["location"] == "/sign-in"
    assert analyst.get("/").status_code == 303


def test_signing_out_has_the_centre_end_all_sessions_of_the_user(analyst, centre):
    analyst.post("/sign-out")
    assert centre.calls[-1] == ("session.end", "an", {})


def test_an_absent_centre_keeps_nobody_signed_in(analyst, centre):
    centre.error = UnavailableError("no answer")
    assert analyst.post("/sign-out").headers["location"] == "/sign-in"
    assert analyst.get("/").status_code == 303


def test_a_centre_that_refuses_to_end_the_sessions_is_told_to_the_reader(analyst, centre):
    centre.error = RefusedError("only the console does this")
    answer = analyst.post("/sign-out")
    assert answer.status_code == 409
    assert "Only the console does this" in answer.text
    assert analyst.get("/").status_code == 303


def test_a_forged_session_cookie_is_no_session(browser):
    browser.client.cookies.set("haidang_session", "bm9uc2Vuc2U=")
    assert browser.get("/").status_code == 303


def test_a_part_of_a_page_is_told_where_to_sign_in(browser):
    answer = browser.get("/queue", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def test_the_one_time_password_must_be_changed_before_anything_else(browser, centre):
    centre.set_user("an", must_change=1)
    browser.sign_in()
    for path in ("/", "/incidents/new", "/incidents/1"):
        assert browser.get(path).headers["location"] == f"/password?next={quote(path, safe='')}"
    assert browser.get("/incidents.json").status_code == 403
    answer = browser.post("/password", {"password": "a sentence of mine", "again": "a sentence of mine"})
    assert answer.headers["location"] == "/"
    assert centre.calls[-1] == ("session.password", "an", {"name": "an", "password": "a sentence of mine"})
    assert browser.get("/").status_code == 200


def test_who_had_to_change_the_password_first_goes_where_he_wanted(browser, centre):
    centre.set_user("an", must_change=1)
    browser.sign_in()
    asked = browser.get("/password?next=%2Fincidents%2F1").text
    assert '<input type="hidden" name="next" value="/incidents/1">' in asked
    refused = browser.post("/password", {"password": "short", "again": "short", "next": "/incidents/1"}).text
    assert '<input type="hidden" name="next" value="/incidents/1">' in refused
    new = {"password": "a sentence of mine", "again": "a sentence of mine", "next": "/incidents/1"}
    assert browser.post("/password", new).headers["location"] == "/incidents/1"


def test_changing_the_password_sends_nobody_to_another_place(analyst):
    new = {"current": PASSWORD, "password": "a sentence of mine", "again": "a sentence of mine"}
    assert analyst.post("/password", new | {"next": "//evil.example"}).headers["location"] == "/"


@pytest.mark.parametrize(
    ("password", "again", "line"),
    [("short", "short", "ít nhất 12 ký tự"), ("a sentence of mine", "another sentence", "không giống nhau")],
)
def test_a_new_password_that_will_not_do_is_refused_in_one_line(analyst, centre, password, again, line):
    answer = analyst.post("/password", {"password": password, "again": again})
    assert answer.status_code == 422
    assert line in answer.text
    assert [call[0] for call in centre.calls] == ["session.begin"]


def test_changing_ones_password_later_asks_for_the_present_one(analyst, centre):
    new = {"password": "a sentence of mine", "again": "a sentence of mine"}
    assert analyst.post("/password", {"current": "wrong", **new}).status_code == 409
    assert [call[0] for call in centre.calls] == ["session.begin", "session.begin"]
    assert analyst.post("/password", {"current": PASSWORD, **new}).status_code == 303
    assert analyst.get("/").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb", "evil"])
def test_nobody_is_sent_to_another_place(path):
    assert own_path(path) == "/"


def test_a_path_of_ours_is_gone_back_to_with_its_query():
    assert own_path("/incidents/7?x=1&y=%C3%A1") == "/incidents/7?x=1&y=%C3%A1"
