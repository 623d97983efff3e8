"""Remote-write: what is sent is what was given; nothing is lost or out of order, whatever the receiver does."""

from __future__ import annotations

import threading

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remote_writing import NOW, decoded, rows

from core import remote_write_queue
from core.clock import SECOND, HeldClock
from core.errors import IntegrityError, SettingsError, UnavailableError
from core.remote_write import FIRST_PAUSE, IDLE, LONGEST_PAUSE, Receiver, RemoteWrite, authorization, open_client
from core.remote_write_queue import SEGMENT_BYTES, SETTLED, RequestQueue
from core.remote_write_wire import Encoder, Request
from core.stores.spool import segments


class Peer:
    """A receiver that answers as it is told, and keeps what it accepted."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response | Exception] = []
        self.accepted: list[float] = []
        self.refused: set[float] = set()
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        values = [value for *_, value in decoded(request.content)]
        if answer.is_success:
            self.accepted += values
        elif answer.status_code == 400:
            self.refused.update(values)
        return answer


class Turns(threading.Event):
    """Stops after so many turns; time goes on meanwhile, and for how long each was to wait is kept."""

    def __init__(self, turns: int, clock: HeldClock) -> None:
        super().__init__()
        self.pauses: list[float | None] = []
        self._turns = turns
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        self._clock.forward(2 * SECOND)
        if len(self.pauses) == self._turns:
            self.set()
        return self.is_set()


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
def clock():
    return HeldClock(NOW)


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
def writer(tmp_path, clock, peer):
    made = opened(tmp_path, clock, peer)
    yield made
    made.close()


def opened(folder, clock, peer, most=1 << 30, **receiver) -> RemoteWrite:
    to = Receiver(url="http://receiver/api/v1/write", **receiver)
    client = httpx.Client(transport=httpx.MockTransport(peer))
    return RemoteWrite(RequestQueue(folder / "spool", clock, most), Encoder(lambda _: ""), to, client)


def die(writer: RemoteWrite) -> None:
    """As a killed process leaves it: nothing is noted."""
    writer._client.close()
    writer._queue._spool.close()


def drain(writer: RemoteWrite) -> None:
    for _ in range(1000):
        if writer._queue.next() is None:
            return
        writer.step()
    raise AssertionError("the queue never ends")


def put(writer: RemoteWrite, *numbers: int) -> None:
    for number in numbers:
        writer.append({"interfaces": rows((number, float(number)))})


def test_all_is_sent_in_order_with_the_headers_of_the_specification(writer, peer):
    put(writer, 1, 2, 3)
    drain(writer)
    assert peer.accepted == [1, 2, 3]
    assert (writer.sent, writer.waiting(), writer.step()) == (3, 0, IDLE)
    headers = peer.requests[0].headers
    assert headers["Content-Encoding"] == "snappy"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.ConnectError("refused"), id="connection refused"),
        pytest.param(httpx.ReadTimeout("slow"), id="no answer"),
        *(pytest.param(httpx.Response(code), id=str(code)) for code in (301, 401, 403, 429, 500, 503)),
    ],
)
def test_what_may_pass_is_tried_again_after_a_pause_and_nothing_overtakes(writer, peer, answer):
    put(writer, 1, 2)
    peer.answers = [answer, answer]
    assert [writer.step(), writer.step()] == [FIRST_PAUSE, 2 * FIRST_PAUSE]
    drain(writer)
    assert peer.accepted == [1, 2]
    assert writer.dropped == 0


def test_pauses_grow_to_a_bound_and_a_receiver_may_ask_for_one(writer, peer):
    put(writer, 1)
    peer.answers = [httpx.Response(500)] * 12
    assert max(writer.step() for _ in range(12)) == LONGEST_PAUSE
    writer.step()
    put(writer, 2)
    peer.answers = [httpx.Response(429, headers={"Retry-After": "7"})]
    assert writer.step() == 7


def test_what_the_receiver_refuses_for_good_is_dropped_and_told_in_its_words(writer, peer, caplog):
    put(writer, 1, 2)
    peer.answers = [httpx.Response(400, text="label  name\nis too long")]
    drain(writer)
    assert peer.accepted == [2]
    assert (writer.dropped, writer.sent) == (1, 1)
    assert writer.words == "1 samples refused: 400: label name is too long"
    assert writer.words in caplog.text


def test_a_receiver_that_died_gets_again_what_it_may_not_have_written(writer, peer, clock):
    put(writer, 1)
    drain(writer)
    clock.forward(SETTLED)
    put(writer, 2)
    drain(writer)
    put(writer, 3)
    peer.answers = [httpx.ReadError("reset")]
    drain(writer)
    assert peer.accepted == [1, 2, 2, 3]
    assert (writer.sent, writer.repeated) == (3, 1)


def test_a_repeat_that_the_receiver_has_already_is_no_loss(writer, peer):
    put(writer, 1)
    drain(writer)
    put(writer, 2)
    peer.answers = [httpx.ReadError("reset"), httpx.Response(400, text="out of order sample")]
    drain(writer)
    assert peer.accepted == [1, 2]
    assert (writer.dropped, writer.repeated) == (0, 1)


def test_a_process_that_died_goes_on_where_it_was_and_loses_nothing(tmp_path, clock, peer):
    first = opened(tmp_path, clock, peer)
    put(first, 1, 2, 3)
    first.step()
    die(first)
    second = opened(tmp_path, clock, peer)
    put(second, 4)
    drain(second)
    assert sorted(set(peer.accepted)) == [1, 2, 3, 4]
    second.close()
    clock.forward(2 * SETTLED)
    third = opened(tmp_path, clock, peer)
    assert third.waiting() == 0
    third.close()


def test_beyond_the_disks_bound_the_oldest_go_and_are_counted(tmp_path, clock):
    queue = RequestQueue(tmp_path, clock, 3 * SEGMENT_BYTES)
    for number in range(8):
        queue.append(Request(bytes([number]) * (SEGMENT_BYTES - 1), 10))
        clock.forward(SECOND)
    left = 8 - queue.overflowed // 10
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 3 * SEGMENT_BYTES
    assert left == 2
    assert queue.waiting() == 10 * left
    assert queue.next().request.body[0] == 8 - left
    queue.close()


def test_what_is_settled_leaves_the_disk(tmp_path, clock):
    queue = RequestQueue(tmp_path, clock, 1 << 30)
    for number in range(4):
        queue.append(Request(bytes([number]) * (SEGMENT_BYTES - 1), 1))
        queue.next()
        queue.done()
        clock.forward(SETTLED)
    assert len(segments(tmp_path)) == 2
    queue.close()


def test_a_full_disk_is_said_and_sending_goes_on(tmp_path, clock, peer, monkeypatch):
    writer = opened(tmp_path, clock, peer)
    put(writer, 1)
    monkeypatch.setattr(writer._queue._spool, "append", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        put(writer, 2)
    monkeypatch.undo()
    clock.forward(SECOND)
    put(writer, 3)
    drain(writer)
    assert peer.accepted == [1, 3]
    writer.close()


def test_a_disk_that_refuses_the_position_is_said_once_and_sending_goes_on(writer, peer, clock, monkeypatch, caplog):
    put(writer, 1, 2, 3)
    turns = Turns(4, clock)
    with monkeypatch.context() as patch:
        patch.setattr(remote_write_queue, "replace_file", full_disk)
        writer.run(turns)
    assert peer.accepted == [1, 2, 3]
    assert turns.pauses == [FIRST_PAUSE] * 3 + [IDLE]
    assert writer.words.endswith("No space left on device")
    assert caplog.text.count(writer.words) == 1


def test_a_position_that_cannot_be_noted_at_the_end_is_told_and_the_files_are_closed(
    tmp_path, clock, peer, monkeypatch
):
    writer = opened(tmp_path, clock, peer)
    put(writer, 1)
    with monkeypatch.context() as patch:
        patch.setattr(remote_write_queue, "replace_file", full_disk)
        with pytest.raises(UnavailableError, match="No space left"):
            writer.close()
    assert writer._queue._spool._file is None


def test_a_damaged_segment_is_said_once_counted_and_passed_over(tmp_path, clock, peer, caplog):
    for numbers in ((1, 2), (3,)):
        earlier = opened(tmp_path, clock, peer)
        put(earlier, *numbers)
        die(earlier)
        clock.forward(SECOND)
    damaged, _ = segments(tmp_path / "spool")
    writer = opened(tmp_path, clock, peer)
    put(writer, 4)
    assert writer.waiting() == 4
    damaged.write_bytes(b"damaged")
    peer.answers = [httpx.ReadError("reset")]
    writer.run(Turns(5, clock))
    assert peer.accepted == [3, 4]
    assert (writer.waiting(), writer.overflowed) == (0, 2)
    assert caplog.text.count(damaged.name) == 1
    clock.forward(SETTLED)
    put(writer, 5)
    drain(writer)
    clock.forward(SETTLED)
    writer.close()
    assert damaged not in segments(tmp_path / "spool")


def test_a_segment_that_is_damaged_when_the_process_begins_stops_nothing(tmp_path, clock, peer):
    first = opened(tmp_path, clock, peer)
    put(first, 1)
    die(first)
    clock.forward(SECOND)
    (damaged,) = segments(tmp_path / "spool")
    damaged.write_bytes(b"damaged")
    writer = opened(tmp_path, clock, peer)
    put(writer, 2)
    assert writer.waiting() == 1
    writer.run(Turns(3, clock))
    assert (peer.accepted, writer.waiting()) == ([2], 0)
    writer.close()


def test_what_waits_is_counted_without_reading_it_again(tmp_path, clock, monkeypatch):
    earlier = RequestQueue(tmp_path, clock, 1 << 30)
    earlier.append(Request(b"x" * SEGMENT_BYTES, 7))
    earlier.append(Request(b"x", 7))
    earlier.close()
    clock.forward(SECOND)
    queue = RequestQueue(tmp_path, clock, 1 << 30)
    assert queue.waiting() == 14
    read: list[object] = []
    monkeypatch.setattr(remote_write_queue, "read_segment", read.append)
    queue.append(Request(b"x" * SEGMENT_BYTES, 5))
    queue.append(Request(b"x", 5))
    assert (queue.waiting(), read) == (24, [])
    monkeypatch.undo()
    left = []
    while queue.next() is not None:
        queue.done()
        left.append(queue.waiting())
    assert left == [17, 10, 5, 0]
    queue.rewind()
    queue.next()
    queue.done()
    assert queue.waiting() == 0
    queue.close()


@pytest.mark.parametrize("content", [b"", b"{", b'{"settled": 1}', b'{"format": 2}'])
def test_a_position_that_cannot_be_read_is_told(tmp_path, clock, content):
    (tmp_path / "position.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"position\.json"):
        RequestQueue(tmp_path, clock, 1 << 20)


def test_who_we_are_is_read_from_files_each_time(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    assert authorization(Receiver(url="x")) == {}
    assert authorization(Receiver(url="x", token=secret)) == {"Authorization": "Bearer s3cret"}
    secret.write_text("renewed", encoding="utf-8")
    assert authorization(Receiver(url="x", token=secret)) == {"Authorization": "Bearer renewed"}


def test_a_token_that_cannot_be_read_stops_nothing_for_good(tmp_path, clock, peer):
    token = tmp_path / "token"
    writer = opened(tmp_path, clock, peer, token=token)
    put(writer, 1)
    assert writer.step() == FIRST_PAUSE
    assert "token: cannot be read" in writer.words
    token.write_text("t", encoding="utf-8")
    drain(writer)
    assert peer.accepted == [1]
    writer.close()


def test_a_certificate_that_cannot_be_used_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError, match="a certificate cannot be used"):
        open_client(Receiver(url="https://x", authorities=tmp_path / "none.pem"))


def test_sending_beside_taking_loses_nothing(writer, peer):
    stop = threading.Event()
    sender = threading.Thread(target=writer.run, args=(stop,))
    sender.start()
    put(writer, *range(200))
    while writer.waiting():
        pass
    stop.set()
    sender.join()
    assert peer.accepted == list(range(200))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["put", "step", "error", "500", "400", "restart", "wait"]), max_size=40))
def test_whatever_happens_in_whatever_order_all_that_was_not_refused_arrives_in_order(tmp_path_factory, steps):
    clock, peer = HeldClock(NOW), Peer()
    folder = tmp_path_factory.mktemp("remote")
    writer = opened(folder, clock, peer)
    made = dropped = 0
    for step in steps:
        match step:
            case "put":
                made += 1
                put(writer, made)
            case "restart":
                dropped += writer.dropped
                die(writer)
                writer = opened(folder, clock, peer)
            case "wait":
                clock.forward(SETTLED)
            case _:
                assert writer.waiting() == sum(map(writer._queue._counted, writer._queue._numbers()))
                peer.answers = {
                    "error": [httpx.ReadError("x")],
                    "500": [httpx.Response(500)],
                    "400": [httpx.Response(400)],
                }.get(step, [])
                writer.step()
                peer.answers = []
    drain(writer)
    dropped += writer.dropped
    first_seen = list(dict.fromkeys(peer.accepted))
    never_refused = [value for value in first_seen if value not in peer.refused]
    assert never_refused == sorted(never_refused)
    assert made - dropped <= len(first_seen) <= made
    assert writer.waiting() == 0
    writer.close()
