"""haidang credentials against a centre; and a search for the secrets in all that the platform writes or tells."""

from __future__ import annotations

import base64
import json
import logging
import sqlite3

import msgspec
import pytest
import typer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.actions import credentials as actions
from app.backup import back_up
from app.centre_api import Caller, Surroundings
from app.commands import credentials as commands
from core.errors import ContentError, IntegrityError, NotFoundError, RefusedError
from core.stores.credentials import keys_in_use, read_secret
from core.vault import Vault
from inventory.credentials import decode_credential
from inventory.records import Device, Inventory, Site
from inventory.units import Unit

SECTOR = Inventory(
    units=(Unit(id="tc", name="VKSND tối cao", type="supreme"),),
    sites=(Site(id="tha", name="Thanh Hóa", unit="tc", address_space="tha", tier="PROVINCE"),),
    devices=(Device(name="SW-1", site="tha", address="10.1.2.3", vendor="Cisco", model="C9300", role="switch"),),
)
MARKS = {
    "community": "dấu-7Qx-community",
    "user": "dấu-7Qx-user",
    "auth": "dấu-7Qx-auth-passphrase",
    "priv": "dấu-7Qx-priv-passphrase",
    "password": "dấu-7Qx-password",
    "token": "dấu-7Qx-token",
}
PEM = (
    Ed25519PrivateKey.generate()
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
SETS = {
    "v2": ("snmp_v2c", MARKS["community"] + "\n"),
    "v3": (
        "snmp_v3",
        f'user = "{MARKS["user"]}"\nauth_passphrase = "{MARKS["auth"]}"\npriv_passphrase = "{MARKS["priv"]}"\n',
    ),
    "ssh": ("ssh_password", f'user = "{MARKS["user"]}"\npassword = "{MARKS["password"]}"\n'),
    "key": ("ssh_key", f"user = \"{MARKS['user']}\"\nprivate_key = '''\n{PEM}'''\n"),
    "api": ("api_token", MARKS["token"]),
}


def forms_of(secret):
    """How a secret may lie in bytes: as it is, UTF-16, escaped, hexadecimal, and base64 at each of three offsets."""
    forms = [secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be")]
    for raw in tuple(forms):
        forms += [raw.hex().encode(), raw.hex().upper().encode()]
        for shift in range(3):
            padded = bytes(shift) + raw
            forms += [base64.b64encode(padded)[4:-4], base64.urlsafe_b64encode(padded)[4:-4]]
    return [*forms, json.dumps(secret).strip('"').encode(), repr(secret.encode())[2:-1].encode()]


FORMS = [form for secret in (*MARKS.values(), PEM.splitlines()[1]) for form in forms_of(secret)]


def found_in(content):
    data = content.encode() if isinstance(content, str) else content
    return [form for form in FORMS if form in data]


@pytest.fixture
def vault(settings):
    return Vault(settings.secrets)


@pytest.fixture
def door(centre, vault, opened):
    with opened(centre, Surroundings(lambda: SECTOR, vault)) as made:
        yield made


@pytest.fixture
def run(command_line):
    """Runs a command of the group."""
    return lambda *words, **how: command_line("credentials", *words, **how)


@pytest.fixture
def put(run, tmp_path):
    """All five kinds, one piped in and the others from files."""
    told = run("add", "api", "--kind", "api_token", piped=SETS["api"][1])
    for name, (kind, content) in SETS.items():
        if name != "api":
            file = tmp_path / f"{name}.secret"
            file.write_text(content, encoding="utf-8")
            told += run("add", name, "--kind", kind, "--from", str(file))
            file.unlink()
    return told


def opened(centre, vault, name):
    return decode_credential(centre.read(lambda connection: read_secret(connection, vault, name)))


@pytest.mark.usefixtures("put")
def test_sets_of_all_kinds_are_put_and_opened_by_the_platform(centre, vault):
    assert opened(centre, vault, "v2").community.reveal() == MARKS["community"]
    assert opened(centre, vault, "v3").priv_passphrase.reveal() == MARKS["priv"]
    assert opened(centre, vault, "ssh").password.reveal() == MARKS["password"]
    assert opened(centre, vault, "key").private_key.reveal() == PEM
    assert opened(centre, vault, "api").token.reveal() == MARKS["token"]


@pytest.mark.usefixtures("put")
def test_the_list_has_names_kinds_targets_and_who_but_no_secret(run, clock):
    run("assign", "v3", "--site", "tha")
    run("assign", "v3", "--family", "Cisco C9300")
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert rows["v3"] == {
        "name": "v3",
        "kind": "snmp_v3",
        "targets": [["family", "cisco c9300"], ["site", "tha"]],
        "time": clock.now(),
        "actor": "local:test",
    }
    line = next(line for line in run("list").splitlines() if line.startswith("v3"))
    assert line.split("  ")[1].strip() == "snmp_v3"
    assert "family cisco c9300, site tha" in line


@pytest.mark.usefixtures("put")
def test_the_sets_of_a_device_come_in_the_order_in_which_they_are_tried(run):
    run("assign", "v2", "--family", "cisco")
    run("assign", "v3", "--device", "sw-1")
    run("assign", "ssh", "--prefix", "10.1.0.0/16@tha")
    run("assign", "api", "--site", "tha")
    assert [row["name"] for row in json.loads(run("which", "SW-1", "--json"))] == ["v3", "ssh", "api", "v2"]
    run("unassign", "v3", "--device", "SW-1")
    assert [row["name"] for row in json.loads(run("which", "SW-1", "--json"))] == ["ssh", "api", "v2"]
    with pytest.raises(NotFoundError, match="there is no device 'sw-2'"):
        run("which", "sw-2")


@pytest.mark.usefixtures("put")
def test_a_set_is_replaced_when_asked_to_and_removed(run, centre, vault):
    with pytest.raises(RefusedError, match="there is already a credential set 'v2'"):
        run("add", "v2", "--kind", "snmp_v2c", piped="other")
    run("add", "v2", "--kind", "snmp_v2c", "--replace", piped="other\r\n")
    assert opened(centre, vault, "v2").community.reveal() == "other"
    run("remove", "v2")
    assert "v2" not in {row["name"] for row in json.loads(run("list", "--json"))}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--device", "sw-2"), "there is no device 'sw-2' in the inventory"),
        (("--site", "xx"), "there is no site 'xx' in the inventory"),
        (("--prefix", "10.1.2.3/8"), "this is no prefix: write 10.1.0.0/16"),
    ],
)
@pytest.mark.usefixtures("put")
def test_a_target_that_cannot_be_is_refused(run, words, told):
    with pytest.raises(RefusedError, match=told):
        run("assign", "v2", *words)


