"""Numbers that look random and are a function of names: one seed gives one sector, whatever is asked first."""

from __future__ import annotations

import struct
from hashlib import blake2b

DRAWS = 8
"""Numbers that one draw gives."""

_FORM = struct.Struct(f">{DRAWS}I")
_BITS = 32


def draw(*names: object) -> tuple[float, ...]:
    """Eight numbers from 0 up to 1, a function of the names alone."""
    digest = blake2b("/".join(map(str, names)).encode(), digest_size=_FORM.size).digest()
    return tuple(number / (1 << _BITS) for number in _FORM.unpack(digest))


def octets(size: int, *names: object) -> bytes:
    """So many octets, at most 64, likewise."""
    return blake2b("/".join(map(str, names)).encode(), digest_size=size).digest()
