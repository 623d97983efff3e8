"""Credential sets are stored sealed, listed without secrets, and sealed anew under a new key."""

from __future__ import annotations

import base64
from contextlib import closing

import pytest
from sqlalchemy import select, update

from core import audit
from core.errors import IntegrityError, NotFoundError, RefusedError
from core.scope import EVERYTHING, NOTHING
from core.stores import credentials as store
from core.stores.credentials import CredentialSet, Target
from core.stores.tables import credential_targets, credentials, users
from core.stores.users import list_users
from core.vault import Vault, key_of

MARK = "dấu-marker-7Qx"


def forms_of(secret):
    """How a secret may lie in bytes: as it is, UTF-16, hexadecimal, and base64 at each of three offsets."""
    plain = [secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be")]
    for raw in tuple(plain):
        plain += [raw.hex().encode(), raw.hex().upper().encode()]
        for shift in range(3):
            coded = base64.b64encode(bytes(shift) + raw)
            plain += [coded[4:-4], base64.urlsafe_b64encode(bytes(shift) + raw)[4:-4]]
    return plain


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "secrets")


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def put(connection, vault):
    """Puts a set with this secret."""

    def add(name, secret=MARK, write=store.add_set):
        write(connection, 7, "lan", name, "snmp_v2c", vault.encrypt(secret.encode(), store.subject(name)))

    return add


def said(connection):
    return [(entry.actor, entry.action, entry.object, entry.detail) for entry in audit.read_chain(connection)]


def bodies(connection):
    return {row.name: row.body for row in connection.execute(select(credentials.c.name, credentials.c.body))}


def test_what_was_put_is_read_by_the_platform_and_listed_without_its_secret(connection, vault, put):
    put("core-snmp")
    assert store.read_secret(connection, vault, "core-snmp").reveal() == MARK
    listed = store.list_sets(connection, EVERYTHING)
    assert listed == [CredentialSet(name="core-snmp", kind="snmp_v2c", targets=(), time=7, actor="lan")]


def test_a_set_is_replaced_only_where_that_is_meant_and_keeps_its_targets(connection, vault, put):
    put("a")
    store.assign(connection, 8, "lan", Target("site", "tha", "a"))
    with pytest.raises(RefusedError, match="there is already a credential set 'a'"):
        put("a", "other")
    put("a", "other", store.replace_set)
    assert store.read_secret(connection, vault, "a").reveal() == "other"
    assert store.read_targets(connection, EVERYTHING) == [Target("site", "tha", "a")]
    with pytest.raises(NotFoundError, match="there is no credential set 'b'"):
        put("b", "other", store.replace_set)


def test_targets_are_assigned_once_listed_and_taken_back(connection, put):
    put("a")
    put("b")
    here, there = Target("site", "tha", "a"), Target("device", "sw-1", "a")
    for target in (here, there, Target("site", "tha", "b")):
        store.assign(connection, 8, "lan", target)
    with pytest.raises(RefusedError, match="credential set 'a' is for site tha already"):
        store.assign(connection, 8, "lan", here)
    first, second = store.list_sets(connection, EVERYTHING)
    assert first.targets == (("device", "sw-1"), ("site", "tha"))
    assert second.targets == (("site", "tha"),)
    store.unassign(connection, 9, "lan", here)
    with pytest.raises(NotFoundError, match="credential set 'a' is not for site tha"):
        store.unassign(connection, 9, "lan", here)
    assert store.read_targets(connection, EVERYTHING) == [there, Target("site", "tha", "b")]


def test_a_set_that_is_removed_goes_with_its_targets(connection, vault, put):
    put("a")
    store.assign(connection, 8, "lan", Target("site", "tha", "a"))
    store.remove_set(connection, 9, "lan", "a")
    assert connection.execute(select(credential_targets)).all() == []
    assert store.list_sets(connection, EVERYTHING) == []
    with pytest.raises(NotFoundError):
        store.read_secret(connection, vault, "a")


@pytest.mark.parametrize(
    "change",
    [
        lambda connection: store.remove_set(connection, 1, "lan", "x"),
        lambda connection: store.assign(connection, 1, "lan", Target("site", "tha", "x")),
        lambda connection: store.unassign(connection, 1, "lan", Target("site", "tha", "x")),
    ],
)
def test_of_a_set_that_is_not_there_nothing_is_changed(connection, change):
    with pytest.raises(NotFoundError, match="there is no credential set 'x'"):
        change(connection)
    assert said(connection) == []


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a" * 41, "a/b", "ă", "a\n"])
def test_what_is_no_plain_word_is_no_name_and_is_not_repeated(name):
    with pytest.raises(RefusedError) as caught:
        store.subject(name)
    assert str(caught.value) == "this is no name of a credential set: use up to 40 of a-z, 0-9, '.', '-' and '_'"


