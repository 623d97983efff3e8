"""Signing in by an OpenID provider: there, and back again."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar import get
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from console.account import own_path, sign_in_answer
from console.deps import Console, Provider, console_of
from console.openid import PATIENCE, Flow, NotVouchedError, Vouched, begin, finish
from console.problems import line_of, status_of
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import PUBLIC, new_session
from console.texts import say
from core.clock import SECOND
from core.errors import HaidangError
from core.scope import Grant
from core.settings_oidc import CALLBACK

COOKIE = "haidang_oidc"

_PUBLIC = {"action": PUBLIC}
_NONCE_BYTES = 12
_log = logging.getLogger("haidang.console")


@get("/sign-in/oidc", opt=_PUBLIC, sync_to_thread=True)
def leave(request: AnyRequest) -> Answer:
    """Sends the browser to the provider."""
    console, provider = console_of(request), _provider(request)
    wanted = own_path(request.query_params.get("next", "/"))
    try:
        url, flow = begin(provider, console.clock.now(), wanted)
    except NotVouchedError as error:
        return _refused(request, error, wanted)
    return Redirect(url, status_code=303, cookies=[_cookie(console, _seal(console, flow), PATIENCE // SECOND)])


@get(CALLBACK, opt=_PUBLIC, sync_to_thread=True)
def come_back(request: AnyRequest) -> Answer:
    """Takes the provider's answer and begins a session; each flow is answered once."""
    console, provider = console_of(request), _provider(request)
    flow = _open(console, request.cookies.get(COOKIE, ""))
    try:
        answer = _come_back(request, provider, flow)
    except NotVouchedError as error:
        answer = _refused(request, error, flow.next if flow else "/")
    except HaidangError as error:
        values = {"next": flow.next if flow else "/"}
        answer = sign_in_answer(request, values, line_of(request, error), status_of(error))
    answer.set_cookie(_cookie(console, "", 0))
    return answer


def _come_back(request: AnyRequest, provider: Provider, flow: Flow | None) -> Answer:
    """Begins the session, and has the browser go on by itself.

    A redirect would not do: for the browser it would still be the provider's page that leads here, and to what another
    site leads it sends no SameSite=Strict cookie, so nobody would be signed in. From a page of ours it does.
    """
    console = console_of(request)
    now = console.clock.now()
    if flow is None:
        raise NotVouchedError("expired", "there is no cookie of a sign-in that was begun here")
    vouched = finish(provider, now, flow, dict(request.query_params))
    session = console.centre.call("session.vouched", **_values(provider, vouched))
    request.set_session(new_session(session, now))
    return render(request, "go_on", {"next": own_path(flow.next)})


def _values(provider: Provider, vouched: Vouched) -> dict[str, Any]:
    settings = provider.settings
    meant = {Grant(one.role, one.unit) for one in settings.grants if one.group in vouched.groups}
    return {
        "issuer": settings.issuer,
        "subject": vouched.subject,
        "name": vouched.name,
        "grants": [msgspec.to_builtins(one) for one in sorted(meant)],
        "factor": settings.proves_second_factor,
    }


def _provider(request: AnyRequest) -> Provider:
    provider = console_of(request).oidc
    if provider is None:
        raise NotFoundException
    return provider


def _refused(request: AnyRequest, error: NotVouchedError, wanted: str) -> Answer:
    """The sign-in page with one line; the detail is for who runs the console."""
    _log.warning("sign-in by the OpenID provider: %s: %s", error.why, error)
    status = 503 if error.why == "unavailable" else 401
    return sign_in_answer(request, {"next": wanted}, say(language_of(request), f"oidc.{error.why}"), status)


def _cookie(console: Console, value: str, seconds: int) -> Cookie:
    """Lax and apart from the session, whose cookie is Strict and so not sent when the provider leads back here."""
    return Cookie(
        key=COOKIE, value=value, max_age=seconds, path=CALLBACK, secure=console.secure, httponly=True, samesite="lax"
    )


def _seal(console: Console, flow: Flow) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return (nonce + _cipher(console).encrypt(nonce, msgspec.json.encode(flow), COOKIE.encode())).hex()


def _open(console: Console, sealed: str) -> Flow | None:
    try:
        content = bytes.fromhex(sealed)
        plain = _cipher(console).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], COOKIE.encode())
        return msgspec.json.decode(plain, type=Flow)
    except (ValueError, InvalidTag):
        return None


def _cipher(console: Console) -> AESGCM:
    return AESGCM(hmac.digest(console.session_key, COOKIE.encode(), "sha256"))


OIDC = [leave, come_back]
