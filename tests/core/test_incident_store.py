from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from core import audit
from core.errors import NotFoundError, RefusedError
from core.incident import Incident, State, TimelineEntry
from core.records import Severity
from core.scope import EVERYTHING, Scope
from core.stores import incidents


def make_incident(**changed):
    values = {
        "cause": "guessing",
        "object": (("source.ip", "203.0.113.45"),),
        "title": {"vi": "Dò mật khẩu", "en": "Guessing"},
        "severity": Severity.HIGH,
        "sites": ("tha",),
        "occurred": 5,
        "detected": 6,
        "updated": 6,
    }
    return Incident(**(values | changed))


def entry(action="opened", time=7, actor="haidang", detail="chi tiết"):
    return TimelineEntry(time=time, actor=actor, action=action, detail=detail)


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def put(connection):
    """Stores a new incident."""
    return lambda **changed: incidents.commit(connection, None, make_incident(**changed), entry())


def test_a_stored_incident_has_a_number_and_comes_back_whole(connection, put):
    stored = put(units=("vks",), devices=("sv",), owner="lan")
    assert (stored.id, stored.version) == (1, 1)
    assert incidents.read_incident(connection, EVERYTHING, 1) == stored


def test_numbers_only_grow(put):
    assert [put().id for _ in range(3)] == [1, 2, 3]


def test_the_second_of_two_editors_is_told_to_look_again(connection, put):
    seen = put()
    stored = incidents.commit(connection, seen, replace(seen, owner="lan"), entry("assigned"))
    with pytest.raises(RefusedError, match="incident 1 was changed meanwhile: look at it again"):
        incidents.commit(connection, seen, replace(seen, owner="minh"), entry("assigned"))
    assert incidents.read_incident(connection, EVERYTHING, 1) == stored
    assert (stored.owner, stored.version) == ("lan", 2)


def test_a_refused_commit_leaves_no_trace(connection, put):
    seen = put()
    incidents.commit(connection, seen, replace(seen, owner="lan"), entry("assigned"))
    before = incidents.read_dossier(connection, EVERYTHING, 1), audit.head(connection)
    with pytest.raises(RefusedError):
        incidents.commit(connection, seen, seen, entry("noted"))
    assert (incidents.read_dossier(connection, EVERYTHING, 1), audit.head(connection)) == before


def test_every_commit_is_a_link_of_the_audit_chain(connection, put):
    seen = put()
    closed = replace(seen, state=State.CLOSED, owner="lan")
    incidents.commit(connection, seen, closed, entry("closed", time=9, actor="lan", detail="benign"))
    chain = list(audit.read_chain(connection))
    assert [(link.time, link.actor, link.action, link.object) for link in chain] == [
        (7, "haidang", "incident.opened", "incident/1"),
        (9, "lan", "incident.closed", "incident/1"),
    ]
    said = msgspec.json.decode(chain[1].detail)
    assert said == {"detail": "benign", "state": "closed", "owner": "lan", "version": 2}
    assert list(audit.verify_chain(chain)) == []


SCOPES = [
    (None, [1, 2, 3]),
    ({"tha"}, [1, 2]),
    ({"hcm"}, [2]),
    ({"hcm", "tha"}, [1, 2]),
    ({"hni"}, []),
    (set(), []),
    ({""}, []),
]


@pytest.mark.parametrize(("sites", "expected"), SCOPES)
def test_only_incidents_of_sites_within_the_scope_are_seen(connection, put, sites, expected):
    for affected in (("tha",), ("hcm", "tha"), ()):
        put(sites=affected)
    scope = Scope(sites=None if sites is None else frozenset(sites))
    found = incidents.list_incidents(connection, scope)
    assert sorted(incident.id for incident in found) == expected
    assert incidents.count_open(connection, scope) == len(expected)
    for number in (1, 2, 3):
        if number in expected:
            assert incidents.read_dossier(connection, scope, number).incident.id == number
        else:
            with pytest.raises(NotFoundError, match=f"no incident {number}, or it is not yours"):
                incidents.read_dossier(connection, scope, number)


