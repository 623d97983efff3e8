"""The only writer of state: what it takes, what it refuses, and what is left when it fails."""

from __future__ import annotations

import shutil

import msgspec
import pytest
from sqlalchemy import select

from app import pipeline
from app.centre import FIRST_ADMINISTRATOR, KEEP_HITS, Centre
from core import audit
from core.clock import HOUR
from core.errors import RefusedError
from core.outbox import Batch, Receipt, Row
from core.records import Severity
from core.scope import Grant
from core.sigma import RuleSet
from core.stores import users
from core.stores.incidents import read_alerts
from core.stores.manifest import Partition, encode_partition
from core.stores.tables import hits as hits_table
from core.stores.tables import relay_positions
from core.stores.users import NewUser

TEN = range(10)


@pytest.fixture
def guesses(hits, event):
    """Hits of wrong passwords with these numbers."""
    return lambda numbers: hits(map(event, numbers))


@pytest.fixture
def chain(reading):
    """Entries of the audit chain but those of its keys, by what was done and to what."""

    def look():
        with reading.connect() as connection:
            found = list(audit.read_chain(connection))
        return [(entry.action, entry.object) for entry in found if entry.action != audit.KEY_ACTION]

    return look


@pytest.fixture
def rows_of(reading):
    """All rows of a table."""

    def look(table):
        with reading.connect() as connection:
            return connection.execute(select(table)).all()

    return look


def partition_batch(name: str, *, since: int = 0, epoch: str = "first") -> Batch:
    partition = Partition(name=name, hour=1, span="hour", count=5, first=1, last=2, sha256="ab" * 32)
    row = Row(seq=since + 1, key=f"partition/{name}", kind="partition", body=encode_partition(partition))
    return Batch(lane="logs", epoch=epoch, since=since, rows=(row,))


def test_a_batch_of_ten_guesses_is_one_incident(centre, batch, guesses, all_incidents):
    assert centre.receive(batch(guesses(TEN))) == Receipt(last=10, taken=True)
    (incident,) = all_incidents()
    assert incident.cause == "ssh_password_guessing"


def test_a_batch_sent_again_is_not_taken_again(centre, batch, guesses, all_incidents, rows_of):
    sent = batch(guesses(TEN))
    centre.receive(sent)
    before = rows_of(hits_table)
    assert centre.receive(sent) == Receipt(last=10, taken=False)
    assert rows_of(hits_table) == before
    assert [incident.version for incident in all_incidents()] == [1]


@pytest.mark.parametrize("since", [-1, 3, 9, 11])
def test_a_batch_that_does_not_begin_where_it_should_is_told_where(centre, batch, guesses, rows_of, since):
    centre.receive(batch(guesses(TEN)))
    assert centre.receive(batch(guesses([50]), since=since)) == Receipt(last=10, taken=False)
    assert len(rows_of(hits_table)) == 10


def test_a_lane_that_asks_where_it_stands_is_told_and_moves_nothing(centre, batch, rows_of):
    assert centre.receive(batch([], since=-1)) == Receipt(last=0, taken=False)
    assert centre.receive(batch([])) == Receipt(last=0, taken=True)
    assert rows_of(relay_positions) == []


def test_hits_sent_again_in_another_epoch_are_folded(centre, batch, guesses, all_incidents, rows_of):
    centre.receive(batch(guesses(range(9))))
    assert centre.receive(batch(guesses(range(9)), epoch="second")) == Receipt(last=9, taken=True)
    assert all_incidents() == []
    assert len(rows_of(hits_table)) == 9


def test_each_lane_and_epoch_has_its_own_position(centre, batch, guesses):
    centre.receive(batch(guesses(range(3))))
    other = msgspec.structs.replace(batch(guesses([3, 4])), lane="snmp")
    assert centre.receive(other) == Receipt(last=2, taken=True)
    assert centre.receive(batch([], since=3)) == Receipt(last=3, taken=True)


