"""haidang devices: what is told of a device, adding one, and putting one to the test, by whom it may be."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import fleets
import pytest
from typer.testing import CliRunner

from app.centre_api import Surroundings
from app.cli import build as build_commands
from app.commands import device_questions
from app.ping import Echo, ping
from core import audit
from core.device_states import DeviceState, DeviceStates, Reach, write_device_states
from core.errors import NotFoundError, RefusedError, UnavailableError
from core.files import make_folder
from core.scope import Grant
from core.stores.inventory import read_records
from core.stores.users import NewUser, add_user, set_columns
from core.vault import Vault
from inventory.stored import decode_inventory
from lab.fleet.walks import read_walk

ADDRESS = "127.10.1.1"
UNITS = """\
- {id: tc, name: VKSND tối cao, type: supreme}
- {id: vks-tha, name: VKSND tỉnh Thanh Hóa, type: province, parent: tc}
"""
SITES = "id,name,unit,address_space,tier\nhn,Hà Nội,tc,default,DC\ntha,Thanh Hóa,vks-tha,default,PROVINCE\n"
NEW = ("--site", "tha", "--address", ADDRESS, "--vendor", "juniper", "--model", "EX4300", "--role", "router")
SECRET = "dấu-7Qx-community"


@pytest.fixture
def door(centre, settings, opened):
    def present():
        return decode_inventory(centre.read(read_records))

    with opened(centre, Surroundings(present, Vault(settings.secrets))) as made:
        yield made


@pytest.fixture
def run(command_line, tmp_path) -> Callable[..., str]:
    """A command on a sector with two sites and no device."""
    folder = tmp_path / "sector"
    folder.mkdir()
    (folder / "units.yml").write_text(UNITS)
    (folder / "sites.csv").write_text(SITES)
    command_line("inventory", "import", str(folder), "--yes")
    return command_line


@pytest.fixture
def chain(centre) -> Callable[[], list[tuple[str, str, str]]]:
    """Who did what to what, with what."""
    return lambda: [(one.action, one.object, one.detail) for one in centre.read(lambda c: list(audit.read_chain(c)))]


def credential(run, name: str = "core", community: str = "public", *target: str) -> None:
    run("credentials", "add", name, "--kind", "snmp_v2c", piped=f"{community}\n")
    run("credentials", "assign", name, *(target or ("--site", "tha")))


@pytest.fixture
def fleet(tmp_path, run) -> Iterator[Any]:
    """An agent at the device's address; the settings name its port."""
    with fleets.running("--size", "1x1x4", "--no-ipv6", "--v3", "op:authentic-1:private-22") as found:
        with (tmp_path / "haidang.toml").open("a") as file:
            file.write(f"[lane.snmp]\nport = {found.port}\ntimeout_seconds = 0.3\n")
        run("devices", "add", "rt-tha", *NEW, "--yes")
        yield found


def examined(run, device: str = "rt-tha", status: int = 0) -> dict[str, Any]:
    (report,) = json.loads(run("devices", "test", device, "--json", status=status))
    return report


def test_a_device_is_shown_before_it_is_added_and_added_once(run):
    told = run("devices", "add", "rt-tha", *NEW)
    assert "+ devices/rt-tha" in told
    assert "--yes" in told
    with pytest.raises(NotFoundError):
        run("devices", "show", "rt-tha")
    credential(run, "core", "public", "--site", "hn")
    told = run("devices", "add", "rt-tha", *NEW, "--credential", "core", "--yes")
    assert "+ credentials/core: device rt-tha" in told
    assert json.loads(run("credentials", "which", "rt-tha", "--json")) == [{"order": 1, "name": "core"}]
    with pytest.raises(RefusedError, match="there is a device 'rt-tha'"):
        run("devices", "add", "rt-tha", *NEW)


def test_a_device_at_an_unknown_site_is_refused_and_nothing_is_added(run):
    with pytest.raises(RefusedError, match="wrong rows"):
        run("devices", "add", "rt-x", "--site", "nowhere", *NEW[2:], "--yes")
    assert json.loads(run("devices", "list", "--json")) == []


def test_list_and_show_tell_what_the_lane_knows(run, settings):
    run("devices", "add", "rt-tha", *NEW, "--yes")
    assert json.loads(run("devices", "list", "--json"))[0]["snmp"] is None
    state = DeviceState(
        name="rt-tha", site="tha", address=ADDRESS, state=Reach.REFUSED, refused=("core",), failure="wrong_community"
    )
    make_folder(settings.snmp)
    write_device_states(settings.device_states, DeviceStates(written=1, devices=(state,)))
    assert json.loads(run("devices", "list", "--json"))[0]["snmp"]["state"] == "refused"
    assert "từ chối" in run("devices", "list")
    shown = run("devices", "show", "rt-tha")
    assert "sai chuỗi community" in shown
    assert "core" in shown


@pytest.mark.usefixtures("fleet")
def test_a_test_names_profile_columns_and_times_and_is_written_down(run, chain):
    credential(run)
    report = examined(run)
    assert (report["verdict"], report["credential"], report["profile"]) == ("good", "core", "juniper")
    ports = next(one for one in report["tables"] if one["name"] == "interfaces")
    assert ports["rows"] == 4
    assert {"name": "in_octets", "values": 4} in ports["columns"]
    assert report["varbinds"] > 50
    assert report["took_ms"] > 0
    told = run("devices", "test", "rt-tha")
    assert "tốt / good" in told
    assert "juniper" in told
    assert "public" not in told
    notes = [entry for entry in chain() if entry[1] == "device/rt-tha"]
    assert len(notes) == 2
    assert json.loads(notes[0][2])["query"] == "test: core"


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("community", ["wrong", SECRET])
def test_a_wrong_community_is_told_by_the_sets_name_alone(run, community):
    credential(run, "core", community)
    report = examined(run, status=1)
    assert [(one["name"], one["outcome"]) for one in report["credentials"]] == [("core", "wrong_community")]
    assert report["verdict"] == "wrong_community"
    told = run("devices", "test", "rt-tha", status=1)
    assert "sai chuỗi community" in told
    assert SECRET not in told + json.dumps(report)


