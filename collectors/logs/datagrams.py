"""Many datagrams in one system call (recvmmsg(2)), which Python's socket module does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from typing import Final, NamedTuple

_LARGEST = 65536
"""Bytes of a place for one datagram; none is longer (RFC 768)."""

_WAIT_FOR_ONE: Final = 0x10000
"""MSG_WAITFORONE: wait for the first datagram, and then take what is there."""

_NAME = 28
"""Bytes of the longest address, ``struct sockaddr_in6``."""

_MOST_NAMES = 65_536


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """``struct mmsghdr`` with the ``struct msghdr`` inside it laid flat."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("length", ctypes.c_uint),
    )


_LENGTHS = struct.Struct("@8xI36x8xI4x")
"""Of a `_Header` the lengths of address and datagram."""


class Datagram(NamedTuple):
    """One datagram and the address that it came from, without the port."""

    raw: bytes
    source: str


class Datagrams:
    """Reads a socket's datagrams, up to so many at a time; not for two threads at once.

    Args:
        receiver: a bound UDP socket, IPv4 or IPv6.
        at_once: how many are read by one call.
    """

    def __init__(self, receiver: socket.socket, at_once: int) -> None:
        self._receiver = receiver
        self._read = ctypes.CDLL(None, use_errno=True).recvmmsg
        self._content = bytearray(at_once * _LARGEST)
        self._view = memoryview(self._content)
        self._names = bytearray(at_once * _NAME)
        self._vectors = (_Vector * at_once)()
        self._headers = (_Header * at_once)()
        self._sources: dict[bytes, str] = {}
        content = ctypes.addressof((ctypes.c_char * len(self._content)).from_buffer(self._content))
        names = ctypes.addressof((ctypes.c_char * len(self._names)).from_buffer(self._names))
        for place, (vector, header) in enumerate(zip(self._vectors, self._headers, strict=True)):
            vector.base, vector.length = content + place * _LARGEST, _LARGEST
            header.name, header.name_length = names + place * _NAME, _NAME
            header.vectors, header.vector_count = ctypes.pointer(vector), 1

    def read(self, *, wait: bool = True) -> list[Datagram]:
        """The datagrams that are there; waits for the first, or else may find none.

        Raises:
            OSError: the socket cannot be read.
        """
        flags = _WAIT_FOR_ONE if wait else int(socket.MSG_DONTWAIT)
        count = self._read(self._receiver.fileno(), self._headers, len(self._headers), flags, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in {errno.EAGAIN, errno.EINTR}:
                return []
            raise OSError(number, os.strerror(number))
        lengths = _LENGTHS.iter_unpack(memoryview(self._headers).cast("B")[: count * _LENGTHS.size])
        return [self._datagram(place, name, length) for place, (name, length) in enumerate(lengths)]

    def _datagram(self, place: int, name: int, length: int) -> Datagram:
        """The datagram in a place; a socket's addresses all have one length, so that of the last stays right."""
        start, named = place * _LARGEST, place * _NAME
        return Datagram(self._view[start : start + length].tobytes(), self._source(self._names[named : named + name]))

    def _source(self, name: bytearray) -> str:
        """The address in a ``struct sockaddr``; its third and fourth bytes are the port, which changes nothing."""
        key = bytes(name[4:])
        source = self._sources.get(key)
        if source is None:
            if len(self._sources) >= _MOST_NAMES:
                self._sources.clear()
            source = self._sources[key] = _address(name)
        return source


def _address(name: bytearray) -> str:
    """The address in a ``struct sockaddr_in`` or ``sockaddr_in6``."""
    if int.from_bytes(name[:2], "little") == socket.AF_INET6:
        return plain_address(socket.inet_ntop(socket.AF_INET6, name[8:24]))
    return socket.inet_ntop(socket.AF_INET, name[4:8])


def plain_address(host: str) -> str:
    """A peer's address without a zone index, an IPv4 one not dressed as IPv6."""
    return host.partition("%")[0].removeprefix("::ffff:")
