"""What each action does, as a local account or the console has it done."""

from __future__ import annotations

import pytest

from app.callers import Caller
from core import audit
from core.incident import Verdict
from core.records import Severity
from core.scope import EVERYTHING
from core.stores.incidents import read_dossier, read_incident
from core.stores.users import list_users


def test_an_incident_goes_from_telephone_to_verdict(door, centre, add_user):
    add_user(centre, "an", "analyst")
    door.caller = Caller("an", "user")
    created = door.ask("incidents.create", {"title": " Mất mạng ", "severity": "high", "site": "tha", "text": "gọi"})
    assert created.json() == {"id": 1, "version": 1}
    for version, (name, values) in enumerate(
        {
            "incidents.acknowledge": {"id": 1},
            "incidents.assign": {"id": 1, "owner": "an"},
            "incidents.note": {"id": 1, "text": "đã gọi lại"},
            "incidents.close": {"id": 1, "verdict": "benign", "text": "cúp điện"},
        }.items(),
        start=2,
    ):
        assert door.ask(name, values).json() == {"id": 1, "version": version}
    dossier = centre.read(lambda connection: read_dossier(connection, EVERYTHING, 1))
    incident = dossier.incident
    assert (incident.title["vi"], incident.severity) == ("Mất mạng", Severity.HIGH)
    assert (incident.sites, incident.units) == (("tha",), ("vks-tha",))
    assert (incident.owner, incident.verdict) == ("an", Verdict.BENIGN)
    assert [(entry.actor, entry.action, entry.detail) for entry in dossier.timeline] == [
        ("an", "created", "gọi"),
        ("an", "acknowledged", ""),
        ("an", "assigned", "an"),
        ("an", "noted", "đã gọi lại"),
        ("an", "closed", "benign: cúp điện"),
    ]


@pytest.mark.parametrize(
    ("name", "values", "status", "reason"),
    [
        ("incidents.acknowledge", {"id": 9}, 404, "there is no incident 9"),
        ("incidents.assign", {"id": 1, "owner": "nobody"}, 409, "'nobody' cannot work on incidents"),
        ("incidents.note", {"id": 1, "text": " "}, 409, "a note needs words"),
        ("incidents.create", {"title": ""}, 409, "a title has 1 to 200 characters"),
        ("incidents.create", {"title": "x", "channel": "pigeon"}, 409, "'pigeon' is no channel"),
        ("incidents.create", {"title": "x", "site": "moon"}, 409, "there is no site 'moon'"),
        ("incidents.assign", {"id": 1, "owner": "xem"}, 409, "'xem' cannot work on incidents"),
        ("incidents.assign", {"id": 1, "owner": "gone"}, 409, "'gone' cannot work on incidents"),
        ("users.add", {"name": "moi", "role": "king"}, 409, "'king' is no role: use viewer, analyst, engineer"),
        ("users.add", {"name": "a b"}, 409, "'a b' is no user name"),
        ("users.add", {"name": "an"}, 409, "there is already a user 'an'"),
        ("users.reset", {"name": "nobody"}, 404, "there is no user 'nobody'"),
        ("users.disable", {"name": "nobody"}, 404, "there is no user 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(door, centre, add_user, *, name, values, status, reason):
    add_user(centre, "an", "analyst")
    add_user(centre, "gone", "administrator", disabled=1)
    add_user(centre, "xem", "viewer")
    door.ask("incidents.create", {"title": "Mất mạng"})
    before = centre.read(audit.head)
    answer = door.ask(name, values)
    assert answer.status_code == status
    assert answer.json()["reason"].startswith(reason)
    assert centre.read(lambda connection: read_incident(connection, EVERYTHING, 1)).version == 1
    assert [user.name for user in centre.read(list_users)] == ["an", "gone", "xem"]
    assert centre.read(audit.head) == before


def test_a_user_is_added_with_a_password_that_must_be_changed_and_can_be_disabled(door):
    added = door.ask("users.add", {"name": "binh", "role": "viewer"}).json()
    assert added["name"] == "binh"
    signed_in = door.ask("session.begin", added, console=True).json()
    assert (signed_in["grants"], signed_in["must_change"]) == ([{"role": "viewer", "unit": ""}], True)
    assert door.ask("users.disable", {"name": "binh"}).json() == {"name": "binh"}
    assert door.ask("session.begin", added, console=True).status_code == 403
    again = door.ask("users.reset", {"name": "binh"}).json()
    assert again["password"] != added["password"]
    assert door.ask("session.begin", again, console=True).status_code == 200
    (listed,) = door.ask("users.list", {}).json()["users"]
    assert (listed["name"], listed["roles"], listed["must_change"]) == ("binh", "viewer", True)
    assert (listed["disabled"], listed["factor"]) == (False, "")
    assert "password" not in listed


def test_a_user_who_chose_a_password_may_act_by_the_console(door):
    added = door.ask("users.add", {"name": "binh", "role": "analyst"}).json()
    create = ("incidents.create", {"title": "Mất mạng"})
    assert door.ask(*create, console=True, actor="binh").status_code == 409
    chosen = {"name": "binh", "password": "một mật khẩu dài"}
    assert door.ask("session.password", chosen, console=True).json()["must_change"] is False
    assert door.ask(*create, console=True, actor="binh").json() == {"id": 1, "version": 1}
    assert door.ask("session.begin", added, console=True).status_code == 403
    assert door.ask("session.begin", chosen, console=True).status_code == 200


def test_signing_out_ends_all_sessions_of_the_user(door, centre, add_user):
    add_user(centre, "an", "analyst")
    assert door.ask("session.end", {}, console=True, actor="an").json() == {}
    (user,) = centre.read(list_users)
    assert user.session == 2
    assert door.ask("session.end", {}, console=True, actor="nobody").status_code == 404


def test_a_password_that_is_too_short_is_refused(door):
    door.ask("users.add", {"name": "binh"})
    answer = door.ask("session.password", {"name": "binh", "password": "x" * 11}, console=True)
    assert (answer.status_code, answer.json()) == (409, {"reason": "a password has at least 12 characters"})
