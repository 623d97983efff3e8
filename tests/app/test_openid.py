"""What the console is given to ask an OpenID provider with."""

from __future__ import annotations

import ssl

import pytest

from app.openid import PATIENCE_SECONDS, openid_provider
from core.errors import ContentError, UnavailableError
from core.settings_oidc import OidcSettings


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_text("s3cret\n")
    return OidcSettings.model_validate(
        {
            "issuer": "https://id.example",
            "client_id": "haidang",
            "client_secret_file": tmp_path / "secret",
            "redirect_uri": "https://hd.example/sign-in/oidc/callback",
            "grants": [{"group": "soc", "role": "analyst"}],
        }
    )


def test_without_settings_nobody_vouches():
    assert openid_provider(None) is None


def test_the_way_there_is_bounded_and_checked(settings):
    provider = openid_provider(settings)
    assert provider.secret.reveal() == "s3cret"
    assert "s3cret" not in repr(provider)
    assert provider.http.timeout.as_dict() == dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE_SECONDS)
    assert not provider.http.follow_redirects
    context = provider.http._transport._pool._ssl_context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_an_absent_or_empty_secret_is_told_in_one_line(settings):
    settings.client_secret_file.write_text(" \n")
    with pytest.raises(ContentError, match="the client's secret is empty"):
        openid_provider(settings)
    settings.client_secret_file.unlink()
    with pytest.raises(ContentError, match="cannot be read"):
        openid_provider(settings)


def test_a_secret_that_others_can_read_is_refused(settings):
    settings.client_secret_file.chmod(0o640)
    with pytest.raises(ContentError, match="run chmod 600"):
        openid_provider(settings)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_used_are_named(settings, tmp_path, content):
    path = tmp_path / "authorities.pem"
    if content:
        path.write_text(content)
    with pytest.raises(UnavailableError, match=r"console\.oidc: .*authorities\.pem cannot be used"):
        openid_provider(settings.model_copy(update={"authorities": path}))
