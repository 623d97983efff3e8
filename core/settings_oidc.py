"""The settings of an OpenID provider that vouches for people (OpenID Connect Core 1.0): ``[console.oidc]``."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from core.settings_section import Section

CALLBACK = "/sign-in/oidc/callback"
"""Where the provider sends people back to."""

WITH_SECOND_FACTOR = frozenset({"engineer", "approver"})
"""Roles of ``inventory.rights`` that a group has only where the provider says that it asked for a second factor."""


def is_trusted_url(url: str) -> bool:
    """Whether what comes from there is the named host's: by TLS, or from this machine itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _url(text: str) -> str:
    if not is_trusted_url(text) or urlsplit(text).query or urlsplit(text).fragment:
        raise ValueError("expected an https address without query; http on this machine only")
    return text


def _callback(text: str) -> str:
    if urlsplit(_url(text)).path != CALLBACK:
        raise ValueError(f"expected the console's address as people open it, followed by {CALLBACK}")
    return text


def _with_openid(text: str) -> str:
    if "openid" not in text.split():
        raise ValueError("expected openid among the words")
    return text


def _given_by_a_group(role: object) -> object:
    if role == "administrator":
        raise ValueError("no group makes administrators: two people do, in the console")
    return role


Url: TypeAlias = Annotated[str, AfterValidator(_url)]
Words: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
GroupRole: TypeAlias = Annotated[
    Literal["viewer", "analyst", "engineer", "approver", "leader", "auditor"], BeforeValidator(_given_by_a_group)
]


class OidcGrant(Section):
    """What a group at the provider means here: a role at a unit; without one, for the whole sector."""

    group: Words
    role: GroupRole
    unit: str = ""


class OidcLabel(Section):
    """The words on the button that leads to the provider."""

    vi: Words = "Đăng nhập bằng tài khoản của ngành"
    en: Words = "Sign in with the sector's account"


class OidcSettings(Section):
    """The provider, what this console is to it, and what its groups mean here."""

    issuer: Url
    client_id: Words
    client_secret_file: Path
    redirect_uri: Annotated[str, AfterValidator(_callback)]
    authorities: Path | None = None
    scope: Annotated[str, AfterValidator(_with_openid)] = "openid profile"
    name_claim: Words = "preferred_username"
    groups_claim: Words = "groups"
    acr: tuple[Words, ...] = ()
    amr: tuple[Words, ...] = ()
    label: OidcLabel = OidcLabel()
    grants: Annotated[tuple[OidcGrant, ...], Field(min_length=1)]

    @property
    def proves_second_factor(self) -> bool:
        """Whether only who signed in there with a second factor is let in."""
        return bool(self.acr or self.amr)

    @model_validator(mode="after")
    def _factor_for_grave_roles(self) -> OidcSettings:
        grave = next((grant.role for grant in self.grants if grant.role in WITH_SECOND_FACTOR), "")
        if grave and not self.proves_second_factor:
            raise ValueError(f"the role {grave} needs a second factor: name in acr or amr how the provider tells of it")
        return self
