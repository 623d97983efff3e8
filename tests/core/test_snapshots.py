from __future__ import annotations

import msgspec
import pytest

from core.errors import IntegrityError
from core.snapshots import Snapshot, keep_snapshot, last_snapshot, snapshot


def test_the_last_good_snapshot_comes_back(tmp_path):
    keep_snapshot(tmp_path / "snapshots", "rules", snapshot(b"old"))
    keep_snapshot(tmp_path / "snapshots", "rules", snapshot(b"new"))
    assert last_snapshot(tmp_path / "snapshots", "rules") == snapshot(b"new")


def test_kinds_are_kept_apart(tmp_path):
    keep_snapshot(tmp_path, "rules", snapshot(b"a"))
    assert last_snapshot(tmp_path, "inventory") is None


def test_the_version_follows_from_the_content():
    assert snapshot(b"a").version == snapshot(b"a").version != snapshot(b"b").version


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(Snapshot(version="0" * 64, content=b"changed")),
        msgspec.msgpack.encode(msgspec.structs.replace(snapshot(b"a"), format=2)),
    ],
    ids=["empty", "no MessagePack", "changed", "another format"],
)
def test_a_broken_snapshot_says_what_to_do(tmp_path, content):
    (tmp_path / "rules.snapshot").write_bytes(content)
    with pytest.raises(IntegrityError, match="remove it, the centre has it"):
        last_snapshot(tmp_path, "rules")


def test_every_flipped_byte_of_a_snapshot_is_seen(tmp_path):
    keep_snapshot(tmp_path, "rules", snapshot(b"some rules"))
    path = tmp_path / "rules.snapshot"
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x01
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError):
            last_snapshot(tmp_path, "rules")
