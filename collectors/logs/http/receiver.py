"""The receiver of events by HTTP: ``POST /events`` with JSON lines or an array, and Elasticsearch's ``_bulk``."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode
from collections.abc import Callable, Sequence
from http import HTTPStatus
from ssl import SSLContext

import msgspec

from collectors.logs.datagrams import plain_address
from collectors.logs.http import bulk
from collectors.logs.http.deliveries import Deliveries
from collectors.logs.http.exchange import Answer, Exchange, RefusedError, Request
from collectors.logs.streams import PeerReader, StreamServer
from core.clock import MILLISECOND, Clock

_BOM = b"\xef\xbb\xbf"
_AT_ONCE = 8
"""Requests whose documents are on their way to the disk at a time: more would only wait there."""


class HttpReceiver:
    """Listens and serves connections until stopped.

    Args:
        deliveries: carries documents to the disk.
        clock: measures how long that took, for the answer.
        token: what a sender must show, as bearer token, API key or password; empty asks for nothing.
        refused: told the sender of each request that was refused.
    """

    def __init__(
        self, deliveries: Deliveries, clock: Clock, token: str = "", refused: Callable[[str], None] = lambda _: None
    ) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._token = token
        self._refused = refused
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def server(self, address: tuple[str, int], tls: SSLContext | None = None) -> StreamServer:
        """The server for this address, to be started."""
        return StreamServer("https" if tls else "http", address, self._serve, tls=tls)

    async def _serve(self, reader: PeerReader, writer: asyncio.StreamWriter) -> None:
        source = plain_address(writer.get_extra_info("peername")[0])
        exchange, owed = Exchange(reader, writer), ""
        try:
            while (request := await exchange.request()) is not None:
                if owed:  # whoever asks again has had our answer
                    self._deliveries.confirm(owed)
                answer, owed = await self._answered(source, request)
                if not await exchange.answer(answer):
                    return
        except RefusedError as refusal:
            self._refused(source)
            await exchange.answer(_refused(refusal))
            return
        if owed and reader.orderly:
            self._deliveries.confirm(owed)

    async def _answered(self, source: str, request: Request) -> tuple[Answer, str]:
        """The answer, and under which name its arrival is to be confirmed."""
        try:
            self._check(request)
            prepared = bulk.setup(request)
            if prepared is not None:
                return prepared._replace(headers={**prepared.headers, **bulk.media_type(request)}), ""
            async with self._turn:
                return await self._delivered(source, request)
        except RefusedError as refusal:
            self._refused(source)
            return _refused(refusal), ""

    async def _delivered(self, source: str, request: Request) -> tuple[Answer, str]:
        if bulk.is_bulk(request):
            taken, began = bulk.documents(request), self._clock.now()
            stream = await self._deliveries.deliver(source, request.body, [one.raw for one in taken])
            answer = bulk.stored(taken, stream, (self._clock.now() - began) // MILLISECOND)
            return answer._replace(headers={**answer.headers, **bulk.media_type(request)}), stream
        if request.path.rstrip("/") == "/events":
            if request.method != "POST":
                raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "events are taken by POST")
            lines = _documents(request.body)
            stream = await self._deliveries.deliver(source, request.body, lines)
            return Answer(HTTPStatus.OK, {"stored": len(lines)}), stream
        raise RefusedError(HTTPStatus.NOT_FOUND, "events are taken by POST /events and POST /_bulk")

    def _check(self, request: Request) -> None:
        shown = _shown(request.headers.get("authorization", ""))
        if self._token and not hmac.compare_digest(shown.encode(), self._token.encode()):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")


def _shown(header: str) -> str:
    """The token in an Authorization header: itself after Bearer, the password of Basic, the key of an API key."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() in {"basic", "apikey"}:
        try:
            return b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:
            return value.strip()
    return ""


def _documents(body: bytes) -> Sequence[bytes]:
    """Each line of JSON, or each element where the body is an array."""
    text = body.removeprefix(_BOM).strip()
    if text.startswith(b"["):
        try:
            return [bytes(one) for one in msgspec.json.decode(text, type=list[msgspec.Raw])]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the array is not JSON: {error}") from error
    return [line for line in text.split(b"\n") if line.strip()]


def _refused(refusal: RefusedError) -> Answer:
    content = {"error": {"type": "haidang", "reason": refusal.reason}, "status": refusal.status}
    asking = {"www-authenticate": "Bearer"} if refusal.status == HTTPStatus.UNAUTHORIZED else {}
    return Answer(refusal.status, content, {**bulk.PRODUCT, **asking})