def test_just_one_target_is_named(run):
    assert "--family" in run("assign", "v2", status=2)
    run("assign", "v2", "--site", "tha", "--device", "sw-1", status=2)


def test_on_a_terminal_secrets_are_asked_for_without_echo(run, centre, vault, monkeypatch):
    asked = []

    def prompt(text, default, hide_input, **_):
        asked.append((text.split()[0], hide_input))
        return {"user": "nms", "auth_passphrase": MARKS["auth"], "priv_passphrase": MARKS["priv"]}.get(text, default)

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    assert not found_in(run("add", "v3", "--kind", "snmp_v3"))
    assert asked == [
        ("user", False),
        ("auth_passphrase", True),
        ("priv_passphrase", True),
        ("auth_protocol", False),
        ("priv_protocol", False),
    ]
    assert opened(centre, vault, "v3").auth_passphrase.reveal() == MARKS["auth"]


def test_a_private_key_is_asked_for_by_its_file(run, tmp_path, centre, vault, monkeypatch):
    (tmp_path / "id").write_text(PEM)
    answers = {"user": "nms", "private_key:": str(tmp_path / "id"), "passphrase": ""}
    monkeypatch.setattr(typer, "prompt", lambda text, *_, **__: answers[text.split()[0]])
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    run("add", "key", "--kind", "ssh_key")
    assert opened(centre, vault, "key").private_key.reveal() == PEM


