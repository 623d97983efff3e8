"""Credentials of devices: what each kind consists of, and which sets are for which device. Pure.

All that a kind consists of is secret, users' names too. No text of an error repeats what was given: a secret may
stand where a protocol's name was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from core.errors import RefusedError
from core.records import Record
from core.vault import Secret
from inventory.addresses import Network, parse_network
from inventory.records import Device, Site, fold_name

SHORTEST_PASSPHRASE = 8
"""Octets of an SNMPv3 passphrase (RFC 3414, 11.2)."""
LONGEST = 16_384
"""Characters of one field."""
_LONGEST_USER = 32
"""Octets of an SNMPv3 user's name (RFC 3414, section 5, usmUserName)."""

_MENTIONED = re.compile(r"`(?:\$\.)?(\w+)`")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class AuthProtocol(StrEnum):
    """How SNMPv3 messages are authenticated (RFC 3414; RFC 7860 for SHA-224 and longer)."""

    MD5 = "MD5"
    SHA = "SHA"
    SHA_224 = "SHA-224"
    SHA_256 = "SHA-256"
    SHA_384 = "SHA-384"
    SHA_512 = "SHA-512"


class PrivProtocol(StrEnum):
    """How SNMPv3 messages are encrypted (RFC 3414 and 3826; AES-192 and AES-256 as devices have them)."""

    DES = "DES"
    AES_128 = "AES-128"
    AES_192 = "AES-192"
    AES_256 = "AES-256"


class SnmpV2c(Record, frozen=True, kw_only=True, tag_field="kind", tag="snmp_v2c", forbid_unknown_fields=True):
    """An SNMPv2c community (RFC 3584)."""

    community: Secret

    def __post_init__(self) -> None:
        _check_line(self, "community")


class SnmpV3(Record, frozen=True, kw_only=True, tag_field="kind", tag="snmp_v3", forbid_unknown_fields=True):
    """An SNMPv3 user (RFC 3414), with authentication and privacy."""

    user: Secret
    auth_passphrase: Secret
    priv_passphrase: Secret
    auth_protocol: AuthProtocol = AuthProtocol.SHA_256
    priv_protocol: PrivProtocol = PrivProtocol.AES_128

    def __post_init__(self) -> None:
        _check_line(self, "user", most=_LONGEST_USER)
        _check_line(self, "auth_passphrase", least=SHORTEST_PASSPHRASE)
        _check_line(self, "priv_passphrase", least=SHORTEST_PASSPHRASE)


class SshPassword(Record, frozen=True, kw_only=True, tag_field="kind", tag="ssh_password", forbid_unknown_fields=True):
    """A user's name and password for SSH."""

    user: Secret
    password: Secret

    def __post_init__(self) -> None:
        _check_line(self, "user")
        _check_line(self, "password")


class SshKey(Record, frozen=True, kw_only=True, tag_field="kind", tag="ssh_key", forbid_unknown_fields=True):
    """A user's name and private key for SSH, in PEM or OpenSSH's form; the passphrase where the key has one."""

    user: Secret
    private_key: Secret
    passphrase: Secret = Secret("")

    def __post_init__(self) -> None:
        _check_line(self, "user")
        _check_line(self, "passphrase", least=0)
        _check_key(self.private_key.reveal().encode(), self.passphrase.reveal().encode() or None)


class ApiToken(Record, frozen=True, kw_only=True, tag_field="kind", tag="api_token", forbid_unknown_fields=True):
    """A token for a device's or a controller's interface."""

    token: Secret

    def __post_init__(self) -> None:
        _check_line(self, "token")


Credential: TypeAlias = SnmpV2c | SnmpV3 | SshPassword | SshKey | ApiToken
_TYPES: dict[str, type[Credential]] = {
    "snmp_v2c": SnmpV2c,
    "snmp_v3": SnmpV3,
    "ssh_password": SshPassword,
    "ssh_key": SshKey,
    "api_token": ApiToken,
}
KINDS = tuple(_TYPES)
"""The kinds, by which a credential set is tagged."""
_CHOICES: dict[str, type[StrEnum]] = {"auth_protocol": AuthProtocol, "priv_protocol": PrivProtocol}
TARGET_KINDS = ("device", "prefix", "site", "family")
"""What a credential set may be for, the most specific first."""


class Field(NamedTuple):
    """A field of a kind: its name, whether it may be left out, and what it may be, where that is a choice."""

    name: str
    is_optional: bool
    choices: tuple[str, ...]


def fields_of(kind: str) -> tuple[Field, ...]:
    """What a kind consists of.

    Raises:
        RefusedError: there is no such kind.
    """
    found = []
    for field in msgspec.structs.fields(_type(kind)):
        choices = tuple(str(one) for one in _CHOICES.get(field.name, ()))
        found.append(Field(field.name, not field.required, choices))
    return tuple(found)


def read_credential(given: object) -> Credential:
    """The credential in a mapping of text as JSON has it, with its ``kind``.

    Raises:
        RefusedError: it is none; the text says what its kind takes and nothing of what was given.
    """
    kind = given.get("kind") if isinstance(given, dict) else None
    made = _type(kind if isinstance(kind, str) else "")
    try:
        return msgspec.convert(given, made, dec_hook=_hide)
    except msgspec.ValidationError as error:
        reason = _explain(made, str(error))
    raise RefusedError(f"{kind}: {reason}; it takes {_form(str(kind))}")  # outside: the cause may hold what was given


def encode_credential(credential: Credential) -> bytes:
    """The credential with its secrets in clear, for nothing but the vault."""
    return msgspec.json.encode(credential, enc_hook=_reveal)


def decode_credential(body: Secret) -> Credential:
    """What ``encode_credential`` made.

    Raises:
        RefusedError: it is no credential that this version knows.
    """
    return read_credential(msgspec.json.decode(body.reveal()))


