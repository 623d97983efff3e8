"""HTTP/1.1 on one connection: h11 says what the bytes mean, requests come out whole and within bounds.

Source: RFC 9110, RFC 9112.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import h11

from collectors.logs.streams import CHUNK, PeerReader

MAX_BODY = 32 << 20
"""Bytes of a request's body, also unpacked."""

_MAX_HEAD = 64 << 10
_GZIP = 16 + zlib.MAX_WBITS


class RefusedError(Exception):
    """The request cannot be taken; carries the status and one line that says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Request(NamedTuple):
    """One request; header names are in lower case, ``path`` is without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is sent back; a body is JSON, none is sent to HEAD."""

    status: HTTPStatus
    content: Any = None
    headers: Mapping[str, str] = {}


class Exchange:
    """One connection's requests and answers.

    Args:
        reader: what the peer sends.
        writer: what it gets.
    """

    def __init__(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._asked: h11.Request | None = None

    async def request(self) -> Request | None:
        """The next request; None where the peer has ended, or may not go on.

        Raises:
            RefusedError: the request is not HTTP or beyond a bound; the connection ends after the answer.
        """
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()
        if self._protocol.our_state is not h11.IDLE:
            return None
        self._asked = None
        try:
            asked = await self._event()
            if not isinstance(asked, h11.Request):
                return None
            self._asked = asked
            body = await self._body()
        except h11.RemoteProtocolError as error:
            raise RefusedError(HTTPStatus(error.error_status_hint), f"not HTTP: {error}") from error
        if body is None:
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in asked.headers}
        path = asked.target.decode("latin-1").partition("?")[0]
        return Request(asked.method.decode("latin-1"), path, headers, _unpacked(body, headers))

    async def answer(self, answer: Answer) -> bool:
        """Sends the answer; whether all of it could be handed to the kernel."""
        content = b"" if answer.content is None else json.dumps(answer.content, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content)), **answer.headers}
        status = h11.Response(status_code=answer.status, headers=list(headers.items()))
        self._send(status)
        if content and (self._asked is None or self._asked.method != b"HEAD"):
            self._send(h11.Data(data=content))
        self._send(h11.EndOfMessage())
        try:
            await self._writer.drain()
        except OSError:
            return False
        return not self._writer.is_closing()

    def _send(self, event: h11.Event) -> None:
        data = self._protocol.send(event)
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def _body(self) -> bytes | None:
        """The body; None where the peer has ended within it."""
        if self._protocol.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[]))
        parts, length = list[bytes](), 0
        while isinstance(event := await self._event(), h11.Data):
            length += len(event.data)
            if length > MAX_BODY:
                raise RefusedError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MAX_BODY} bytes: send parts"
                )
            parts.append(bytes(event.data))
        return b"".join(parts) if isinstance(event, h11.EndOfMessage) else None

    async def _event(self) -> h11.Event | None:
        """The next event; None where the peer has ended."""
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            data = await self._reader.read(CHUNK)
            if not data and self._protocol.their_state is not h11.IDLE:
                return None
            self._protocol.receive_data(data)
        return None if event is h11.PAUSED else event  # type: ignore[return-value]


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in {"identity", ""}:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-encoding: gzip or none is understood")
    try:
        return b"".join(_members(body))
    except zlib.error as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is no gzip: {error}") from error


def _members(body: bytes) -> Iterator[bytes]:
    """The content of each member of a gzip file (RFC 1952, section 2.2), all of them within the bound."""
    room = MAX_BODY
    while body:
        reader = zlib.decompressobj(_GZIP)
        content = reader.decompress(body, room + 1)
        room -= len(content)
        if room < 0 or reader.unconsumed_tail:
            raise _too_large()
        if not reader.eof:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the body's gzip ends too early")
        yield content
        body = reader.unused_data.lstrip(b"\0")


def _too_large() -> RefusedError:
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MAX_BODY} bytes: send parts")
