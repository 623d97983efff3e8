"""Every reason not to believe what an OpenID provider answers."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey
from vouching import CLIENT_SECRET, OTHER, come_back, leave, said, sign_in, vouch

from console.openid import MOST_BYTES, account_name
from core.clock import SECOND


@pytest.fixture
def browser(signing):
    return signing()


NOT_VALID = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "several audiences without saying whose it is": {"aud": ["haidang", "another"]},
    "issued to another": {"azp": "another"},
    "no subject": {"sub": None},
    "a subject that is no text": {"sub": 7},
    "no end": {"exp": None},
    "an end that is no time": {"exp": "never"},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "another"},
    "of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("changes", NOT_VALID.values(), ids=NOT_VALID)
def test_a_token_with_a_wrong_claim_is_refused(browser, fake, centre, changes):
    fake.changes = changes
    refused = sign_in(browser, fake)
    assert refused.status_code == 401
    assert said(refused) == (
        "Câu trả lời của hệ thống đăng nhập không hợp lệ nên không được chấp nhận. Hãy báo quản trị viên."
    )
    assert centre.calls == []
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(-59, 200), (-61, 401), (1, 200)])
def test_a_token_that_is_over_is_refused_but_for_what_clocks_differ(browser, fake, clock, seconds, status):
    fake.changes = {"exp": clock.now() // SECOND + seconds}
    assert sign_in(browser, fake).status_code == status


def test_a_token_from_the_future_is_refused(browser, fake, clock):
    fake.changes = {"iat": clock.now() // SECOND + 120}
    assert sign_in(browser, fake).status_code == 401


def test_an_access_token_is_checked_where_its_hash_is_told(browser, fake):
    half = hashlib.sha256(b"at").digest()[:16]  # OpenID Connect Core 1.0, 3.1.3.6
    fake.changes = {"at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode()}
    assert sign_in(browser, fake).status_code == 200


def test_a_signature_by_another_key_is_refused(browser, fake):
    fake.key = OTHER
    assert sign_in(browser, fake).status_code == 401


@pytest.mark.parametrize("token", ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "[1]", 7])
def test_what_is_no_signed_token_is_refused(browser, fake, token):
    fake.answers["/token"] = {"access_token": "at", "id_token": token}
    assert sign_in(browser, fake).status_code == 401


def test_a_token_signed_by_a_shared_secret_is_refused(browser, fake):
    fake.key, fake.algorithm = OctKey.import_key(CLIENT_SECRET.ljust(32, "_"), {"kid": "rsa"}), "HS256"
    assert sign_in(browser, fake).status_code == 401


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": 7}, {"keys": [{"kty": "oct", "k": "AAAA"}]}])
def test_a_provider_that_shows_no_key_is_refused(browser, fake, keys):
    fake.answers["/jwks"] = keys
    assert sign_in(browser, fake).status_code == 401


ABSENT = {
    "it does not answer": httpx.ConnectTimeout("too slow"),
    "it leads elsewhere": httpx.Response(302, headers={"location": "https://evil.example"}),
    "it fails": httpx.Response(500, text="oops"),
    "it never stops": httpx.Response(200, content=b" " * (MOST_BYTES + 1)),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
@pytest.mark.parametrize("answer", ABSENT.values(), ids=ABSENT)
def test_an_absent_provider_is_told_in_one_line(browser, fake, path, answer):
    leave(browser, fake)
    fake.answers[path] = answer
    refused = come_back(browser, fake)
    assert refused.status_code == 503
    assert "chưa trả lời" in said(refused)
    assert "oops" not in refused.text


def test_an_absent_provider_is_told_before_one_leaves(browser, fake, caplog):
    fake.answers["/.well-known/openid-configuration"] = httpx.ConnectError("refused")
    answer = browser.get("/sign-in/oidc?next=/rules")
    assert answer.status_code == 503
    assert 'name="next" value="/rules"' in answer.text
    assert "/.well-known/openid-configuration does not answer: refused" in caplog.text


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_json_object_is_refused(browser, fake, text):
    leave(browser, fake)
    fake.answers["/token"] = httpx.Response(200, content=text)
    assert come_back(browser, fake).status_code == 401


METADATA = {
    "of another issuer": {"issuer": "https://evil.example"},
    "without encryption": {"authorization_endpoint": "http://id.example/auth"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "no text": {"authorization_endpoint": 7},
    "no address": {"authorization_endpoint": "https://[::1"},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_a_configuration_that_cannot_be_trusted_leads_nowhere(browser, fake, metadata):
    fake.metadata = metadata
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 401
    assert "không hợp lệ" in said(answer)


@pytest.mark.parametrize(
    ("wanted", "told", "status"),
    [
        ({"acr": ["mfa"]}, {"acr": "mfa"}, 200),
        ({"acr": ["mfa", "phr"]}, {"acr": "phr"}, 200),
        ({"acr": ["mfa"]}, {"acr": "password"}, 401),
        ({"acr": ["mfa"]}, {}, 401),
        ({"amr": ["otp", "hwk"]}, {"amr": ["pwd", "otp"]}, 200),
        ({"amr": ["otp"]}, {"amr": ["pwd"]}, 401),
        ({"amr": ["otp"]}, {}, 401),
        ({"acr": ["mfa"], "amr": ["otp"]}, {"acr": "mfa"}, 401),
    ],
)
def test_a_second_factor_that_is_required_must_be_told_of(signing, fake, centre, wanted, told, status):
    browser, fake.changes = signing(**wanted), told
    answer = sign_in(browser, fake)
    assert answer.status_code == status
    assert fake.flow.get("acr_values") == (" ".join(wanted["acr"]) if "acr" in wanted else None)
    if status == 200:
        assert vouch(centre)["factor"] is True
    else:
        assert "chưa xác nhận yếu tố xác thực thứ hai" in said(answer)


@pytest.mark.parametrize("name", [None, "", "  ", "---", "漢字", 7, ["an"]])
def test_a_name_of_which_nothing_can_be_made_is_refused(browser, fake, name):
    fake.changes = {"preferred_username": name}
    assert "tên tài khoản dùng được" in said(sign_in(browser, fake))


@pytest.mark.parametrize("groups", [None, 7, {"soc": 1}, [["soc"]], ["Soc", "so", ""]])
def test_groups_that_mean_nothing_here_give_nothing(browser, fake, centre, groups):
    fake.changes = {"groups": groups}
    sign_in(browser, fake)
    assert vouch(centre)["grants"] == []


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("nguyen.van-an@x", "nguyen_van_an_x"),
        ("Nguyễn Văn Đức", "nguyen_van_duc"),
        ("AN", "an"),
        ("2an", "_2an"),
        ("_an_", "an"),
        ("an\n", "an"),
        ("@", ""),
    ],
)
def test_an_account_is_named_by_what_the_provider_calls_one(told, name):
    assert account_name(told) == name


@given(st.text(max_size=40))
def test_a_name_is_plain_or_nothing_and_stays_what_it_is(told):
    name = account_name(told)
    assert name == "" or (name.isascii() and name.isidentifier())
    assert account_name(name) == name
