"""SNMP messages as octets: what is asked, and the response around its variables.

Sources: RFC 3416 section 3 (PDUs), RFC 1157 and RFC 1901 (messages of versions 1 and 2c), RFC 2576 section 3.
"""

from __future__ import annotations

from typing import NamedTuple

from lab.fleet.ber import INTEGER, NULL, OBJECT_ID, OCTET_STRING, SEQUENCE, expect, length, read, read_integer, tlv

GET, GET_NEXT, RESPONSE, SET, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
V1, V2C, V3 = 0, 1, 3
NO_ERROR, TOO_BIG, NO_SUCH_NAME, NOT_WRITABLE = 0, 1, 2, 17

FRAME = 1472
"""The octets of a datagram that fit one Ethernet frame with IPv4."""

LARGEST = 4096
"""The octets of the largest datagram that is read."""

_LONG = 0x80


class Pdu(NamedTuple):
    """A request: its tag, the content of its request-id, and all octets that follow it."""

    tag: int
    request_id: bytes
    rest: bytes


class Asked(NamedTuple):
    """What the rest of a request says: error-status or non-repeaters, error-index or max-repetitions, and names."""

    first: int
    second: int
    names: tuple[bytes, ...]


class Community(NamedTuple):
    """A message of version 1 or 2c."""

    version: int
    community: bytes
    pdu: Pdu


class Answer(NamedTuple):
    """A response's error-status, error-index and encoded list of variables."""

    error: int
    place: int
    variables: bytes


def read_community(data: bytes) -> Community:
    """A datagram as a message of version 1 or 2c.

    Raises:
        ValueError: it is none.
    """
    start, stop = expect(data, 0, len(data), SEQUENCE)
    at, end = expect(data, start, stop, INTEGER)
    version = read_integer(data[at:end])
    if version not in (V1, V2C):
        raise ValueError(f"version {version}")
    at, end = expect(data, end, stop, OCTET_STRING)
    return Community(version, data[at:end], read_pdu(data, end, stop))


def read_pdu(data: bytes, at: int, end: int) -> Pdu:
    """The PDU at this place, which must fill it.

    Raises:
        ValueError: it is none that an agent is asked with.
    """
    tag, start, stop = read(data, at, end)
    if tag not in (GET, GET_NEXT, SET, GET_BULK) or stop != end:
        raise ValueError(f"tag {tag:#x}")
    first, last = expect(data, start, stop, INTEGER)
    if last == first:
        raise ValueError("a request-id without content")
    return Pdu(tag, data[first:last], data[last:stop])


def read_rest(rest: bytes) -> Asked:
    """What follows a request-id.

    Raises:
        ValueError: it is not two numbers and a list of variables.
    """
    numbers: list[int] = []
    end = 0
    for _ in range(2):
        start, end = expect(rest, end, len(rest), INTEGER)
        numbers.append(read_integer(rest[start:end]))
    at, end = expect(rest, end, len(rest), SEQUENCE)
    names: list[bytes] = []
    while at < end:
        start, at = expect(rest, at, end, SEQUENCE)
        first, last = expect(rest, start, at, OBJECT_ID)
        read(rest, last, at)
        names.append(rest[first:last])
    return Asked(numbers[0], numbers[1], tuple(names))


def request_id_place(data: bytes) -> tuple[int, int]:
    """Where the content of the request-id lies in a well-formed message of version 1 or 2c; (0, 0) in most others.

    A quick look to find a remembered response; nothing is checked here.
    """
    try:
        at = 2 if data[1] < _LONG else 2 + (data[1] & 0x7F)
        at += 3
        at += 2 + data[at + 1]
        at += 2 if data[at + 1] < _LONG else 2 + (data[at + 1] & 0x7F)
        return at + 2, at + 2 + data[at + 1]
    except IndexError:
        return 0, 0


def around(message: Community, answer: Answer) -> tuple[bytes, bytes]:
    """The response to the message: its octets before the request-id's content, and those after it."""
    head, tail = pdu_around(RESPONSE, len(message.pdu.request_id), answer)
    before = bytes((INTEGER, 1, message.version)) + tlv(OCTET_STRING, message.community) + head
    size = len(before) + len(message.pdu.request_id) + len(tail)
    return bytes((SEQUENCE,)) + length(size) + before, tail


def pdu_around(tag: int, id_size: int, answer: Answer) -> tuple[bytes, bytes]:
    """A PDU's octets before and after a request-id of so many octets."""
    tail = tlv(INTEGER, bytes((answer.error,))) + tlv(INTEGER, _index(answer.place)) + answer.variables
    head = bytes((INTEGER, id_size))
    return bytes((tag,)) + length(2 + id_size + len(tail)) + head, tail


def variable(name: bytes, value: bytes) -> bytes:
    """A variable of a list: the content of its name, and its value with tag and length."""
    return tlv(SEQUENCE, tlv(OBJECT_ID, name) + value)


def request(version: int, community: bytes, pdu: Pdu) -> bytes:
    """A message of version 1 or 2c."""
    content = tlv(INTEGER, bytes((version,))) + tlv(OCTET_STRING, community)
    return tlv(SEQUENCE, content + tlv(pdu.tag, tlv(INTEGER, pdu.request_id) + pdu.rest))


def ask(first: int, second: int, names: tuple[bytes, ...]) -> bytes:
    """What follows a request-id: two numbers and the names, each without a value."""
    variables = b"".join(variable(name, bytes((NULL, 0))) for name in names)
    return tlv(INTEGER, _index(first)) + tlv(INTEGER, _index(second)) + tlv(SEQUENCE, variables)


def _index(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
