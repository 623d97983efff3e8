"""Files that are one record: empty where there is none, refused with advice where they cannot be used."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import IntegrityError, UnavailableError
from core.versioned import Versioned, load_versioned


class Kept(Versioned, frozen=True, kw_only=True):
    format: int = 2
    count: int = 0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept"


def test_without_a_file_the_record_is_empty(path):
    assert load_versioned(path, Kept, "remove it") == Kept()


@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_what_was_written_is_read_by_the_same_codec(path, codec):
    path.write_bytes(codec.encode(Kept(count=3)))
    assert load_versioned(path, Kept, "remove it", codec.decode) == Kept(count=3)


@pytest.mark.parametrize("content", [b"", b"{", b'{"count": "x"}', b"\xff\xfe"])
def test_a_broken_file_is_told_with_its_name_and_what_to_do(path, content):
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"kept cannot be read: remove it \("):
        load_versioned(path, Kept, "remove it")


def test_a_folder_in_its_place_is_told_alike(path):
    path.mkdir()
    with pytest.raises(IntegrityError, match="cannot be read: remove it"):
        load_versioned(path, Kept, "remove it")


def test_another_format_is_refused(path):
    path.write_bytes(b'{"format": 1}')
    with pytest.raises(IntegrityError, match="has format 1, this version reads 2: remove it"):
        load_versioned(path, Kept, "remove it")


def test_the_format_is_written_also_where_it_is_the_usual_one():
    assert msgspec.json.decode(msgspec.json.encode(Kept())) == {"format": 2, "count": 0}


def test_a_disk_that_does_not_give_the_file_is_no_broken_file(path, monkeypatch):
    path.write_bytes(b"{}")
    monkeypatch.setattr(type(path), "read_bytes", unreadable)
    with pytest.raises(UnavailableError, match="cannot be read: Input/output error"):
        load_versioned(path, Kept, "remove it")


def unreadable(_path: object) -> bytes:
    raise OSError(5, "Input/output error")
