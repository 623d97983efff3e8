from __future__ import annotations

import pytest
from msgspec.structs import replace

from core.actors import PLATFORM
from core.clock import HOUR, MINUTE
from core.errors import RefusedError
from core.incident import State, Verdict
from core.records import Severity
from correlation.incidents import (
    LONGEST_TEXT,
    acknowledge,
    assign,
    close,
    note,
    raise_incident,
    report,
)

REOPEN = 24 * HOUR


@pytest.fixture
def alert(hit):
    return hit("guessing", 0, severity=Severity.HIGH, unit="vks-tha", device="sv-tha")


@pytest.fixture
def incident(alert):
    edit = raise_incident(alert, None, alert.start + MINUTE, REOPEN)
    return replace(edit.incident, id=7, version=1)


def test_a_first_alert_opens_an_incident(alert):
    now = alert.start + MINUTE
    edit = raise_incident(alert, None, now, REOPEN)
    assert (edit.entry.action, edit.entry.actor, edit.entry.time) == ("opened", PLATFORM, now)
    opened = edit.incident
    assert (opened.cause, opened.object, opened.severity) == (alert.cause, alert.object, Severity.HIGH)
    assert (opened.units, opened.sites, opened.devices) == (("vks-tha",), ("tha",), ("sv-tha",))
    assert (opened.occurred, opened.detected, opened.state) == (alert.start, now, State.NEW)


def test_an_alert_of_no_known_place_opens_an_incident_without_sites(alert):
    opened = raise_incident(replace(alert, site="", unit="", device=""), None, alert.start, REOPEN).incident
    assert (opened.units, opened.sites, opened.devices) == ((), (), ())


def test_the_same_alert_again_leaves_the_incident_as_it_is(alert, incident):
    assert raise_incident(alert, incident, alert.start + HOUR, REOPEN) is None


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"site": "hcm"}, "sites", ("hcm", "tha")),
        ({"device": "fw-1"}, "devices", ("fw-1", "sv-tha")),
        ({"severity": Severity.CRITICAL}, "severity", Severity.CRITICAL),
        ({"severity": Severity.CRITICAL, "title": {"vi": "Mới", "en": "New"}}, "title", {"vi": "Mới", "en": "New"}),
        ({"start": 5}, "occurred", 5),
    ],
)
def test_evidence_of_more_amends_the_incident(alert, incident, changed, field, expected):
    edit = raise_incident(replace(alert, **changed), incident, alert.start + HOUR, REOPEN)
    assert edit.entry.action == "evidence"
    assert getattr(edit.incident, field) == expected
    assert edit.incident.id == incident.id


def test_what_is_over_ends_its_incident(alert, incident):
    over = replace(alert, closes=True, start=alert.end + HOUR, end=alert.end + HOUR)
    edit = raise_incident(over, incident, alert.end + 2 * HOUR, REOPEN)
    assert (edit.entry.action, edit.entry.actor) == ("recovered", PLATFORM)
    assert (edit.incident.state, edit.incident.resolved) == (State.CLOSED, alert.end + 2 * HOUR)


def test_what_is_over_ends_nothing_where_nothing_is_open_and_what_came_before_ends_nothing(alert, incident):
    over = replace(alert, closes=True)
    assert raise_incident(over, None, alert.end, REOPEN) is None
    closed = close(incident, Verdict.BENIGN, "", "lan", alert.end).incident
    assert raise_incident(over, closed, alert.end, REOPEN) is None
    earlier = replace(over, start=alert.start - HOUR, end=alert.start - HOUR)
    assert raise_incident(earlier, incident, alert.end, REOPEN) is None


def test_what_comes_again_after_it_was_over_reopens_the_incident(alert, incident):
    over = replace(alert, closes=True, start=alert.end + HOUR, end=alert.end + HOUR)
    ended = raise_incident(over, incident, alert.end + HOUR, REOPEN).incident
    again = replace(alert, start=alert.end + 2 * HOUR, end=alert.end + 2 * HOUR)
    assert raise_incident(again, ended, alert.end + 2 * HOUR, REOPEN).entry.action == "reopened"


def test_a_milder_alert_changes_neither_title_nor_severity(alert, incident):
    milder = replace(alert, severity=Severity.LOW, title={"vi": "Nhẹ", "en": "Mild"}, site="hcm")
    edit = raise_incident(milder, incident, alert.start + HOUR, REOPEN)
    assert (edit.incident.severity, edit.incident.title) == (incident.severity, incident.title)


@pytest.mark.parametrize("after", [0, MINUTE, REOPEN])
def test_new_evidence_within_the_reopen_time_opens_a_closed_incident_again(alert, incident, after):
    closed = close(incident, Verdict.BENIGN, "", "lan", alert.start + HOUR).incident
    edit = raise_incident(alert, closed, closed.resolved + after, REOPEN)
    assert edit.entry.action == "reopened"
    assert (edit.incident.id, edit.incident.state) == (incident.id, State.NEW)
    assert (edit.incident.verdict, edit.incident.resolved) == (None, 0)


