"""The product on one page, step by step."""

from __future__ import annotations

import msgspec
import pytest

from app.pipeline import judge, understand
from core import outbox as outbox_module
from core.clock import HOUR, MINUTE
from core.incident import State, Verdict
from core.outbox import Outbox
from core.records import Alert, Severity
from core.scope import EVERYTHING
from core.stores.incidents import commit, list_incidents, read_dossier, read_incident
from core.stores.migrate import open_state
from core.stores.spool import Position
from correlation.correlator import Correlator
from correlation.incidents import close
from correlation.rules import prepare


@pytest.fixture
def outbox(tmp_path, clock):
    made = Outbox(tmp_path / "outbox.db", clock)
    yield made
    made.close()


@pytest.fixture
def engine(settings):
    made = open_state(settings.state)
    yield made
    made.dispose()


@pytest.fixture
def correlator(rules):
    return Correlator(prepare(rules)[0], HOUR)


def test_judging_puts_each_hit_on_its_way_and_notes_how_far_it_is(matcher, outbox, event):
    events = [event(1), event(2, outcome="success"), event(3, outcome="unknown")]
    assert judge(matcher, outbox, events, Position(7, 4)) == 2
    rows = outbox.after(0)
    hits = [msgspec.msgpack.decode(row.body, type=Alert) for row in rows]
    assert [hit.evidence[0].event for hit in hits] == ["logs/7/1", "logs/7/2"]
    assert [row.key for row in rows] == [f"alert/{hit.id}" for hit in hits]
    assert {row.kind for row in rows} == {"alert"}
    assert outbox.judged() == Position(7, 4)


def test_events_without_a_hit_move_the_position_too(matcher, outbox, event):
    assert judge(matcher, outbox, [event(1, outcome="unknown")], Position(7, 2)) == 0
    assert (outbox.after(0), outbox.judged()) == ([], Position(7, 2))


def test_events_judged_twice_are_on_their_way_once(matcher, outbox, event):
    for _ in range(2):
        judge(matcher, outbox, [event(1)], Position(7, 2))
    assert len(outbox.after(0)) == 1


def test_hits_and_position_are_written_together_or_not_at_all(matcher, outbox, event, monkeypatch):
    def dies(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(outbox_module, "_write_note", dies)
    with pytest.raises(OSError, match="no space"):
        judge(matcher, outbox, [event(1)], Position(7, 2))
    assert (outbox.after(0), outbox.judged()) == ([], Position(0, 0))


def test_one_cause_at_one_object_is_one_incident_however_many_hits_it_has(engine, correlator, hits, event, clock):
    with engine.begin() as connection:
        understand(connection, correlator, hits(map(event, range(10))), clock.now(), HOUR)
        understand(connection, correlator, hits(map(event, range(10, 25))), clock.now(), HOUR)
        (incident,) = list_incidents(connection, EVERYTHING)
        (alert,) = read_dossier(connection, EVERYTHING, incident.id).alerts
    assert (incident.cause, incident.severity) == ("ssh_password_guessing", Severity.HIGH)
    assert dict(incident.object) == {"source.ip": "203.0.113.45", "host.name": "sv-tha"}
    assert (incident.sites, incident.units, incident.devices) == (("tha",), ("vks-tha",), ("sv-tha",))
    assert alert.count == 25


def test_nine_wrong_passwords_are_daily_life(engine, correlator, hits, event, clock):
    with engine.begin() as connection:
        understand(connection, correlator, hits(map(event, range(9))), clock.now(), HOUR)
        assert list_incidents(connection, EVERYTHING) == []


def test_another_object_is_another_incident(engine, correlator, hits, event, clock):
    guesses = [event(number, source=f"198.51.100.{number % 2}") for number in range(20)]
    with engine.begin() as connection:
        understand(connection, correlator, hits(guesses), clock.now(), HOUR)
        found = list_incidents(connection, EVERYTHING)
    assert {dict(incident.object)["source.ip"] for incident in found} == {"198.51.100.0", "198.51.100.1"}
    assert len(found) == 2


def test_a_graver_alert_of_the_same_cause_joins_the_incident_and_raises_it(engine, correlator, hits, event, clock):
    with engine.begin() as connection:
        understand(connection, correlator, hits(map(event, range(10))), clock.now(), HOUR)
        understand(connection, correlator, hits([event(10, outcome="success")]), clock.now(), HOUR)
        (incident,) = list_incidents(connection, EVERYTHING)
        dossier = read_dossier(connection, EVERYTHING, incident.id)
    assert incident.severity is Severity.CRITICAL
    assert incident.title["en"] == "SSH login after password guessing"
    assert sorted(alert.severity for alert in dossier.alerts) == ["critical", "high"]
    assert [entry.action for entry in dossier.timeline] == ["opened", "evidence"]


def test_what_changes_nothing_of_the_incident_leaves_its_timeline_alone(engine, correlator, hits, event, clock):
    with engine.begin() as connection:
        understand(connection, correlator, hits(map(event, range(10))), clock.now(), HOUR)
        understand(connection, correlator, hits([event(10)]), clock.now(), HOUR)
        (incident,) = list_incidents(connection, EVERYTHING)
        dossier = read_dossier(connection, EVERYTHING, incident.id)
    assert (incident.version, len(dossier.timeline)) == (1, 1)
    assert [alert.count for alert in dossier.alerts] == [11]


def test_late_evidence_makes_two_alerts_one_and_withdraws_the_other(engine, correlator, hits, cut, clock):
    early, late, between = (hits([cut(number, at=at)]) for number, at in enumerate((0, 900, 450)))
    clock.forward(30 * MINUTE)
    with engine.begin() as connection:
        understand(connection, correlator, [*early, *late], clock.now(), HOUR)
        (incident,) = list_incidents(connection, EVERYTHING)
        before = read_dossier(connection, EVERYTHING, incident.id).alerts
        understand(connection, correlator, between, clock.now(), HOUR)
        after = read_dossier(connection, EVERYTHING, incident.id).alerts
        assert len(list_incidents(connection, EVERYTHING)) == 1
    assert [alert.count for alert in before] == [1, 1]
    assert [(alert.id, alert.count) for alert in after] == [(before[0].id, 3)]


@pytest.mark.parametrize(("later", "states"), [(HOUR, ["new"]), (HOUR + 1, ["closed", "new"])])
def test_new_evidence_reopens_within_the_time_and_after_it_a_new_incident_refers_back(
    engine, correlator, hits, cut, clock, *, later, states
):
    with engine.begin() as connection:
        understand(connection, correlator, hits([cut(0, at=0)]), clock.now(), HOUR)
        known = read_incident(connection, EVERYTHING, 1)
        edit = close(known, Verdict.BENIGN, "", "an", clock.now())
        commit(connection, known, edit.incident, edit.entry)
        clock.forward(later)
        understand(connection, correlator, hits([cut(1, at=later / 1e9)]), clock.now(), HOUR)
        found = sorted(list_incidents(connection, EVERYTHING), key=lambda incident: incident.id)
        alerts = [len(read_dossier(connection, EVERYTHING, incident.id).alerts) for incident in found]
    assert [incident.state for incident in found] == [State(state) for state in states]
    assert [incident.refers_to for incident in found] == ([0] if len(states) == 1 else [0, 1])
    assert alerts == ([2] if len(states) == 1 else [1, 1])