def test_a_failure_in_the_middle_leaves_database_and_windows_as_they_were(
    centre, batch, guesses, all_incidents, *, rows_of, chain, monkeypatch
):
    def fails(*_: object) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "raise_incident", fails)
        with pytest.raises(RuntimeError, match="in the middle"):
            centre.receive(batch(guesses(TEN)))
    assert (rows_of(hits_table), rows_of(relay_positions), all_incidents(), chain()) == ([], [], [], [])
    # Had the windows kept the ten, also over a heartbeat, one more guess would be an alert.
    centre.receive(batch([]))
    centre.first_administrator()
    assert centre.receive(batch(guesses([10]), epoch="other")).taken
    assert all_incidents() == []
    assert centre.receive(batch(guesses(TEN))) == Receipt(last=10, taken=True)
    assert [incident.occurred for incident in all_incidents()] == [guesses([0])[0].start]


def test_a_centre_started_again_goes_on_with_its_windows(settings, rules, clock, batch, guesses, all_incidents):
    first = Centre(settings, rules, clock)
    first.receive(batch(guesses(range(9))))
    first.close()
    assert all_incidents() == []
    second = Centre(settings, rules, clock)
    assert second.receive(batch(guesses([9]), since=9)) == Receipt(last=10, taken=True)
    second.close()
    assert len(all_incidents()) == 1


def test_a_centre_started_again_amends_the_alert_it_told_before(settings, rules, clock, batch, guesses, reading):
    first = Centre(settings, rules, clock)
    first.receive(batch(guesses(TEN)))
    first.close()
    second = Centre(settings, rules, clock)
    second.receive(batch(guesses([10]), since=10))
    second.close()
    with reading.connect() as connection:
        (alert,) = read_alerts(connection, 1)
    assert alert.count == 11


def test_other_rules_judge_the_hits_of_the_last_days_anew(settings, rules, clock, batch, guesses, all_incidents):
    centre = Centre(settings, RuleSet(rules=rules.rules), clock)
    centre.receive(batch(guesses(TEN)))
    assert all_incidents() == []
    centre.set_rules(rules)
    centre.receive(batch(guesses([10]), since=10))
    centre.close()
    (incident,) = all_incidents()
    assert incident.occurred == guesses([0])[0].start


def test_rules_that_are_taken_away_judge_nothing_any_more(centre, batch, guesses, all_incidents):
    centre.set_rules(RuleSet())
    centre.receive(batch(guesses(TEN)))
    assert all_incidents() == []


def test_hits_stay_longer_than_a_lane_may_send_them_again(centre, clock, batch, guesses, rows_of):
    centre.receive(batch(guesses([0])))
    clock.forward(KEEP_HITS)
    centre.receive(batch(guesses([1]), since=1))
    assert len(rows_of(hits_table)) == 2
    clock.forward(1)
    centre.receive(batch(guesses([2]), since=2))
    assert [row.id[-1] for row in rows_of(hits_table)] == ["1", "2"]


def test_a_closed_partition_enters_the_audit_chain_once(centre, chain):
    centre.receive(partition_batch("hour-1.parquet"))
    centre.receive(partition_batch("hour-1.parquet", epoch="second"))
    centre.receive(partition_batch("hour-2.parquet", since=1))
    assert chain() == [
        ("partition.close", "partition/logs/hour-1.parquet"),
        ("partition.close", "partition/logs/hour-2.parquet"),
    ]


def test_the_audit_chain_says_what_a_closed_partition_holds(centre, reading):
    centre.receive(partition_batch("hour-1.parquet"))
    with reading.connect() as connection:
        entry = audit.head(connection)
    assert entry is not None
    assert entry.actor == "lane/logs"
    assert msgspec.json.decode(entry.detail) == {"count": 5, "sha256": "ab" * 32}


def test_another_format_is_refused_and_changes_nothing(centre, batch, guesses, rows_of):
    newer = msgspec.structs.replace(batch(guesses([0])), format=2)
    with pytest.raises(RefusedError, match="lane logs sends format 2, this centre reads 1"):
        centre.receive(newer)
    assert rows_of(hits_table) == []


