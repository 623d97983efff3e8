"""How long events are kept: set by two people, obeyed by lanes, and every removal a link of the audit chain."""

from __future__ import annotations

import json

import msgspec
import pytest

from app.callers import Caller
from app.commands.audit import examine
from app.content import Content
from app.retaining import MOST_HOURS, PAUSE, Retainer, decode_removal
from collectors.logs.spooling import decode_event, encode_record
from core import audit
from core.clock import HOUR, SECOND, HeldClock
from core.errors import ContentError, RefusedError
from core.outbox import Batch, Outbox, Row
from core.records import Event, Logsource
from core.retention import DAY, EVENTS, check_days, classes, decode_days, encode_days, keep_days
from core.scope import EVERYTHING
from core.stores import event_removal
from core.stores.event_index import index_path
from core.stores.event_search import Query
from core.stores.events import EventWriter, LocalEvents
from core.stores.manifest import encode_partition, read_manifest
from core.stores.retention import days_of, list_settings, put_days
from core.stores.spool import Spool, segments

START = 1_764_000_000 * SECOND
MINIMUM = classes()[EVENTS].minimum


class Lane:
    """A lane's store, its outbox, and the centre that it talks to when told to."""

    def __init__(self, settings, centre) -> None:
        self.clock = HeldClock(START)
        self.folder = settings.logs / "events"
        self.spool = settings.logs / "spool"
        self.writer = EventWriter(self.folder, decode_event)
        self.outbox = Outbox(settings.logs / "outbox.db", self.clock)
        self.centre = centre
        self.sent = 0
        self.retainer = Retainer(self.folder, self.outbox, self.clock)

    def receive(self, number: int) -> None:
        """An event of now, in a partition of its hour that is announced."""
        at = self.clock.now()
        event = Event(
            id=f"logs/1/{number}",
            time=at,
            seen=at,
            logsource=Logsource(product="linux"),
            fields={},
            raw=b"x",
            site="tha",
        )
        spool = Spool(self.spool, self.clock)
        spool.open(b"")
        spool.append([encode_record(event, "")])
        spool.close()
        self.writer.convert(segments(self.spool))
        self.writer.compact(at // HOUR + 1)
        closed = self.writer.unannounced()
        rows = [outbox_row(part) for part in closed]
        self.outbox.put(rows)
        self.writer.announced(part.name for part in closed)

    def restarted(self) -> None:
        """As the next process finds it."""
        self.writer = EventWriter(self.folder, decode_event)
        self.retainer = Retainer(self.folder, self.outbox, self.clock)

    def relay(self) -> None:
        """All that waits goes to the centre."""
        rows = tuple(self.outbox.after(self.sent))
        if rows:
            receipt = self.centre.receive(Batch(lane="logs", epoch=self.outbox.epoch, since=self.sent, rows=rows))
            assert receipt.taken
            self.sent = receipt.last
            self.outbox.acknowledge(self.sent)

    def step(self, *, after: int = PAUSE) -> int:
        """What the lane does an hour later."""
        self.clock.forward(after)
        return self.retainer.step()

    def files(self, what: str = "*.parquet") -> list[str]:
        return sorted(path.name for path in self.folder.glob(f"hour-{what}"))

    def found(self) -> list[str]:
        store = LocalEvents(self.spool, self.folder, decode_event)
        return [event.id for event in store.search(EVERYTHING, Query())]


def outbox_row(part):
    return Row(key=f"partition/{part.name}", kind="partition", body=encode_partition(part))


@pytest.fixture
def lane(settings, centre):
    """Three events, each in an hour of its own, a day apart, that are entered in the chain."""
    made = Lane(settings, centre)
    for number in range(3):
        made.receive(number)
        made.clock.forward(DAY)
    made.relay()
    yield made
    made.outbox.close()


@pytest.fixture
def findings(settings):
    """What ``haidang audit verify --data`` finds."""
    return lambda: [(one.kind, one.text) for one in examine(settings, [], data=True)[0]]


@pytest.fixture
def removals(centre):
    """The chain's entries of removed partitions."""

    def look():
        entries = centre.read(lambda connection: list(audit.read_chain(connection)))
        return [entry for entry in entries if entry.action == "partition.remove"]

    return look


@pytest.fixture
def at_age(lane, clock):
    """Moves the lane's time, and the centre's, on until the first event is so many days old."""

    def moving(days):
        lane.clock.forward(START + days * DAY - lane.clock.now())
        clock.forward(lane.clock.now() - clock.now())

    return moving


def test_a_lane_that_was_told_nothing_removes_nothing(lane, at_age):
    at_age(4000)
    assert lane.step() == 0
    lane.retainer.use({})
    assert lane.step() == 0
    assert len(lane.found()) == 3


def test_what_is_too_old_goes_from_searches_at_once_and_from_the_disk_an_hour_later(lane, at_age, findings, removals):
    lane.writer.index()
    at_age(365)
    lane.retainer.use({EVENTS: 365})
    assert lane.retainer.step() == 0
    at_age(366)
    assert lane.retainer.step() == 1
    assert lane.found() == ["logs/1/2", "logs/1/1"]
    first = lane.files()[0]
    assert index_path(lane.folder / first).exists()
    lane.relay()
    assert lane.step(after=PAUSE - 1) == 0
    assert lane.files()[0] == first
    lane.step(after=1)
    assert first not in lane.files()
    assert not index_path(lane.folder / first).exists()
    ((actor, subject, detail),) = [(one.actor, one.object, json.loads(one.detail)) for one in removals()]
    assert (actor, subject) == ("lane/logs", f"partition/logs/{first}")
    assert (detail["count"], detail["days"]) == (1, 365)
    assert findings() == []


def test_nothing_goes_before_the_legal_minimum_whatever_a_lane_is_told(lane, at_age):
    lane.retainer.use({EVENTS: 1})
    at_age(MINIMUM)
    assert lane.retainer.step() == 0
    at_age(MINIMUM + 1)
    assert lane.retainer.step() == 1


def test_an_event_that_happened_later_than_it_came_keeps_its_partition(lane, at_age):
    manifest = read_manifest(lane.folder)
    later = tuple(msgspec.structs.replace(part, last=part.last + 30 * DAY) for part in manifest.partitions)
    event_removal.swap_manifest(lane.folder, msgspec.structs.replace(manifest, partitions=later))
    lane.retainer.use({EVENTS: 200})
    at_age(229)
    assert lane.retainer.step() == 0
    at_age(231)
    assert lane.retainer.step() == 1


def test_a_file_stays_until_the_centre_knows_of_its_removal(lane, at_age, findings):
    lane.retainer.use({EVENTS: 200})
    at_age(250)
    assert lane.retainer.step() == 3
    for _ in range(3):
        lane.step()
        assert len(lane.files()) == 3
        assert findings() == []
    lane.relay()
    lane.step()
    assert (lane.files("*"), findings()) == ([], [])


def test_only_a_day_of_events_goes_at_once_the_oldest_first(lane, at_age, monkeypatch):
    assert MOST_HOURS == 24
    monkeypatch.setattr("app.retaining.MOST_HOURS", 2)
    lane.retainer.use({EVENTS: 200})
    at_age(400)
    assert lane.retainer.step() == 2
    assert lane.found() == ["logs/1/2"]
    assert lane.retainer.step() == 0
    assert lane.step() == 1
    assert lane.found() == []


def test_a_partition_that_the_centre_was_not_told_of_stays(lane, at_age):
    lane.clock.forward(HOUR)
    manifest = read_manifest(lane.folder)
    first, *others = manifest.partitions
    untold = (msgspec.structs.replace(first, announced=False), *others)
    event_removal.swap_manifest(lane.folder, msgspec.structs.replace(manifest, partitions=untold))
    lane.retainer.use({EVENTS: 200})
    at_age(400)
    assert lane.retainer.step() == 2


@pytest.mark.parametrize("moment", ["take_out", "remove"])
def test_a_crash_at_any_moment_is_made_good_by_the_next_process(lane, at_age, monkeypatch, findings, removals, moment):
    def crash(*_):
        raise KeyboardInterrupt

    lane.retainer.use({EVENTS: 200})
    at_age(250)
    with monkeypatch.context() as patch:
        patch.setattr(f"app.retaining.{moment}", crash)
        if moment == "take_out":
            with pytest.raises(KeyboardInterrupt):
                lane.retainer.step()
            assert len(lane.found()) == 3  # the row is in the outbox, the manifest as it was
        else:
            lane.retainer.step()
            lane.relay()
            with pytest.raises(KeyboardInterrupt):
                lane.step()
    assert len(lane.files()) == 3
    assert findings() == []
    lane.restarted()
    lane.retainer.use({EVENTS: 200})
    lane.relay()
    for _ in range(2):
        lane.step()
        lane.relay()
    assert (lane.files("*"), read_manifest(lane.folder).removed) == ([], ())
    assert len(removals()) == 3
    assert findings() == []


def test_a_crash_between_the_swap_and_the_unlinking_leaves_no_file_behind(lane, at_age, monkeypatch, findings):
    lane.retainer.use({EVENTS: 200})
    at_age(250)
    lane.retainer.step()
    lane.relay()
    gone = []

    def first_only(path):
        if gone:
            raise KeyboardInterrupt
        gone.append(path)
        path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(event_removal, "remove_file", first_only)
        with pytest.raises(KeyboardInterrupt):
            lane.step()
    assert len(lane.files()) == 2
    lane.restarted()
    lane.retainer.use({EVENTS: 200})
    lane.step()
    assert (lane.files("*"), findings()) == ([], [])


def test_a_new_segment_does_not_forget_what_is_still_to_be_removed(lane, at_age):
    lane.retainer.use({EVENTS: 200})
    at_age(250)
    lane.retainer.step()
    lane.receive(9)
    assert len(read_manifest(lane.folder).removed) == 3


def test_a_partition_that_was_removed_by_hand_is_a_finding(lane, findings):
    (lane.folder / lane.files()[0]).unlink()
    assert findings() == [("partition", "is gone; it held 1 events")]


def test_a_removal_before_the_legal_minimum_is_a_finding(lane, at_age, monkeypatch, findings):
    monkeypatch.setattr("app.retaining.keep_days", lambda *_: 10)
    lane.retainer.use({EVENTS: 10})
    at_age(12)
    lane.retainer.step()
    lane.relay()
    texts = [text for _, text in findings()]
    assert f"was removed after 11 days; {classes()[EVENTS].clause} asks for {MINIMUM}" in texts


def test_a_removal_that_is_sent_twice_is_entered_once(lane, at_age, removals):
    lane.retainer.use({EVENTS: 200})
    at_age(250)
    lane.retainer.step()
    lane.relay()
    rows = [row for row in lane.outbox.after(0) if row.kind == "removal"]
    assert decode_removal(rows[0].body).days == 200
    again = tuple(msgspec.structs.replace(row, seq=number) for number, row in enumerate(rows, 1))
    lane.centre.receive(Batch(lane="logs", epoch="restored", since=0, rows=again))
    assert len(removals()) == 3


def test_the_minimum_of_events_is_the_standards_and_they_are_kept_for_a_year_until_it_is_set(centre):
    assert (MINIMUM, classes()[EVENTS].clause) == (180, "TCVN 14423:2026, 6.8.2.1")
    assert centre.read(days_of) == {EVENTS: 365}


@pytest.mark.parametrize(
    ("name", "days", "reason"),
    [
        ("events", 179, "events are kept for at least 180 days (TCVN 14423:2026, 6.8.2.1)"),
        ("events", 36_501, "events can be kept for at most 36500 days"),
        ("flows", 365, "'flows' is no class of data: use events"),
    ],
)
def test_what_the_law_does_not_allow_cannot_be_set(door, name, days, reason):
    with pytest.raises(RefusedError) as refused:
        check_days(name, days)
    assert str(refused.value) == reason
    answer = door.ask("retention.set", {"name": name, "days": days, "reason": "x"})
    assert (answer.status_code, answer.json()) == (409, {"reason": reason})


def test_it_is_set_by_two_people_with_a_reason_and_lanes_are_told(door, centre, settings, add_user, clock):
    add_user(centre, "quantri", "administrator")
    add_user(centre, "duyet", "approver")
    add_user(centre, "duyet_tha", "approver", "vks-tha")
    content = Content(settings, pytest.fail, kinds=("retention",))
    before = content.snapshot("retention")
    assert decode_days(before.content) == {EVENTS: 365}

    door.caller = Caller("quantri", "user")
    wanted = {"name": EVENTS, "days": 200}
    assert door.ask("retention.set", wanted).json() == {"reason": "say why: it is kept in the audit chain"}
    assert door.ask("retention.set", wanted | {"reason": "ổ đĩa nhỏ"}).json() == {"request": 1}
    assert centre.read(days_of) == {EVENTS: 365}
    refused = door.ask("requests.approve", {"id": 1}, console=True, actor="duyet_tha").json()["reason"]
    assert refused == "this concerns units that are not yours to decide on"
    approved = door.ask("requests.approve", {"id": 1}, console=True, actor="duyet").json()
    assert (approved["name"], approved["days"]) == (EVENTS, 200)

    (setting,) = centre.read(list_settings)
    assert (setting.name, setting.days, setting.actor, setting.time) == (EVENTS, 200, "quantri", clock.now())
    entries = centre.read(lambda connection: list(audit.read_chain(connection)))
    (entry,) = [one for one in entries if one.action == "retention.set"]
    assert json.loads(entry.detail) == {"days": 200, "before": 365, "reason": "ổ đĩa nhỏ"}
    after = content.snapshot("retention")
    assert (decode_days(after.content), after.version != before.version) == ({EVENTS: 200}, True)


def test_the_latest_setting_counts(centre):
    def put(connection, now):
        for number, days in enumerate((400, 300, 500)):
            put_days(connection, now + number, "a", (EVENTS, days), "x")

    centre.change(put)
    assert centre.read(days_of) == {EVENTS: 500}
    assert [one.days for one in centre.read(list_settings)] == [500, 300, 400]


def test_a_snapshot_that_holds_no_days_is_refused():
    assert decode_days(encode_days({EVENTS: 200})) == {EVENTS: 200}
    with pytest.raises(ContentError, match="the snapshot of the retention cannot be read"):
        decode_days(b"\xff")


@pytest.mark.parametrize(("said", "kept"), [({}, None), ({EVENTS: 20}, 180), ({EVENTS: 300}, 300), ({"x": 1}, None)])
def test_a_lane_keeps_at_least_the_minimum(said, kept):
    assert keep_days(EVENTS, said) == kept
