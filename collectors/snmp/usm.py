"""SNMPv3's users: keys made once a credential set, and what a device reports of them (RFC 3414).

Making a key of a passphrase hashes a mebibyte (RFC 3414, A.2), about 5 ms: it is done once a credential set, and what
is left for each device is one hash.
"""

from __future__ import annotations

from gufo.snmp.user import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    DesKey,
    KeyType,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    User,
)

from collectors.snmp.failures import Failure
from inventory.credentials import AuthProtocol, PrivProtocol, SnmpV3

UNSUPPORTED_LEVEL, NOT_IN_TIME, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, NOT_DECRYPTED = range(1, 7)
"""The last arc of usmStats' counters, by which a device says what is wrong."""

REPORTS = {
    UNSUPPORTED_LEVEL: Failure.UNSUPPORTED_LEVEL,
    UNKNOWN_USER: Failure.UNKNOWN_USER,
    WRONG_DIGEST: Failure.WRONG_AUTH_KEY,
    NOT_DECRYPTED: Failure.WRONG_PRIV_KEY,
}

_USM_STATS = bytes.fromhex("2b060106030f0101")  # 1.3.6.1.6.3.15.1.1, BER
_AUTH: dict[AuthProtocol, type[BaseAuthKey]] = {
    AuthProtocol.MD5: Md5Key,
    AuthProtocol.SHA: Sha1Key,
    AuthProtocol.SHA_224: Sha224Key,
    AuthProtocol.SHA_256: Sha256Key,
    AuthProtocol.SHA_384: Sha384Key,
    AuthProtocol.SHA_512: Sha512Key,
}
_PRIV: dict[PrivProtocol, type[BasePrivKey]] = {
    PrivProtocol.DES: DesKey,
    PrivProtocol.AES_128: Aes128Key,
    PrivProtocol.AES_192: Aes192Key,
    PrivProtocol.AES_256: Aes256Key,
}


class Keys:
    """The users of credential sets, each made once. Few credential sets serve many devices."""

    def __init__(self) -> None:
        self._users: list[tuple[SnmpV3, User]] = []

    def user(self, credential: SnmpV3) -> User:
        """The library's user of this credential set."""
        for known, user in self._users:  # secrets are compared and never hashed
            if known is credential or known == credential:
                return user
        user = _make_user(credential)
        self._users.append((credential, user))
        return user


def without_privacy(user: User) -> User:
    """The same user, authenticated only."""
    return User(user.name, auth_key=user.auth_key)


def report_of(datagram: bytes) -> int:
    """Which of usmStats' counters a datagram reports; 0 for none, or where it is encrypted."""
    at = datagram.find(_USM_STATS) + len(_USM_STATS)
    return datagram[at] if len(_USM_STATS) <= at < len(datagram) else 0


def _make_user(credential: SnmpV3) -> User:
    auth, priv = _AUTH[credential.auth_protocol], _PRIV[credential.priv_protocol]
    auth_text, priv_text = credential.auth_passphrase.reveal().encode(), credential.priv_passphrase.reveal().encode()
    if priv.KEY_LENGTH > auth.KEY_LENGTH:
        # The longer key is made of the passphrase in a way of its own, which gufo does only from the passphrase.
        return User(credential.user.reveal(), auth_key=auth(auth_text), priv_key=priv(priv_text))
    return User(
        credential.user.reveal(),
        auth_key=auth(auth.get_master_key(auth_text), key_type=KeyType.Master),
        priv_key=priv(auth.get_master_key(priv_text), key_type=KeyType.Master),
    )
