"""Events by HTTP with real sockets: answered when on disk, folded when sent again, refused in one line."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from collectors.files.jsonl import decode_json
from collectors.logs.http.deliveries import Deliveries
from collectors.logs.http.exchange import MAX_BODY
from collectors.logs.http.receiver import HttpReceiver
from collectors.logs.marks import Marks
from core.clock import MINUTE, HeldClock

NOW = 1_795_312_267_000_000_000
PATIENCE = 10.0
BULK = b'{"create":{"_index":"logs"}}\n{"message":"a"}\n{"index":{"_id":"7"}}\n{"message":"b"}\n'


class Answered(NamedTuple):
    """A response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One connection of a sender."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        head = {"host": "x", "content-length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)

    async def answer(self, *, bare: bool = False) -> Answered:
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, *rest = head.decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
            body = b"" if bare else await self.reader.readexactly(int(headers["content-length"]))
        return Answered(int(status.split()[1]), headers, body)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        self.send(method, path, body, **headers)
        return await self.answer(bare=method == "HEAD")


class Lane:
    """A receiver that listens, and the disk behind it: what is on it is stored when ``store`` is called."""

    def __init__(self, inlet, marks: Marks, token: str) -> None:
        self.refused: list[str] = []
        self.inlet, self.marks = inlet, marks
        self.clock = HeldClock(NOW)
        self.deliveries = Deliveries(inlet, self.clock, marks, decode_json)
        self.server = HttpReceiver(self.deliveries, self.clock, token, self.refused.append).server(("127.0.0.1", 0))
        self.clients: list[Client] = []

    async def connect(self) -> Client:
        self.clients.append(Client(*await asyncio.open_connection("127.0.0.1", self.server.port)))
        return self.clients[-1]

    async def store(self, count: int) -> list[tuple[bytes, bool]]:
        """The next frames, stored; each with whether it is a resend."""
        frames = await self.inlet.take(count)
        for frame in frames:
            self.marks.set(frame.stream, max(frame.mark, self.marks.get(frame.stream)))
            frame.stored()
        return [(frame.raw, frame.resent) for frame in frames]


@pytest.fixture
def listening(inlet):
    @asynccontextmanager
    async def made(marks: Marks | None = None, token: str = "") -> AsyncIterator[Lane]:
        lane = Lane(inlet, marks or Marks(), token)
        await lane.server.start()
        try:
            yield lane
        finally:
            for client in lane.clients:
                client.writer.close()
            await lane.server.stop()

    return made


