"""SNMPv3 as the lab's agents speak it: one user, authentication by HMAC-SHA-256, privacy by AES-128.

For the lab only: it answers, and never asks. Sources: RFC 3412 (message), RFC 3414 (user-based security, 3.2 and A.2),
RFC 7860 (HMAC-192-SHA-256), RFC 3826 (AES-128 in CFB), RFC 3411 (engine ids).
"""

from __future__ import annotations

import hmac
from collections import Counter
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from core.records import Record
from lab.fleet import ber
from lab.fleet.ber import COUNTER32, INTEGER, OCTET_STRING, SEQUENCE, expect, read_integer, tlv
from lab.fleet.messages import FRAME, REPORT, V3, Answer, Pdu, pdu_around, read_pdu, variable

AUTHENTICATED, PRIVATE, REPORTABLE = 1, 2, 4
"""The bits of msgFlags."""

DIGEST = 24
"""Octets of an authentication code (RFC 7860, 4.2.1)."""

WINDOW = 150
"""Seconds by which a message may differ from the engine's time (RFC 3414, 2.2.3)."""

SHORTEST_PASSWORD = 8

_ENTERPRISE = 32473
"""The enterprise number for documentation (RFC 5612)."""

_MEBIBYTE = 1_048_576
_USM, _KEY = 3, 16
_STATISTICS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_UNSUPPORTED, _NOT_IN_WINDOW, _UNKNOWN_USER, _UNKNOWN_ENGINE, _WRONG_DIGEST, _UNDECIPHERABLE = 1, 2, 3, 4, 5, 6


class User(Record, frozen=True, kw_only=True):
    """Who may ask; without ``privacy`` no message is encrypted."""

    name: str
    authentication: str
    privacy: str = ""


class Keys(NamedTuple):
    """A user's keys at one engine."""

    authentication: bytes
    privacy: bytes


class Engine(NamedTuple):
    """An agent's engine: its id, how often it was started, and the seconds since."""

    id: bytes
    boots: int
    time: int


class Secured(NamedTuple):
    """A message of version 3 as it was received."""

    id: bytes
    flags: int
    engine: Engine
    user: bytes
    digest: tuple[int, int]
    salt: bytes
    data: tuple[int, int]


class Scoped(NamedTuple):
    """What is within: the context as octets, and the request."""

    context: bytes
    pdu: Pdu


class Refusal(Exception):  # noqa: N818 - a report is what is sent, and no defect
    """The message is answered with a report: ``statistic`` counts why, ``flags`` say how the report is secured."""

    def __init__(self, statistic: int, flags: int = 0) -> None:
        super().__init__(statistic)
        self.statistic = statistic
        self.flags = flags


def engine_id(address: bytes) -> bytes:
    """The engine id of the agent at this IPv4 address (RFC 3411, SnmpEngineID, format 1)."""
    return (0x80000000 | _ENTERPRISE).to_bytes(4, "big") + b"\x01" + address


