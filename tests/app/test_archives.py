"""Folders and archives that a stranger may have made."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import tarfile
import zipfile

import pytest

from app import archives
from app.archives import Found, read_files, safe_name
from core.errors import ContentError
from core.rule_text import MAX_FILE

FILES = {"rules/a.yml": b"one", "rules/deep/b.yml": b"two", "readme.md": b"# no"}
WANTED = {name: content for name, content in FILES.items() if name.endswith(".yml")}


def tar(files=FILES, **members):
    """A tar archive of files and of ready-made members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in members.items():
            info = tarfile.TarInfo(f"{name}.yml")
            info.type = kind
            info.linkname = "/etc/passwd"
            archive.addfile(info)
    return packed.getvalue()


def zipped(files=FILES, links=()):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
    return packed.getvalue()


def read(path):
    return {found.name: found.content for found in read_files(path, lambda name: name.endswith(".yml"))}


@pytest.fixture
def put(tmp_path):
    """Writes an archive."""

    def putting(content, name="pack.tar"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return putting


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pack.tar", tar()),
        ("pack.tar.gz", gzip.compress(tar())),
        ("two-members.tar.gz", gzip.compress(tar()[:700]) + gzip.compress(tar()[700:])),
        ("pack.tar.xz", lzma.compress(tar())),
        ("padded.tar.xz", lzma.compress(tar()[:700]) + lzma.compress(tar()[700:]) + b"\0" * 8),
        ("whatever.name", gzip.compress(tar())),
        ("pack.zip", zipped()),
    ],
)
def test_every_kind_of_archive_gives_its_files(put, name, content):
    assert read(put(content, name)) == WANTED


def test_a_folder_gives_its_files(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert read(tmp_path / "source") == WANTED


def test_large_xz_archives_are_read_in_parts(put):
    files = {f"{number}.yml": os.urandom(1000) * 300 for number in range(40)}
    assert read(put(lzma.compress(tar(files)))) == files


def test_links_and_devices_are_named_and_never_followed(put, tmp_path):
    packed = tar({}, link=tarfile.SYMTYPE, hard=tarfile.LNKTYPE, device=tarfile.CHRTYPE, pipe=tarfile.FIFOTYPE)
    assert read(put(packed)) == dict.fromkeys(("link.yml", "hard.yml", "device.yml", "pipe.yml"))
    assert read(put(zipped({}, ["link.yml"]), "pack.zip")) == {"link.yml": None}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.yml").symlink_to("/etc/passwd")
    (folder / "rules").symlink_to("/etc")
    os.mkfifo(folder / "pipe.yml")
    assert read(folder) == {"link.yml": None, "pipe.yml": None}


@pytest.mark.parametrize("name", ["../a.yml", "/a.yml", "a/../../b.yml", "a\\b.yml", "a\nb.yml", "x" * 400 + ".yml"])
def test_a_name_that_leads_outside_or_hides_something_stops_the_import(put, name):
    with pytest.raises(ContentError, match=r"the file name .* (leads outside|is longer)"):
        read(put(tar({name: b""})))


def test_a_name_is_kept_in_one_form():
    assert safe_name("./rules//Đăng.yml") == "rules/Đăng.yml"


def test_a_name_that_comes_twice_is_told(put):
    with pytest.raises(ContentError, match=r"holds a\.yml twice"):
        read(put(tar({"a.yml": b"1", "./a.yml": b"2"})))


def test_of_a_file_that_is_too_large_one_byte_more_than_allowed_is_read(put):
    files = {"a.yml": b"x" * (MAX_FILE + 9), "b.yml": b"x" * MAX_FILE}
    for path in (put(gzip.compress(tar(files))), put(zipped(files), "pack.zip")):
        assert {name: len(content) for name, content in read(path).items()} == {
            "a.yml": MAX_FILE + 1,
            "b.yml": MAX_FILE,
        }


@pytest.mark.parametrize(
    ("bound", "most", "words"),
    [
        ("MOST_MEMBERS", 2, "holds more than 2 files"),
        ("MOST_BYTES", 5, "have more than 0 MiB"),
        ("MOST_STREAM", 4096, "unpacks to more than 0 MiB"),
        ("MOST_ARCHIVE", 10, "is larger than 0 MiB"),
    ],
)
def test_every_bound_is_told(put, monkeypatch, bound, most, words):
    monkeypatch.setattr(archives, bound, most)
    with pytest.raises(ContentError, match=words):
        read(put(gzip.compress(tar())))


def test_a_bomb_is_stopped_at_the_bound(put, monkeypatch):
    monkeypatch.setattr(archives, "MOST_STREAM", 1 << 20)
    bomb = tar({"not-wanted.bin": b"\0" * (8 << 20)})
    for packed in (gzip.compress(bomb), lzma.compress(bomb)):
        with pytest.raises(ContentError, match="unpacks to more than 1 MiB"):
            read(put(packed))


def test_an_xz_archive_that_wants_much_memory_is_refused(put, monkeypatch):
    monkeypatch.setattr(archives, "XZ_MEMORY", 1 << 20)
    with pytest.raises(ContentError, match="cannot be read to its end"):
        read(put(lzma.compress(tar(), preset=9)))


def test_a_header_that_would_fill_the_memory_is_refused(put):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * 100_000 + ".yml"))
    with pytest.raises(ContentError, match="a header has more than"):
        read(put(packed.getvalue()))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pack.tar", b""),
        ("pack.tar", b"not an archive" * 100),
        ("pack.tar.gz", gzip.compress(tar())[:60]),
        ("pack.tar.gz", b"\x1f\x8b" + b"x" * 100),
        ("pack.tar.xz", lzma.compress(tar())[:-40]),
        ("pack.zip", zipped()[:50]),
        ("pack.zip", b""),
    ],
)
def test_a_broken_archive_is_one_clear_line(put, name, content):
    path = put(content, name)
    with pytest.raises(ContentError) as error:
        read(path)
    assert str(error.value).startswith(f"{path} cannot be read")
    assert "\n" not in str(error.value)


def test_a_source_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ContentError, match="cannot be read: No such file"):
        read(tmp_path / "none.tar")


def test_what_is_found_has_name_and_content(put):
    (found,) = read_files(put(tar({"a.yml": b"1"})), bool)
    assert found == Found("a.yml", b"1")
