"""The command line: what it prints, in a pipe."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest
from typer.testing import CliRunner

from app import cli
from app.commands import common, up
from collectors.logs.spooling import encode_record
from core.errors import ContentError, NotFoundError, RefusedError, SettingsError, UnavailableError
from core.files import own_folder
from core.records import Event, Logsource
from core.stores.spool import Spool

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def commands():
    """The whole command line."""
    return cli.build(None)


@pytest.fixture
def file(tmp_path, settings):
    """A settings file over the prepared folder."""
    path = tmp_path / "haidang.toml"
    path.write_text(f'format = 1\ndata = "{settings.data.name}"\n')
    return path


@pytest.fixture
def run(commands, file, monkeypatch):
    """Runs a command in a pipe and returns what it prints; an error of ours comes as it was raised."""
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)

    def running(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(commands, [*arguments, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == status, done.output
        assert ESCAPE not in done.output
        return done.output

    return running


@pytest.fixture
def incident(centre, batch, hits, event):
    """One incident by ten guesses, and then a login."""
    centre.receive(batch(hits(map(event, range(10)))))
    centre.receive(batch(hits([event(10, outcome="success")]), since=10))


@pytest.fixture
def store(settings, clock):
    """Puts events with these messages into the lane's store, a second apart."""

    def storing(*messages: str, logsource: Logsource | None = None) -> list[Event]:
        events = [
            Event(
                id=f"logs/1/{number}",
                time=clock.now() + number * 1_000_000_000,
                seen=clock.now(),
                logsource=logsource or Logsource(product="linux"),
                fields={"message": message},
                raw=message.encode(),
                site="tha" if number % 2 else "hcm",
            )
            for number, message in enumerate(messages)
        ]
        spool = Spool(settings.logs / "spool", clock)
        spool.open(b"")
        spool.append([encode_record(one, "") for one in events])
        spool.close()
        return events

    return storing


@pytest.mark.usefixtures("incident")
def test_incidents_are_listed_with_what_a_person_needs(run):
    (heading, row) = run("incidents", "list").splitlines()
    assert re.search(r"^Số +Mức độ +Trạng thái +Sự cố +Điểm cầu +\S.* +Xảy ra", heading)
    assert row.split()[:4] == ["1", "nghiêm", "trọng", "mới"]
    assert "Đăng nhập SSH thành công sau khi dò mật khẩu" in row
    assert row.rstrip().endswith("22/11/2026 08:51:07")


@pytest.mark.usefixtures("incident")
def test_incidents_come_whole_as_json(run):
    (row,) = json.loads(run("incidents", "list", "--json"))
    assert (row["id"], row["cause"], row["sites"]) == (1, "ssh_password_guessing", ["tha"])


@pytest.mark.usefixtures("incident")
def test_closed_incidents_are_listed_when_asked_for(run):
    assert json.loads(run("incidents", "list", "--json", "--state", "closed")) == []
    assert len(json.loads(run("incidents", "list", "--json", "--state", "closed", "--state", "new"))) == 1


def test_no_incidents_are_an_empty_list(run):
    assert json.loads(run("incidents", "list", "--json")) == []


@pytest.mark.usefixtures("incident")
def test_an_incident_is_shown_with_raw_lines_and_timeline(run):
    text = run("incidents", "show", "1")
    assert "Dò mật khẩu SSH (10)" in text
    assert text.count("'<38>sshd[9]: failure 3'") == 2
    assert [line.split("  ", 1)[1] for line in text.splitlines()[-2:]] == [
        "haidang  opened  Dò mật khẩu SSH",
        "haidang  evidence  Đăng nhập SSH thành công sau khi dò mật khẩu",
    ]


@pytest.mark.usefixtures("incident")
def test_an_incident_as_json_holds_its_evidence(run):
    (dossier,) = json.loads(run("incidents", "show", "1", "--json"))
    assert dossier["incident"]["severity"] == "critical"
    assert sorted(alert["count"] for alert in dossier["alerts"]) == [10, 11]
    assert dossier["alerts"][0]["evidence"][0] == {
        "event": "logs/7/0",
        "time": dossier["incident"]["occurred"],
        "raw": "<38>sshd[9]: failure 0",
    }
    assert [entry["action"] for entry in dossier["timeline"]] == ["opened", "evidence"]


def test_an_incident_that_is_not_there_is_told(run):
    with pytest.raises(NotFoundError, match="there is no incident 9"):
        run("incidents", "show", "9")


def test_stored_events_are_listed_the_latest_first(run, store):
    store("first line", "second line", "third line")
    rows = json.loads(run("events", "search", "--json"))
    assert [row["raw"] for row in rows] == ["third line", "second line", "first line"]
    assert [row["raw"] for row in json.loads(run("events", "search", "SECOND", "--json"))] == ["second line"]
    assert [row["raw"] for row in json.loads(run("events", "search", "--site", "tha", "--json"))] == ["second line"]
    assert [line.split()[-2] for line in run("events", "search").splitlines()[1:]] == ["third", "second", "first"]


