"""The vault: keeps secrets that the platform must use again unreadable in its database, under keys kept outside it.

Why AES-256-GCM (NIST SP 800-38D) and not Fernet: it authenticates associated data, so what is stored is bound to what
it is of ("credential/core-snmp", "totp/an") and one row's secret cannot be put in the place of another's; and it shows
neither the time of writing nor, beyond its length, anything else. Nonces are random: at 96 bits that is safe for 2^32
secrets a key, far beyond what a platform holds.

The file ``vault.keys`` in the folder of secrets is text. Its first line says its format and how to keep it; each
further line is a key, ``ID KEY``: eight bytes hexadecimal and 32 bytes base64. The last one encrypts, all decrypt.
Sealed is: format (1 byte), the key's id (8), the nonce (12), and the ciphertext with its tag (16).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import IntegrityError, UnavailableError
from core.files import make_folder, remove_file, replace_file

NAME = "vault.keys"
HEAD = "# haidang vault keys, format 1: ID KEY, the last one encrypts. Keep a copy, apart from the backups."

_FORMAT = b"\x01"
_ID_BYTES, _KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 8, 32, 12, 16
_HEAD_BYTES = len(_FORMAT) + _ID_BYTES


class Secret:
    """A text that is never shown: not by ``repr``, ``str`` or a format, nor as JSON, MessagePack or a pickle."""

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]  # a hash of it would be one more trace

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for whoever must send or seal it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


class Vault:
    """Seals and opens secrets by the keys of one installation. The centre alone changes the keys.

    The key file is read at each use: a kept copy that is put in place counts at once, and keys stay in memory no
    longer than needed. It is made when the first secret is sealed.

    Args:
        folder: of this installation's secrets.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def encrypt(self, plain: bytes, of: str) -> bytes:
        """The sealed form under the newest key, bound to what it is ``of``.

        Raises:
            UnavailableError: the key file cannot be read or made, or others can read it.
            IntegrityError: the key file is damaged.
        """
        key_id, key = list((self._read() or self._create()).items())[-1]
        head = _FORMAT + key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, of))

    def decrypt(self, sealed: bytes, of: str) -> bytes:
        """What was sealed as ``of``.

        Raises:
            UnavailableError: the key file cannot be read, or others can read it.
            IntegrityError: its key is missing, it is another's or it was changed; the text says what to do.
        """
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        if not head.startswith(_FORMAT) or len(rest) < _NONCE_BYTES + _TAG_BYTES:
            raise _changed(of)
        key = self._read().get(head[len(_FORMAT) :])
        if key is None:
            raise IntegrityError(
                f"the key of {of} is not in {self.path}: put the lines of the kept vault.keys there"
                " (above its last line, if there is one), or enter the secret again"
            )
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(head, of))
        except InvalidTag:
            raise _changed(of) from None

    def renew(self, sealed: bytes, of: str) -> bytes:
        """The same secret, sealed under the newest key.

        Raises:
            UnavailableError: as ``decrypt``.
            IntegrityError: as ``decrypt``.
        """
        return self.encrypt(self.decrypt(sealed, of), of)

    def rotate(self) -> str:
        """Adds a key, by which is encrypted from now on; returns its id. Older ones still decrypt.

        Raises:
            UnavailableError: the key file cannot be read or written, or others can read it.
            IntegrityError: the key file is damaged.
        """
        keys = self._read() | _new_key()
        self._write(keys)
        return list(keys)[-1].hex()

    def retire(self, in_use: Collection[str]) -> tuple[str, ...]:
        """Removes all keys but the newest and those ``in_use``; returns the ids of the removed.

        To be called only when what the ids were collected from is on disk.

        Raises:
            UnavailableError: the key file cannot be read or written, or others can read it.
            IntegrityError: the key file is damaged.
        """
        keys = self._read()
        gone = [key_id for key_id in list(keys)[:-1] if key_id.hex() not in in_use]
        if gone:
            self._write({key_id: key for key_id, key in keys.items() if key_id not in gone})
        return tuple(key_id.hex() for key_id in gone)

    def _read(self) -> dict[bytes, bytes]:
        """The keys by their ids, the newest last; none where there is no file."""
        try:
            if self.path.stat().st_mode & 0o077:
                raise UnavailableError(f"{self.path} can be read by others: run chmod 600 {self.path}")
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UnavailableError(f"cannot read {self.path}: {error.strerror}") from error
        keys = _decode(content)
        if not keys or any(map(_is_malformed, keys.items())):
            raise IntegrityError(f"{self.path} is no file of vault keys in format 1: put the kept copy in its place")
        return keys

    def _create(self) -> dict[bytes, bytes]:
        """Makes the file with its first key, unless another was quicker."""
        make_folder(self.path.parent, mode=0o700)
        draft = self.path.with_name(f"{NAME}.{os.getpid()}-{secrets.token_hex(4)}")
        replace_file(draft, _encode(_new_key()), mode=0o600)
        with contextlib.suppress(FileExistsError):
            os.link(draft, self.path)  # fails if there is one, unlike rename
        remove_file(draft)
        return self._read()

    def _write(self, keys: dict[bytes, bytes]) -> None:
        make_folder(self.path.parent, mode=0o700)
        replace_file(self.path, _encode(keys), mode=0o600)


def key_of(sealed: bytes) -> str:
    """The id of the key by which this was sealed."""
    return sealed[len(_FORMAT) : _HEAD_BYTES].hex()


def _changed(of: str) -> IntegrityError:
    return IntegrityError(f"what is stored as {of} was changed or belongs to another: enter the secret again")


def _bound(head: bytes, of: str) -> bytes:
    return head + of.encode()


def _new_key() -> dict[bytes, bytes]:
    return {secrets.token_bytes(_ID_BYTES): AESGCM.generate_key(8 * _KEY_BYTES)}


def _encode(keys: dict[bytes, bytes]) -> bytes:
    lines = (f"{key_id.hex()} {base64.b64encode(key).decode()}" for key_id, key in keys.items())
    return "\n".join((HEAD, *lines, "")).encode()


def _decode(content: bytes) -> dict[bytes, bytes]:
    """The file's keys; a head in the midst comes from a kept copy whose lines were put in."""
    head, *lines = content.splitlines() or [b""]
    keys = [_parse_key(line) for line in lines if line.strip() and not line.startswith(b"#")]
    return dict(keys) if head == HEAD.encode() else {}


def _parse_key(line: bytes) -> tuple[bytes, bytes]:
    """A line's id and key; what is none gives an empty key."""
    key_id, _, key = line.partition(b" ")
    try:
        return binascii.unhexlify(key_id), base64.b64decode(key, validate=True)
    except ValueError:
        return b"", b""


def _is_malformed(pair: tuple[bytes, bytes]) -> bool:
    return (len(pair[0]), len(pair[1])) != (_ID_BYTES, _KEY_BYTES)
