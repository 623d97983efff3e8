"""Sigma's encoding modifiers, by bytes, so that they hold for any text and not for ASCII alone.

pySigma's own take UTF-16 for UTF-8, which fails on Vietnamese, write the mark of byte order in UTF-8, cut Base64 by
letters, and know no ``utf16le``.
Source: Sigma modifiers 2.1, ``wide``, ``utf16le``, ``utf16be``, ``utf16``, ``base64``, ``base64offset``.
"""

from __future__ import annotations

from base64 import b64encode
from codecs import BOM_UTF16_LE
from typing import Any, ClassVar

from sigma import modifiers
from sigma.exceptions import SigmaValueError
from sigma.types import SigmaExpansion, SigmaString


class EncodedString(SigmaString):
    """Bytes as text, a letter a byte; what encodes it further takes the bytes."""


def _bytes_of(value: SigmaString) -> bytes:
    if value.contains_special():
        raise SigmaValueError("a value with wildcards cannot be encoded; write the text alone")
    text = "".join(map(str, value.s))
    return text.encode("latin-1" if isinstance(value, EncodedString) else "utf-8")


class _Utf16(modifiers.SigmaValueModifier[SigmaString, SigmaString]):
    """UTF-16 of one order of bytes, after a mark; wildcards stay what they are."""

    codec: ClassVar[str]
    mark: ClassVar[bytes] = b""

    def modify(self, val: SigmaString) -> SigmaString:
        encoded = EncodedString()
        encoded.s = [part.encode(self.codec).decode("latin-1") if isinstance(part, str) else part for part in val.s]
        if self.mark:
            encoded.s.insert(0, self.mark.decode("latin-1"))
        return encoded


class Utf16Le(_Utf16):
    """``utf16le`` and ``wide``."""

    codec = "utf-16-le"


class Utf16Be(_Utf16):
    """``utf16be``."""

    codec = "utf-16-be"


class Utf16(_Utf16):
    """``utf16``: with the mark that Windows writes."""

    codec = "utf-16-le"
    mark = BOM_UTF16_LE


class Base64(modifiers.SigmaValueModifier[SigmaString, SigmaString]):
    """``base64``."""

    def modify(self, val: SigmaString) -> SigmaString:
        """The value in Base64."""
        return SigmaString(b64encode(_bytes_of(val)).decode())


class Base64Offset(modifiers.SigmaValueModifier[SigmaString, SigmaExpansion]):
    """``base64offset``: the value as it looks inside a longer text, at each of three places."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        """The letters that depend on the value alone: those shared with what stands around it are cut off."""
        content = _bytes_of(val)
        return SigmaExpansion([SigmaString(_inside(content, place)) for place in range(3)])


def _inside(content: bytes, place: int) -> str:
    """Of each three bytes become four letters of six bits; only whole letters within the content count (RFC 4648)."""
    encoded = b64encode(bytes(place) + content).decode()
    first = -(-place * 8 // 6)
    last = (place + len(content)) * 8 // 6
    return encoded[first:last]


MODIFIERS: dict[str, type[modifiers.SigmaModifier[Any, Any]]] = {
    "wide": Utf16Le,
    "utf16le": Utf16Le,
    "utf16be": Utf16Be,
    "utf16": Utf16,
    "base64": Base64,
    "base64offset": Base64Offset,
}


def install() -> None:
    """Puts these in the place of pySigma's."""
    modifiers.modifier_mapping.update(MODIFIERS)
    names = {made.__name__: name for name, made in reversed(MODIFIERS.items())}
    modifiers.reverse_modifier_mapping.update(names)
