from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import UnavailableError
from core.secrets import secret, token


def test_a_secret_is_made_once_and_stays(tmp_path):
    first = secret(tmp_path / "secrets", "audit.key")
    assert len(first) == 32
    assert secret(tmp_path / "secrets", "audit.key") == first


def test_two_names_are_two_secrets(tmp_path):
    assert secret(tmp_path, "a") != secret(tmp_path, "b")


def test_only_its_owner_may_read_a_secret(tmp_path):
    secret(tmp_path / "secrets", "a")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "a").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_is_refused_with_the_cure(tmp_path):
    secret(tmp_path, "a")
    (tmp_path / "a").chmod(0o640)
    with pytest.raises(UnavailableError, match=r"run chmod 600 .*/a$"):
        secret(tmp_path, "a")


def test_a_token_is_the_secret_in_hexadecimal(tmp_path):
    assert bytes.fromhex(token(tmp_path, "relay")) == secret(tmp_path, "relay")


def test_all_who_ask_at_once_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: secret(tmp_path, "a"), range(32)))
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_process_of_the_same_number_left_does_not_matter(tmp_path):
    (tmp_path / f".a.{os.getpid()}").write_bytes(b"half")
    assert len(secret(tmp_path, "a", 16)) == 16
