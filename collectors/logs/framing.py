"""Cutting a stream of bytes into messages. Pure: bytes in, messages out, at most one message buffered.

Parts do not depend on how the bytes were cut into chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_COUNT = re.compile(rb"([1-9]\d{0,6}) ")
_PARTIAL_COUNT = re.compile(rb"[1-9]\d{0,6} ?\Z")
_RELP_HEAD = re.compile(rb"(\d{1,9}) ([A-Za-z]{1,32}) (\d{1,9})(?:( )|(?=\n))")
_PARTIAL_RELP_HEAD = re.compile(rb"(?:\d{1,9}(?: (?:[A-Za-z]{1,32}(?: (?:\d{1,9})?)?)?)?)?\Z")


class Part(NamedTuple):
    """A message and, where it is none, why."""

    raw: bytes
    fault: str = ""


class RelpFrame(NamedTuple):
    """A frame of RELP: transaction number, command, data, and why the data is no message."""

    number: int
    command: str
    data: bytes
    fault: str = ""


class FramingError(Exception):
    """The bytes are not this protocol; the connection cannot go on."""


def oversized(limit: int) -> str:
    """The fault of a message longer than is taken."""
    return f"oversized: at most {limit} bytes are taken"


class SyslogSplitter:
    """Syslog over TCP: octet-counted or one message a line, told apart at each message (RFC 6587 section 3.4).

    A line that begins with a number and a space looks like a count, and a count that is none swallows what follows.
    So a number is a count where ``<`` follows, with which every syslog message begins; and, after a counted message,
    whatever follows: a sender does not change its framing, and one bad message must not cost it the others. What is
    left is the least: a sender that counts and whose very first message has no ``<`` is read by lines.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known to hold no line feed
        self._skip = 0
        self._skip_line = False
        self._counting = False

    def feed(self, data: bytes) -> list[Part]:
        """The messages that are whole now."""
        self._buffer += data
        parts: list[Part] = []
        while (part := self._next()) is not None:
            if part.raw or part.fault:
                parts.append(part)
        return parts

    def end(self, *, orderly: bool) -> Part | None:
        """What is left at the end of the connection, if anything.

        Args:
            orderly: the peer closed it. Then a line needs no line feed to be whole; a count that is unmet, and a
                number alone, which is a count without its message, are cut all the same.
        """
        rest = b"" if self._skip or self._skip_line else bytes(self._buffer[: self._limit])
        if not rest:
            return None
        whole = orderly and self._count() is None and not _PARTIAL_COUNT.match(self._buffer)
        return Part(rest, "" if whole else "cut: the connection ended within a message")

    def _next(self) -> Part | None:
        if not self._dropped():
            return None
        counted = self._count()
        if counted is not None:
            return self._counted(counted.end(), int(counted[1]))
        if _PARTIAL_COUNT.match(self._buffer):
            return None
        return self._line()

    def _count(self) -> re.Match[bytes] | None:
        """The count that the buffer begins with."""
        found = _COUNT.match(self._buffer)
        if found and (self._counting or self._buffer[found.end() : found.end() + 1] == b"<"):
            return found
        return None

    def _dropped(self) -> bool:
        """Whether the rest of a message that was too long has gone by."""
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped
        if self._skip_line:
            newline = self._buffer.find(b"\n")
            self._skip_line = newline < 0
            del self._buffer[: newline + 1 or len(self._buffer)]
        return not self._skip and not self._skip_line

    def _counted(self, start: int, length: int) -> Part | None:
        kept = min(length, self._limit)
        if len(self._buffer) < start + kept:
            return None
        self._counting = True
        raw = self._take(start, start + kept, start + kept)
        self._skip = length - kept
        return Part(raw, oversized(self._limit) if length > kept else "")

    def _line(self) -> Part | None:
        newline = self._buffer.find(b"\n", self._searched)
        length = newline if newline >= 0 else len(self._buffer)
        if newline < 0 and length <= self._limit:
            self._searched = length
            return None
        self._skip_line = newline < 0
        self._counting = self._counting and length == 0  # some end a counted message with a line feed besides
        raw = self._take(0, min(length, self._limit), length + 1)
        return Part(raw, oversized(self._limit) if length > self._limit else "")

    def _take(self, start: int, end: int, gone: int) -> bytes:
        raw = bytes(self._buffer[start:end])
        del self._buffer[:gone]
        self._searched = 0
        return raw


class RelpSplitter:
    """RELP frames: ``TXNR SP COMMAND SP DATALEN [SP DATA] LF`` (RELP specification, "RELP Frame")."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._skip = 0
        self._waiting: RelpFrame | None = None

    def feed(self, data: bytes) -> Iterator[RelpFrame]:
        """The frames that are whole now.

        Raises:
            FramingError: what follows the frames told so far is not RELP.
        """
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> RelpFrame | None:
        if self._waiting is not None:
            return self._finish_oversized(self._waiting)
        head = _RELP_HEAD.match(self._buffer)
        if head is None:
            if not _PARTIAL_RELP_HEAD.match(self._buffer):
                raise FramingError("not RELP")
            return None
        number, command, length = int(head[1]), head[2].decode(), int(head[3])
        if length and head[4] is None:
            raise FramingError("a RELP frame lacks its data")
        if length > self._limit:
            return self._begin_oversized(RelpFrame(number, command, b""), head.end(), length)
        end = head.end() + length
        if len(self._buffer) <= end:
            return None
        if self._buffer[end : end + 1] != b"\n":
            raise FramingError("a RELP frame does not end where it says")
        return RelpFrame(number, command, self._take(head.end(), end, end + 1))

    def _begin_oversized(self, frame: RelpFrame, start: int, length: int) -> RelpFrame | None:
        end = start + self._limit
        if len(self._buffer) < end:
            return None
        self._waiting = frame._replace(data=self._take(start, end, end), fault=oversized(self._limit))
        self._skip = length - self._limit + 1  # the trailing line feed as well
        return self._finish_oversized(self._waiting)

    def _finish_oversized(self, frame: RelpFrame) -> RelpFrame | None:
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped
        if self._skip:
            return None
        self._waiting = None
        return frame

    def _take(self, start: int, end: int, gone: int) -> bytes:
        data = bytes(self._buffer[start:end])
        del self._buffer[:gone]
        return data
