"""Nothing outside of one's units is changed or told: every action and every command, as every role, in random trees.

Actions and commands are taken from their own tables. One that is not named here fails: say what of a unit it is given,
and it is held to the same; or, where it concerns no unit, why.
"""

from __future__ import annotations

import base64
import json
import os
import pwd
import random

import msgspec
import pytest
import typer
from sector_world import RULE, TODAY, World, fill_logs, fill_state, make_world, marks_in
from sqlalchemy import Connection
from typer.testing import CliRunner

from app.actions.packed_rows import pack_rows
from app.actions.table import ACTIONS
from app.centre_api import REFUSED_ACTION, Caller, Surroundings
from app.cli import GROUPS, TOP
from app.cli import build as build_commands
from collectors.logs.marks import Marks
from collectors.logs.resend import Tails
from collectors.logs.spooling import Ends, encode_head, encode_record
from core import audit
from core.clock import SystemClock
from core.scope import Grant
from core.settings import HOME
from core.stores import catalogue
from core.stores.catalogue import CatalogueRule, RuleState
from core.stores.grants import put_grant
from core.stores.inventory import Put, put_records, read_records
from core.stores.users import NewUser, add_user, set_columns
from core.vault import Vault
from inventory.formats.rows import Row
from inventory.registry import cells_of, key_of, records_of
from inventory.rights import ROLES, SECTOR_WIDE, may, scope_of
from inventory.stored import decode_inventory

SEEDS = (1, 2)


def of_rows(world: World, name: str) -> dict[str, object]:
    """An import that would change the unit's device."""
    (device,) = (one for one in world.inventory.devices if one.site == f"s-{name}")
    row = Row(place="devices.csv, line 2", cells=cells_of(device) | {"model": "C8300"})
    return {"content": base64.b64encode(pack_rows({"devices": [row]})).decode()}


OF_A_UNIT = {
    "incidents.create": lambda _, name: {"title": "x", "site": f"s-{name}"},
    "incidents.acknowledge": lambda world, name: {"id": world.number(name) + 1},
    "incidents.assign": lambda world, name: {"id": world.number(name) + 1, "owner": "everywhere"},
    "incidents.note": lambda world, name: {"id": world.number(name) + 1, "text": "x"},
    "incidents.close": lambda world, name: {"id": world.number(name) + 1},
    "users.add": lambda _, name: {"name": f"new_{name}", "role": "viewer", "unit": name},
    "users.grant": lambda _, name: {"name": f"of_{name}", "role": "leader", "unit": name},
    "users.revoke": lambda _, name: {"name": f"of_{name}", "role": "viewer", "unit": name},
    "users.reset": lambda _, name: {"name": f"of_{name}"},
    "users.disable": lambda _, name: {"name": f"of_{name}"},
    "users.enable": lambda _, name: {"name": f"of_{name}"},
    "users.signout": lambda _, name: {"name": f"of_{name}"},
    "requests.approve": lambda world, name: {"id": world.number(name) + 1},
    "requests.refuse": lambda world, name: {"id": world.number(name) + 1},
    "inventory.compare": of_rows,
    "inventory.import": of_rows,
    "inventory.delete": lambda _, name: {"keys": [("services", f"v-{name}")], "reason": "x"},
    "reviews.decide": lambda _, name: {"user": f"of_{name}", "verdict": "keep"},
}
"""Actions on what belongs to a unit, with the values that name something of it."""

LISTS = {"users.list", "requests.list", "reviews.list"}
"""Actions that tell, and change nothing."""

OF_THE_SECTOR = {"reviews.begin", "reviews.sign"}
"""Actions on all accounts at once, though their right may also be had at a unit."""

OF_ONESELF = {"requests.withdraw", "access.note"}
"""Actions on what is the actor's own."""


@pytest.fixture(params=SEEDS)
def world(request, centre, settings) -> World:
    """A sector with its inventory, incidents, events and requests; in each unit someone who only looks."""
    made = make_world(request.param)
    centre.change(lambda connection, _: fill(connection, made))
    fill_logs(settings.logs, made, lambda event: encode_record(event, ""), encode_head(Ends(Tails(), Marks())))
    return made


def fill(connection: Connection, world: World) -> None:
    puts = [
        Put(kind=kind, key=key_of(kind, one), body=msgspec.msgpack.encode(one), verb="add", detail="")
        for kind, found in records_of(world.inventory)
        for one in found
    ]
    put_records(connection, 1, "test", puts)
    fill_state(connection, world)
    settle(connection, "everywhere", Grant("analyst"))
    settle(connection, "first", Grant("administrator"))
    for name in world.names:
        settle(connection, f"of_{name}", Grant("viewer", name))


def settle(connection: Connection, name: str, grant: Grant) -> None:
    add_user(connection, 1, "test", NewUser(name=name, grant=grant))
    set_columns(connection, name, must_change=0, totp=b"sealed", totp_used=1)