@lru_cache(maxsize=64)
def password_key(password: str) -> bytes:
    """The key of a password before it is localised: a hash of a mebibyte of it (RFC 3414, A.2.1)."""
    octets = password.encode()
    return sha256((octets * (_MEBIBYTE // len(octets) + 1))[:_MEBIBYTE]).digest()


@lru_cache(maxsize=16_384)
def localised(user: User, engine: bytes) -> Keys:
    """The user's keys at this engine (RFC 3414, A.2.2)."""
    made = [
        sha256(key + engine + key).digest() for key in map(password_key, (user.authentication, user.privacy or "-"))
    ]
    return Keys(made[0], made[1][:_KEY])


def read_secured(data: bytes) -> Secured:
    """A datagram as a message of version 3.

    Raises:
        ValueError: it is none.
    """
    start, stop = expect(data, 0, len(data), SEQUENCE)
    version, start = _number(data, start, stop)
    head, start = expect(data, start, stop, SEQUENCE)
    if version != V3:
        raise ValueError(f"version {version}")
    first, at = expect(data, head, start, INTEGER)
    message_id = data[first:at]
    _, at = _number(data, at, start)
    flags, at = expect(data, at, start, OCTET_STRING)
    model, _ = _number(data, at, start)
    if at != flags + 1 or model != _USM or not message_id:
        raise ValueError("not of the user-based security model")
    inside, end = expect(data, start, stop, OCTET_STRING)
    return _parameters(data, (inside, end), message_id, data[flags])._replace(data=(end, stop))


def _parameters(data: bytes, place: tuple[int, int], message_id: bytes, flags: int) -> Secured:
    start, stop = expect(data, *place, SEQUENCE)
    first, last = expect(data, start, stop, OCTET_STRING)
    boots, at = _number(data, last, stop)
    time, at = _number(data, at, stop)
    name, at = expect(data, at, stop, OCTET_STRING)
    digest = expect(data, at, stop, OCTET_STRING)
    salt, end = expect(data, digest[1], stop, OCTET_STRING)
    engine = Engine(data[first:last], boots, time)
    return Secured(message_id, flags, engine, data[name:at], digest, data[salt:end], (0, 0))


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    start, stop = expect(data, at, end, INTEGER)
    return read_integer(data[start:stop]), stop


class Security:
    """Checks what arrives and secures what leaves; counts what is refused, as usmStats do."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._refused: Counter[int] = Counter()
        self._salt = 0

    def open(self, data: bytes, message: Secured, engine: Engine) -> Scoped:
        """The request in the message.

        Raises:
            Refusal: it is answered with a report.
            ValueError: it is no request.
        """
        if message.engine.id != engine.id:
            raise Refusal(_UNKNOWN_ENGINE)
        if message.user != self._user.name.encode():
            raise Refusal(_UNKNOWN_USER)
        private = bool(message.flags & PRIVATE)
        if not message.flags & AUTHENTICATED or (private and not self._user.privacy):
            raise Refusal(_UNSUPPORTED)
        keys = localised(self._user, engine.id)
        self._authenticate(data, message, keys.authentication)
        told = message.engine
        if told.boots != engine.boots or told.time < 0 or abs(told.time - engine.time) > WINDOW:
            raise Refusal(_NOT_IN_WINDOW, AUTHENTICATED)
        return _decrypted(data, message, keys.privacy) if private else read_scoped(data[slice(*message.data)])

    def respond(self, message: Secured, engine: Engine, scoped: bytes) -> bytes:
        """The response around a scoped PDU, secured as the request was."""
        return self._secure(message, engine, message.flags & (AUTHENTICATED | PRIVATE), scoped)

    def report(self, message: Secured, engine: Engine, refusal: Refusal) -> bytes | None:
        """The report of a refusal; None if the message wants none."""
        self._refused[refusal.statistic] += 1
        if not message.flags & REPORTABLE:
            return None
        name = ber.oid((*_STATISTICS, refusal.statistic, 0))
        counted = ber.ENCODERS[COUNTER32](self._refused[refusal.statistic])
        head, tail = pdu_around(REPORT, 1, Answer(0, 0, tlv(SEQUENCE, variable(name, counted))))
        context = tlv(OCTET_STRING, engine.id) + tlv(OCTET_STRING, b"")
        return self._secure(message, engine, refusal.flags, tlv(SEQUENCE, context + head + b"\0" + tail))

    def _authenticate(self, data: bytes, message: Secured, key: bytes) -> None:
        start, stop = message.digest
        if stop - start != DIGEST:
            raise Refusal(_WRONG_DIGEST)
        digest = hmac.digest(key, data[:start] + bytes(DIGEST) + data[stop:], "sha256")[:DIGEST]
        if not hmac.compare_digest(digest, data[start:stop]):
            raise Refusal(_WRONG_DIGEST)

    def _secure(self, message: Secured, engine: Engine, flags: int, scoped: bytes) -> bytes:
        keys = localised(self._user, engine.id)
        salt, digest = b"", bytes(DIGEST) if flags & AUTHENTICATED else b""
        if flags & PRIVATE:
            self._salt += 1
            salt = self._salt.to_bytes(8, "big")
            scoped = tlv(OCTET_STRING, _cipher(keys.privacy, engine, salt).encryptor().update(scoped))
        user = message.user if flags & AUTHENTICATED else b""
        parts = (engine.id, user, digest, salt)
        whole = _message(message.id, flags, engine, parts, scoped)
        if not flags & AUTHENTICATED:
            return whole
        code = hmac.digest(keys.authentication, whole, "sha256")[:DIGEST]
        # The code's place counted from the end: it stands before the salt and the scoped PDU.
        at = len(whole) - len(scoped) - len(tlv(OCTET_STRING, salt)) - DIGEST
        return whole[:at] + code + whole[at + DIGEST :]


def read_scoped(data: bytes) -> Scoped:
    """A scoped PDU; octets that follow it are padding.

    Raises:
        ValueError: it is none.
    """
    start, stop = expect(data, 0, len(data), SEQUENCE)
    _, at = expect(data, start, stop, OCTET_STRING)
    _, at = expect(data, at, stop, OCTET_STRING)
    return Scoped(data[start:at], read_pdu(data, at, stop))


def _message(
    message_id: bytes, flags: int, engine: Engine, parts: tuple[bytes, bytes, bytes, bytes], scoped: bytes
) -> bytes:
    engine_part, user, digest, salt = (tlv(OCTET_STRING, part) for part in parts)
    clock = tlv(INTEGER, ber.integer(engine.boots)) + tlv(INTEGER, ber.integer(engine.time))
    size = tlv(INTEGER, ber.integer(FRAME))
    head = tlv(INTEGER, message_id) + size + tlv(OCTET_STRING, bytes((flags,))) + bytes((INTEGER, 1, _USM))
    security = tlv(OCTET_STRING, tlv(SEQUENCE, engine_part + clock + user + digest + salt))
    return tlv(SEQUENCE, bytes((INTEGER, 1, V3)) + tlv(SEQUENCE, head) + security + scoped)


def _decrypted(data: bytes, message: Secured, key: bytes) -> Scoped:
    start, stop = expect(data, *message.data, OCTET_STRING)
    if len(message.salt) != 8:  # noqa: PLR2004 - RFC 3826, 3.1.2.1
        raise Refusal(_UNDECIPHERABLE)
    plain = _cipher(key, message.engine, message.salt).decryptor().update(data[start:stop])
    try:
        return read_scoped(plain)
    except ValueError:
        raise Refusal(_UNDECIPHERABLE) from None


def _cipher(key: bytes, engine: Engine, salt: bytes) -> Cipher[CFB]:
    start = engine.boots.to_bytes(4, "big") + engine.time.to_bytes(4, "big") + salt
    return Cipher(AES(key), CFB(start))  # the mode that RFC 3826 prescribes
