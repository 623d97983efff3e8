"""The part of BER that SNMP uses: definite lengths, tags of one byte.

Sources: X.690 clause 8; RFC 3417 section 8 (what SNMP leaves of it); RFC 2578 section 7.1 (the types).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address
from typing import TypeAlias, cast

Oid: TypeAlias = tuple[int, ...]
"""An object identifier, one number an arc."""

Value: TypeAlias = int | bytes | str | Oid
"""What a variable holds: a number, octets (text is UTF-8), or an object identifier."""

INTEGER, OCTET_STRING, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82

FEWEST_ARCS, MOST_ARCS = 2, 128
"""Arcs that an object identifier may have (RFC 2578, 3.5)."""

LARGEST_ARC = 2**32 - 1

_SHORT = 128
_MOST_LENGTH_BYTES = 3
_ARCS_OF_A_ROOT = 40
_BITS = {COUNTER32: 32, GAUGE32: 32, TIME_TICKS: 32, COUNTER64: 64}


def length(size: int) -> bytes:
    """The octets that say how long a content is."""
    if size < _SHORT:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    """A tagged content."""
    return bytes((tag,)) + length(len(content)) + content


def integer(value: int) -> bytes:
    """The content of an integer, two's complement in the fewest octets."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(size, "big", signed=True)


@lru_cache(maxsize=65_536)
def oid(arcs: Oid) -> bytes:
    """The content of an object identifier.

    Raises:
        ValueError: it has fewer than two arcs, more than 128, or one that cannot be.
    """
    if not FEWEST_ARCS <= len(arcs) <= MOST_ARCS or not all(0 <= arc <= LARGEST_ARC for arc in arcs):
        raise ValueError(f"{dotted(arcs)} is no object identifier; expected 2 to {MOST_ARCS} arcs below 2^32")
    root, second, *rest = arcs
    if root > 2 or (root < 2 and second >= _ARCS_OF_A_ROOT):  # noqa: PLR2004 - X.690 8.19.4
        raise ValueError(f"{dotted(arcs)} is no object identifier; expected 0.x, 1.x with x below 40, or 2.x")
    return b"".join(map(_arc, (root * _ARCS_OF_A_ROOT + second, *rest)))


def dotted(arcs: Oid) -> str:
    """The object identifier as people write it."""
    return ".".join(map(str, arcs))


def parse_dotted(text: str) -> Oid:
    """The object identifier of ``1.3.6.1`` or ``.1.3.6.1``.

    Raises:
        ValueError: the text is none.
    """
    parts = text.removeprefix(".").split(".")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError(f"{text!r} is no object identifier; expected numbers joined by dots")
    arcs = tuple(map(int, parts))
    oid(arcs)
    return arcs


def read_oid(content: bytes) -> Oid:
    """The arcs of an object identifier's content.

    Raises:
        ValueError: the content is cut, too long or has an arc beyond 32 bits.
    """
    if not content or content[-1] & 0x80 or len(content) > MOST_ARCS * 5:
        raise ValueError("not an object identifier")
    numbers: list[int] = []
    number = 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if number > LARGEST_ARC + 2 * _ARCS_OF_A_ROOT:
            raise ValueError("an arc beyond 32 bits")
        if octet < _SHORT:
            numbers.append(number)
            number = 0
    root = min(numbers[0] // _ARCS_OF_A_ROOT, 2)
    arcs = (root, numbers[0] - root * _ARCS_OF_A_ROOT, *numbers[1:])
    if len(arcs) > MOST_ARCS or max(arcs) > LARGEST_ARC:
        raise ValueError("not an object identifier")
    return arcs


def read_integer(content: bytes) -> int:
    """The number of an integer's content.

    Raises:
        ValueError: it is empty or longer than 64 bits and a sign.
    """
    if not 1 <= len(content) <= 9:  # noqa: PLR2004 - 64 bits and a sign
        raise ValueError("not an integer")
    return int.from_bytes(content, "big", signed=True)


def read(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """The element at this place: its tag, where its content begins, and where it ends.

    Raises:
        ValueError: it does not lie within ``end``, or has a form that SNMP does not use.
    """
    if at + 2 > end:
        raise ValueError("cut short")
    tag, size, start = data[at], data[at + 1], at + 2
    if size >= _SHORT:
        count = size & 0x7F
        if not 1 <= count <= _MOST_LENGTH_BYTES or start + count > end:
            raise ValueError("a length that SNMP does not use")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > end:
        raise ValueError("cut short")
    return tag, start, start + size


def expect(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends, which must have this tag.

    Raises:
        ValueError: it has another, or does not lie within ``end``.
    """
    found, start, stop = read(data, at, end)
    if found != tag:
        raise ValueError(f"expected tag {tag:#x}, found {found:#x}")
    return start, stop


def _arc(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(0x80 | number & 0x7F)
    return bytes(reversed(octets))


def _integers(tag: int) -> Callable[[Value], bytes]:
    """Writes a number under this tag; one beyond the type's bits wraps, as a device's does."""
    heads = tuple(bytes((tag, size)) for size in range(10))
    mask = (1 << _BITS[tag]) - 1 if tag in _BITS else -1

    def encode(value: Value) -> bytes:
        number = cast("int", value) & mask
        size = (number if number >= 0 else ~number).bit_length() // 8 + 1
        return heads[size] + number.to_bytes(size, "big", signed=True)

    return encode


def _octets(tag: int) -> Callable[[Value], bytes]:
    def encode(value: Value) -> bytes:
        return tlv(tag, value.encode() if isinstance(value, str) else bytes(value))

    return encode


def _object_id(value: Value) -> bytes:
    return tlv(OBJECT_ID, oid(parse_dotted(value) if isinstance(value, str) else value))


def _address(value: Value) -> bytes:
    return tlv(IP_ADDRESS, IPv4Address(value).packed)


ENCODERS: dict[int, Callable[[Value], bytes]] = {
    **{tag: _integers(tag) for tag in (INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64)},
    **{tag: _octets(tag) for tag in (OCTET_STRING, OPAQUE)},
    OBJECT_ID: _object_id,
    IP_ADDRESS: _address,
    NULL: lambda _value: b"\x05\x00",
}
"""By tag, what writes a value of that type with its tag and length."""
