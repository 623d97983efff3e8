"""Every look at stored events is a link of the audit chain: by the console, by a command, while the centre is away."""

from __future__ import annotations

import json
import os
import pwd
import re
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from app import cli
from app.callers import Caller
from app.commands import common
from collectors.logs.spooling import decode_event, encode_record
from console.deps import Console
from console.web import create_app
from core import audit
from core.accesses import Accesses
from core.clock import SECOND
from core.errors import NotFoundError, RefusedError, UnavailableError
from core.records import Event, Logsource
from core.sources import read_sources
from core.stores.events import LocalEvents
from core.stores.spool import Spool
from inventory.records import Inventory

WITHHELD = "raw lines are shown only to those who may read the logs of the site"


class Way:
    """The way to the centre, through the open door of a test; ``is_away`` while nobody answers."""

    def __init__(self, door: Any, *, is_console: bool) -> None:
        self._door = door
        self._is_console = is_console
        self.is_away = False

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        if self.is_away:
            raise UnavailableError("the centre does not answer")
        answer = self._door.ask(action, values, console=self._is_console, actor=actor)
        if answer.status_code >= 400:
            kind = NotFoundError if answer.status_code == 404 else RefusedError
            raise kind(answer.json()["reason"])
        return answer.json()

    def close(self) -> None:
        pass


@pytest.fixture
def looks(centre):
    """Who looked at what, by the chain."""

    def look():
        chain = centre.read(lambda connection: list(audit.read_chain(connection)))
        return [(one.actor, one.action, one.object, json.loads(one.detail)) for one in chain if "event." in one.action]

    return look


@pytest.fixture
def sector(settings, surroundings, centre):
    """The inventory of the centre, as files beside the settings."""
    folder = settings.data.parent / "inventory"
    folder.mkdir()
    inventory: Inventory = surroundings(centre).inventory()
    for kind in ("units", "sites"):
        rows = [msgspec.to_builtins(one) for one in getattr(inventory, kind)]
        (folder / f"{kind}.yml").write_text(json.dumps(rows, ensure_ascii=False))
    return folder


@pytest.fixture(autouse=True)
def _stored(settings, clock):
    """Three events of Thanh Hóa, two of Nghệ An."""
    events = [
        Event(
            id=f"logs/1/{number}",
            time=clock.now() - number * SECOND,
            seen=clock.now(),
            logsource=Logsource(product="linux"),
            fields={"message": f"line {number}"},
            raw=b"raw",
            site="tha" if number < 3 else "nan",
        )
        for number in range(5)
    ]
    spool = Spool(settings.logs / "spool", clock)
    spool.open(b"")
    spool.append([encode_record(one, "") for one in events])
    spool.close()


@pytest.fixture
def incident(centre, batch, hits, event):
    """An incident at Thanh Hóa with ten raw lines."""
    centre.receive(batch(hits(map(event, range(10)))))


@pytest.fixture
def way(door):
    return Way(door, is_console=False)


@pytest.fixture(scope="module")
def commands():
    return cli.build(None)


