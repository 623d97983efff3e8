"""What the console needs to ask an OpenID provider: the client's secret, and a way there that is bounded."""

from __future__ import annotations

import ssl

import httpx

from console.deps import Provider
from core.errors import ContentError, UnavailableError
from core.files import read_bounded
from core.settings_oidc import OidcSettings
from core.vault import Secret

PATIENCE_SECONDS = 5.0
"""For each step of an exchange: to connect, to send, to wait for the next bytes."""
_LONGEST_SECRET = 4096


def openid_provider(settings: OidcSettings | None) -> Provider | None:
    """The provider of the settings, None where they name none. It is not asked for anything yet.

    Raises:
        ContentError: the file of the secret cannot be read, is empty, or others can read it.
        UnavailableError: the file of authorities cannot be used.
    """
    if settings is None:
        return None
    http = httpx.Client(verify=_context(settings), timeout=PATIENCE_SECONDS, follow_redirects=False)
    return Provider(settings=settings, secret=_secret(settings), http=http)


def _secret(settings: OidcSettings) -> Secret:
    path = settings.client_secret_file
    secret = read_bounded(path, _LONGEST_SECRET, "the client's secret").decode("utf-8", "replace").strip()
    if not secret:
        raise ContentError(f"{path}: the client's secret is empty; write the one that the provider gave")
    if path.stat().st_mode & 0o077:
        raise ContentError(f"{path} can be read by others: run chmod 600 {path}")
    return Secret(secret)


def _context(settings: OidcSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, the name checked; by the machine's authorities unless the settings name others."""
    try:
        return ssl.create_default_context(cafile=settings.authorities)
    except (OSError, ssl.SSLError) as error:
        raise UnavailableError(f"console.oidc: {settings.authorities} cannot be used: {error}") from error