def test_whoever_sees_a_part_of_the_sector_sees_no_set(connection, put):
    put("a")
    store.assign(connection, 8, "lan", Target("site", "tha", "a"))
    assert store.list_sets(connection, NOTHING) == []
    assert store.read_targets(connection, NOTHING) == []


def test_each_change_is_in_the_audit_chain_without_a_trace_of_the_secret(connection, put):
    put("a")
    store.assign(connection, 8, "binh", Target("site", "tha", "a"))
    store.unassign(connection, 8, "binh", Target("site", "tha", "a"))
    put("a", "other", store.replace_set)
    store.remove_set(connection, 9, "lan", "a")
    assert said(connection) == [
        ("lan", "credential.add", "credential/a", "snmp_v2c"),
        ("binh", "credential.assign", "credential/a", "site tha"),
        ("binh", "credential.unassign", "credential/a", "site tha"),
        ("lan", "credential.replace", "credential/a", "snmp_v2c"),
        ("lan", "credential.remove", "credential/a", ""),
    ]


def test_a_row_put_in_the_place_of_another_is_refused(connection, vault, put):
    put("a", "secret of a")
    put("b", "secret of b")
    body = bodies(connection)["a"]
    connection.execute(update(credentials).where(credentials.c.name == "b").values(body=body))
    with pytest.raises(IntegrityError, match="what is stored as credential/b was changed or belongs to another"):
        store.read_secret(connection, vault, "b")


def test_after_a_rotation_all_opens_and_nothing_is_sealed_by_the_old_key(connection, vault, put):
    for name in ("a", "b", "c"):
        put(name, MARK + name)
    before = bodies(connection)
    new = vault.rotate()
    assert store.renew_all(connection, vault) == 3
    after = bodies(connection)
    assert not set(before.values()) & set(after.values())
    assert store.keys_in_use(connection) == {new}
    assert vault.retire(store.keys_in_use(connection)) == (key_of(before["a"]),)
    assert [store.read_secret(connection, vault, name).reveal() for name in after] == [MARK + name for name in after]
    with pytest.raises(IntegrityError):
        vault.decrypt(before["a"], "credential/a")


def test_second_factors_are_sealed_anew_too(connection, vault):
    values = dict.fromkeys(("must_change", "disabled", "failures", "locked_until", "session"), 0)
    connection.execute(users.insert().values(name="an", password="", **values, totp=vault.encrypt(b"K", "totp/an")))
    connection.execute(users.insert().values(name="binh", password="", **values))
    new = vault.rotate()
    assert store.renew_all(connection, vault) == 1
    sealed = connection.execute(select(users.c.totp).where(users.c.name == "an")).scalar_one()
    assert (key_of(sealed), vault.decrypt(sealed, "totp/an")) == (new, b"K")
    assert len(list_users(connection)) == 2


def test_a_rotation_that_meets_a_closed_secret_changes_nothing(state, vault, tmp_path, put, connection):
    put("a")
    connection.commit()
    before = bodies(connection)
    stranger = Vault(tmp_path / "other")
    stranger.rotate()
    with pytest.raises(IntegrityError, match="the key of credential/a is not in"), state.begin() as changing:
        store.renew_all(changing, stranger)
    assert bodies(connection) == before
    assert store.read_secret(connection, vault, "a").reveal() == MARK


def test_what_was_replaced_removed_or_sealed_anew_is_not_left_in_the_file(state, vault, tmp_path):
    old = {}
    with state.begin() as connection:
        for name in ("a", "b", "c"):
            old[name] = vault.encrypt(MARK.encode() * 90, store.subject(name))
            store.add_set(connection, 7, "lan", name, "ssh_key", old[name])
    with state.begin() as connection:
        store.replace_set(connection, 8, "lan", "a", "api_token", vault.encrypt(b"x", store.subject("a")))
        store.remove_set(connection, 8, "lan", "b")
        vault.rotate()
        store.renew_all(connection, vault)
    state.dispose()
    with closing(state.raw_connection()) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = b"".join(path.read_bytes() for path in (tmp_path / "centre").iterdir())
    assert content.startswith(b"SQLite format 3")
    for sealed in old.values():
        assert sealed[-40:] not in content


def test_the_secret_is_nowhere_in_the_database_while_it_is_open(tmp_path, put, connection):
    put("a")
    put("a", MARK + "2", store.replace_set)
    connection.commit()
    files = list((tmp_path / "centre").iterdir())
    content = b"".join(path.read_bytes() for path in files)
    assert {path.name for path in files} >= {"state.db", "state.db-wal"}
    assert b"snmp_v2c" in content
    for form in forms_of(MARK):
        assert form not in content
