"""Signing in by an OpenID provider: there and back again, and what is told of a refusal."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from litestar.testing import TestClient
from vouching import CLIENT_SECRET, EC, ISSUER, SETTINGS, come_back, leave, said, sign_in, vouch

from console.openid import PATIENCE
from console.web import create_app
from core.clock import MINUTE
from core.errors import RefusedError, UnavailableError


@pytest.fixture
def browser(signing):
    return signing()


def test_the_provider_is_asked_with_all_that_protects_the_answer(browser, fake):
    answer = browser.get("/sign-in/oidc")
    assert answer.headers["location"].startswith(f"{ISSUER}/auth?")
    asked = leave(browser, fake)
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == SETTINGS["redirect_uri"]
    assert asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    again = leave(browser, fake)
    assert not {asked[name] for name in ("state", "nonce", "code_challenge")} & set(again.values())


def test_what_was_asked_is_kept_in_a_cookie_of_its_own_that_only_the_callback_gets(browser):
    (cookie,) = [
        one for one in browser.get("/sign-in/oidc").headers.get_list("set-cookie") if one.startswith("haidang_oidc=")
    ]
    assert {"httponly", "samesite=lax", "path=/sign-in/oidc/callback", "max-age=600"} <= set(cookie.lower().split("; "))
    assert re.fullmatch(r"[0-9a-f]+", cookie.split(";")[0].removeprefix("haidang_oidc="))


def test_whom_it_vouches_for_is_signed_in_and_led_on_by_a_page_of_ours(browser, fake, centre):
    answer = sign_in(browser, fake, "/incidents/new?x=1&y=2")
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/incidents/new?x=1&amp;y=2">' in answer.text
    assert vouch(centre) == {
        "issuer": ISSUER,
        "subject": "248289761001",
        "name": "nguyen_van_an",
        "grants": [{"role": "analyst", "unit": "hnoi"}],
        "factor": False,
    }
    assert browser.get("/").status_code == 200


def test_the_code_is_exchanged_with_the_secret_and_the_proof(browser, fake):
    sign_in(browser, fake)
    (request,) = [one for one in fake.asked if one.url.path.endswith("/token")]
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert create_s256_code_challenge(form.pop("code_verifier")) == fake.flow["code_challenge"]
    assert form == {"grant_type": "authorization_code", "code": "c0de", "redirect_uri": SETTINGS["redirect_uri"]}
    assert request.headers["authorization"] == httpx.BasicAuth("haidang", "s3cret%2Fwith%2Bsigns")._auth_header


def test_a_provider_that_takes_the_secret_in_the_form_only_gets_it_there(browser, fake):
    fake.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_in(browser, fake).status_code == 200
    (request,) = [one for one in fake.asked if one.url.path.endswith("/token")]
    assert parse_qs(request.content.decode())["client_secret"] == [CLIENT_SECRET]
    assert "authorization" not in request.headers


def test_another_kind_of_signature_is_taken_too(browser, fake):
    fake.key, fake.algorithm = EC, "ES256"
    assert sign_in(browser, fake).status_code == 200


def test_claims_that_the_token_leaves_out_are_asked_of_userinfo(browser, fake, centre):
    fake.changes = {"groups": None, "preferred_username": None}
    fake.metadata = {"userinfo_endpoint": f"{ISSUER}/userinfo"}
    fake.answers["/userinfo"] = {"sub": "248289761001", "preferred_username": "Hương", "groups": "xem"}
    assert sign_in(browser, fake).status_code == 200
    assert fake.asked[-1].headers["authorization"] == "Bearer at"
    assert (vouch(centre)["name"], vouch(centre)["grants"]) == ("huong", [{"role": "viewer", "unit": ""}])


def test_userinfo_of_another_person_is_not_believed(browser, fake):
    fake.changes = {"groups": None}
    fake.metadata = {"userinfo_endpoint": f"{ISSUER}/userinfo"}
    fake.answers["/userinfo"] = {"sub": "another", "groups": ["soc"]}
    assert "không hợp lệ" in said(sign_in(browser, fake))


def test_claims_may_have_other_names(signing, fake, centre):
    browser = signing(name_claim="email", groups_claim="roles")
    fake.changes = {"email": "huong@vks.gov.vn", "roles": ["xem", "soc", 7]}
    assert sign_in(browser, fake).status_code == 200
    assert vouch(centre)["name"] == "huong_vks_gov_vn"
    assert len(vouch(centre)["grants"]) == 2


EXPIRED = "Lần đăng nhập này đã quá hạn hoặc không bắt đầu từ trình duyệt và địa chỉ này. Mời đăng nhập lại."


@pytest.mark.parametrize("told", [None, "", "another"])
def test_an_answer_with_another_state_is_refused_and_the_provider_not_asked(browser, fake, told):
    leave(browser, fake)
    before = len(fake.asked)
    assert said(come_back(browser, fake, state=told)) == EXPIRED
    assert len(fake.asked) == before


def test_an_answer_without_a_sign_in_that_was_begun_here_is_refused(browser, fake):
    assert said(come_back(browser, fake, state="x")) == EXPIRED


@pytest.mark.parametrize("value", ["zz", "00", "ab" * 40])
def test_a_forged_cookie_is_none(browser, fake, value):
    leave(browser, fake)
    browser.client.cookies.set("haidang_oidc", value, domain="testserver.local", path="/sign-in/oidc/callback")
    assert said(come_back(browser, fake)) == EXPIRED


def test_each_sign_in_is_answered_once(browser, fake):
    assert sign_in(browser, fake).status_code == 200
    assert said(come_back(browser, fake)) == EXPIRED


def test_a_refused_sign_in_is_not_answered_again(browser, fake):
    assert said(sign_in(browser, fake, state="another")) == EXPIRED
    assert said(come_back(browser, fake)) == EXPIRED


def test_ten_minutes_at_the_provider_are_enough(browser, fake, clock):
    leave(browser, fake)
    clock.forward(PATIENCE - 1)
    assert come_back(browser, fake).status_code == 200
    leave(browser, fake)
    clock.forward(10 * MINUTE)
    assert said(come_back(browser, fake)) == EXPIRED


def test_an_answer_that_names_another_issuer_is_refused(browser, fake):
    assert sign_in(browser, fake, iss=ISSUER).status_code == 200
    assert sign_in(browser, fake, iss="https://evil.example").status_code == 401


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_refusal_of_the_provider_is_one_line_on_the_sign_in_page(browser, fake, language):
    browser.client.cookies.set("haidang_language", language)
    refused = sign_in(browser, fake, "/rules", code=None, error="access_denied", error_description="<b>mark</b>")
    lines = {"vi": "không xác nhận, hoặc bạn đã hủy", "en": "did not confirm you, or you cancelled"}
    assert lines[language] in said(refused)
    assert "mark" not in refused.text
    assert "c0de" not in refused.text
    assert 'name="next" value="/rules"' in refused.text
    assert 'action="/sign-in"' in refused.text


REFUSALS = {
    "none of your groups has a role here": "các nhóm của bạn không có vai trò nào tại đây",
    "there is already a user 'nguyen_van_an'": "tên 'nguyen_van_an' đã thuộc về một tài khoản khác",
    "the account is disabled": "tài khoản đã bị khóa",
    "your role needs a second factor, and the provider told of none": "vai trò của bạn cần yếu tố xác thực thứ hai",
}


@pytest.mark.parametrize(("reason", "line"), REFUSALS.items())
def test_a_refusal_of_the_centre_is_told_in_the_readers_language(browser, fake, centre, reason, line):
    centre.error = RefusedError(reason)
    refused = sign_in(browser, fake)
    assert refused.status_code == 409
    assert line in said(refused)
    assert browser.get("/").status_code == 303


def test_an_absent_centre_is_told(browser, fake, centre):
    centre.error = UnavailableError("no answer")
    assert sign_in(browser, fake).status_code == 503


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_to_another_place(browser, fake, path):
    assert 'content="0; url=/"' in sign_in(browser, fake, path).text


def test_the_button_is_there_where_a_provider_is(browser):
    page = browser.get("/sign-in?next=/rules").text
    assert '<a class="button" href="/sign-in/oidc?next=%2Frules">Đăng nhập bằng tài khoản của ngành</a>' in page


def test_its_words_are_the_settings_in_the_readers_language(signing):
    browser = signing(label={"vi": "Tài khoản <VKS>", "en": "Procuracy account"})
    assert "Tài khoản &lt;VKS&gt;</a>" in browser.get("/sign-in").text
    browser.client.cookies.set("haidang_language", "en")
    assert "Procuracy account</a>" in browser.get("/sign-in").text


def test_without_a_provider_there_is_no_button_and_no_way(console):
    with TestClient(create_app(console)) as client:
        assert "/sign-in/oidc" not in client.get("/sign-in").text
        for path in ("/sign-in/oidc", "/sign-in/oidc/callback?state=x&code=y"):
            assert client.get(path, follow_redirects=False).status_code == 404