def test_the_first_administrator_gets_a_password_once(centre, reading):
    password = centre.first_administrator()
    assert password is not None
    assert centre.first_administrator() is None
    with reading.connect() as connection:
        (user,) = users.list_users(connection)
    assert (user.name, user.grants, user.must_change) == (FIRST_ADMINISTRATOR, (Grant("administrator"),), True)
    assert centre.read(lambda connection: users.password_fits(connection, user.name, password))


def test_where_there_is_any_user_there_is_no_first_administrator(centre):
    centre.change(lambda connection, now: users.add_user(connection, now, "test", NewUser(name="an")))
    assert centre.first_administrator() is None


def test_each_change_signs_the_new_head_of_the_audit_chain(centre, settings, reading):
    for name in ("an", "binh"):
        centre.change(lambda connection, now, name=name: users.add_user(connection, now, "test", NewUser(name=name)))
        anchor = audit.read_anchor(settings.anchors / "latest.json")
        with reading.connect() as connection:
            chain = list(audit.read_chain(connection))
        assert (anchor.seq, anchor.hash) == (chain[-1].seq, chain[-1].hash)
        assert list(audit.verify_anchor(chain, anchor)) == []


def test_reading_waits_for_no_change_and_changes_nothing(centre, chain):
    def within(connection, now):
        users.add_user(connection, now, "test", NewUser(name="an"))
        return centre.read(users.count_users)

    assert centre.change(within) == 0
    assert centre.read(users.count_users) == 1
    assert chain() == [("user.add", "user/an")]


def test_an_hour_without_changes_has_its_anchor_too(centre, settings, clock):
    centre.first_administrator()
    clock.forward(HOUR)
    centre.anchor()
    hourly = sorted(path.name for path in settings.anchors.glob("head-*"))
    assert hourly == ["head-20261122T01Z.json", "head-20261122T02Z.json"]


def test_the_chain_names_the_key_of_its_anchors_once_and_each_new_one(settings, rules, clock, reading):
    for _ in range(2):
        Centre(settings, rules, clock).close()
    first = audit.read_anchor(settings.anchors / "latest.json")
    (settings.secrets / "audit.key").unlink()  # as after a restore
    Centre(settings, rules, clock).close()
    second = audit.read_anchor(settings.anchors / "latest.json")
    with reading.connect() as connection:
        assert audit.signing_keys(connection) == [first.key, second.key]
        assert list(audit.verify_keys(audit.read_chain(connection), [first, second])) == []
    assert first.key != second.key


def test_work_that_fails_is_undone_whole(centre, chain, reading):
    def half(connection, now):
        users.add_user(connection, now, "test", NewUser(name="an"))
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        centre.change(half)
    with reading.connect() as connection:
        assert users.list_users(connection) == []
    assert chain() == []


def test_correlations_that_cannot_be_judged_are_told(settings, rules, clock, capsys):
    centre = Centre(settings, RuleSet(correlations=rules.correlations), clock)
    centre.close()
    said = capsys.readouterr().err.splitlines()
    assert centre.rules == []
    assert len(said) == len(rules.correlations)
    assert all(line.startswith("haidang: rule rules/identity/ssh_") or "it is not used" in line for line in said)


@pytest.fixture
def apart(tmp_path, migrated, settings, rules, clock):
    """A second centre, whose state is its own."""
    others = settings.model_copy(update={"data": tmp_path / "apart"})
    others.state.parent.mkdir(parents=True)
    shutil.copyfile(migrated, others.state)
    made = Centre(others, rules, clock)
    yield made
    made.close()


def test_the_same_hits_in_any_batches_give_the_same_incident(centre, apart, batch, hits, event, reading):
    alerts = hits([*map(event, range(12)), event(12, outcome="success")])
    centre.receive(batch(alerts))
    for number, alert in enumerate(reversed(alerts)):
        apart.receive(batch([alert], since=number))
    with reading.connect() as connection:
        told = read_alerts(connection, 1)
    again = apart.change(lambda connection, _: read_alerts(connection, 1))
    assert again == told
    assert {alert.severity for alert in told} == {Severity.HIGH, Severity.CRITICAL}
