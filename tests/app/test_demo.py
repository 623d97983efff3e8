"""The demo's own part: its settings, its password, its processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from app import demo
from app.centre import FIRST_ADMINISTRATOR
from app.content import SNMP, read_inventory
from app.services import SERVICES
from app.snmp.plan import open_sets, plan
from app.supervisor import Service
from core.clock import SystemClock
from core.errors import UnavailableError
from core.files import own_folder
from core.settings import Settings, read_settings
from core.stores.credentials import read_sealed
from core.stores.migrate import open_state
from core.stores.signing_in import sign_in
from core.stores.users import User, password_fits, read_user
from core.vault import Vault


class Watching:
    """A supervisor that starts nothing and tells at once that all is up."""

    def __init__(self, services: list[Service], _: object) -> None:
        Watching.services = services

    def run(self, started) -> bool:
        started()
        return True


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the demo and returns what it prints."""
    monkeypatch.setattr(demo, "Supervisor", Watching)
    locks = []
    monkeypatch.setattr(demo, "own_folder", lambda folder, name: locks.append(own_folder(folder, name)))

    def running() -> str:
        assert demo.run_demo(tmp_path / "demo", pytest.fail)
        os.close(locks.pop())  # as the end of the process does
        return capsys.readouterr().out

    return running


@pytest.fixture
def settings(tmp_path):
    """The demo's settings, once it has run."""
    return lambda: read_settings(tmp_path / "demo" / "haidang.toml")


def password_in(text: str, name: str = FIRST_ADMINISTRATOR) -> str:
    (line,) = (line for line in text.splitlines() if line.strip().startswith(name))
    return line.split()[-1]


def signed_in(settings: Settings, password: str) -> User | None:
    engine = open_state(settings.state)
    with engine.begin() as connection:
        right = password_fits(connection, FIRST_ADMINISTRATOR, password)
        user = sign_in(connection, SystemClock().now(), FIRST_ADMINISTRATOR, right=right)
    engine.dispose()
    return user


def test_the_settings_are_a_settings_file_in_the_space_of_the_lab(run, settings, tmp_path):
    run()
    made = settings()
    assert made.lane.logs.space == "lab"
    assert made.data.resolve() == tmp_path / "demo"
    sector = read_inventory(made)
    assert {prefix.space for prefix in sector.prefixes} == {"lab"}
    assert len(sector.sites) == 30


def test_the_password_that_is_shown_signs_the_administrator_in_and_must_be_changed(run, settings):
    password = password_in(run())
    user = signed_in(settings(), password)
    assert user is not None
    assert (user.roles, user.must_change) == (("administrator",), True)


def test_beside_the_administrator_there_is_one_who_watches(run, settings):
    assert password_in(run(), "demo")
    engine = open_state(settings().state)
    with engine.connect() as connection:
        assert read_user(connection, "demo").roles == ("analyst", "leader")
    engine.dispose()


def test_a_second_demo_in_the_same_folder_is_refused(run, tmp_path):
    (tmp_path / "demo").mkdir()
    held = own_folder(tmp_path / "demo", "platform")
    with pytest.raises(UnavailableError, match="another haidang runs"):
        run()
    os.close(held)


def test_each_start_gives_a_fresh_password_and_the_old_one_ends(run, settings):
    first, second = password_in(run()), password_in(run())
    assert first != second
    assert signed_in(settings(), first) is None
    assert signed_in(settings(), second) is not None


def test_the_platform_starts_before_the_lab_which_sends_to_its_ports(run, settings):
    run()
    *platform, lab, fleet = Watching.services
    assert [service.name for service in platform] == list(SERVICES)
    file = str(settings().data.resolve() / "haidang.toml")
    assert all(service.command[-2:] == ("--settings", file) for service in platform)
    logs = settings().lane.logs
    assert lab.command[:3] == (sys.executable, "-m", "lab")
    assert ("--target", logs.udp) == lab.command[4:6]
    assert fleet.command[:4] == (sys.executable, "-m", "lab", "fleet")
    assert ("--port", str(settings().lane.snmp.port)) == fleet.command[8:10]
    assert not lab.says_ready
    assert not fleet.says_ready


def test_every_device_of_the_sector_is_polled(run, settings):
    run()
    run()
    made = settings()
    engine = open_state(made.state)
    with engine.connect() as connection:
        sealed = read_sealed(connection, SNMP)
    engine.dispose()
    sets = open_sets(Vault(made.secrets), sealed.sets, pytest.fail)
    planned = plan(read_inventory(made), sealed.targets, sets, made.lane.snmp.space)
    assert len(planned.devices) == 90
    assert {one.sets for one in planned.devices} == {("lab",)}


def test_what_is_shown_says_where_to_look(run, settings):
    text = run()
    assert f"http://{settings().console.address}/" in text
    assert FIRST_ADMINISTRATOR in text


@pytest.mark.parametrize("where", [None, "/usr/bin/haidang"])
def test_what_is_shown_can_be_typed_as_it_stands(run, monkeypatch, where):
    monkeypatch.setattr(demo.shutil, "which", lambda _: where)
    monkeypatch.setattr(demo.sys, "executable", str(Path.cwd() / ".venv" / "bin" / "python3"))
    program = "haidang" if where else ".venv/bin/haidang"
    text = run()
    assert f"command line: {program} incidents list" in text
    assert f"something: {program} lab fault" in text


def test_the_lab_is_a_program_of_its_own_and_its_exit_status_is_ours(capfd):
    assert demo.run_lab(["--help"]) == 0
    assert demo.run_lab(["fly"]) == 2
    assert "scenario" in capfd.readouterr().out


def test_the_labs_sector_is_shipped_beside_the_packages():
    assert Path(demo.__file__).parent.parent / "lab" / "data" / "sector" == demo.SECTOR
