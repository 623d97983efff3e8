"""The manifest refuses what it cannot have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import IntegrityError
from core.stores.manifest import Manifest, read_manifest, swap_manifest


def test_a_manifest_of_another_format_is_refused(tmp_path: Path):
    swap_manifest(tmp_path, Manifest(format=2))
    with pytest.raises(IntegrityError, match=r"manifest\.json has format 2, this version reads 1"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"through": "x"}', b'{"partitions": [{}]}', b'{"retired": ["\xff"]}'])
def test_a_broken_manifest_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"manifest\.json cannot be read: restore it from a backup"):
        read_manifest(tmp_path)


def test_without_a_manifest_nothing_has_been_stored(tmp_path: Path):
    assert read_manifest(tmp_path) == Manifest()
