"""Secrets that open only for what they were sealed for, by keys that lie elsewhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import IntegrityError, UnavailableError
from core.vault import HEAD, NAME, Secret, Vault, key_of

MARK = "s3cret-Bí-mật"


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "secrets")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A vault with two keys."""
    made = Vault(tmp_path_factory.mktemp("old") / "secrets")
    made.encrypt(b"", "x")
    made.rotate()
    return made


@given(plain=st.binary(max_size=500), of=st.text(max_size=50))
def test_what_is_sealed_opens_as_it_was(old, plain, of):
    sealed = old.encrypt(plain, of)
    assert old.decrypt(sealed, of) == plain
    assert old.decrypt(old.renew(sealed, of), of) == plain


@given(at=st.integers(0, 60), bit=st.integers(0, 7), cut=st.integers(0, 60))
def test_a_sealed_form_that_was_changed_anywhere_is_refused(old, at, bit, cut):
    sealed = old.encrypt(b"x" * 24, "credential/a")
    changed = bytearray(sealed)
    changed[at] ^= 1 << bit
    for wrong in (bytes(changed), sealed[:cut]):
        with pytest.raises(IntegrityError):
            old.decrypt(wrong, "credential/a")


def test_the_same_secret_is_never_sealed_the_same(vault):
    assert len({vault.encrypt(b"public", "credential/a") for _ in range(50)}) == 50


def test_a_sealed_form_opens_only_as_what_it_is_of(vault):
    sealed = vault.encrypt(b"public", "credential/a")
    with pytest.raises(IntegrityError, match="stored as credential/b was changed or belongs to another"):
        vault.decrypt(sealed, "credential/b")


def test_the_keys_are_made_at_first_need_for_their_owner_alone(vault):
    assert not vault.path.parent.exists()
    sealed = vault.encrypt(b"x", "a")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(vault.path.parent.stat().st_mode) == 0o700
    head, line = vault.path.read_text().splitlines()
    assert head == HEAD
    assert line.startswith(key_of(sealed))
    assert [path.name for path in vault.path.parent.iterdir()] == [NAME]


def test_opening_makes_no_keys(vault, old):
    with pytest.raises(IntegrityError):
        vault.decrypt(old.encrypt(b"x", "a"), "a")
    assert not vault.path.exists()


def test_of_many_that_make_the_first_key_at_once_one_wins(vault):
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda _: vault.encrypt(b"x", "a"), range(16)))
    assert len(set(map(key_of, sealed))) == 1
    assert [path.name for path in vault.path.parent.iterdir()] == [NAME]


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_opens(vault):
    before = vault.encrypt(b"x", "a")
    new = vault.rotate()
    after = vault.encrypt(b"x", "a")
    assert key_of(after) == new != key_of(before)
    assert vault.decrypt(before, "a") == vault.decrypt(after, "a") == b"x"
    assert key_of(vault.renew(before, "a")) == new


def test_only_keys_that_nothing_uses_are_retired(vault):
    before = vault.encrypt(b"x", "a")
    vault.rotate()
    middle = vault.encrypt(b"y", "a")
    vault.rotate()
    assert vault.retire({key_of(before)}) == (key_of(middle),)
    assert vault.decrypt(before, "a") == b"x"
    with pytest.raises(IntegrityError, match="the key of a is not in"):
        vault.decrypt(middle, "a")
    assert vault.retire(()) == (key_of(before),)
    assert vault.retire(()) == ()  # the newest stays, whoever uses it
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600


def test_without_its_key_a_secret_stays_closed_and_one_line_says_what_to_do(vault, old):
    sealed = old.encrypt(b"public", "credential/core")
    vault.encrypt(b"x", "a")  # keys of its own, made after a restore
    with pytest.raises(IntegrityError) as caught:
        vault.decrypt(sealed, "credential/core")
    assert str(caught.value) == (
        f"the key of credential/core is not in {vault.path}: put the lines of the kept vault.keys there"
        " (above its last line, if there is one), or enter the secret again"
    )


def test_a_kept_copy_of_the_keys_counts_at_once_beside_newer_ones(vault, old):
    sealed, own = old.encrypt(b"public", "a"), vault.encrypt(b"own", "b")
    head, line = vault.path.read_text().splitlines()
    vault.path.write_text("\n".join((head, "", *old.path.read_text().splitlines(), line)))
    assert (vault.decrypt(sealed, "a"), vault.decrypt(own, "b")) == (b"public", b"own")
    assert key_of(vault.encrypt(b"x", "a")) == key_of(own)


@pytest.mark.parametrize(
    "content",
    ["", "\n", HEAD, f"{HEAD}\nxx yy\n", f"{HEAD}\n00 AA==\n", "# format 2\n0011223344556677 " + "A" * 43 + "=\n"],
)
def test_a_damaged_key_file_is_refused_and_not_overwritten(vault, content):
    vault.encrypt(b"x", "a")
    vault.path.write_text(content)
    for work in (lambda: vault.encrypt(b"x", "a"), vault.rotate, lambda: vault.retire(())):
        with pytest.raises(IntegrityError, match=r"is no file of vault keys in format 1: put the kept copy"):
            work()
    assert vault.path.read_text() == content


def test_a_key_file_that_others_can_read_is_refused(vault):
    vault.encrypt(b"x", "a")
    vault.path.chmod(0o640)
    with pytest.raises(UnavailableError, match="run chmod 600"):
        vault.encrypt(b"x", "a")


def test_a_key_file_that_is_a_folder_is_refused_in_one_line(vault):
    vault.path.mkdir(parents=True, mode=0o700)
    with pytest.raises(UnavailableError, match=r"cannot read .*vault\.keys: Is a directory"):
        vault.encrypt(b"x", "a")


def test_a_secret_shows_itself_only_when_asked(caplog):
    secret = Secret(MARK)
    logging.getLogger().warning("%s %r %s", secret, secret, [secret])
    shown = f"{secret} {secret!r}" + caplog.text
    for show in (json.dumps, msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins, pickle.dumps, copy.copy):
        with pytest.raises(TypeError) as caught:
            show(secret)
        shown += str(caught.value)
    assert MARK not in shown
    assert secret.reveal() == MARK


def test_secrets_are_compared_by_what_they_hold():
    assert Secret(MARK) == Secret(MARK)
    assert Secret(MARK) != Secret("")
    assert Secret(MARK) != MARK
    with pytest.raises(TypeError):
        hash(Secret(MARK))
