from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from core import relay as module
from core.clock import SECOND, HeldClock
from core.errors import UnavailableError
from core.outbox import Batch, Outbox, Receipt, Row
from core.relay import CentreLink, Relay, Silence


class FakeCentre:
    """Keeps rows in memory as the centre does: by epoch and number, and each key once."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.keys: list[str] = []
        self.batches: list[Batch] = []
        self.lose_answers = 0
        self.away = 0

    async def send(self, batch):
        if self.away:
            self.away -= 1
            raise UnavailableError("no answer")
        self.batches.append(batch)
        last = self.last.get(batch.epoch, 0)
        if batch.since != last:
            return Receipt(last=last, taken=False)
        self.keys += [row.key for row in batch.rows if row.key not in self.keys]
        self.last[batch.epoch] = last = batch.rows[-1].seq if batch.rows else last
        if self.lose_answers:
            self.lose_answers -= 1
            raise UnavailableError("the connection broke off")
        return Receipt(last=last, taken=True)


@pytest.fixture
def centre():
    return FakeCentre()


@pytest.fixture
def outbox(tmp_path, clock):
    made = Outbox(tmp_path / "outbox.db", clock)
    yield made
    made.close()


@pytest.fixture
def told():
    return []


@pytest.fixture
def relay(outbox, centre, clock, told):
    return Relay("logs", outbox, centre.send, Silence(60, clock.now()), told.append)


def put(outbox, *keys):
    outbox.put([Row(key=key, kind="alert", body=b"x") for key in keys])


def deliver(relay, tries=20):
    """Steps until nothing is left, as the relay does with each heartbeat."""

    async def steps():
        for _ in range(tries):
            try:
                if not await relay.step():
                    return
            except UnavailableError:
                continue

    asyncio.run(steps())


def test_rows_are_delivered_in_order_and_acknowledged(relay, outbox, centre):
    put(outbox, "a", "b", "c")
    deliver(relay)
    assert centre.keys == ["a", "b", "c"]
    assert outbox.waiting() == 0
    put(outbox, "d")
    deliver(relay)
    assert centre.keys == ["a", "b", "c", "d"]


def test_a_step_with_nothing_to_send_is_a_heartbeat(relay, centre):
    deliver(relay)
    deliver(relay)
    assert [(batch.since, batch.rows) for batch in centre.batches] == [(-1, ()), (0, ()), (0, ())]


def test_a_backlog_goes_in_bounded_batches(relay, outbox, centre):
    put(outbox, *(f"{number:04}" for number in range(1200)))
    deliver(relay)
    assert centre.keys == [f"{number:04}" for number in range(1200)]
    assert max(len(batch.rows) for batch in centre.batches) == 500


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_answer_leads_to_a_resend_that_is_not_doubled(relay, outbox, centre, lost):
    put(outbox, "a", "b")
    centre.lose_answers = lost
    deliver(relay)
    put(outbox, "c")
    centre.lose_answers = lost
    deliver(relay)
    assert centre.keys == ["a", "b", "c"]
    assert outbox.waiting() == 0


def test_an_absent_centre_loses_nothing(relay, outbox, centre):
    centre.away = 5
    put(outbox, "a")
    deliver(relay)
    assert centre.keys == ["a"]


def test_a_restarted_lane_goes_on_where_the_centre_is(relay, outbox, centre, clock, told):
    put(outbox, "a", "b")
    deliver(relay)
    put(outbox, "c")
    deliver(Relay("logs", outbox, centre.send, Silence(60, clock.now()), told.append))
    assert centre.keys == ["a", "b", "c"]
    assert [row.key for batch in centre.batches for row in batch.rows] == ["a", "b", "c"]


def test_a_centre_restored_from_a_backup_asks_for_all_since_its_last(relay, outbox, centre):
    put(outbox, "a", "b", "c", "d")
    deliver(relay)
    centre.keys, centre.last = ["a"], {outbox.epoch: 1}
    deliver(relay)
    assert centre.keys == ["a", "b", "c", "d"]


def test_a_centre_that_lost_everything_gets_all_that_is_kept(relay, outbox, centre):
    put(outbox, "a", "b")
    deliver(relay)
    centre.keys, centre.last = [], {}
    deliver(relay)
    assert centre.keys == ["a", "b"]


def test_silence_is_told_once_and_so_is_its_end():
    silence = Silence(60, 0)
    assert [silence.exceeded(second * SECOND) for second in (0, 59, 60, 61, 600)] == [False, False, True, False, False]
    assert silence.lasting(600 * SECOND) == 600 * SECOND
    assert [silence.heard(second * SECOND) for second in (601, 602)] == [True, False]
    assert silence.exceeded(660 * SECOND) is False
    assert silence.exceeded(662 * SECOND) is True


def run_until(relay, clock, done):
    """Runs the relay until the event is set."""

    async def main():
        task = asyncio.create_task(relay.run(clock))
        await asyncio.wait_for(done.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


class Script:
    """A centre that answers as the script says, each time some seconds later; then it is done."""

    def __init__(self, clock: HeldClock, script) -> None:
        self.clock = clock
        self.script = list(script)
        self.done = asyncio.Event()

    async def send(self, batch):
        seconds, answers = self.script.pop(0) if self.script else (0, True)
        if not self.script:
            self.done.set()
        self.clock.forward(seconds * SECOND)
        if not answers:
            raise UnavailableError("no answer at http://127.0.0.1:8081")
        return Receipt(last=max(batch.since, 0), taken=batch.since >= 0)


def told_by(outbox, clock, script, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT", 0)
    told, centre = [], Script(clock, [*script, (0, True), (0, True)])
    run_until(Relay("logs", outbox, centre.send, Silence(60, clock.now()), told.append), clock, centre.done)
    return told


SILENT = "the centre has been silent for 60 s (no answer at http://127.0.0.1:8081); nothing is lost for 72 h"
BACK = "the centre answers again"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([(59, False)], []),
        ([(60, False)], [SILENT, BACK]),
        ([(30, False), (30, False), (30, False), (30, False)], [SILENT, BACK]),
        ([(30, True), (30, True), (59, False)], []),
        ([(60, False), (5, True), (500, True)], [SILENT, BACK]),
        ([(60, False), (5, True), (5, True), (60, False), (5, True), (5, True)], [SILENT, BACK, SILENT, BACK]),
    ],
)
def test_the_relay_tells_the_alarm_of_silence_and_of_its_end(outbox, clock, script, expected, monkeypatch):
    assert told_by(outbox, clock, script, monkeypatch) == expected


def test_a_long_backlog_is_not_silence(outbox, clock, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT", 0)
    put(outbox, *(f"{number:04}" for number in range(2600)))
    told, done = [], asyncio.Event()

    async def send(batch):
        clock.forward(20 * SECOND)
        if batch.since >= 2500:
            done.set()
            raise UnavailableError("no answer")
        return Receipt(last=batch.rows[-1].seq if batch.rows else max(batch.since, 0), taken=batch.since >= 0)

    run_until(Relay("logs", outbox, send, Silence(60, clock.now()), told.append), clock, done)
    assert told == []


def test_new_rows_wake_the_relay(outbox, clock, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT", 3600)
    quiet, got, taken = asyncio.Event(), asyncio.Event(), []

    async def send(batch):
        taken.extend(row.key for row in batch.rows)
        (got if taken else quiet).set()
        return Receipt(last=max(batch.since, len(taken)), taken=True)

    relay = Relay("logs", outbox, send, Silence(60, clock.now()), print)

    async def main():
        task = asyncio.create_task(relay.run(clock))
        await quiet.wait()
        put(outbox, "a")
        relay.wake()
        await got.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(main(), 30))
    assert taken == ["a"]
    assert relay.silent(clock.now() + 7) == 7


@pytest.fixture
def link(monkeypatch):
    """A link to the centre whose answers are given by a function of the request."""

    real = httpx.AsyncClient

    def make(answer):
        def client(**values):
            return real(transport=httpx.MockTransport(answer), **values)

        monkeypatch.setattr(httpx, "AsyncClient", client)
        return CentreLink("127.0.0.1:8081", "secret")

    return make


def ask(link, work):
    async def main():
        try:
            return await work(link)
        finally:
            await link.close()

    return asyncio.run(main())


def test_a_batch_goes_to_the_centre_with_the_lanes_token(link):
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, content=msgspec.msgpack.encode(Receipt(last=7, taken=True)))

    batch = Batch(lane="logs", epoch="e", since=0, rows=(Row(seq=7, key="a", kind="alert", body=b"x"),))
    assert ask(link(answer), lambda one: one.send(batch)) == Receipt(last=7, taken=True)
    assert seen[0].headers["Authorization"] == "Bearer secret"
    assert msgspec.msgpack.decode(seen[0].content, type=Batch) == batch


def refuses(_):
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refuses, "no answer at http://127.0.0.1:8081"),
        (lambda _: httpx.Response(503), "answered 503 to /relay"),
        (lambda _: httpx.Response(200, content=b"<html>"), "is not the centre"),
        (lambda _: httpx.Response(200, content=b"\x82\xa4\xff\xff\xff\xff\x01\xa5taken\xc3"), "is not the centre"),
    ],
)
def test_a_centre_that_cannot_answer_is_unavailable(link, answer, words):
    with pytest.raises(UnavailableError, match=words):
        ask(link(answer), lambda one: one.send(Batch(lane="logs", epoch="e", since=0)))


def test_a_snapshot_comes_with_its_version_or_not_at_all_if_it_is_known(link):
    def answer(request):
        known = request.headers["If-None-Match"] == "v2"
        return httpx.Response(304) if known else httpx.Response(200, content=b"rules", headers={"ETag": "v2"})

    assert ask(link(answer), lambda one: one.snapshot("rules", "v1")) == ("v2", b"rules")
    assert ask(link(answer), lambda one: one.snapshot("rules", "v2")) is None