@pytest.fixture
def door(centre, settings, opened, world):
    def present():
        return decode_inventory(centre.read(read_records))

    with opened(centre, Surroundings(present, Vault(settings.secrets))) as made:
        for name in world.names:  # the requests that may be decided: one of each unit
            assert "request" in made.ask("inventory.delete", OF_A_UNIT["inventory.delete"](world, name)).json()
        yield made


@pytest.fixture
def become(door, centre, world):
    """Has the local account act as a new user of this role at a random unit; returns its grants."""
    chance = random.Random(len(world.names))  # noqa: S311 - repeatable

    def change(role: str) -> tuple[Grant, ...]:
        grant = Grant(role, chance.choice([name for name in world.living if name != "u0"]))
        centre.change(lambda connection, _: settle(connection, role, grant))
        door.caller = Caller(role, "user")
        return (grant,)

    return change


def chain_length(centre) -> int:
    """How many entries there are, without those that say that a right was wanting."""
    return sum(entry.action != REFUSED_ACTION for entry in centre.read(lambda one: list(audit.read_chain(one))))


def test_every_action_is_named_here():
    named = {*OF_A_UNIT, *LISTS, *OF_ONESELF, *OF_THE_SECTOR}
    others = {name for name, one in ACTIONS.items() if one.right and one.right not in SECTOR_WIDE and name not in named}
    assert others == set(), "say what of a unit they are given, so that their rights are tested"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_no_action_changes_what_lies_outside_of_ones_units(role, world, door, centre, become):
    grants = become(role)
    for action in (name for name in OF_A_UNIT if name in ACTIONS):
        right = ACTIONS[action].right
        outside = world.outside(grants, right)
        assert len(outside) > 1
        for name in outside if may(grants, right) else world.names:
            before = chain_length(centre)
            answer = door.ask(action, OF_A_UNIT[action](world, name))
            assert answer.status_code in {403, 404, 409}, f"{role} {grants}: {action} of {name}"
            assert marks_in(answer.text, outside) == []
            assert chain_length(centre) == before


@pytest.mark.parametrize("action", ["incidents.note", "inventory.import", "users.signout", "requests.refuse"])
def test_what_is_ones_own_can_be_changed(action, world, door, become):
    """The test above would also hold for a centre that refuses all."""
    right = ACTIONS[action].right
    role = next(role for role in ROLES if may((Grant(role, "x"),), right))
    grants = become(role)
    own = next(name for name in world.living if name not in world.outside(grants, right))
    assert door.ask(action, OF_A_UNIT[action](world, own)).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_no_list_of_the_centre_tells_what_lies_outside(role, world, door, become):
    grants = become(role)
    for action in LISTS & set(ACTIONS):
        answer = door.ask(action, {})
        scope = scope_of(grants, ACTIONS[action].right, world.inventory, TODAY)
        hidden = [name for name in world.names if not scope.allows_unit(name)]
        assert [name for name in hidden if f'"of_{name}"' in answer.text] == []
        decides = scope_of(grants, "approve", world.inventory, TODAY)
        assert [name for name in world.names if f'"v-{name}"' in answer.text and not decides.allows_unit(name)] == []


@pytest.mark.parametrize("role", ROLES)
def test_what_concerns_the_whole_sector_is_nothing_for_who_has_one_unit(role, door, become, world):
    become(role)
    values = {"name": "x", "credential": {"kind": "snmp_v2c", "community": "x"}, "content": "", "reason": "x"}
    values |= {"rules": [RULE], "kind": "site", "target": f"s-{world.names[0]}", "device": "rt-u0"}
    values |= {"class": "events", "days": 365}
    for action, one in ACTIONS.items():
        if one.right in SECTOR_WIDE or action in OF_THE_SECTOR:
            given = {name: value for name, value in values.items() if name in one.takes.__struct_fields__}
            assert door.ask(action, given).status_code in {400, 409}, action


COMMANDS = {
    "incidents list": [],
    "incidents show": lambda world, name: [str(world.number(name) + 1)],
    "events search": [],
    "events quarantined": [],
    "events histogram": [],
    "hunt": ["--since", "2026-11-01", "--rules", "detections/rules/network"],
    "sites list": [],
    "sites show": lambda _, name: [f"s-{name}"],
    "devices list": [],
    "devices show": lambda _, name: [f"rt-{name}"],
    "devices test": lambda _, name: [f"rt-{name}"],
    "devices walk": lambda _, name: [f"rt-{name}"],
    "sources list": [],
    "sources show": lambda world, name: [world.address(name)],
    "units list": [],
    "units show": lambda _, name: [name],
    "inventory export": lambda world, _: [f"out-{id(world)}-{random.getrandbits(60)}"],
    "inventory policies": [],
    "rules list": [],
    "rules packs": [],
}
"""Commands that read what is stored, with what they are given of a unit."""