@pytest.mark.usefixtures("fleet")
def test_sets_are_tried_in_order_until_one_is_taken(run):
    credential(run, "near", "wrong", "--device", "rt-tha")
    credential(run, "far", "public", "--family", "juniper")
    report = examined(run)
    assert [(one["name"], one["outcome"]) for one in report["credentials"]] == [
        ("near", "wrong_community"),
        ("far", "taken"),
    ]
    assert report["credential"] == "far"


def test_a_device_without_a_set_and_one_where_nothing_listens_are_told_apart(run, fleet):
    assert examined(run, status=1)["verdict"] == "no_credential_set"
    run("devices", "add", "rt-off", "--site", "tha", "--address", "127.10.9.9", *NEW[4:], "--yes")
    credential(run)
    report = examined(run, "rt-off", status=1)
    assert report["verdict"] == "silent"
    fleet.process.terminate()
    fleet.process.wait(20)
    assert examined(run, status=1)["verdict"] == "refused"


@pytest.mark.usefixtures("fleet")
def test_a_walk_is_saved_with_its_types_for_the_lab_and_no_file_is_overwritten(run, tmp_path):
    credential(run)
    saved = tmp_path / "rt-tha.jsonl"
    run("devices", "walk", "rt-tha", "--root", "1.3.6.1.2.1.2", "--out", str(saved))
    lines = [json.loads(line) for line in saved.read_text().splitlines()]
    assert all(line["oid"].startswith("1.3.6.1.2.1.2.") for line in lines)
    assert {line["type"] for line in lines} >= {"integer", "counter32", "gauge32", "string", "hex", "timeticks"}
    assert read_walk(saved) is not None
    with pytest.raises(RefusedError, match="is there already"):
        run("devices", "walk", "rt-tha", "--out", str(saved))


@pytest.mark.usefixtures("fleet")
def test_a_walk_of_a_device_that_takes_no_set_says_why(run):
    credential(run, "core", "wrong")
    with pytest.raises(UnavailableError, match="does not take this community"):
        run("devices", "walk", "rt-tha")


@pytest.mark.usefixtures("fleet")
def test_another_account_than_the_platforms_own_opens_no_set(run, monkeypatch):
    credential(run)
    monkeypatch.setattr(device_questions, "os", SimpleNamespace(getuid=lambda: 4711))
    monkeypatch.setattr(device_questions, "owner_of", lambda _: 0)
    with pytest.raises(RefusedError, match="own account only"):
        run("devices", "test", "rt-tha")


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("grant", "error"),
    [
        (Grant("engineer", "vks-tha"), None),
        (Grant("engineer", "tc"), None),
        (Grant("viewer"), RefusedError),
        (Grant("analyst"), RefusedError),
    ],
)
def test_who_may_change_a_device_may_test_it(run, centre, tmp_path, grant: Grant, error):
    credential(run)
    account = pwd.getpwuid(os.getuid()).pw_name
    file = tmp_path / "haidang.toml"
    file.write_text(f'{file.read_text()}[centre.accounts]\n{account} = "lan"\n')
    centre.change(lambda connection, _: add_user(connection, 1, "test", NewUser(name="lan", grant=grant)))
    centre.change(lambda connection, _: set_columns(connection, "lan", must_change=0, totp=b"sealed", totp_used=1))
    if error is None:
        assert examined(run)["verdict"] == "good"
    else:
        with pytest.raises(error, match=r"inventory\.write"):
            run("devices", "test", "rt-tha")


@pytest.mark.usefixtures("fleet")
def test_a_device_of_another_unit_is_not_there(run, centre, tmp_path):
    run("devices", "add", "rt-hn", "--site", "hn", "--address", "127.10.1.2", *NEW[4:], "--yes")
    account = pwd.getpwuid(os.getuid()).pw_name
    file = tmp_path / "haidang.toml"
    file.write_text(f'{file.read_text()}[centre.accounts]\n{account} = "lan"\n')
    grant = Grant("engineer", "vks-tha")
    centre.change(lambda connection, _: add_user(connection, 1, "test", NewUser(name="lan", grant=grant)))
    centre.change(lambda connection, _: set_columns(connection, "lan", must_change=0, totp=b"sealed", totp_used=1))
    for command in ("test", "walk"):
        with pytest.raises(NotFoundError):
            run("devices", command, "rt-hn")


def test_an_echo_of_this_machine_is_answered_or_not_permitted():
    for address in ("127.0.0.1", "127.10.1.1"):
        found = ping(address)
        assert found.echo in {Echo.ANSWERED, Echo.NOT_PERMITTED}
        assert (found.ms is not None) == (found.echo is Echo.ANSWERED)


def test_an_account_that_may_not_ping_is_told_so(monkeypatch):
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("app.ping.socket.socket", forbidden)
    assert ping("127.0.0.1").echo is Echo.NOT_PERMITTED


def test_add_names_every_column_that_must_be_given():
    ran = CliRunner().invoke(build_commands("devices"), ["devices", "add", "--help"], env={"COLUMNS": "200"})
    for name in ("--site", "--address", "--vendor", "--model", "--role", "--credential", "--yes"):
        assert name in ran.output