def test_documents_are_answered_when_they_are_on_disk(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            client.send("POST", "/_bulk", BULK)
            frames = await lane.inlet.take(2)
            assert [(frame.raw, frame.mark, frame.transport) for frame in frames] == [
                (b'{"message":"a"}', 1, "http"),
                (b'{"message":"b"}', 2, "http"),
            ]
            frames[0].stored()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.reader.read(1)
            frames[1].stored()
            answer = await client.answer()
            assert (answer.status, answer.json["errors"]) == (200, False)
            first, second = answer.json["items"]
            assert (first["create"]["status"], first["create"]["_index"]) == (201, "logs")
            assert second["index"]["_id"] == "7"

    run(dialogue())


@pytest.mark.parametrize(
    ("body", "documents"),
    [
        (b'{"a":1}\n\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}', [b'{"a":1}']),
        (b'[{"a": 1}, {"a": [2]}]', [b'{"a": 1}', b'{"a": [2]}']),
        (b"", []),
    ],
)
def test_lines_and_arrays_are_taken_apart(run, listening, body, documents):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            client.send("POST", "/events", body)
            assert [raw for raw, _ in await lane.store(len(documents))] == documents
            assert (await client.answer()).json == {"stored": len(documents)}

    run(dialogue())


def test_a_packed_body_is_unpacked(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            client.send("POST", "/logs/_bulk", gzip.compress(BULK), content_encoding="gzip")
            assert len(await lane.store(2)) == 2
            assert (await client.answer()).json["items"][1]["index"]["_index"] == "logs"

    run(dialogue())


def test_all_members_of_a_packed_body_are_unpacked(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            packed = b"".join(gzip.compress(b'{"a":%d}\n' % n) for n in range(3))
            client.send("POST", "/events", packed, content_encoding="gzip")
            assert len(await lane.store(3)) == 3
            assert (await client.answer()).json == {"stored": 3}

    run(dialogue())


@pytest.mark.parametrize(
    ("path", "body"),
    [("/events", b"[" * 100_000 + b"]" * 100_000), ("/_bulk", b'{"create":' * 100_000 + b"\n{}\n")],
)
def test_what_is_nested_without_end_is_refused_and_the_next_is_served(run, listening, path, body):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            assert (await client.ask("POST", path, body)).status == 400
            assert (await client.ask("GET", "/")).status == 200

    run(dialogue())


def test_a_mark_of_byte_order_and_a_wrong_method_cost_nothing(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            client.send("POST", "/events", b'\xef\xbb\xbf[{"a":1},{"a":2}]')
            assert len(await lane.store(2)) == 2
            await client.answer()
            assert (await client.ask("GET", "/events")).status == 405

    run(dialogue())


async def interrupted(lane: Lane, stored: int) -> None:
    """A sender whose connection breaks when so many of its two documents are on disk."""
    client = await lane.connect()
    client.send("POST", "/_bulk", BULK)
    frames = await lane.inlet.take(2)
    for frame in frames[:stored]:
        lane.marks.set(frame.stream, frame.mark)
    client.writer.transport.abort()


@pytest.mark.parametrize("stored", [0, 1, 2])
def test_a_request_that_is_sent_again_after_a_kill_goes_on_where_the_first_one_stopped(run, listening, stored):
    async def dialogue():
        marks = Marks()
        async with listening(marks) as lane:
            await interrupted(lane, stored)
        async with listening(Marks(marks.content())) as lane:  # as after a restart
            client = await lane.connect()
            client.send("POST", "/_bulk", BULK)
            resent = [resent for _, resent in await lane.store(2)]
            assert resent == [place < stored for place in range(2)]
            assert (await client.answer()).json["errors"] is False

    run(dialogue())


def test_the_same_body_on_the_same_connection_is_a_new_one(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            for _ in range(3):
                client.send("POST", "/_bulk", BULK)
                assert [resent for _, resent in await lane.store(2)] == [False, False]
                await client.answer()

    run(dialogue())


def test_a_sender_that_closes_in_good_order_has_had_its_answer(run, listening):
    async def dialogue():
        async with listening() as lane:
            for _ in range(2):
                client = await lane.connect()
                client.send("POST", "/_bulk", BULK)
                assert [resent for _, resent in await lane.store(2)] == [False, False]
                await client.answer()
                client.writer.close()
                await client.writer.wait_closed()
                async with asyncio.timeout(PATIENCE):
                    while lane.marks.content():  # noqa: ASYNC110 - the receiver has no event for it
                        await asyncio.sleep(0)

    run(dialogue())


def test_what_was_never_confirmed_is_forgotten_after_a_quarter_of_an_hour(run, listening):
    async def dialogue():
        marks = Marks()
        async with listening(marks) as lane:
            await interrupted(lane, 2)
            lane.clock.forward(16 * MINUTE)
            lane.deliveries._running.clear()
            client = await lane.connect()
            client.send("POST", "/_bulk", BULK)
            assert [resent for _, resent in await lane.store(2)] == [False, False]

    run(dialogue())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/_license", 200),
        ("GET", "/_cluster/health", 200),
        ("PUT", "/_index_template/winlogbeat", 200),
        ("HEAD", "/_index_template/winlogbeat", 404),
        ("PUT", "/_ilm/policy/beats", 200),
        ("GET", "/elsewhere", 404),
        ("DELETE", "/logs", 404),
    ],
)
def test_what_clients_ask_before_they_deliver_is_answered(run, listening, method, path, status):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            answer = await client.ask(method, path)
            assert answer.status == status
            assert answer.headers["x-elastic-product"] == "Elasticsearch"

    run(dialogue())


def test_a_client_is_answered_in_the_media_type_it_insists_on(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            wanted = "application/vnd.elasticsearch+json; compatible-with=8"
            answer = await client.ask("GET", "/", accept=wanted)
            assert answer.headers["content-type"] == wanted.replace(" ", "")

    run(dialogue())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"create":{}}\n', "line 1: the document of this action is missing"),
        (b'{"create":{}}\n{"a":1}\n{"delete":{"_id":"1"}}\n', "line 3: delete is not possible"),
        (b'{"update":{}}\n{"a":1}\n', "line 1: expected index or create"),
        (b"not json\n{}\n", "line 1: expected an action"),
    ],
)
def test_a_bulk_that_is_none_is_refused_with_its_line_and_stores_nothing(run, listening, body, reason):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            answer = await client.ask("POST", "/_bulk", body)
            assert (answer.status, lane.inlet.waiting) == (400, 0)
            assert answer.json["error"]["reason"].startswith(reason)
            assert (await client.ask("GET", "/")).status == 200  # the connection goes on

    run(dialogue())


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer secret", 200),
        ("ApiKey " + b64encode(b"id:secret").decode(), 200),
        ("Basic " + b64encode(b"anyone:secret").decode(), 200),
        ("Bearer wrong", 401),
        ("", 401),
        ("Basic %%%", 401),
    ],
)
def test_a_sender_shows_the_token_where_there_is_one(run, listening, header, status):
    async def dialogue():
        async with listening(token="secret") as lane:
            client = await lane.connect()
            assert (await client.ask("GET", "/", authorization=header)).status == status
            assert lane.refused == (["127.0.0.1"] if status == 401 else [])

    run(dialogue())


def test_a_body_beyond_the_bound_is_refused_also_when_packed(run, listening):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            bomb = gzip.compress(bytes(MAX_BODY + 1))
            assert (await client.ask("POST", "/events", bomb, content_encoding="gzip")).status == 413
            client = await lane.connect()
            assert (await client.ask("POST", "/events", b"x", content_encoding="br")).status == 415
            client = await lane.connect()
            assert (await client.ask("POST", "/events", b"x", content_encoding="gzip")).status == 400
            assert lane.inlet.waiting == 0

    run(dialogue())


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"<13>a line of syslog\n\n", b"\0" * 100_000]
)
def test_what_is_not_http_is_refused_and_the_next_is_served(run, listening, noise):
    async def dialogue():
        async with listening() as lane:
            client = await lane.connect()
            client.writer.write(noise)
            client.writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                await client.reader.read()
            assert (await (await lane.connect()).ask("GET", "/")).status == 200

    run(dialogue())
