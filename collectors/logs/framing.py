"""Cutting a stream of bytes into messages. Pure: bytes in, messages out, at most one message buffered."""

from __future__ import annotations

import re
from typing import NamedTuple

_COUNT = re.compile(rb"([1-9]\d{0,6}) ")
_PARTIAL_COUNT = re.compile(rb"[1-9]\d{0,6}\Z")
_RELP_HEAD = re.compile(rb"(\d{1,9}) ([a-z]{1,32}) (\d{1,9})(?:( )|(?=\n))")
_LONGEST_RELP_HEAD = 9 + 1 + 32 + 1 + 9 + 1


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
    """Syslog over TCP: octet-counted or one message a line, told apart at each message (RFC 6587 section 3.4)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._skip = 0
        self._skip_line = False

    def feed(self, data: bytes) -> list[Part]:
        """The messages that are whole now."""
        self._buffer += data
        parts: list[Part] = []
        while (part := self._next()) is not None:
            if part.raw or part.fault:
                parts.append(part)
        return parts

    def end(self) -> Part | None:
        """What the connection ended within, if anything."""
        rest = b"" if self._skip or self._skip_line else self._buffer
        return Part(rest[: self._limit], "cut: the connection ended within a message") if rest else None

    def _next(self) -> Part | None:
        self._drop()
        counted = _COUNT.match(self._buffer)
        if counted:
            return self._counted(counted.end(), int(counted[1]))
        if _PARTIAL_COUNT.match(self._buffer) and not self._skip_line:
            return None
        return self._line()

    def _drop(self) -> None:
        dropped = min(self._skip, len(self._buffer))
        self._buffer = self._buffer[dropped:]
        self._skip -= dropped
        if self._skip_line:
            _, newline, rest = self._buffer.partition(b"\n")
            self._buffer, self._skip_line = rest, not newline

    def _counted(self, start: int, length: int) -> Part | None:
        kept = min(length, self._limit)
        if len(self._buffer) < start + kept:
            return None
        raw = self._buffer[start : start + kept]
        self._buffer = self._buffer[start + kept :]
        self._skip = length - kept
        return Part(raw, oversized(self._limit) if length > kept else "")

    def _line(self) -> Part | None:
        line, newline, rest = self._buffer.partition(b"\n")
        if len(line) > self._limit:
            self._buffer, self._skip_line = rest, not newline
            return Part(line[: self._limit], oversized(self._limit))
        if not newline:
            return None
        self._buffer = rest
        return Part(line)


class RelpSplitter:
    """RELP frames: ``TXNR SP COMMAND SP DATALEN [SP DATA] LF`` (RELP specification, "RELP Frame")."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._skip = 0
        self._waiting: RelpFrame | None = None

    def feed(self, data: bytes) -> list[RelpFrame]:
        """The frames that are whole now.

        Raises:
            FramingError: the bytes are not RELP.
        """
        self._buffer += data
        frames: list[RelpFrame] = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> RelpFrame | None:
        if self._waiting is not None:
            return self._finish_oversized()
        head = _RELP_HEAD.match(self._buffer)
        if head is None:
            if len(self._buffer) > _LONGEST_RELP_HEAD:
                raise FramingError("not RELP")
            return None
        number, command, length = int(head[1]), head[2].decode(), int(head[3])
        if length > self._limit:
            return self._begin_oversized(number, command, head.end(), length)
        end = head.end() + length
        if len(self._buffer) <= end:
            return None
        if self._buffer[end : end + 1] != b"\n":
            raise FramingError("a RELP frame does not end where it says")
        frame = RelpFrame(number, command, self._buffer[head.end() : end])
        self._buffer = self._buffer[end + 1 :]
        return frame

    def _begin_oversized(self, number: int, command: str, start: int, length: int) -> RelpFrame | None:
        if len(self._buffer) < start + self._limit:
            return None
        data = self._buffer[start : start + self._limit]
        self._buffer = self._buffer[start + self._limit :]
        self._skip = length - self._limit + 1  # the trailing line feed as well
        self._waiting = RelpFrame(number, command, data, oversized(self._limit))
        return self._finish_oversized()

    def _finish_oversized(self) -> RelpFrame | None:
        dropped = min(self._skip, len(self._buffer))
        self._buffer = self._buffer[dropped:]
        self._skip -= dropped
        if self._skip:
            return None
        frame, self._waiting = self._waiting, None
        return frame
