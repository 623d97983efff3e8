"""The requests that wait: what is counted of those that will never be sent."""

from __future__ import annotations

import pytest

from core.clock import SECOND, HeldClock
from core.errors import UnavailableError
from core.remote_write_queue import SEGMENT_BYTES, RequestQueue
from core.remote_write_wire import Request
from core.stores.spool import segments

FULL = b"x" * SEGMENT_BYTES
MANY = 1 << 30


@pytest.fixture
def clock():
    return HeldClock(1_795_312_267 * SECOND)


def sent(queue: RequestQueue) -> int:
    samples = 0
    while (waiting := queue.next()) is not None:
        samples += waiting.request.samples
        queue.done()
    return samples


@pytest.fixture
def begin(tmp_path, clock):
    """Makes queues of so many bytes at most, which are closed in the end."""
    made = []

    def beginning(most: int = MANY) -> RequestQueue:
        made.append(RequestQueue(tmp_path, clock, most))
        return made[-1]

    yield beginning
    for queue in made:
        queue.close()


def test_what_lies_behind_a_broken_frame_is_counted_as_lost(begin, tmp_path, clock):
    queue = begin()
    for number in range(4):
        queue.append(Request(bytes([number]) * 1000, 10))
    clock.forward(SECOND)
    queue.append(Request(FULL, 5))
    damaged, _ = segments(tmp_path)
    content = bytearray(damaged.read_bytes())
    content[1500] ^= 1
    damaged.write_bytes(content)
    assert queue.waiting() == 45
    assert sent(queue) == 15
    assert (queue.waiting(), queue.overflowed) == (0, 30)


def on_its_way(queue: RequestQueue, clock: HeldClock) -> RequestQueue:
    """Seven samples are being sent when the bound lets their segment go; two more wait."""
    queue.append(Request(FULL, 7))
    clock.forward(SECOND)
    queue.next()
    queue.append(Request(FULL, 1))
    clock.forward(SECOND)
    queue.append(Request(b"x", 1))
    return queue


def test_a_request_that_is_on_its_way_when_its_segment_is_let_go_is_lost_only_if_it_does_not_arrive(begin, clock):
    queue = on_its_way(begin(2 * SEGMENT_BYTES), clock)
    assert queue.overflowed == 7
    queue.done()
    assert queue.overflowed == 0
    assert sent(queue) == 2
    assert queue.waiting() == 0


def test_a_request_whose_segment_was_let_go_and_that_is_refused_stays_lost(begin, clock):
    queue = on_its_way(begin(2 * SEGMENT_BYTES), clock)
    assert sent(queue) == 2
    assert queue.overflowed == 7


def test_after_a_disk_that_would_not_begin_a_segment_the_next_request_is_taken(begin, clock, monkeypatch):
    queue = begin()
    queue.append(Request(FULL, 1))
    clock.forward(SECOND)
    with monkeypatch.context() as patched:
        patched.setattr("core.stores.spool.sync_folder", full)
        with pytest.raises(UnavailableError):
            queue.append(Request(b"x", 1))
    clock.forward(SECOND)
    queue.append(Request(b"x", 1))
    assert sent(queue) == 2


def full(_folder: object) -> None:
    raise OSError(28, "No space left on device")
