"""haidang inventory against a centre: the difference first, broken rows told, rights by unit, deletion by two."""

from __future__ import annotations

import json

import pytest

from app.centre_api import Caller, Surroundings
from core import audit
from core.errors import ContentError, NotFoundError, RefusedError
from core.stores.inventory import read_records
from core.vault import Vault
from inventory.load import load_inventory
from inventory.stored import decode_inventory

UNITS = """\
- {id: tc, name: VKSND tối cao, type: supreme}
- {id: vks-tha, name: VKSND tỉnh Thanh Hóa, type: province, parent: tc}
- {id: vks-nan, name: VKSND tỉnh Nghệ An, type: province, parent: tc}
"""
SITES = "id,name,unit,address_space,tier\ntha,Thanh Hóa,vks-tha,tha,PROVINCE\nnan,Nghệ An,vks-nan,nan,PROVINCE\n"
DEVICES = "name,site,address,vendor,model,role\n"
ROWS = "rt-tha,tha,10.0.0.1,cisco,ISR,router\nrt-nan,nan,10.0.0.1,cisco,ISR,router\n"


@pytest.fixture
def present(centre):
    """The inventory as it is stored now."""
    return lambda: decode_inventory(centre.read(read_records))


@pytest.fixture
def door(centre, settings, opened, present):
    with opened(centre, Surroundings(present, Vault(settings.secrets))) as made:
        yield made


@pytest.fixture
def sector(tmp_path):
    """A folder of units, sites and devices."""
    folder = tmp_path / "sector"
    folder.mkdir()
    (folder / "units.yml").write_text(UNITS)
    (folder / "sites.csv").write_text(SITES)
    (folder / "devices.csv").write_text(DEVICES + ROWS)
    return folder


@pytest.fixture
def chain(centre):
    """Who did what to what, from the audit chain."""
    return lambda: [(one.actor, one.action, one.object) for one in centre.read(lambda c: list(audit.read_chain(c)))]


@pytest.fixture
def run(command_line):
    return lambda *words, **how: command_line("inventory", *words, **how)


@pytest.fixture
def filled(run, sector, present):
    run("import", str(sector), "--yes")
    return present()


@pytest.fixture
def become(door, centre, add_user):
    """Has the local account act as a new user with this role at this unit."""

    def change(name, role, unit):
        add_user(centre, name, role, unit)
        door.caller = Caller(name, "user")

    return change


def test_the_difference_is_shown_and_nothing_is_written_until_it_is_said_so(run, sector, present):
    told = run("import", str(sector))
    assert "+ devices/rt-tha" in told
    assert "thêm / added: 7" in told
    assert "--yes" in told
    assert present().devices == ()


def test_what_was_imported_is_there_and_a_second_import_changes_nothing(run, sector, present, chain):
    run("import", str(sector), "--yes")
    assert present() == load_inventory(sector)
    entries = len(chain())
    told = run("import", str(sector), "--yes")
    assert "added: 0 · sửa / changed: 0 · không đổi / unchanged: 7" in told
    assert len(chain()) == entries


@pytest.mark.usefixtures("filled")
def test_every_record_is_a_link_in_the_audit_chain_with_who_and_what(run, sector, chain):
    (sector / "devices.csv").write_text(DEVICES + ROWS.replace("ISR", "C8300", 1))
    run("import", str(sector / "devices.csv"), "--yes")
    assert chain()[-1] == ("local:test", "inventory.change", "devices/rt-tha")
    assert len([entry for entry in chain() if entry[1] == "inventory.add"]) == 7


def test_a_broken_row_is_told_by_line_and_reason_and_the_rest_is_done(run, sector, present):
    (sector / "devices.csv").write_text(DEVICES + ROWS + "rt-x,tha,10.0.0.300,cisco,ISR,router\n")
    with pytest.raises(RefusedError, match="1 dòng sai"):
        run("import", str(sector), "--yes")
    assert [one.name for one in present().devices] == ["rt-tha", "rt-nan"]


def test_json_tells_the_same_to_a_program(run, sector):
    (answer,) = json.loads(run("import", str(sector), "--json"))
    assert answer["counts"] == {"added": 7, "changed": 0, "missing": 0, "problems": 0, "unchanged": 0}
    assert answer["added"][0]["kind"] == "units"


@pytest.mark.usefixtures("filled")
def test_what_is_exported_imports_as_no_change(run, tmp_path):
    for form in ("csv", "yml", "xlsx"):
        target = tmp_path / form
        run("export", str(target), "--format", form)
        source = target / "inventory.xlsx" if form == "xlsx" else target
        assert "added: 0 · sửa / changed: 0 · không đổi / unchanged: 7" in run("import", str(source))


@pytest.mark.usefixtures("filled")
def test_an_export_never_overwrites(run, tmp_path):
    run("export", str(tmp_path / "out"))
    with pytest.raises(RefusedError, match="is there already"):
        run("export", str(tmp_path / "out"))


@pytest.mark.usefixtures("filled")
def test_the_stock_take_says_how_many_devices_lack_what_level_4_asks(run, tmp_path):
    assert "2 thiết bị còn thiếu" in run("export", str(tmp_path / "take"), "--stocktake")


