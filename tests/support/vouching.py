"""An OpenID provider within the test's own process, and what a browser does with it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from core.clock import SECOND

ISSUER = "https://id.example/realms/vks"
CALLBACK = "https://testserver.local/sign-in/oidc/callback"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
CLIENT_SECRET = "s3cret/with+signs"
SETTINGS: dict[str, Any] = {
    "issuer": ISSUER,
    "client_id": "haidang",
    "client_secret_file": "unused",
    "redirect_uri": CALLBACK,
    "grants": [{"group": "soc", "role": "analyst", "unit": "hnoi"}, {"group": "xem", "role": "viewer"}],
}


@dataclass
class FakeProvider:
    """Answers as an OpenID provider does; tests change what it says.

    Attributes:
        changes: of the ID token's claims; None leaves one out.
        answers: by path, in place of the usual ones.
        asked: the requests that came.
    """

    now: Any
    key: Any = field(default_factory=lambda: RSA)
    algorithm: str = "RS256"
    changes: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    flow: dict[str, str] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path.removeprefix("/realms/vks")
        if path in self.answers:
            answer = self.answers[path]
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        return httpx.Response(200, json=getattr(self, path.strip("/").replace(".well-known/", "").replace("-", "_"))())

    def openid_configuration(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "jwks"}
        return {"issuer": ISSUER} | {name: f"{ISSUER}/{path}" for name, path in names.items()} | self.metadata

    def jwks(self) -> dict[str, Any]:
        strange = [{"kty": "OKP", "crv": "X448", "x": "AA"}, {"kty": "RSA", "n": "!"}, "no key"]
        return {"keys": [*strange, RSA.as_dict(private=False), EC.as_dict(private=False)]}

    def token(self) -> dict[str, Any]:
        return {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token()}

    def id_token(self) -> str:
        seconds = self.now() // SECOND
        claims = {"iss": ISSUER, "aud": "haidang", "sub": "248289761001", "iat": seconds, "exp": seconds + 300}
        claims |= {"nonce": self.flow["nonce"], "preferred_username": "nguyen.van-an", "groups": ["soc", "other"]}
        claims = {name: value for name, value in (claims | self.changes).items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.as_dict().get("kid")} | self.header
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def leave(browser, fake, wanted="/") -> dict[str, str]:
    """Goes to the provider; what it was asked."""
    answer = browser.client.get("/sign-in/oidc", params={"next": wanted}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    fake.flow = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    return fake.flow


def come_back(browser, fake, **changed: str | None):
    given = {"state": fake.flow.get("state"), "code": "c0de"} | changed
    asked = {name: value for name, value in given.items() if value is not None}
    return browser.client.get("/sign-in/oidc/callback", params=asked, follow_redirects=False)


def sign_in(browser, fake, wanted="/", **changed):
    leave(browser, fake, wanted)
    return come_back(browser, fake, **changed)


def said(answer) -> str:
    return html.unescape(re.search(r'role="alert">([^<]*)<', answer.text)[1])


def vouch(centre) -> dict[str, Any]:
    (values,) = [values for action, _, values in centre.calls if action == "session.vouched"]
    return values