@pytest.mark.parametrize(
    ("time", "found"),
    [
        ("2026-11-22T08:51:38", ["b", "c"]),
        ("2026-11-22T01:51:38+00:00", ["b", "c"]),
        ("2026-11-22T01:51:38Z/", ["b", "c"]),
        ("2026-11-22T08:51:37/2026-11-22T08:51:38", ["a"]),
        ("/2026-11-22T08:51:39", ["a", "b"]),
        ("2026-11-22", ["a", "b", "c"]),
        ("2026-11-23", []),
        ("2026-11-21/2026-11-22", []),
        ("1970-01-01", ["a", "b", "c"]),
        ("2026-11-22/2115-12-31", ["a", "b", "c"]),
    ],
)
def test_a_time_is_an_interval_or_its_beginning_in_vietnams_time(run, store, time, found):
    store("a", "b", "c")
    rows = json.loads(run("events", "search", "--time", time, "--json"))
    assert sorted(row["raw"] for row in rows) == found


@pytest.mark.parametrize("time", ["yesterday", "22/11/2026", "2026-11-22T25:00", "2026-11-22/soon", "13:30"])
def test_a_time_that_is_none_is_told_with_the_form(run, time):
    with pytest.raises(ContentError, match="is no time: write 2026-11-22T13:30 or"):
        run("events", "search", "--time", time)


@pytest.mark.parametrize("time", ["0001-01-01", "2026-11-22/9999-12-31", "1969-12-31", "2116-01-01T00:00+14:00"])
def test_a_time_beyond_all_that_can_be_stored_is_told_with_the_years(run, store, time):
    store("a")
    with pytest.raises(ContentError, match="is too far off: write a time from 1970 to 2115"):
        run("events", "search", "--time", time)


def test_a_search_that_is_cut_says_so_and_one_that_is_not_says_nothing(file, store):
    store("first line", "second line", "third line")

    def search(limit):
        words = ["events", "search", "--limit", limit, "--json", "--settings", str(file)]
        return CliRunner().invoke(cli.build("events"), words, catch_exceptions=False)

    cut, whole = search("2"), search("3")
    assert [row["raw"] for row in json.loads(cut.stdout)] == ["third line", "second line"]
    assert "only the latest 2 are shown: see --limit" in cut.stderr
    assert (len(json.loads(whole.stdout)), whole.stderr) == (3, "")


def test_a_site_that_is_none_is_told_unless_there_are_events_of_it(run, store):
    store("a", "b", "c")
    assert json.loads(run("events", "search", "--site", "tha", "--json"))
    with pytest.raises(NotFoundError, match="there is no site 'nope'"):
        run("events", "search", "--site", "nope")


def test_a_search_where_nothing_was_ever_stored_is_told(run):
    with pytest.raises(UnavailableError, match=r"there are no stored events in .*lanes/logs: has 'haidang up' run"):
        run("events", "search")