@pytest.mark.usefixtures("filled")
def test_policies_are_those_of_a_day_that_is_one(run):
    assert "không có quy định / no policy: 0" in run("policies", "--as-of", "2022-12-02")
    with pytest.raises(ContentError, match="is not a day"):
        run("policies", "--as-of", "2022-13-02")


@pytest.mark.usefixtures("filled")
def test_who_has_one_unit_changes_only_what_is_its_own(run, sector, present, become):
    become("ky_su", "engineer", "vks-tha")
    devices = sector / "devices.csv"
    devices.write_text(DEVICES + ROWS.splitlines()[0].replace("ISR", "C8300"))
    run("import", str(devices), "--yes")
    devices.write_text(DEVICES + ROWS.splitlines()[1].replace("ISR", "C8300"))
    with pytest.raises(RefusedError, match="'rt-nan' is not within your units"):
        run("import", str(devices), "--yes")
    devices.write_text(
        DEVICES + ROWS.splitlines()[0].replace("rt-tha,tha", "rt-tha,nan").replace("10.0.0.1", "10.0.0.9")
    )
    with pytest.raises(RefusedError, match="not within your units"):
        run("import", str(devices), "--yes")
    assert [(one.name, one.site, one.model) for one in present().devices] == [
        ("rt-tha", "tha", "C8300"),
        ("rt-nan", "nan", "ISR"),
    ]


@pytest.mark.usefixtures("filled")
def test_what_goes_is_asked_for_and_goes_when_a_second_person_approves(run, door, present, chain, become):
    told = run("delete", "devices/rt-tha", "--reason", "thanh lý")
    assert "request 1 waits for a second person" in told
    assert len(present().devices) == 2
    become("duyet", "approver", "vks-tha")
    assert door.ask("requests.approve", {"id": 1, "text": "đúng"}).json() == {"request": 1, "deleted": 1}
    assert [one.name for one in present().devices] == ["rt-nan"]
    told = [entry[:2] for entry in chain() if entry[1] == "inventory.delete" or entry[1].startswith("request.")]
    assert told == [
        ("local:test", "request.ask"),
        ("local:test", "inventory.delete"),
        ("duyet", "request.approve"),
    ]


@pytest.mark.usefixtures("filled")
def test_an_approver_of_another_unit_decides_nothing_here(run, door, present, become):
    run("delete", "devices/rt-tha", "--reason", "thanh lý")
    become("duyet", "approver", "vks-nan")
    assert "not yours to decide" in door.ask("requests.approve", {"id": 1}).json()["reason"]
    assert len(present().devices) == 2


@pytest.mark.usefixtures("filled")
def test_what_others_depend_on_cannot_even_be_asked_for(run):
    with pytest.raises(RefusedError, match=r"something depends on it: .*unknown site 'tha'"):
        run("delete", "sites/tha", "--reason", "x")
    with pytest.raises(NotFoundError, match="no devices 'rt-moon'"):
        run("delete", "devices/rt-moon", "--reason", "x")


@pytest.mark.usefixtures("filled")
def test_what_is_not_in_the_file_any_more_is_asked_for_only_on_request(run, sector, present):
    (sector / "devices.csv").write_text(DEVICES + ROWS.splitlines()[0])
    assert "request" not in run("import", str(sector / "devices.csv"), "--yes")
    told = run("import", str(sector / "devices.csv"), "--yes", "--remove")
    assert "- devices/rt-nan" in told
    assert "request 1 waits" in told
    assert len(present().devices) == 2


def test_all_that_is_not_in_the_file_is_asked_for_however_much_an_answer_names(run, sector, present, door):
    ports = [f"rt-tha,p{number},access" for number in range(1_100)]
    (sector / "interfaces.csv").write_text("device,name,role\n" + "\n".join(ports))
    run("import", str(sector), "--yes")
    (sector / "interfaces.csv").write_text("device,name,role\n" + ports[0])
    assert "request 1 waits" in run("import", str(sector / "interfaces.csv"), "--yes", "--remove")
    door.caller = Caller("local:test", "local")
    (asked,) = door.ask("requests.list", {}).json()["requests"]
    assert len(asked["values"]["keys"]) == 1_099
    assert len(present().interfaces) == 1_100


@pytest.mark.usefixtures("filled")
def test_more_than_can_be_asked_for_at_once_is_not_asked_for_at_all(run, sector, door, monkeypatch):
    monkeypatch.setattr("app.commands.inventory.MOST_REMOVED", 1)
    (sector / "devices.csv").write_text(DEVICES + "rt-new,tha,10.0.0.9,cisco,ISR,router\n")
    told = run("import", str(sector / "devices.csv"), "--yes", "--remove", status=1)
    assert "no removal is asked for: more than 1 records" in told
    assert door.ask("requests.list", {}).json() == {"requests": []}


def test_an_inventory_of_files_is_changed_in_its_files(centre, settings, opened, present):
    with opened(centre, Surroundings(present, Vault(settings.secrets), is_folder=True)) as door:
        answer = door.ask("inventory.delete", {"keys": [["devices", "rt"]], "reason": "x"})
    assert "change its files" in answer.json()["reason"]


@pytest.mark.parametrize(
    ("words", "status"), [(("delete", "rt-tha", "--reason", "x"), 2), (("export", "x", "--format", "pdf"), 2)]
)
def test_wrong_words_are_bad_usage(run, words, status, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(*words, status=status)
