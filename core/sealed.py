"""Credential sets as they travel from the centre to a lane and rest on its disk: sealed, with what they are for.

Whoever has the keys of this installation (``core.vault``) opens them at need; they are never written otherwise.
"""

from __future__ import annotations

import msgspec

from core.errors import ContentError
from core.records import Record

FORMAT = 1
"""Version of the snapshot's form."""


class SealedSet(Record, frozen=True, kw_only=True):
    """A credential set; ``body`` was sealed as ``core.stores.credentials.subject(name)``."""

    name: str
    kind: str
    body: bytes


class SealedSets(Record, frozen=True, kw_only=True):
    """All sets of some kinds, and what they are for: kind of target, target, name of the set."""

    format: int = FORMAT
    sets: tuple[SealedSet, ...] = ()
    targets: tuple[tuple[str, str, str], ...] = ()


def encode_sealed(sets: SealedSets) -> bytes:
    """The sets as the content of a snapshot."""
    return msgspec.msgpack.encode(sets)


def decode_sealed(content: bytes) -> SealedSets:
    """What ``encode_sealed`` made.

    Raises:
        ContentError: it is none, or of another version.
    """
    try:
        found = msgspec.msgpack.decode(content, type=SealedSets)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError("the snapshot of the credential sets cannot be read") from error
    if found.format != FORMAT:
        raise ContentError(f"the snapshot of the credential sets has format {found.format}, expected {FORMAT}")
    return found