def test_after_the_reopen_time_a_new_incident_refers_to_the_old(alert, incident):
    closed = close(incident, Verdict.BENIGN, "", "lan", alert.start + HOUR).incident
    edit = raise_incident(alert, closed, closed.resolved + REOPEN + 1, REOPEN)
    assert edit.entry.action == "opened"
    assert (edit.incident.id, edit.incident.refers_to) == (0, incident.id)


def test_who_acknowledges_first_owns_the_incident(incident):
    edit = acknowledge(incident, "lan", 50)
    assert (edit.incident.state, edit.incident.owner, edit.incident.acknowledged) == (State.ACKNOWLEDGED, "lan", 50)


def test_acknowledging_keeps_an_owner_who_was_assigned(incident):
    assigned = assign(incident, "minh", "lan", 40).incident
    assert acknowledge(assigned, "lan", 50).incident.owner == "minh"


def test_a_reopened_incident_keeps_the_time_of_its_first_acknowledgement(alert, incident):
    closed = close(acknowledge(incident, "lan", 50).incident, Verdict.BENIGN, "", "lan", 60).incident
    again = raise_incident(alert, closed, 70, REOPEN).incident
    assert acknowledge(again, "minh", 80).incident.acknowledged == 50


def test_closing_says_the_verdict_and_the_words(incident):
    edit = close(incident, Verdict.FALSE_POSITIVE, "  máy quét của tổ an ninh ", "lan", 60)
    assert edit.entry.detail == "false_positive: máy quét của tổ an ninh"
    assert edit.incident.verdict is Verdict.FALSE_POSITIVE
    assert (edit.incident.resolved, edit.incident.acknowledged, edit.incident.owner) == (60, 60, "lan")


def test_closing_without_words_says_the_verdict(incident):
    assert close(incident, Verdict.BENIGN, " ", "lan", 60).entry.detail == "benign"


def test_a_note_changes_nothing_but_when_the_incident_was_changed(incident):
    edit = note(incident, " gọi điện cho Thanh Hóa ", "lan", 60)
    assert (edit.entry.action, edit.entry.detail) == ("noted", "gọi điện cho Thanh Hóa")
    assert edit.incident == replace(incident, updated=60)


def test_a_closed_incident_takes_a_note(incident):
    closed = close(incident, Verdict.BENIGN, "", "lan", 60).incident
    assert note(closed, "biên bản đã ký", "lan", 70).incident.state is State.CLOSED


def test_a_person_reports_an_incident():
    edit = report(" Mất mạng ", Severity.MEDIUM, "telephone", "lan", 60, "gọi lúc 8 giờ")
    assert edit.incident.title == {"vi": "Mất mạng", "en": "Mất mạng"}
    assert (edit.incident.channel, edit.entry.action, edit.entry.detail) == ("telephone", "created", "gọi lúc 8 giờ")


REFUSED = {
    "a second acknowledgement": lambda one: acknowledge(acknowledge(one, "lan", 1).incident, "minh", 2),
    "acknowledging what is closed": lambda one: acknowledge(_closed(one), "lan", 2),
    "assigning what is closed": lambda one: assign(_closed(one), "lan", "lan", 2),
    "closing twice": lambda one: close(_closed(one), Verdict.BENIGN, "", "lan", 2),
    "an empty note": lambda one: note(one, " \n", "lan", 1),
    "a note without end": lambda one: note(one, "x" * (LONGEST_TEXT + 1), "lan", 1),
    "closing with words without end": lambda one: close(one, Verdict.BENIGN, "x" * (LONGEST_TEXT + 1), "lan", 1),
    "a report without a title": lambda _: report("  ", Severity.LOW, "telephone", "lan", 1),
    "a title too long": lambda _: report("x" * 201, Severity.LOW, "telephone", "lan", 1),
    "an unknown channel": lambda _: report("Mất mạng", Severity.LOW, "pigeon", "lan", 1),
}


def _closed(incident):
    return close(incident, Verdict.BENIGN, "", "lan", 1).incident


@pytest.mark.parametrize("action", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(action, incident):
    with pytest.raises(RefusedError) as error:
        action(incident)
    assert "\n" not in str(error.value)


def test_an_incident_is_of_all_sites_and_units_of_its_alerts(alert, incident):
    wide = replace(alert, sites=("hcm", "tha"), units=("vks-hcm", "vks-tha"))
    opened = raise_incident(wide, None, alert.start, REOPEN).incident
    assert (opened.sites, opened.units) == (("hcm", "tha"), ("vks-hcm", "vks-tha"))
    amended = raise_incident(wide, incident, alert.start + HOUR, REOPEN).incident
    assert (amended.sites, amended.units) == (("hcm", "tha"), ("vks-hcm", "vks-tha"))
