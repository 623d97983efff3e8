"""The code after the password, and the setting up of a second factor."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from core.clock import MINUTE
from core.errors import RefusedError, UnavailableError
from core.scope import Grant

PASSWORD = "right and long enough"
CODE = "123456"
SECRET = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"


def give_password(browser, name="kysu", wanted="/"):
    return browser.post("/sign-in", {"name": name, "password": PASSWORD, "next": wanted})


@pytest.fixture
def bare(browser, centre):
    """An engineer, signed in, who has no second factor yet."""
    centre.set_user("kysu", totp=None, totp_used=0)
    assert give_password(browser).status_code == 303
    return browser


def test_after_the_right_password_the_code_is_asked_for_and_leads_where_one_wanted(browser, centre):
    answer = give_password(browser, wanted="/rules?q=x")
    assert answer.headers["location"] == "/sign-in/code?next=%2Frules%3Fq%3Dx"
    page = browser.get(answer.headers["location"]).text
    assert 'action="/sign-in/code"' in page
    assert 'name="next" value="/rules?q=x"' in page
    done = browser.post("/sign-in/code", {"code": CODE, "next": "/rules?q=x"})
    assert done.headers["location"] == "/rules?q=x"
    assert centre.calls[-1] == ("session.code", "kysu", {"code": CODE})
    assert browser.get("/rules").status_code == 200


def test_the_password_alone_opens_nothing(browser):
    give_password(browser)
    for path in ("/", "/password", "/second-factor", "/rules"):
        assert browser.get(path).headers["location"] == f"/sign-in?next={quote(path, safe='')}"
    assert browser.get("/incidents.json").status_code == 401
    assert browser.post("/second-factor/confirm", {"code": CODE}).headers["location"] == "/sign-in"
    assert browser.post("/sign-in/code", {"code": CODE}).headers["location"] == "/"  # and is still waited for


def test_a_wrong_code_gets_the_same_page_with_a_line(browser):
    give_password(browser)
    answer = browser.post("/sign-in/code", {"code": "000000", "next": "/rules"})
    assert answer.status_code == 401
    assert "Mã không đúng hoặc đã dùng" in answer.text
    assert 'name="next" value="/rules"' in answer.text
    assert "000000" not in answer.text
    assert browser.post("/sign-in/code", {"code": CODE}).status_code == 303


def test_an_absent_centre_is_told_from_a_wrong_code(browser, centre):
    give_password(browser)
    centre.error = UnavailableError("no answer")
    answer = browser.post("/sign-in/code", {"code": CODE})
    assert answer.status_code == 503
    assert "Trung tâm xử lý chưa trả lời" in answer.text


@pytest.mark.parametrize("change", [{"disabled": 1}, {"session": 2}])
def test_whose_sessions_ended_after_the_password_begins_anew(browser, centre, change):
    give_password(browser)
    centre.set_user("kysu", **change)
    assert browser.get("/sign-in/code").headers["location"] == "/sign-in"
    answer = browser.post("/sign-in/code", {"code": CODE})
    assert answer.status_code == 401
    assert "quá thời gian nhập mã" in answer.text


def test_the_code_is_waited_for_five_minutes(browser, clock):
    give_password(browser)
    clock.forward(5 * MINUTE - 1)
    assert browser.get("/sign-in/code").status_code == 200
    clock.forward(1)
    assert browser.get("/sign-in/code").headers["location"] == "/sign-in"
    assert browser.post("/sign-in/code", {"code": CODE}).status_code == 401


def test_nobody_gives_a_code_without_a_password(browser, centre):
    assert browser.post("/sign-in/code", {"code": CODE}).status_code == 401
    assert centre.calls == []


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example"])
def test_a_code_sends_nobody_to_another_place(browser, path):
    give_password(browser)
    assert 'name="next" value="/"' in browser.get(f"/sign-in/code?next={quote(path)}").text
    assert browser.post("/sign-in/code", {"code": CODE, "next": path}).headers["location"] == "/"


@pytest.mark.parametrize("role", ["administrator", "engineer", "approver"])
def test_a_role_that_needs_a_second_factor_can_do_nothing_else_before(browser, centre, role):
    centre.set_grants("xem", Grant(role))
    browser.sign_in("xem")
    assert browser.get("/rules").headers["location"] == "/second-factor?next=%2Frules"
    assert browser.get("/incidents.json").status_code == 403
    page = browser.get("/second-factor").text
    assert "bắt buộc dùng yếu tố xác thực thứ hai" in page
    assert 'href="/rules"' not in page


def test_the_secret_is_shown_once_and_its_first_code_opens_what_was_wanted(bare, centre):
    assert "<svg" not in bare.get("/second-factor").text
    shown = bare.post("/second-factor", {"next": "/rules"})
    assert SECRET in shown.text
    assert "<svg" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert centre.calls[-1] == ("session.factor", "kysu", {})
    done = bare.post("/second-factor/confirm", {"code": CODE, "next": "/rules"})
    assert done.headers["location"] == "/rules"
    assert bare.get("/rules").status_code == 200


def test_later_the_password_is_asked_for_again_before_a_secret_is_made(analyst, centre, clock):
    """Who finds a screen left open puts no second factor of his own on the account."""
    clock.forward(5 * MINUTE - 1)
    assert 'name="password"' not in analyst.get("/second-factor").text
    clock.forward(1)
    assert 'name="password"' in analyst.get("/second-factor").text
    before = len(centre.calls)
    for typed in ({}, {"password": "wrong and long enough"}):
        answer = analyst.post("/second-factor", typed)
        assert answer.status_code == 409
        assert SECRET not in answer.text
    assert [call[0] for call in centre.calls[before:]] == ["session.begin"] * 2
    assert SECRET in analyst.post("/second-factor", {"password": PASSWORD}).text
    assert [call[0] for call in centre.calls[-2:]] == ["session.begin", "session.factor"]


def test_loading_the_page_again_makes_no_new_secret_and_shows_none(bare, centre):
    bare.post("/second-factor")
    before = len(centre.calls)
    page = bare.get("/second-factor").text
    assert len(centre.calls) == before
    assert SECRET not in page
    assert "<svg" not in page
    assert 'action="/second-factor/confirm"' in page
    assert "Tạo khóa mới" in page


def test_a_wrong_first_code_leaves_the_factor_waiting(bare):
    bare.post("/second-factor")
    answer = bare.post("/second-factor/confirm", {"code": "000000", "next": "/rules"})
    assert answer.status_code == 409
    assert 'name="next" value="/rules"' in answer.text
    assert bare.get("/rules").headers["location"].startswith("/second-factor")
    assert bare.post("/second-factor/confirm", {"code": CODE}).status_code == 303


def test_the_picture_is_drawn_in_the_page_without_style(bare):
    page = bare.post("/second-factor").text
    picture = re.search(r"<svg.*</svg>", page, re.DOTALL)[0]
    assert not re.search(r"style|script|href|data:|//", picture)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pages_have_no_inline_script_or_style_and_name_no_other_host(bare, language):
    bare.client.cookies.set("haidang_language", language)
    for page in (bare.get("/second-factor").text, bare.post("/second-factor").text):
        assert f'<html lang="{language}">' in page
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)|javascript:", page)
        assert not re.search(r"(https?:)?//[a-z0-9]", page)


def test_whoever_wants_one_finds_it_from_the_password_page(analyst):
    assert 'href="/second-factor"' in analyst.get("/password").text
    page = analyst.get("/second-factor").text
    assert "bắt buộc" not in page
    assert 'href="/">Quay lại' in page
    assert 'href="/events"' in page  # all else stays open
    analyst.post("/second-factor")
    assert analyst.get("/events").status_code == 200


def test_who_has_one_is_offered_no_other(engineer):
    page = engineer.get("/second-factor").text
    assert "đang dùng yếu tố xác thực thứ hai" in page
    assert 'action="/second-factor"' not in page


@pytest.mark.parametrize("change", [{"issuer": "https://id.example"}, {"address": "testclient"}])
def test_an_account_without_a_password_of_its_own_is_offered_none(browser, centre, change):
    browser.sign_in("xem")
    centre.set_user("xem", **change)
    page = browser.get("/second-factor").text
    assert "không dùng yếu tố xác thực thứ hai tại đây" in page
    assert 'action="/second-factor"' not in page


def test_a_refusal_of_the_centre_is_told_in_the_readers_language(bare, centre):
    centre.error = RefusedError("'kysu' has a second factor already: an administrator can reset the account")
    answer = bare.post("/second-factor")
    assert answer.status_code == 409
    assert "đã có yếu tố xác thực thứ hai" in answer.text