@pytest.mark.parametrize(
    "content",
    [
        f"user = {MARKS['password']}",
        MARKS["password"],
        f'user = "a"\npassword = "{MARKS["password"]}',
        f'user = "a"\nuser = "{MARKS["password"]}"',
        f'user = "a"\n"{MARKS["password"]}" = "x"',
        f'user = "a"\npassword = ["{MARKS["password"]}"]',
        f'user = "a"\npassword = "{MARKS["password"]}\\n"',
        f'kind = "{MARKS["password"]}"\nuser = "a"\npassword = "x"',
        MARKS["password"].encode("utf-16"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_without_repeating_it(run, tmp_path, content):
    file = tmp_path / "secret"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises((ContentError, RefusedError)) as caught:
        run("add", "ssh", "--kind", "ssh_password", "--from", str(file))
    assert not found_in(str(caught.value) + repr(caught.value) + repr(caught.value.__cause__))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("put")
def test_after_a_rotation_all_opens_under_one_new_key(run, centre, vault):
    before = centre.read(keys_in_use)
    bodies = stored_bodies(centre)
    said = run("rotate")
    assert "5 secrets encrypted under a new key, 1 old keys removed" in said
    assert str(vault.path) in said
    (new,) = centre.read(keys_in_use)
    assert new not in before
    assert [line.split()[0] for line in vault.path.read_text().splitlines()[1:]] == [new]
    assert not bodies & stored_bodies(centre)
    assert opened(centre, vault, "ssh").password.reveal() == MARKS["password"]
    for body in bodies:
        with pytest.raises(IntegrityError):
            vault.decrypt(body, "credential/ssh")


def stored_bodies(centre):
    query = "SELECT body FROM credentials"
    return {row[0] for row in centre.read(lambda connection: connection.exec_driver_sql(query).all())}


@pytest.mark.usefixtures("put")
def test_a_rotation_that_was_interrupted_is_finished_by_the_next(run, door, centre, vault):
    door.ask("credentials.rotate", {})  # and nobody retired the old key
    assert len(vault.path.read_text().splitlines()) == 3
    assert "2 old keys removed" in run("rotate")
    assert opened(centre, vault, "api").token.reveal() == MARKS["token"]


@pytest.mark.usefixtures("put")
def test_without_the_keys_one_line_says_what_to_do_and_the_kept_keys_help(run, centre, vault, tmp_path):
    kept = vault.path.rename(tmp_path / "kept")
    with pytest.raises(RefusedError, match=r"the key of credential/api is not in .*vault\.keys: put the lines of"):
        run("rotate")
    kept.rename(vault.path)
    run("rotate")
    assert opened(centre, vault, "api").token.reveal() == MARKS["token"]


def test_only_who_may_change_credentials_of_the_whole_sector_has_them_listed(door, centre, add_user):
    add_user(centre, "an", "analyst")
    add_user(centre, "here", "engineer", "tc")
    add_user(centre, "lan", "engineer")
    answers = []
    for name in ("an", "here", "lan"):
        door.caller = Caller(name, "user")
        answers.append(door.ask("credentials.list", {}).status_code)
    assert answers == [409, 409, 200]


@pytest.mark.parametrize("secret", MARKS.values())
def test_the_search_finds_a_secret_in_each_form(secret):
    raw = secret.encode()
    for lies in (raw, secret.encode("utf-16"), raw.hex().encode(), base64.b64encode(b"a: " + raw), json.dumps(secret)):
        assert found_in(lies)


def test_the_secrets_are_nowhere_but_sealed(put, *, run, centre, settings, tmp_path, clock, caplog):
    """Database, its log, backup, audit chain, answers, output and logs, in every form that is looked for."""
    caplog.set_level(logging.DEBUG)
    told = put
    run("assign", "v3", "--site", "tha")
    for words in (("list",), ("list", "--json"), ("which", "sw-1"), ("rotate",), ("unassign", "v3", "--site", "tha")):
        told += run(*words)
    run("add", "v2", "--kind", "snmp_v2c", "--replace", piped=MARKS["community"])
    settings.logs.mkdir(parents=True)
    back_up(settings, tmp_path / "backup", clock, lambda _: None)
    run("remove", "v3")
    centre.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"state.db", "vault.keys", "backup.json"} <= {path.name for path in files}
    assert len([path for path in files if path.name == "state.db"]) == 2
    assert not [path.name for path in files if path.name == "vault.keys" and "backup" in path.parts]
    for path in files:
        assert not found_in(path.read_bytes()), path
    assert not found_in(told + caplog.text)
    with sqlite3.connect(settings.state) as database:
        chain = database.execute("SELECT actor, action, object, detail FROM audit").fetchall()
    database.close()
    assert {row[1] for row in chain} >= {"credential.add", "credential.replace", "vault.rotate", "vault.retire"}
    assert not found_in(repr(chain))


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a", "credential": {"kind": MARKS["token"]}},
        {"name": "a", "credential": MARKS["token"]},
        {"name": "a", "credential": {"kind": "api_token", "token": [MARKS["token"]]}},
        {"name": "a", "credential": {"kind": "api_token", "token": "x", MARKS["token"]: "x"}},
        {"name": "a", "credential": {"kind": "api_token", "token": MARKS["token"] + "\x00"}},
        {"name": "a", "replace": MARKS["token"], "credential": {"kind": "api_token", "token": "x"}},
        {"name": MARKS["token"], "credential": {"kind": "api_token", "token": "x"}},
        {"credential": {"kind": "api_token", "token": MARKS["token"]}},
        {"name": "a", "credential": {"kind": "ssh_key", "user": "x", "private_key": PEM[:90]}},
    ],
)
def test_what_the_centre_refuses_it_does_not_repeat(door, caplog, body):
    caplog.set_level(logging.DEBUG)
    answer = door.ask("credentials.put", body)
    assert answer.status_code in {400, 409}
    assert not found_in(answer.text + caplog.text)


def test_a_body_that_is_no_json_is_refused_without_repeating_it(door, caplog):
    for body in (MARKS["token"].encode(), b'{"name": "\xff' + MARKS["token"].encode()):
        answer = door.client.post("/api/credentials.put", content=body)
        assert answer.status_code == 400
        assert not found_in(answer.text + caplog.text)


def test_the_values_of_a_call_do_not_show_the_secret():
    body = {"name": "a", "credential": {"kind": "api_token", "token": MARKS["token"]}}
    values = msgspec.json.decode(msgspec.json.encode(body), type=actions.OfCredential)
    assert not found_in(f"{values!r} {values} {msgspec.structs.asdict(values)}")
    with pytest.raises(TypeError):  # so that no request, snapshot or log can be made of it
        msgspec.json.encode(values)
