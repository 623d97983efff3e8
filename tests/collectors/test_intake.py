"""The lane's one road: everything is counted, acknowledged only on disk, and judged after that."""

from __future__ import annotations

import asyncio
import functools
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from collectors.logs.book import Book
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.framing import oversized
from collectors.logs.intake import Intake
from collectors.logs.marks import Marks
from collectors.logs.resend import Streams, Tails, digest
from collectors.logs.spooling import Ends, decode_event, encode_head, restore_ends, unjudged
from collectors.logs.tally import Tally
from core.clock import MINUTE, HeldClock
from core.errors import IntegrityError, UnavailableError
from core.metrics import LaneMetrics
from core.records import Event
from core.settings import LogsSettings
from core.sources import Sources
from core.stores.spool import Position, Spool, read_segment, segment_number, segments

NOW = 1_795_312_267_000_000_000
PLACES = ("stored", "duplicates", "quarantined", "dropped")


class FailingSpool(Spool):
    """A spool on a disk that fills up."""

    def append(self, payloads):
        assert payloads
        raise UnavailableError("cannot write the spool: No space left on device")


class SlowSpool(Spool):
    """A spool whose disk takes its time, until ``go`` is set."""

    def __init__(self, folder, clock):
        super().__init__(folder, clock)
        self.go = threading.Event()
        self.begun = threading.Event()
        self.at_once = 0
        self.most_at_once = 0

    def append(self, payloads):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        assert self.go.wait(10)
        super().append(payloads)
        self.at_once -= 1