def kind_of(credential: Credential) -> str:
    """The kind it is tagged with."""
    return str(type(credential).__struct_config__.tag)


def canonical_target(kind: str, text: str) -> str:
    """A target in the form in which it is stored and compared.

    A device's name is folded. A prefix is canonical; ``PREFIX@SPACE`` is one of that address space alone. A family is
    a vendor, or a vendor and the beginning of a model, folded: ``cisco``, ``cisco c9300``.

    Raises:
        RefusedError: it can be none of this kind.
    """
    folded = " ".join(fold_name(text).split())
    if kind not in TARGET_KINDS:
        raise RefusedError(f"a credential set is for a {', '.join(TARGET_KINDS)}")
    if not folded or len(folded) > 300:  # noqa: PLR2004 - as long as the inventory's texts may be
        raise RefusedError(f"name a {kind} of up to 300 characters")
    if kind == "prefix":
        return _canonical_prefix(text.strip())
    return text.strip() if kind == "site" else folded


def choose(
    device: str, site: str, prefixes: Iterable[str], family: str, targets: Iterable[tuple[str, str, str]]
) -> list[str]:
    """The names of the credential sets for a device, in the order in which to try them, each once.

    The most specific come first: those for the device, for its prefixes (the longest first, and of equal ones that of
    its address space before that of all), for its site, for its family (the longest first); then by name.

    Args:
        device: its name.
        site: its site's id.
        prefixes: its addresses' networks, or the addresses as networks of one, each ``PREFIX@SPACE``.
        family: its vendor and model, with a space between.
        targets: kind, target (canonical) and the credential set's name.
    """
    own = [_parse_prefix(prefix) for prefix in prefixes]
    fits: dict[str, Callable[[str], tuple[bool, int]]] = {
        "device": lambda target: (fold_name(device) == target, 0),
        "prefix": lambda target: _prefix_fit(_parse_prefix(target), own),
        "site": lambda target: (site == target, 0),
        "family": lambda target: (_is_of_family(fold_name(family), target), -len(target)),
    }
    found = [(TARGET_KINDS.index(kind), fits[kind](target), name) for kind, target, name in targets]
    ranked = sorted((level, rank, name) for level, (fit, rank), name in found if fit)
    return list(dict.fromkeys(name for _, _, name in ranked))


def choose_for(device: Device, site: Site, targets: Iterable[tuple[str, str, str]]) -> list[str]:
    """The same for a device and its site."""
    prefixes = [f"{device.address}@{site.address_space}"]
    return choose(device.name, site.id, prefixes, f"{device.vendor} {device.model}", targets)


def _type(kind: str) -> type[Credential]:
    if kind not in _TYPES:
        raise RefusedError(f"this is no kind of credential: use {', '.join(KINDS)}")
    return _TYPES[kind]


def _hide(wanted: type, value: object) -> object:
    if wanted is not Secret or not isinstance(value, str):
        raise TypeError("expected text")
    return Secret(value)


def _reveal(value: object) -> str:
    if not isinstance(value, Secret):
        raise TypeError("only secrets are revealed")
    return value.reveal()


def _explain(made: type[Credential], text: str) -> str:
    known = made.__struct_fields__
    named = [name for name in _MENTIONED.findall(text) if name in known]
    return f"'{named[0]}' is missing or not as expected" if named else "a field is unknown or not as expected"


def _form(kind: str) -> str:
    told = []
    for name, is_optional, choices in fields_of(kind):
        among = f" ({', '.join(choices)})" if choices else ""
        told.append(f"[{name}{among}]" if is_optional else name)
    return ", ".join(told)


def _check_line(record: Record, name: str, least: int = 1, most: int = LONGEST) -> None:
    """Refuses a field that is too short or too long, in octets, or that has a line break in it."""
    text: str = getattr(record, name).reveal()
    if not least <= len(text.encode()) <= most:
        raise RefusedError(f"'{name}' has {least} to {most} octets")
    if _CONTROL.search(text):
        raise RefusedError(f"'{name}' holds a line break or another control character")


def _check_key(key: bytes, passphrase: bytes | None) -> None:
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in key[:100] else load_pem_private_key
    advice = ""
    try:
        load(key[:LONGEST], passphrase)
    except UnsupportedAlgorithm:
        advice = "is of a form that cannot be checked: 'ssh-keygen -p -m PKCS8 -f FILE' writes one that can"
    except (ValueError, TypeError):  # TypeError: a passphrase is missing, or there is one too many
        advice = "cannot be read: give a private key in PEM, with its passphrase if and only if it has one"
    if advice:  # raised out here: the error above may hold what was given
        raise RefusedError(f"'private_key' {advice}")


def _canonical_prefix(text: str) -> str:
    try:
        network, space = _parse_prefix(text)
    except ValueError as error:
        raise RefusedError("this is no prefix: write 10.1.0.0/16, or 10.1.0.0/16@SPACE for one space alone") from error
    return f"{network}@{space}" if space else str(network)


def _parse_prefix(text: str) -> tuple[Network, str]:
    prefix, _, space = text.partition("@")
    return parse_network(prefix), space


def _prefix_fit(target: tuple[Network, str], own: Iterable[tuple[Network, str]]) -> tuple[bool, int]:
    wanted, space = target
    fit = any(space in {"", own_space} and _holds(wanted, network) for network, own_space in own)
    return fit, -(2 * wanted.prefixlen + bool(space))


def _holds(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # one version


def _is_of_family(family: str, target: str) -> bool:
    """``cisco c9300`` is the family of ``cisco c9300-48p`` and not of ``cisco c93001``."""
    return family.startswith(target) and not family[len(target) :][:1].isalnum()
