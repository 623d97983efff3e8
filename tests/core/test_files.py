from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.errors import UnavailableError
from core.files import make_folder, remove_file, replace_file


def test_a_replaced_file_holds_the_new_content_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a.json"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_made_with_its_mode(tmp_path):
    replace_file(tmp_path / "a", b"x", mode=0o600)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_if_the_disk_is_full_the_old_content_stays(tmp_path, monkeypatch):
    path = tmp_path / "a"
    replace_file(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"


def test_half_a_file_of_a_killed_process_is_written_over(tmp_path):
    (tmp_path / ".a.new").write_bytes(b"a very long half of something")
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_folder_is_made_with_its_parents_and_left_empty(tmp_path):
    folder = make_folder(tmp_path / "a" / "b")
    assert list(folder.iterdir()) == []
    assert make_folder(folder) == folder


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match=r"cannot write in folder .*/file/b: Not a directory"):
        make_folder(tmp_path / "file" / "b")


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path, monkeypatch):
    def read_only(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", read_only)
    with pytest.raises(UnavailableError, match="Read-only file system"):
        make_folder(tmp_path)


def test_removing_what_is_gone_is_no_error(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"")
    remove_file(path)
    remove_file(path)
    assert not path.exists()
