"""The quarterly review of accounts and the requests, from the command line and the centre's API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from app import cli
from app.callers import Caller
from app.check import check, review_note
from app.commands import common
from core.clock import HOUR
from core.errors import NotFoundError, RefusedError
from core.scope import Grant
from core.stores import users
from core.stores.grants import put_grant, remove_grant

DAY = 24 * HOUR
QUARTER = "2026-Q4"


class DoorClient:
    """The commands' way to the centre, through the open door of a test."""

    def __init__(self, door: Any) -> None:
        self._door = door

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        answer = self._door.ask(action, values, actor=actor)
        if answer.status_code >= 400:
            kind = NotFoundError if answer.status_code == 404 else RefusedError
            raise kind(answer.json()["reason"])
        return answer.json()

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def commands():
    return cli.build(None)


@pytest.fixture
def run(commands, door, settings, tmp_path, monkeypatch):
    """Runs a command as this user, in a pipe, and returns what it prints."""
    file = tmp_path / "haidang.toml"
    file.write_text(f'format = 1\ndata = "{settings.data.name}"\n')
    monkeypatch.setattr(common, "CentreClient", lambda _: DoorClient(door))
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)

    def running(user, *arguments):
        door.caller = Caller("local:root", "local") if user == "root" else Caller(user, "user")
        done = CliRunner().invoke(commands, [*arguments, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return running


@pytest.fixture(autouse=True)
def _people(centre, add_user):
    add_user(centre, "quantri", "administrator")
    add_user(centre, "quantri_tha", "administrator", "vks-tha")
    add_user(centre, "duyet", "approver")
    add_user(centre, "an", "analyst", "vks-tha")


def test_a_review_goes_from_its_beginning_to_a_signature(run, clock):
    assert (
        run("quantri", "users", "review", "begin").strip() == f"Đợt rà soát / review {QUARTER}: 4 tài khoản / accounts"
    )
    run("quantri", "users", "review", "decide", "an", "disable", "--text", "nghỉ việc")
    run("quantri", "users", "review", "decide", "duyet", "keep")
    run("quantri", "users", "review", "decide", "quantri_tha", "keep")
    with pytest.raises(RefusedError, match="1 accounts have no verdict yet, the first is 'quantri'"):
        run("duyet", "users", "review", "sign")
    run("root", "users", "review", "decide", "quantri", "keep")
    with pytest.raises(RefusedError, match="needs the right approve"):
        run("quantri", "users", "review", "sign")
    assert f"signed the review of {QUARTER}" in run("duyet", "users", "review", "sign")
    clock.forward(1)
    shown = run("quantri", "users", "review", "show")
    assert "ký / signed 22/11/2026 08:51:37, duyet" in shown
    assert "nghỉ việc" in shown


def test_a_review_shows_roles_last_sign_in_and_who_is_idle(run, centre, clock):
    centre.change(lambda connection, now: users.set_columns(connection, "quantri", seen=now + 40 * DAY))
    clock.forward(46 * DAY)
    run("quantri", "users", "review", "begin")
    rows = {row["user"]: row for row in json.loads(run("quantri", "users", "review", "show", "--json"))}
    assert [rows["an"][key] for key in ("roles", "idle", "verdict", "seen")] == ["analyst (vks-tha)", True, "", 0]
    assert rows["quantri"]["idle"] is False
    text = run("quantri", "users", "review", "show", "--quarter", "2027-Q1")
    assert "chưa ký, hạn / not signed, due 2027-03-31" in text
    assert text.count("không dùng hơn 45 ngày / idle") == 3


def test_a_verdict_is_shown_as_done_once_it_was_carried_out(run, centre):
    run("quantri", "users", "review", "begin")
    run("quantri", "users", "review", "decide", "an", "disable", "--text", "nghỉ việc")
    run("quantri", "users", "review", "decide", "duyet", "change", "--text", "thêm đơn vị")

    def done():
        rows = json.loads(run("quantri", "users", "review", "show", "--json"))
        return {row["user"]: row["is_done"] for row in rows if row["verdict"]}

    assert done() == {"an": False, "duyet": False}
    run("quantri", "users", "disable", "an")
    centre.change(lambda connection, now: put_grant(connection, now, "test", "duyet", Grant("viewer")))
    assert done() == {"an": True, "duyet": False}  # it has more than before
    run("quantri", "users", "review", "decide", "duyet", "change", "--text", "chỉ còn xem")
    centre.change(lambda connection, now: remove_grant(connection, now, "test", "duyet", Grant("approver")))
    assert done() == {"an": True, "duyet": True}


def test_who_came_after_the_review_began_is_shown_and_decided_on(run, centre, add_user):
    run("quantri", "users", "review", "begin")
    add_user(centre, "muon", "viewer")
    rows = {row["user"]: row for row in json.loads(run("quantri", "users", "review", "show", "--json"))}
    assert (rows["muon"]["roles"], rows["muon"]["verdict"]) == ("viewer", "")
    run("quantri", "users", "review", "decide", "muon", "keep")


def test_nobody_decides_on_himself_nor_beyond_his_units(run):
    with pytest.raises(RefusedError, match="an administrator of the whole sector begins it"):
        run("quantri_tha", "users", "review", "begin")
    run("quantri", "users", "review", "begin")
    with pytest.raises(RefusedError, match="nobody decides on himself"):
        run("quantri", "users", "review", "decide", "quantri", "keep")
    for name in ("duyet", "nobody"):
        with pytest.raises(NotFoundError, match=f"there is no user '{name}' whose rights are all within your units"):
            run("quantri_tha", "users", "review", "decide", name, "keep")
    run("quantri_tha", "users", "review", "decide", "an", "keep")
    with pytest.raises(RefusedError, match="say what is to be changed, or why"):
        run("quantri", "users", "review", "decide", "duyet", "change")
    seen = json.loads(run("quantri_tha", "users", "review", "show", "--json"))
    assert [row["user"] for row in seen] == ["an", "quantri_tha"]


def test_before_the_first_review_there_is_nothing_to_show_or_sign(run):
    assert json.loads(run("quantri", "users", "review", "show", "--json")) == []
    with pytest.raises(NotFoundError, match="there is no review: begin one"):
        run("duyet", "users", "review", "sign")


def test_the_check_reminds_of_a_review_that_is_not_signed(run, centre, clock):
    def note():
        found = centre.read(lambda connection: review_note(connection, clock.now()))
        return found.level, found.text.partition(":")[0]

    assert note() == ("good", f"the review of {QUARTER} is not signed; due by 2026-12-31")
    clock.forward(10 * DAY)  # 2/12/2026
    assert note() == ("warning", f"the review of {QUARTER} is not signed; due by 2026-12-31")
    run("quantri", "users", "review", "begin")
    for user in ("an", "duyet", "quantri", "quantri_tha"):
        run("root", "users", "review", "decide", user, "keep")
    assert note()[0] == "warning"
    run("duyet", "users", "review", "sign")
    assert note() == ("good", f"reviewed and signed for {QUARTER}")
    clock.forward(40 * DAY)  # 11/1/2027: the one before was in time
    assert note() == ("good", "the review of 2027-Q1 is not signed; due by 2027-03-31")
    clock.forward(90 * DAY)
    assert note() == ("warning", "2027-Q1 was not reviewed and signed")


def test_a_database_of_an_earlier_version_is_told_and_no_error(settings, tmp_path):
    made = settings.model_copy(update={"data": tmp_path / "earlier"})
    made.state.parent.mkdir(parents=True)
    made.state.touch()
    found = {note.what: note for note in check(made)}
    for what in ("inventory", "accounts"):
        assert found[what].level == "warning"
        assert "of an earlier version" in found[what].text


def test_requests_are_listed_approved_refused_and_withdrawn(run):
    for role in ("administrator", "viewer"):
        run("quantri", "users", "add", f"moi_{role}", "--role", role)
    assert "đề nghị số 2" in run("quantri", "users", "grant", "moi_administrator", "--role", "administrator")
    assert "đề nghị số 3" in run("quantri", "retention", "set", "events", "400", "--reason", "thử")
    heading, *rows = run("duyet", "requests", "list").splitlines()
    assert heading.split()[:2] == ["Số", "Trạng"]
    assert [row.split()[:3] for row in rows] == [[str(number), "chờ", "duyệt"] for number in (3, 2, 1)]
    assert "refused: 3" in run("duyet", "requests", "refuse", "3", "--text", "chưa cần")
    assert "withdrawn: 2" in run("quantri", "requests", "withdraw", "2")
    assert "approved and done: 1" in run("duyet", "requests", "approve", "1")
    states = {row["id"]: row["state"] for row in json.loads(run("duyet", "requests", "list", "--json"))}
    assert states == {1: "approved", 2: "refused", 3: "refused"}


def test_users_are_added_granted_revoked_and_signed_out(run, centre):
    printed = run("quantri", "users", "add", "binh", "--role", "engineer", "--unit", "vks-nan")
    assert "one-time password of binh: " in printed
    assert "Đã giao / given" in run("quantri", "users", "grant", "binh", "--role", "viewer")
    assert "it was so already" in run("quantri", "users", "grant", "binh", "--role", "viewer")
    listed = run("quantri", "users", "list")
    (row,) = [line for line in listed.splitlines() if line.startswith("binh ")]
    assert "engineer (vks-nan), viewer" in row
    run("quantri", "users", "revoke", "binh", "--role", "viewer")
    run("quantri", "users", "signout", "binh")
    user = centre.read(lambda connection: users.read_user(connection, "binh"))
    assert (user.grants, user.session) == ((Grant("engineer", "vks-nan"),), 3)
    screen = run("quantri", "users", "add", "man_hinh", "--role", "wallboard", "--address", "10.1.0.9")
    assert "one-time password of man_hinh" in screen
    whole = {row["name"]: row for row in json.loads(run("quantri", "users", "list", "--json"))}
    assert whole["man_hinh"]["address"] == "10.1.0.9"
    assert whole["binh"]["grants"] == [{"role": "engineer", "unit": "vks-nan"}]


def test_the_retention_is_shown_with_its_least_and_the_clause(run):
    assert "mặc định / default" in run("an", "retention", "show")
    run("quantri", "retention", "set", "events", "400", "--reason", "thử")
    run("duyet", "requests", "approve", "1")
    (row,) = json.loads(run("an", "retention", "show", "--json"))
    assert (row["name"], row["days"], row["minimum"], row["actor"]) == ("events", 400, 180, "quantri")
    assert row["clause"] == "TCVN 14423:2026, 6.8.2.1"
    assert "22/11/2026 08:51:37" in run("an", "retention", "show")
