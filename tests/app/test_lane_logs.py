"""The logs lane, wired: what it does with what the last process left behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from waiting import run_bounded, until

from app import lane_logs
from app.content import encode_rules
from app.lane_logs import LogsLane
from collectors.logs.decode import QUARANTINE
from collectors.logs.ledger import Ledger
from collectors.logs.marks import Marks
from collectors.logs.resend import Tails
from collectors.logs.spooling import Ends, decode_event, encode_head, encode_record
from core import relay
from core.clock import HOUR
from core.errors import UnavailableError
from core.outbox import Batch, Outbox, Receipt
from core.records import Alert, Event
from core.rule_text import read_rule_files
from core.scope import EVERYTHING
from core.settings import HOME
from core.snapshots import snapshot
from core.stores.events import LocalEvents, Query
from core.stores.manifest import read_manifest
from core.stores.spool import Position, Spool, read_segment, segments
from inventory.records import Inventory
from inventory.snapshot import encode_snapshot

SHIPPED = encode_rules(read_rule_files([HOME / "detections" / "rules", HOME / "correlation" / "rules"]))


class FakeLink:
    """A centre that takes all it is sent and gives snapshots; ``away`` answers are none."""

    def __init__(self) -> None:
        self.content = {"rules": SHIPPED, "inventory": encode_snapshot(Inventory())}
        self.taken: list[str] = []
        self.asked: list[str] = []
        self.away = 0
        self.last = 0

    async def send(self, batch: Batch) -> Receipt:
        if batch.since != self.last:
            return Receipt(last=self.last, taken=False)
        self.taken += [row.key for row in batch.rows]
        self.last = max([self.last, *(row.seq for row in batch.rows)])
        return Receipt(last=self.last, taken=True)

    async def snapshot(self, kind: str, version: str) -> tuple[str, bytes] | None:
        self.asked.append(kind)
        if self.away:
            self.away -= 1
            raise UnavailableError("the centre does not answer")
        current = snapshot(self.content[kind])
        return None if current.version == version else (current.version, current.content)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, None]], None]:
    return run_bounded


@pytest.fixture
def started(settings, link, clock, monkeypatch):
    """A lane from its start to its end, with its tasks running meanwhile if wished."""
    monkeypatch.setattr(relay, "HEARTBEAT", 0.01)

    @asynccontextmanager
    async def starting(*, tasks: bool = False):
        lane = LogsLane(settings, link, clock, pytest.fail)
        await lane.start()
        running = [asyncio.ensure_future(task) for task in lane.tasks()] if tasks else []
        yield lane
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await lane.stop()

    return starting


@pytest.fixture
def once(run, started):
    """Starts the lane and stops it."""

    async def work() -> None:
        async with started():
            pass

    return lambda: run(work())


@pytest.fixture
def outbox_hits(settings, clock):
    """The hits in the outbox, by the event they are of."""

    def look() -> list[str]:
        outbox = Outbox(settings.logs / "outbox.db", clock)
        found = [msgspec.msgpack.decode(row.body, type=Alert) for row in outbox.after(0) if row.kind == "alert"]
        outbox.close()
        return [hit.evidence[0].event for hit in found]

    return look


@pytest.fixture
def judged(monkeypatch):
    """The events that are judged, each time they are."""
    seen: list[str] = []
    judge = lane_logs.judge

    def noting(matcher, outbox, events, position):
        seen.extend(event.id for event in events)
        return judge(matcher, outbox, events, position)

    monkeypatch.setattr(lane_logs, "judge", noting)
    return seen


def spool_of(settings, clock, events: list[Event]) -> int:
    """A segment with these events, as a killed lane leaves it; returns its number."""
    spool = Spool(settings.logs / "spool", clock)
    spool.open(encode_head(Ends(Tails(), Marks())))
    spool.append([encode_record(event, "") for event in events])
    spool.close()
    return spool.next.segment


def note_judged(settings, clock, position: Position) -> None:
    outbox = Outbox(settings.logs / "outbox.db", clock)
    outbox.put([], judged=position)
    outbox.close()


def events_of(settings) -> list[Event]:
    lane = settings.logs
    found = LocalEvents(lane / "spool", lane / "events", decode_event).search(EVERYTHING, Query())
    return sorted(found, key=lambda event: event.id)


def test_what_a_crash_left_unjudged_is_judged_once_at_the_next_start(settings, clock, event, once, judged, outbox_hits):
    number = spool_of(settings, clock, [event(number) for number in range(8)])
    note_judged(settings, clock, Position(number, 3))
    once()
    assert judged == [f"logs/7/{number}" for number in range(3, 8)]
    assert outbox_hits() == judged
    once()
    assert outbox_hits() == [f"logs/7/{number}" for number in range(3, 8)]
    assert len(judged) == 5


def test_what_is_left_in_parts_is_judged_whole(settings, clock, event, once, *, judged, outbox_hits, monkeypatch):
    monkeypatch.setattr(lane_logs, "_RECOVERY_BATCH", 3)
    first = spool_of(settings, clock, [event(number) for number in range(4)])
    clock.forward(HOUR)
    second = spool_of(settings, clock, [event(number) for number in range(4, 8)])
    assert second > first
    once()
    assert judged == [f"logs/7/{number}" for number in range(8)]
    assert outbox_hits() == judged


def test_a_crash_while_judging_what_was_left_judges_all_again_and_doubles_nothing(
    settings, clock, event, once, *, judged, outbox_hits, monkeypatch
):
    monkeypatch.setattr(lane_logs, "_RECOVERY_BATCH", 3)
    spool_of(settings, clock, [event(number) for number in range(8)])
    noting = lane_logs.judge

    def dying(matcher, outbox, events, position):
        if len(judged) == 6:
            raise KeyboardInterrupt
        return noting(matcher, outbox, events, position)

    with monkeypatch.context() as patch:
        patch.setattr(lane_logs, "judge", dying)
        with pytest.raises(KeyboardInterrupt):
            once()
    assert len(outbox_hits()) == 6
    once()
    assert outbox_hits() == [f"logs/7/{number}" for number in range(8)]


def test_quarantined_messages_are_not_judged(settings, clock, event, once, judged):
    kept = [msgspec.structs.replace(event(number), logsource=QUARANTINE) for number in range(2)]
    spool_of(settings, clock, [kept[0], event(5), kept[1]])
    once()
    assert judged == ["logs/7/5"]


def test_each_interrupted_connection_becomes_one_event_and_one_hit(settings, once, outbox_hits):
    settings.logs.mkdir(parents=True)
    ledger = Ledger(settings.logs / "connections")
    for source, received, stored in (("203.0.113.9", 3, 1), ("2001:db8::9", 2, 2)):
        entry = ledger.open(source)
        assert entry is not None
        for _ in range(received):
            entry.received()
        for _ in range(stored):
            entry.stored()
    ledger.close()
    once()
    events = events_of(settings)
    assert [event.fields["source.ip"] for event in events] == ["203.0.113.9", "2001:db8::9"]
    assert {event.fields["event.action"] for event in events} == {"connection_cut"}
    assert "3 messages received, 2 of them not stored" in str(events[0].fields["message"])
    assert outbox_hits() == [event.id for event in events]
    once()
    assert events_of(settings) == events
    assert len(outbox_hits()) == 2


def test_what_was_lost_for_certain_is_counted_by_source(settings, run, started):
    settings.logs.mkdir(parents=True)
    ledger = Ledger(settings.logs / "connections")
    entry = ledger.open("203.0.113.9")
    assert entry is not None
    for _ in range(3):
        entry.received()
    entry.stored()
    ledger.close()

    async def work() -> None:
        async with started() as lane:
            figure, labels = lane.metrics.registry.get_sample_value, {"source": "203.0.113.9"}
            assert figure("haidang_lost_total", labels) == 2
            assert figure("haidang_connections_cut_total", labels) == 1

    run(work())


def test_what_was_on_disk_before_the_process_could_note_it_is_not_lost(settings, clock, event, run, started):
    settings.logs.mkdir(parents=True)
    ledger = Ledger(settings.logs / "connections")
    entry = ledger.open("203.0.113.9")
    assert entry is not None
    marks = [entry.received() for _ in range(5)]
    ledger.close()
    spool = Spool(settings.logs / "spool", clock)
    spool.open(encode_head(Ends(Tails(), Marks())))
    spool.append([encode_record(event(mark), entry.stream, mark) for mark in marks[:3]])
    spool.close()

    async def work() -> None:
        async with started() as lane:
            labels = {"source": "203.0.113.9"}
            assert lane.metrics.registry.get_sample_value("haidang_lost_total", labels) == 2
            assert lane._ends.marks.content() == {}  # nothing of it is needed any more

    run(work())


def test_an_interrupted_connection_is_told_also_when_a_port_is_taken_at_the_next_start(
    settings, link, clock, run, once
):
    settings.logs.mkdir(parents=True)
    ledger = Ledger(settings.logs / "connections")
    ledger.open("203.0.113.9")
    ledger.close()
    host, _, port = settings.lane.logs.relp.rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        lane = LogsLane(settings, link, clock, pytest.fail)
        with pytest.raises(UnavailableError, match="Address already in use"):
            run(lane.start())
        run(lane._ways_in.close())
        for part in (lane._spool, lane._ledger, lane._outbox):  # as the end of the process does
            part.close()
    once()
    assert [event.fields["event.action"] for event in events_of(settings)] == ["connection_cut"]


def test_a_line_that_comes_in_is_stored_judged_and_sent(settings, link, run, started, outbox_hits):
    host, _, port = settings.lane.logs.tcp.rpartition(":")

    async def work() -> None:
        async with started(tasks=True):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"<38>sshd[9]: Failed password for root from 203.0.113.45 port 51022 ssh2\n")
            await writer.drain()
            await until(lambda: link.taken)
            writer.close()
            await writer.wait_closed()

    run(work())
    (event,) = events_of(settings)
    assert event.fields["source.ip"] == "203.0.113.45"
    assert outbox_hits() == [event.id]
    assert link.taken == [f"alert/43b774dd-fe57-4c3e-b194-1c299f864c6d:{event.id}"]


async def started_and_looked_after(started) -> None:
    """A whole life of the lane in which its store is looked after once more."""
    async with started() as lane:
        lane._store_once()


def test_a_full_hour_is_closed_and_told_to_the_centre_once(settings, clock, event, link, run, started):
    spool_of(settings, clock, [event(number) for number in range(3)])
    clock.forward(2 * HOUR)

    async def work() -> None:
        async with started(tasks=True):
            await until(lambda: any(key.startswith("partition/") for key in link.taken))

    run(work())
    run(started_and_looked_after(started))
    (partition,) = read_manifest(settings.logs / "events").partitions
    assert (partition.span, partition.count, partition.announced) == ("hour", 3, True)
    assert [key for key in link.taken if key.startswith("partition/")] == [f"partition/{partition.name}"]


def test_a_start_waits_for_its_first_rules_and_the_next_one_needs_no_centre(link, once, monkeypatch):
    monkeypatch.setattr(lane_logs.asyncio, "sleep", instantly(asyncio.sleep))
    link.away = 3
    once()
    assert link.asked == ["rules"] * 4 + ["inventory"]
    link.away = 1 << 30
    once()
    assert len(link.asked) == 5


def instantly(sleep):
    return lambda _: sleep(0)


def test_new_rules_are_used_without_a_restart(event, link, run, started, monkeypatch):
    monkeypatch.setattr(lane_logs, "SNAPSHOT_SECONDS", 0.01)
    link.content["rules"] = encode_rules({})

    async def work() -> None:
        async with started(tasks=True) as lane:
            assert lane._matcher.match(event(1)) == []
            link.content["rules"] = SHIPPED
            await until(lambda: lane._matcher.match(event(1)))

    run(work())


def test_rules_that_cannot_be_read_leave_the_last_good_ones_in_use(event, link, run, started, *, once, monkeypatch):
    monkeypatch.setattr(lane_logs, "SNAPSHOT_SECONDS", 0.01)
    told: list[str] = []
    monkeypatch.setattr(lane_logs, "say", told.append)

    async def work() -> None:
        async with started(tasks=True) as lane:
            link.content["rules"] = b"no rules"
            await until(lambda: told)
            assert lane._matcher.match(event(1))

    run(work())
    assert "the last good rules stay in use" in told[0]
    link.away = 1 << 30
    once()


def test_the_segment_of_the_last_process_is_kept_until_it_is_a_file(settings, clock, event, once):
    number = spool_of(settings, clock, [event(1)])
    once()
    kept = [read_segment(path).number for path in segments(settings.logs / "spool")]
    assert number in kept
    assert [found.id for found in events_of(settings)] == ["logs/7/1"]


def test_a_lane_keeps_its_events_for_as_long_as_the_centre_says(run, started, link, monkeypatch):
    monkeypatch.setattr(lane_logs.Retainer, "use", lambda _, said: told.append(said))
    told, link.content["retention"] = [], msgspec.msgpack.encode({"events": 200})

    async def work() -> None:
        async with started(tasks=True):
            await until(lambda: told == [{"events": 200}])

    run(work())
