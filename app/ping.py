"""An ICMP echo (RFC 792, RFC 4443): whether an address answers at all."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

_REQUEST4, _REPLY4, _REQUEST6, _REPLY6 = 8, 0, 128, 129
_HEAD = struct.Struct("!BBHHH")
_LEAST_IPV4 = 20
"""Bytes of an IPv4 header, which raw sockets hand over too."""


class Echo(StrEnum):
    """What came of it."""

    ANSWERED = "answered"
    SILENT = "silent"
    UNREACHABLE = "unreachable"  # this machine has no way there
    NOT_PERMITTED = "not_permitted"  # neither net.ipv4.ping_group_range nor CAP_NET_RAW lets us ask


class Ping(NamedTuple):
    """What came of it, and after how many milliseconds the answer did."""

    echo: Echo
    ms: float | None = None


def ping(address: str, seconds: float = 1.0, tries: int = 2) -> Ping:
    """Asks so many times, waiting so long each time."""
    try:
        wire = _socket(address)
    except PermissionError:
        return Ping(Echo.NOT_PERMITTED)
    with wire:
        for number in range(tries):
            begun = time.monotonic()
            try:
                wire.sendto(_request(address, number), (address, 0))
            except OSError:
                return Ping(Echo.UNREACHABLE)
            if _is_answered(wire, address, number, begun + seconds):
                return Ping(Echo.ANSWERED, round((time.monotonic() - begun) * 1000, 3))
    return Ping(Echo.SILENT)


def _socket(address: str) -> socket.socket:
    family, protocol = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6) if ":" in address else (socket.AF_INET, socket.IPPROTO_ICMP)
    )
    with suppress(PermissionError):
        return socket.socket(family, socket.SOCK_DGRAM, protocol)
    return socket.socket(family, socket.SOCK_RAW, protocol)


def _is_answered(wire: socket.socket, address: str, number: int, until: float) -> bool:
    wanted = _REPLY6 if ":" in address else _REPLY4
    for data, sender in _datagrams(wire, until):
        raw = wire.type == socket.SOCK_RAW and wire.family == socket.AF_INET
        body = data[(data[0] & 15) * 4 :] if raw and len(data) >= _LEAST_IPV4 else data
        if sender != address or len(body) < _HEAD.size:
            continue
        kind, _, _, identity, sequence = _HEAD.unpack_from(body)
        if kind == wanted and sequence == number and (wire.type == socket.SOCK_DGRAM or identity == _identity()):
            return True
    return False


def _datagrams(wire: socket.socket, until: float) -> Iterator[tuple[bytes, str]]:
    while (left := until - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            data, sender = wire.recvfrom(2048)
        except OSError:  # the time is over, or a router says that there is no way
            return
        yield data, sender[0]


def _request(address: str, number: int) -> bytes:
    kind = _REQUEST6 if ":" in address else _REQUEST4
    body = b"haidang!"
    head = _HEAD.pack(kind, 0, 0, _identity(), number)
    return _HEAD.pack(kind, 0, _checksum(head + body), _identity(), number) + body


def _identity() -> int:
    return os.getpid() & 0xFFFF


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