class Lane:
    """An intake with a real spool and a clock that is held."""

    def __init__(self, folder: Path, spool: type[Spool] = Spool) -> None:
        self.folder = folder / "spool"
        self.clock = HeldClock(NOW)
        self.spool = spool(self.folder, self.clock)
        self.ends = Ends(Tails(), Marks())
        self.spool.open(encode_head(self.ends))
        self.streams = Streams()
        self.metrics = LaneMetrics()
        self.observed: list[tuple[list[Event], Position]] = []
        self.rolled = 0
        decoder = Decoder(LogsSettings())
        self.tally = Tally(self.metrics, Book(Sources(), {}, NOW, {}), self.clock)
        self.intake = Intake(self.spool, self.ends, lambda event: event, self._observe, decoder, self.tally)

    def _observe(self, events: Sequence[Event], position: Position) -> None:
        self.observed.append((list(events), position))

    def _roll(self) -> None:
        self.rolled += 1

    async def carry(self, *frames: Frame) -> None:
        """Runs until the last of these frames is acknowledged."""
        done = asyncio.Event()
        *others, last = frames
        running = asyncio.ensure_future(self.intake.run(self.clock, self.streams, self._roll))
        for frame in others:
            await self.intake.put(frame)
        await self.intake.put(with_stored(last, done.set))
        await asyncio.wait_for(done.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def count(self, name: str) -> int:
        samples = self.metrics.registry.collect()
        return int(
            sum(
                sample.value
                for family in samples
                for sample in family.samples
                if sample.name == f"haidang_{name}_total"
            )
        )

    def on_disk(self) -> list[Event]:
        return [
            decode_event(payload) for segment in segments(self.folder) for payload in read_segment(segment).payloads
        ]


@pytest.fixture
def lane(tmp_path):
    made = Lane(tmp_path)
    yield made
    made.spool.close()


def frame(raw: bytes, stream: str = "", fault: str = "", *, resent: bool = False) -> Frame:
    return Frame("10.0.0.1", "relp" if stream else "tcp", raw, NOW, stream=stream, resent=resent, fault=fault)


def with_stored(given: Frame, stored: Callable[[], None]) -> Frame:
    return msgspec.structs.replace(given, stored=stored)


def mixture() -> list[Frame]:
    """A hundred frames of all kinds, twenty of each."""
    good = [frame(b"<13>p: %d" % number) for number in range(20)]
    decomposed = unicodedata.normalize("NFD", "<13>p: Viện kiểm sát").encode()
    kinds = [
        [frame(decomposed)] * 20,
        [frame(bytes(range(256)))] * 20,
        [frame(b"x" * 64, fault=oversized(64))] * 20,
        [frame(b"<13>p: again", "10.0.0.1#1", resent=True)] * 20,
        good,
    ]
    return [kind[number] for number in range(20) for kind in kinds]


def test_everything_received_is_counted_in_one_place(run, lane):
    run(lane.carry(*mixture()))
    assert lane.count("received") == 100
    assert [lane.count(name) for name in PLACES] == [40, 20, 40, 0]
    events = lane.on_disk()
    assert len(events) == 80
    assert sum(event.fields.get("message") == "Viện kiểm sát" for event in events) == 20
    assert sum("error.message" in event.fields for event in events) == 40


def test_an_events_id_is_where_it_lies_and_never_given_twice(run, lane):
    run(lane.carry(*mixture()))
    (segment,) = segments(lane.folder)
    number = segment_number(segment)
    assert [event.id for event in lane.on_disk()] == [f"logs/{number}/{offset}" for offset in range(80)]


def test_events_are_judged_in_order_and_quarantined_ones_are_not(run, lane):
    run(lane.carry(frame(b"<13>p: a"), frame(b"\0"), frame(b"<13>p: b")))
    judged = [event for events, _ in lane.observed for event in events]
    assert [event.raw for event in judged] == [b"<13>p: a", b"<13>p: b"]
    assert lane.observed[-1][1] == Position(lane.spool.next.segment, 3)


def test_a_frame_is_acknowledged_when_it_is_on_disk_and_not_before(run, lane):
    found: list[bool] = []

    def looked(raw: bytes) -> None:
        found.append(raw in [event.raw for event in lane.on_disk()])

    raws = [b"<13>p: %d" % number for number in range(5)]
    run(lane.carry(*[with_stored(frame(raw), functools.partial(looked, raw)) for raw in raws], frame(b"<13>p: end")))
    assert found == [True] * 5


def test_a_resend_is_acknowledged_after_what_it_repeats_is_on_disk(run, lane):
    order: list[str] = []
    first = with_stored(frame(b"<13>p: a", "10.0.0.1#1"), lambda: order.append("first"))
    resend = with_stored(
        frame(b"<13>p: a", "10.0.0.1#1", resent=True), lambda: order.append(f"again {len(lane.on_disk())}")
    )
    run(lane.carry(first, resend, frame(b"<13>p: end")))
    assert order[0] == "first"
    assert order[1] in ("again 1", "again 2")
    assert [event.raw for event in lane.on_disk()] == [b"<13>p: a", b"<13>p: end"]


def test_a_disk_that_fails_acknowledges_nothing_and_its_error_comes_out(run, tmp_path):
    async def carrying():
        lane = Lane(tmp_path, FailingSpool)
        acknowledged: list[int] = []
        await lane.intake.put(with_stored(frame(b"<13>p: a"), lambda: acknowledged.append(1)))
        with pytest.raises(UnavailableError, match="No space left"):
            await lane.intake.run(lane.clock, lane.streams, lambda: None)
        assert acknowledged == []
        assert lane.observed == []
        lane.spool.close()

    run(carrying())


def test_a_source_that_sends_too_much_loses_its_own_and_no_other_loses_any(run, lane):
    async def offering():
        lane.intake.offer([frame(b"<13>p: %d" % number) for number in range(10_005)])
        assert lane.count("dropped") == 5
        for number in range(100):
            lane.intake.offer([frame(b"<13>p: noise"), Frame(f"10.0.1.{number}", "udp", b"<13>p: quiet", NOW)])
        assert lane.count("dropped") == 105
        await lane.intake.drain()

    run(offering())
    assert lane.count("received") == 10_205
    assert [lane.count(name) for name in PLACES] == [10_100, 0, 0, 105]
    assert sum(event.raw == b"<13>p: quiet" for event in lane.on_disk()) == 100


def test_a_full_queue_drops_and_counts_whoever_it_is(run, lane):
    async def offering():
        lane.intake.offer([Frame(f"10.0.{n % 250}.1", "udp", b"<13>p: %d" % n, NOW) for n in range(20_005)])
        await lane.intake.drain()

    run(offering())
    assert lane.count("stored") + lane.count("dropped") == 20_005
    assert lane.count("stored") <= 20_000


def test_draining_carries_all_that_was_taken_in(run, lane):
    async def draining():
        for number in range(2500):
            await lane.intake.put(frame(b"<13>p: %d" % number))
        await lane.intake.drain()

    run(draining())
    assert len(lane.on_disk()) == 2500
    assert sum(len(events) for events, _ in lane.observed) == 2500


def test_a_lane_that_is_stopped_while_it_writes_finishes_what_it_began(run, tmp_path):
    async def stopping():
        lane = Lane(tmp_path, SlowSpool)
        acknowledged: list[int] = []
        running = asyncio.ensure_future(lane.intake.run(lane.clock, lane.streams, lambda: None))
        await lane.intake.put(with_stored(frame(b"<13>p: a"), lambda: acknowledged.append(1)))
        assert await asyncio.to_thread(lane.spool.begun.wait, 10)
        await lane.intake.put(with_stored(frame(b"<13>p: b"), lambda: acknowledged.append(2)))
        running.cancel()
        asyncio.get_running_loop().call_soon(lane.spool.go.set)
        with pytest.raises(asyncio.CancelledError):
            await running
        assert acknowledged == [1]
        await lane.intake.drain()
        assert acknowledged == [1, 2]
        assert lane.spool.most_at_once == 1
        assert [event.raw for event in lane.on_disk()] == [b"<13>p: a", b"<13>p: b"]
        assert len({event.id for event in lane.on_disk()}) == 2
        lane.spool.close()

    run(stopping())


def test_a_segment_ends_after_a_minute_and_not_before(run, lane):
    run(lane.carry(frame(b"<13>p: a")))
    lane.clock.forward(MINUTE)
    run(lane.carry(frame(b"<13>p: b")))
    assert (len(segments(lane.folder)), lane.rolled) == (1, 0)
    lane.clock.forward(1)
    run(roll(lane, frame(b"<13>p: c")))
    assert (len(segments(lane.folder)), lane.rolled) == (2, 1)
    old, new = (read_segment(path) for path in segments(lane.folder))
    assert (len(old.payloads), len(new.payloads)) == (3, 0)
    assert new.number == NOW + MINUTE + 1


async def roll(lane: Lane, last: Frame) -> None:
    """Runs until a new segment has begun."""
    begun = asyncio.Event()

    def rolled() -> None:
        lane.rolled += 1
        begun.set()

    running = asyncio.ensure_future(lane.intake.run(lane.clock, lane.streams, rolled))
    await lane.intake.put(last)
    await asyncio.wait_for(begun.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_all_of_a_segment_is_judged_before_it_may_go(run, lane):
    lane.clock.forward(MINUTE + 1)
    run(roll(lane, frame(b"\0")))
    first = segment_number(segments(lane.folder)[0])
    assert lane.observed[-1] == ([], Position(first, 1))


def remembered(lane: Lane, raw: bytes, stream: str) -> Frame:
    lane.streams.remember(stream, raw)
    return frame(raw, stream)


def test_tails_are_restored_from_the_newest_segment(run, lane):
    stream = lane.streams.start("10.0.0.1")
    run(lane.carry(remembered(lane, b"<13>p: a", stream)))
    lane.clock.forward(MINUTE + 1)
    run(roll(lane, remembered(lane, b"<13>p: b", stream)))
    run(lane.carry(remembered(lane, b"<13>p: c", stream), frame(b"<13>p: end")))
    assert restore_ends(lane.folder).tails.content() == {
        stream: [digest(b"<13>p: a"), digest(b"<13>p: b"), digest(b"<13>p: c")]
    }
    for path in segments(lane.folder)[:-1]:
        path.unlink()
    assert len(restore_ends(lane.folder).tails.content()[stream]) == 3


def test_a_new_segments_head_holds_only_what_is_on_disk(run, lane):
    stream = lane.streams.start("10.0.0.1")
    stored = remembered(lane, b"<13>p: a", stream)
    remembered(lane, b"<13>p: on its way", stream)
    lane.clock.forward(MINUTE + 1)
    run(roll(lane, stored))
    assert restore_ends(lane.folder).tails.content() == {stream: [digest(b"<13>p: a")]}


def test_a_new_segments_head_forgets_streams_that_were_closed(run, lane):
    closed, broken = lane.streams.start("10.0.0.1"), lane.streams.start("10.0.0.1")
    frames = [remembered(lane, b"<13>p: a", closed), remembered(lane, b"<13>p: b", broken)]
    lane.streams.finish(closed)
    lane.streams.leave(broken)
    run(lane.carry(*frames))
    lane.clock.forward(MINUTE + 1)
    run(roll(lane, frame(b"<13>p: end")))
    assert list(restore_ends(lane.folder).tails.content()) == [broken]


def test_a_resend_does_not_lengthen_a_tail(run, lane):
    frames = [frame(b"<13>p: a", "10.0.0.1#1"), frame(b"<13>p: a", "10.0.0.1#1", resent=True)]
    run(lane.carry(*frames))
    assert restore_ends(lane.folder).tails.content() == {"10.0.0.1#1": [digest(b"<13>p: a")]}


def test_the_tail_of_a_quarantined_message_is_that_of_its_bytes(run, lane):
    run(lane.carry(frame(b"\0\0\0", "10.0.0.1#1"), frame(b"<13>p: end")))
    assert restore_ends(lane.folder).tails.content() == {"10.0.0.1#1": [digest(b"\0\0\0")]}


def test_an_empty_folder_has_no_tails_and_nothing_unjudged(tmp_path):
    assert restore_ends(tmp_path).tails.content() == {}
    assert unjudged(tmp_path, Position(0, 0)) == ([], Position(0, 0))


def test_what_a_crash_kept_from_being_judged_is_read_from_its_position_on(run, lane):
    run(lane.carry(*[frame(b"<13>p: %d" % number) for number in range(3)]))
    lane.clock.forward(MINUTE + 1)
    run(roll(lane, frame(b"<13>p: 3")))
    run(lane.carry(frame(b"<13>p: 4"), frame(b"<13>p: 5")))
    first, second = map(segment_number, segments(lane.folder))
    cases = {
        Position(0, 0): [0, 1, 2, 3, 4, 5],
        Position(first, 0): [0, 1, 2, 3, 4, 5],
        Position(first, 2): [2, 3, 4, 5],
        Position(first, 4): [4, 5],
        Position(second, 0): [4, 5],
        Position(second, 1): [5],
        Position(second, 2): [],
    }
    for position, numbers in cases.items():
        events, end = unjudged(lane.folder, position)
        assert [event.raw for event in events] == [b"<13>p: %d" % number for number in numbers]
        assert end == Position(second, 2)


def test_a_record_that_a_kill_cut_short_was_never_acknowledged_and_is_not_read(run, lane):
    run(lane.carry(frame(b"<13>p: a"), frame(b"<13>p: b")))
    (path,) = segments(lane.folder)
    path.write_bytes(path.read_bytes()[:-1])
    events, end = unjudged(lane.folder, Position(0, 0))
    assert [event.raw for event in events] == [b"<13>p: a"]
    assert end == Position(segment_number(path), 1)


def test_a_payload_of_another_format_is_told():
    with pytest.raises(IntegrityError, match="cannot be read by this version"):
        decode_event(b"\x93\x01\x02\x03")


def test_a_message_on_which_something_fails_goes_to_quarantine_and_its_neighbours_are_stored(run, lane):
    def broken(*_: object) -> Event:
        raise ZeroDivisionError("division by zero")

    poisoned = msgspec.structs.replace(frame(b"poison"), form=broken)
    run(lane.carry(frame(b"<13>p: a"), poisoned, frame(b"<13>p: b")))
    assert [lane.count(name) for name in PLACES] == [2, 0, 1, 0]
    reasons = [event.fields.get("error.message") for event in lane.on_disk()]
    assert reasons == [None, "defect: ZeroDivisionError: division by zero", None]