def test_an_error_of_ours_is_one_line_and_status_1(file, monkeypatch, capsys):
    arguments = ["haidang", "events", "search", "--time", "yesterday", "--settings", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.out == ""
    assert said.err == ("haidang: 'yesterday' is no time: write 2026-11-22T13:30 or 2026-11-22T13:30:00+07:00\n")


def test_quarantined_messages_are_kept_apart_with_their_reason(run, store):
    store("good")
    (listed,) = json.loads(run("events", "search", "--json"))
    assert listed["raw"] == "good"
    store("\x00\x01", logsource=Logsource(product="haidang", service="quarantine"))
    (listed,) = json.loads(run("events", "quarantined", "--json"))
    assert listed["raw"] == "\x00\x01"
    assert len(json.loads(run("events", "search", "--json"))) == 1


@pytest.mark.parametrize(
    "message",
    ["Connection closed by 203.0.113.45 port 51022 [preauth]", "x [/preauth] y", "disk :warning: full", "a [link=x]b"],
)
def test_a_message_is_printed_as_it_is(run, store, message):
    store(message)
    assert message in run("events", "search")


def test_a_message_does_not_steer_the_terminal(run, store):
    store("\x1b]0;owned\x07\x1b[2Jgone")
    assert "gone" in run("events", "search")


def test_shipped_sites_and_devices_are_listed(run, file):
    sector = cli.__file__.replace("app/cli.py", "lab/data/sector")
    file.write_text(file.read_text() + f'inventory = "{sector}"\n')
    assert len(json.loads(run("sites", "list", "--json"))) == 30
    assert len(run("sites", "list").splitlines()) == 31
    assert {"name", "site", "address"} <= json.loads(run("devices", "list", "--json"))[0].keys()


class FakeCentre:
    """Answers what it is told to, and notes what it is asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, dict[str, object]]] = []
        self.closed = 0

    def __call__(self, _: object) -> FakeCentre:
        return self

    def call(self, action: str, actor: str = "", **values: object) -> object:
        self.asked.append((action, actor, values))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def fake(monkeypatch):
    def faking(answer):
        made = FakeCentre(answer)
        monkeypatch.setattr(common, "CentreClient", made)
        return made

    return faking


AN = {
    "name": "an",
    "roles": "analyst (vks-tha)",
    "factor": "on",
    "issuer": "",
    "address": "",
    "seen": 0,
    "disabled": True,
}
USERS = {"users": [AN]}


def test_users_are_listed_as_the_centre_knows_them(run, fake):
    centre = fake(USERS)
    (heading, row) = run("users", "list").splitlines()
    assert heading.split()[:3] == ["Tên", "Vai", "trò"]
    assert row.split() == ["an", "analyst", "(vks-tha)", "có", "–", "có"]
    assert json.loads(run("users", "list", "--json")) == USERS["users"]
    assert centre.asked == [("users.list", "", {})] * 2
    assert centre.closed == 2


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (
            ["users", "add", "an", "--role", "viewer", "--unit", "vks-tha"],
            ("users.add", {"name": "an", "role": "viewer", "unit": "vks-tha", "address": ""}),
        ),
        (["users", "signout", "an"], ("users.signout", {"name": "an"})),
        (["users", "reset", "an"], ("users.reset", {"name": "an"})),
        (["users", "disable", "an"], ("users.disable", {"name": "an"})),
        (["users", "enable", "an"], ("users.enable", {"name": "an"})),
        (["incidents", "ack", "3"], ("incidents.acknowledge", {"id": 3})),
        (["incidents", "assign", "3", "an"], ("incidents.assign", {"id": 3, "owner": "an"})),
        (["incidents", "note", "3", "gọi lại"], ("incidents.note", {"id": 3, "text": "gọi lại"})),
        (
            ["incidents", "close", "3", "benign", "--text", "cúp điện"],
            ("incidents.close", {"id": 3, "verdict": "benign", "text": "cúp điện"}),
        ),
        (
            ["incidents", "create", "Mất mạng", "--severity", "high", "--site", "tha"],
            (
                "incidents.create",
                {"title": "Mất mạng", "severity": "high", "site": "tha", "channel": "telephone", "text": ""},
            ),
        ),
    ],
)
def test_a_change_is_asked_of_the_centre_in_the_callers_own_name(run, fake, arguments, asked):
    centre = fake({"name": "an", "password": "abcd-efgh", "id": 3})
    run(*arguments)
    assert centre.asked == [(asked[0], "", asked[1])]
    assert centre.closed == 1


def test_a_one_time_password_is_printed_once(run, fake):
    fake({"name": "an", "password": "abcd-efgh"})
    assert run("users", "add", "an") == "Mật khẩu dùng một lần của / one-time password of an: abcd-efgh\n"


def test_a_refusal_of_the_centre_is_the_commands_error(run, fake):
    centre = fake(RefusedError("incident 3 is closed"))
    with pytest.raises(RefusedError, match="incident 3 is closed"):
        run("incidents", "ack", "3")
    assert centre.closed == 1


@pytest.mark.parametrize("arguments", [["incidents", "close", "3", "perhaps"], ["incidents", "show", "x"], ["fly"]])
def test_bad_usage_is_status_2(run, arguments):
    run(*arguments, status=2)


@pytest.mark.parametrize("name", [*cli.GROUPS, *cli.TOP])
def test_every_command_is_there_by_itself_and_with_all(commands, name):
    for app in (commands, cli.build(name)):
        done = CliRunner().invoke(app, [name, "--help"])
        assert done.exit_code == 0, done.output
        assert f" {name} " in done.output


def test_check_ends_with_status_1_where_something_is_wrong(run, file):
    file.write_text(file.read_text() + 'rules = ["none"]\n')
    rows = json.loads(run("check", "--json", status=1))
    assert [row["what"] for row in rows if row["level"] == "error"][:1] == ["rules"]


@pytest.mark.usefixtures("incident")
def test_a_whole_audit_chain_is_said_to_be_whole(run):
    assert "the chain is whole: 3 entries" in run("audit", "verify")
    assert json.loads(run("audit", "verify", "--json")) == []


class Idle:
    """A supervisor that starts nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def run(self, _: object) -> bool:
        return True


def test_a_lane_is_not_run_beside_the_platform_that_runs_it_already(run, settings, monkeypatch):
    monkeypatch.setattr(up, "Supervisor", Idle)
    held = own_folder(settings.data, "platform")
    try:
        with pytest.raises(UnavailableError, match="another haidang runs"):
            run("up", "--lane", "logs")
    finally:
        os.close(held)


def test_a_lane_that_there_is_not_is_named(run):
    with pytest.raises(SettingsError, match="no lane 'fax'"):
        run("up", "--lane", "fax")