NO_READERS = {
    "of the machine": {"up", "serve", "check", "demo", "lab", "bench", "backup", "restore", "audit verify"},
    "of files": {"detect", "replay", "rules test", "rules lint", "rules explain", "rules convert"},
    "by the centre, whose actions are tested above": {
        *("users add", "users grant", "users revoke", "users reset", "users disable", "users enable", "users signout"),
        "users list",
        *("users review begin", "users review show", "users review decide", "users review sign"),
        *("requests list", "requests approve", "requests refuse", "requests withdraw"),
        *("incidents create", "incidents ack", "incidents assign", "incidents note", "incidents close"),
        *("inventory import", "inventory netbox", "inventory delete", "events replay", "devices add"),
        *("credentials list", "credentials add", "credentials remove", "credentials assign", "credentials unassign"),
        *("credentials which", "credentials rotate", "retention show", "retention set"),
        *("rules import", "rules rollback", "rules enable", "rules disable"),
    },
}
"""Commands that read nothing stored by themselves."""


def all_commands(app: typer.Typer | None = None, before: str = "") -> set[str]:
    """Every command there is, as it is typed."""
    group = app or build_commands(None)
    found = {f"{before}{one.name or one.callback.__name__.rstrip('_')}" for one in group.registered_commands}
    for inner in group.registered_groups:
        name = f"{before}{inner.name} " if inner.name else before
        found |= all_commands(inner.typer_instance, name)
    return {name.replace("_", "-") for name in found}


def test_every_command_is_named_here():
    named = {*COMMANDS, *(name for names in NO_READERS.values() for name in names)}
    assert all_commands() - named == set(), "say what they are given, so that their rights are tested"
    assert {name.split()[0] for name in named} <= {*GROUPS, *TOP}


@pytest.fixture
def run_as(tmp_path, settings, centre, world, monkeypatch):
    """Runs a command as the user whom the local account is mapped to; gives all that it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "detections").symlink_to(HOME / "detections")
    chance = random.Random(len(world.names) + 1)  # noqa: S311 - repeatable

    def changed(role: str):
        grant = Grant(role, chance.choice([name for name in world.living if name != "u0"]))
        centre.change(lambda connection, _: settle(connection, role, grant))
        file = tmp_path / "haidang.toml"
        account = pwd.getpwuid(os.getuid()).pw_name
        file.write_text(f'format = 1\ndata = "{settings.data.name}"\n[centre.accounts]\n{account} = "{role}"\n')

        def run(*words: str) -> str:
            ran = CliRunner().invoke(build_commands(words[0]), [*words, "--settings", str(file)])
            files = "".join(path.read_text() for path in tmp_path.glob("out-*/*.csv"))
            return f"{ran.output}{ran.exception or ''}{files}"

        return (grant,), run

    return changed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_no_command_tells_what_lies_outside_of_ones_units(role, world, run_as):
    grants, run = run_as(role)
    outside = [name for name in world.names if all(name in world.outside(grants, one.right) for one in readers(grants))]
    for command in sorted(all_commands() & COMMANDS.keys()):
        given = COMMANDS[command]
        asked = {tuple(given(world, name)) for name in world.names} if callable(given) else {tuple(given)}
        for words in sorted(asked):
            told = run(*command.split(), *words)
            assert marks_in(told, outside) == [], f"{role} {grants}: {command} {words}"


@pytest.mark.parametrize(
    ("command", "right"),
    [
        ("sites list", "inventory.read"),
        ("sources list", "sources.read"),
        ("incidents list", "incident.read"),
        ("events search", "event.read"),
    ],
)
def test_a_command_tells_what_is_ones_own(command, right, world, run_as):
    """The test above would also hold for commands that tell nothing."""
    grants, run = run_as("analyst")
    own = [name for name in world.living if name not in world.outside(grants, right)]
    assert own
    assert marks_in(run(*command.split()), own) == own


def test_hits_are_counted_over_the_sector_and_told_to_who_sees_all_of_it_alone(centre, run_as):
    rule = CatalogueRule(id=RULE, file="a/b.yml", title={"vi": "x"}, guide={}, state=RuleState.ENABLED)
    centre.change(lambda connection, _: catalogue.put_catalogue(connection, [rule], {rule.file: b""}))
    now = SystemClock().now()
    centre.change(lambda connection, _: catalogue.count_hits(connection, [RULE] * 777, now))
    _, run = run_as("analyst")
    assert json.loads(run("rules", "list", "--json"))[0]["hits"] is None
    assert "777" not in run("rules", "list")
    centre.change(lambda connection, _: put_grant(connection, now, "x", "analyst", Grant("analyst")))
    assert json.loads(run("rules", "list", "--json"))[0]["hits"]["month"] == 777
    assert "777" in run("rules", "list")


def readers(grants: tuple[Grant, ...]):
    return [one for one in ACTIONS.values() if one.right and may(grants, one.right)]
