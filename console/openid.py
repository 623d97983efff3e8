"""Asking an OpenID provider who someone is: authorization code flow with PKCE, and every check of what it answers.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer), RFC 9700 (best
current practice).
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import time
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]  # has no stubs
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # likewise
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # likewise
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from console.deps import Provider
from core.clock import MINUTE, SECOND
from core.errors import RefusedError
from core.records import Record
from core.settings_oidc import is_trusted_url

PATIENCE = 10 * MINUTE
"""Nanoseconds that someone may take at the provider."""
LEEWAY_SECONDS = 60
"""By which the provider's clock may differ."""
MOST_BYTES = 1 << 20
MOST_SECONDS = 15.0
"""Of one answer of the provider."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Only signatures by a key that the provider alone has: never ``none``, and no shared secret."""

_KEY_TYPES: dict[str, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}
_log = logging.getLogger("haidang.console")


class NotVouchedError(RefusedError):
    """The provider did not vouch for anyone; ``why`` is a key of the texts ``oidc``, the detail is for the log."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class Flow(Record, frozen=True, kw_only=True):
    """What this console must remember while someone is at the provider.

    Attributes:
        until: when it has taken too long, nanoseconds UTC.
        next: the page that was wanted.
    """

    state: str
    nonce: str
    verifier: str
    until: int
    next: str


class Vouched(Record, frozen=True, kw_only=True):
    """Whom the provider named, as it named him, and the groups it told of."""

    subject: str
    name: str
    groups: tuple[str, ...]


def begin(provider: Provider, now: int, wanted: str) -> tuple[str, Flow]:
    """The provider's page to go to, and what to remember meanwhile.

    Raises:
        NotVouchedError: the provider cannot be reached or does not say where to go.
    """
    settings = provider.settings
    endpoint = _endpoint(_discover(provider), "authorization_endpoint")
    flow = Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        until=now + PATIENCE,
        next=wanted,
    )
    asked = {"state": flow.state, "nonce": flow.nonce, "acr_values": " ".join(settings.acr) or None}
    proof = {"code_challenge": create_s256_code_challenge(flow.verifier), "code_challenge_method": "S256"}
    back = {"redirect_uri": settings.redirect_uri, "scope": settings.scope}
    return str(prepare_grant_uri(endpoint, settings.client_id, "code", **back, **asked, **proof)), flow


def finish(provider: Provider, now: int, flow: Flow, answer: Mapping[str, str]) -> Vouched:
    """Whom the provider vouches for, once it has sent someone back with this answer.

    Raises:
        NotVouchedError: nobody, or nothing of what it says can be believed.
    """
    _check_answer(provider, now, flow, answer)
    metadata = _discover(provider)
    tokens = _exchange(provider, metadata, flow, answer["code"])
    claims = _claims(provider, metadata, tokens, flow, now)
    _check_factor(provider, claims)
    return _vouched(provider, {**_more(provider, metadata, tokens, claims), **claims})


def account_name(name: str) -> str:
    """The name of an account for what a provider calls someone; empty if nothing can be made of it.

    Small letters without diacritics, digits, and ``_`` in place of everything else, so ``Nguyễn.Văn-An@vks`` is
    ``nguyen_van_an_vks``. Different names may become the same one: then the second person is refused.
    """
    plain = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d")).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return f"_{words}" if words[:1].isdigit() else words


def _check_answer(provider: Provider, now: int, flow: Flow, answer: Mapping[str, str]) -> None:
    if now >= flow.until or not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
        raise NotVouchedError("expired", "the answer belongs to no sign-in that was begun here")
    if answer.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise NotVouchedError("invalid", "the answer names another issuer")
    if "code" not in answer:
        raise NotVouchedError("refused", f"it answered {answer.get('error', 'nothing')!r:.60}")


def _discover(provider: Provider) -> dict[str, Any]:
    issuer = provider.settings.issuer
    found = _fetch(provider, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise NotVouchedError("invalid", f"its configuration names another issuer: {found.get('issuer')!r:.200}")
    return found


def _endpoint(metadata: Mapping[str, Any], name: str) -> str:
    url = metadata.get(name)
    if not isinstance(url, str) or not is_trusted_url(url):
        raise NotVouchedError("invalid", f"its {name} is no https address: {url!r:.200}")
    return url


def _exchange(provider: Provider, metadata: Mapping[str, Any], flow: Flow, code: str) -> dict[str, Any]:
    settings = provider.settings
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": settings.redirect_uri}
    form["code_verifier"] = flow.verifier
    own = {"client_id": settings.client_id, "client_secret": provider.secret.reveal()}
    url, methods = _endpoint(metadata, "token_endpoint"), metadata.get("token_endpoint_auth_methods_supported")
    if isinstance(methods, list) and "client_secret_basic" not in methods:
        return _fetch(provider, "POST", url, data=form | own)
    return _fetch(provider, "POST", url, data=form, auth=httpx.BasicAuth(*map(_form_encoded, own.values())))


def _form_encoded(text: str) -> str:
    """As RFC 6749, 2.3.1 wants it before it is put into the header."""
    return str(httpx.QueryParams({"": text}))[1:]


def _claims(
    provider: Provider, metadata: Mapping[str, Any], tokens: Mapping[str, Any], flow: Flow, now: int
) -> dict[str, Any]:
    """The claims of the ID token, each checked (OpenID Connect Core 1.0, 3.1.3.7)."""
    keys = _keys(_fetch(provider, "GET", _endpoint(metadata, "jwks_uri")))
    own, issuer = provider.settings.client_id, provider.settings.issuer
    options: Any = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": own}}
    params = {"nonce": flow.nonce, "client_id": own, "access_token": tokens.get("access_token")}
    try:
        token = jwt.decode(str(tokens.get("id_token", "")), keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(now // SECOND, LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotVouchedError("invalid", f"its ID token is not valid: {error}") from error
    return dict(claims)


def _keys(found: Mapping[str, Any]) -> KeySet:
    """The keys that sign; one of a kind that is unknown here is none of ours to judge."""
    listed = found.get("keys")
    keys = [key for one in (listed if isinstance(listed, list) else []) for key in _key(one)]
    if not keys:
        raise NotVouchedError("invalid", "it shows no key that could sign")
    return KeySet(list(keys))


def _key(found: object) -> Iterator[RSAKey | ECKey]:
    if not isinstance(found, dict) or found.get("use", "sig") != "sig":
        return
    kind = _KEY_TYPES.get(str(found.get("kty")))
    try:
        if kind:
            yield kind.import_key(found)
    except (JoseError, ValueError, TypeError, KeyError):
        _log.warning("a key of the OpenID provider cannot be used")


def _check_factor(provider: Provider, claims: Mapping[str, Any]) -> None:
    wanted, told = provider.settings, claims.get("amr")
    methods = {str(one) for one in told} if isinstance(told, list) else set()
    is_proven = (not wanted.acr or claims.get("acr") in wanted.acr) and (not wanted.amr or methods & set(wanted.amr))
    if not is_proven:
        raise NotVouchedError("factor", f"it told of acr {claims.get('acr')!r:.60} and amr {sorted(methods)!r:.200}")


def _more(
    provider: Provider, metadata: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
) -> dict[str, Any]:
    """What only the userinfo endpoint tells; many providers leave it out of the ID token (5.3)."""
    wanted = {provider.settings.name_claim, provider.settings.groups_claim}
    if wanted <= claims.keys() or "userinfo_endpoint" not in metadata:
        return {}
    headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
    told = _fetch(provider, "GET", _endpoint(metadata, "userinfo_endpoint"), headers=headers)
    if told.get("sub") != claims["sub"]:  # 5.3.2: else it may be another's
        raise NotVouchedError("invalid", "its userinfo is of another person")
    return {name: told[name] for name in wanted if name in told}


def _vouched(provider: Provider, claims: Mapping[str, Any]) -> Vouched:
    settings = provider.settings
    name, groups = claims.get(settings.name_claim), claims.get(settings.groups_claim, [])
    listed = [groups] if isinstance(groups, str) else groups
    account = account_name(name) if isinstance(name, str) else ""
    if not account:
        raise NotVouchedError("name", f"its claim {settings.name_claim} gives no name")
    return Vouched(
        subject=claims["sub"],
        name=account,
        groups=tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else (),
    )


def _fetch(provider: Provider, method: str, url: str, **asked: Any) -> dict[str, Any]:
    """An answer's JSON object."""
    try:
        with provider.http.stream(method, url, **asked) as answer:
            content = _bounded(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotVouchedError("unavailable", f"{url} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise NotVouchedError("unavailable", f"{url} answered {answer.status_code}: {content[:300]!r}")
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise NotVouchedError("invalid", f"{url} answered no JSON object: {error}") from error


def _bounded(answer: httpx.Response) -> bytes:
    content, end = b"", time.monotonic() + MOST_SECONDS
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MOST_BYTES or time.monotonic() > end:
            raise NotVouchedError("unavailable", f"{answer.url} answered too much or too slowly")
    return content