def test_a_site_added_later_opens_the_incident_to_its_people(connection, put):
    seen = put()
    incidents.commit(connection, seen, replace(seen, sites=("hcm", "tha")), entry("evidence"))
    assert incidents.read_incident(connection, Scope(sites=frozenset({"hcm"})), 1).id == 1


def test_an_unknown_incident_is_named(connection):
    with pytest.raises(NotFoundError, match="there is no incident 7"):
        incidents.read_incident(connection, EVERYTHING, 7)


def test_the_gravest_come_first_then_the_latest_changed(connection, put):
    for severity, updated in (("low", 9), ("critical", 1), ("high", 3), ("high", 5)):
        put(severity=Severity(severity), updated=updated)
    found = incidents.list_incidents(connection, EVERYTHING)
    assert [(incident.severity.value, incident.updated) for incident in found] == [
        ("critical", 1),
        ("high", 5),
        ("high", 3),
        ("low", 9),
    ]
    assert [incident.id for incident in incidents.list_incidents(connection, EVERYTHING, limit=1)] == [2]


def test_incidents_are_listed_by_their_state(connection, put):
    put()
    put(state=State.CLOSED)
    assert [one.id for one in incidents.list_incidents(connection, EVERYTHING, [State.CLOSED])] == [2]
    assert incidents.list_incidents(connection, EVERYTHING, []) == []
    assert incidents.count_open(connection, EVERYTHING) == 1


def test_the_newest_incident_of_a_key_is_found(connection, put):
    put()
    put(object=(("source.ip", "198.51.100.7"),))
    newest = put(refers_to=1)
    found = incidents.latest_of_key(connection, "guessing", (("source.ip", "203.0.113.45"),))
    assert found == newest
    assert incidents.latest_of_key(connection, "other", newest.object) is None
    assert incidents.latest_of_key(connection, "guessing", ()) is None


def test_a_key_does_not_depend_on_where_one_value_ends_and_the_next_begins():
    assert incidents.incident_key("a", (("b", "c"),)) != incidents.incident_key("a", (("b,", "c"),))
    assert incidents.incident_key('a"', ()) != incidents.incident_key("a", ())


def test_a_dossier_holds_alerts_by_their_start_and_the_timeline_as_it_happened(connection, put, alert):
    seen = put()
    for number in (3, 1, 2):
        incidents.put_alert(connection, 1, alert(number))
    incidents.commit(connection, seen, seen, entry("noted", time=3))
    dossier = incidents.read_dossier(connection, EVERYTHING, 1)
    assert [one.id for one in dossier.alerts] == ["alert-1", "alert-2", "alert-3"]
    assert [one.action for one in dossier.timeline] == ["opened", "noted"]
    assert dossier.timeline[0] == entry()


def test_an_amended_alert_replaces_what_it_was(connection, put, alert):
    put()
    incidents.put_alert(connection, 1, alert(1))
    incidents.put_alert(connection, 1, alert(1, count=9))
    assert incidents.read_alerts(connection, 1) == [alert(1, count=9)]


def test_an_alert_that_is_part_of_another_is_removed(connection, put, alert):
    put()
    incidents.put_alert(connection, 1, alert(1))
    incidents.put_alert(connection, 1, alert(2))
    incidents.remove_alert(connection, "alert-1")
    incidents.remove_alert(connection, "never there")
    assert incidents.read_alerts(connection, 1) == [alert(2)]


@pytest.mark.parametrize("number", [0, -1, 1 << 63, 99_999_999_999_999_999_999_999, -(1 << 64)])
def test_a_number_that_no_incident_can_have_is_not_found(connection, number):
    with pytest.raises(NotFoundError, match=f"there is no incident {number}"):
        incidents.read_dossier(connection, EVERYTHING, number)


def test_what_was_detected_lately_is_listed_open_or_closed_the_latest_first(connection, put):
    put(detected=10, cause="old")
    put(detected=20, cause="b", state=State.CLOSED)
    put(detected=30, cause="c")
    assert [one.cause for one in incidents.list_detected(connection, EVERYTHING, 20)] == ["c", "b"]
    assert [one.cause for one in incidents.list_detected(connection, EVERYTHING, 0, limit=1)] == ["c"]
    assert incidents.list_detected(connection, Scope(sites=frozenset({"elsewhere"})), 0) == []