@pytest.fixture
def run(commands, settings, sector, way, door, monkeypatch):
    """Runs a command; ``user`` is whom the local account is mapped to; without one it acts for the machine."""
    file = settings.data.parent / "haidang.toml"
    monkeypatch.setattr(common, "CentreClient", lambda _: way)
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)

    def running(*arguments, user="", account="root"):
        mapped = f'[centre.accounts]\n{account} = "{user}"\n' if user else ""
        file.write_text(f'format = 1\ndata = "{settings.data.name}"\ninventory = "{sector.name}"\n{mapped}')
        door.caller = Caller(user, "user") if user else Caller("local:root", "local")
        done = CliRunner().invoke(commands, [*arguments, "--settings", str(file)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    return running


@pytest.fixture
def console(door, settings, reading, clock, surroundings, centre):
    """A console over the real centre."""
    to_centre = Way(door, is_console=True)
    return Console(
        state=reading,
        centre=to_centre,
        session_key=b"k" * 32,
        language="vi",
        secure=False,
        clock=clock,
        inventory=surroundings(centre).inventory,
        guide=lambda _: {},
        channels=("telephone",),
        events=LocalEvents(settings.logs / "spool", settings.logs / "events", decode_event),
        sources=lambda: read_sources(settings.sources),
        accesses=Accesses(to_centre.call, settings.accesses("console"), clock),
    )


@pytest.fixture
def browse(console, centre, add_user):
    """Signs in with this role and asks for addresses; returns the answers' texts."""

    def browsing(role, unit, *addresses):
        password = add_user(centre, "an", role, unit)
        with TestClient(create_app(console)) as client:
            page = client.get("/sign-in").text
            token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', page)
            assert token
            values = {"_csrf_token": token[1], "name": "an", "password": password}
            assert client.post("/sign-in", data=values, follow_redirects=False).status_code == 303
            return [client.get(address).text for address in addresses]

    return browsing


def test_a_search_by_the_console_says_who_what_scope_and_count(browse, looks):
    (stream,) = browse("analyst", "vks-tha", "/events/stream?q=line&span=24h")
    assert stream.count("line ") >= 3
    ((actor, action, subject, told),) = looks()
    assert (actor, action, subject) == ("an", "event.search", "events")
    assert (told["query"], told["scope"], told["count"], told["cut"]) == ("line", "vks-tha", 3, False)
    assert (told["since"], told["until"]) == ("2026-11-21T01:51:37.000000Z", "")
    assert told["at"] == "2026-11-22T01:51:37.000000Z"


def test_programs_that_ask_the_console_are_noted_alike(browse, looks):
    (answer,) = browse("analyst", "", "/events.json?q=line&span=24h")
    assert len(json.loads(answer)) == 5
    ((actor, action, _, told),) = looks()
    assert (actor, action, told["scope"], told["count"]) == ("an", "event.search", "everything", 5)


def test_while_the_centre_is_away_the_console_still_finds_and_enters_it_afterwards(browse, console, looks, monkeypatch):
    search = console.accesses.search
    away = console.centre

    def cut_off(*arguments):
        away.is_away = True
        return search(*arguments)

    monkeypatch.setattr(console.accesses, "search", cut_off)
    (answer,) = browse("analyst", "", "/events.json?q=line&span=24h")
    assert (len(json.loads(answer)), looks()) == (5, [])
    away.is_away = False
    assert console.accesses.deliver() == 1
    assert [(actor, told["count"]) for actor, _, _, told in looks()] == [("an", 5)]


@pytest.mark.parametrize(
    ("role", "unit", "shown", "entered"),
    [
        ("analyst", "", True, [("an", "event.raw", "incident/1", "everything", 10)]),
        ("analyst", "vks-tha", True, [("an", "event.raw", "incident/1", "vks-tha", 10)]),
        ("viewer", "", False, []),
        ("leader", "vks-tha", False, []),
    ],
)
@pytest.mark.usefixtures("incident")
def test_the_raw_lines_of_an_incident_are_noted_or_withheld(browse, looks, *, role, unit, shown, entered):
    page, part = browse(role, unit, "/incidents/1", "/incidents/1/part")
    for text in (page, part):
        assert ("sshd[9]: failure 3" in text) == shown
        assert ("Nguyên văn nhật ký chỉ hiện với người có quyền" in text) != shown
        assert ('href="/events?' in text) == shown
    seen = [(actor, action, subject, told["scope"], told["count"]) for actor, action, subject, told in looks()]
    assert seen == entered


def test_a_search_by_a_command_says_who_what_scope_and_count(run, looks, centre, add_user):
    add_user(centre, "binh", "engineer", "vks-nan")
    found = json.loads(run("events", "search", "line", "--json", user="binh").stdout)
    assert [row["site"] for row in found] == ["nan", "nan"]
    run("events", "search", "line", "--site", "tha", "--limit", "1")
    ((actor, action, _, told), (machine, _, _, whole)) = looks()
    assert (actor, action, told["scope"], told["count"], told["cut"]) == ("binh", "event.search", "vks-nan", 2, False)
    assert (machine, whole["query"], whole["scope"]) == ("local:root", "line site:tha", "everything")
    assert (whole["count"], whole["cut"]) == (1, True)


def test_what_a_user_has_no_right_to_a_command_does_not_show(run, looks, centre, add_user):
    add_user(centre, "xem", "viewer")
    add_user(centre, "khoa", "analyst", disabled=1)
    for user, command in (("xem", "search"), ("khoa", "search"), ("xem", "quarantined"), ("xem", "histogram")):
        with pytest.raises(RefusedError, match=r"may not do this: it needs the right event\.read"):
            run("events", command, user=user)
    with pytest.raises(RefusedError, match=r"needs the right event\.read"):
        run("hunt", user="xem")
    with pytest.raises(RefusedError, match=r"needs the right audit\.read"):
        run("audit", "verify", user="xem")
    assert looks() == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another account")
@pytest.mark.parametrize("closed", ["data", "data/centre", "data/centre/state.db"])
@pytest.mark.parametrize("words", [("incidents", "list"), ("sites", "list"), ("events", "search"), ("audit", "verify")])
def test_a_mapped_account_that_may_not_read_the_files_is_told_so_in_one_line(
    commands, settings, tmp_path, monkeypatch, closed, words
):
    opened = [tmp_path, *tmp_path.parents[:-1], settings.data, settings.state.parent, settings.state]
    modes = [(path, path.stat().st_mode) for path in opened]
    nobody, file = 65534, tmp_path / "haidang.toml"
    account = pwd.getpwuid(nobody).pw_name
    file.write_text(f'format = 1\ndata = "{settings.data}"\n[centre.accounts]\n{account} = "an"\n')
    monkeypatch.setattr("os.getuid", lambda: nobody)
    try:
        for path, mode in modes:
            path.chmod(mode | 0o055)
        file.chmod(0o644)
        (tmp_path / closed).chmod(0o700)
        os.seteuid(nobody)
        with pytest.raises(RefusedError, match=r"\[centre\.accounts\] is for actions") as told:
            CliRunner().invoke(commands, [*words, "--settings", str(file)], catch_exceptions=False)
    finally:
        os.seteuid(0)
        for path, mode in modes:
            path.chmod(mode)
    assert "\n" not in str(told.value)


def test_an_account_that_is_nobodys_reads_nothing(run, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4711)
    monkeypatch.setattr(common, "owner_of", lambda _: 0)
    for arguments in (("events", "search"), ("incidents", "list"), ("sites", "list"), ("sources", "list")):
        with pytest.raises(RefusedError, match="is mapped to no user"):
            run(*arguments)


@pytest.mark.usefixtures("incident")
def test_sites_and_incidents_are_those_of_ones_units(run, centre, add_user):
    add_user(centre, "binh", "analyst", "vks-nan")
    assert [row["id"] for row in json.loads(run("sites", "list", "--json", user="binh").stdout)] == ["nan"]
    assert len(json.loads(run("sites", "list", "--json").stdout)) == 2
    assert json.loads(run("incidents", "list", "--json", user="binh").stdout) == []
    assert len(json.loads(run("incidents", "list", "--json").stdout)) == 1
    with pytest.raises(NotFoundError, match="not yours to see"):
        run("incidents", "show", "1", user="binh")
    with pytest.raises(NotFoundError, match="there is no site 'tha'"):
        run("events", "search", "nowhere", "--site", "tha", user="binh")


@pytest.mark.usefixtures("incident")
def test_raw_lines_that_a_command_shows_are_noted_or_withheld(run, looks, centre, add_user):
    add_user(centre, "xem", "viewer")
    withheld = run("incidents", "show", "1", user="xem")
    assert "failure 3" not in withheld.output
    assert WITHHELD in withheld.output
    assert looks() == []
    assert "failure 3" in run("incidents", "show", "1").output
    ((actor, action, subject, told),) = looks()
    assert (actor, action, subject, told["count"]) == ("local:root", "event.raw", "incident/1", 10)


def test_a_hunt_is_noted_with_its_hits(run, looks):
    run("hunt", "--since", "2026-11-22T08:00")
    ((actor, action, subject, told),) = looks()
    assert (actor, action, subject, told["query"]) == ("local:root", "event.search", "hunt", "rules in use")
    assert (told["since"], told["count"], told["cut"]) == ("2026-11-22T01:00:00.000000Z", 0, False)


def test_a_command_works_while_the_centre_is_away_and_its_note_goes_with_the_next(run, looks, way):
    way.is_away = True
    assert len(json.loads(run("events", "search", "--json").stdout)) == 5
    assert looks() == []
    way.is_away = False
    run("events", "quarantined")
    assert [(subject, told["count"]) for _, _, subject, told in looks()] == [("quarantine", 0), ("events", 5)]


FORGED = {"what": "search", "object": "events", "query": "x", "scope": "everything", "time": 5 * SECOND}


def test_of_a_user_by_a_local_account_the_centre_says_itself_when_and_within_which_scope(door, centre, add_user, looks):
    add_user(centre, "binh", "analyst", "vks-nan")
    door.caller = Caller("binh", "user")
    assert door.ask("access.note", FORGED).status_code == 200
    ((actor, _, _, told),) = looks()
    assert (actor, told["scope"], told["at"]) == ("binh", "vks-nan", "2026-11-22T01:51:37.000000Z")
    assert told["said"] == "1970-01-01T00:00:05.000000Z"
    assert "by" not in told


def test_a_user_by_a_local_account_hands_over_no_note_of_another(door, centre, add_user, looks):
    add_user(centre, "binh", "analyst", "vks-nan")
    door.caller = Caller("binh", "user")
    reason = "only the console and this machine's own account hand over notes of others"
    assert door.ask("access.note", {**FORGED, "by": "an"}).json() == {"reason": reason}
    assert looks() == []


@pytest.mark.parametrize("is_console", [True, False])
def test_the_console_and_the_machine_are_believed(door, centre, add_user, looks, is_console):
    add_user(centre, "binh", "analyst", "vks-nan")
    assert door.ask("access.note", {**FORGED, "by": "an"}, console=is_console, actor="binh").status_code == 200
    ((actor, _, _, told),) = looks()
    assert actor == ("binh" if is_console else "local:test")
    assert (told["scope"], told["at"], told["by"]) == ("everything", "1970-01-01T00:00:05.000000Z", "an")
