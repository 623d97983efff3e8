"""The manifest refuses what it cannot have written."""

from __future__ import annotations

import pytest

from core.errors import IntegrityError
from core.scope import EVERYTHING
from core.stores.events import Query
from core.stores.manifest import Manifest, swap_manifest


def test_a_manifest_of_another_format_is_refused(lane):
    swap_manifest(lane.folder, Manifest(format=2))
    with pytest.raises(IntegrityError, match=r"manifest\.json has format 2, this version reads 1"):
        lane.reader.search(EVERYTHING, Query())


@pytest.mark.parametrize("content", [b"", b"{", b'{"through": "x"}', b'{"partitions": [{}]}', b'{"retired": ["\xff"]}'])
def test_a_broken_manifest_is_refused(lane, content):
    (lane.folder / "manifest.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"manifest\.json cannot be read: restore it from a backup"):
        lane.reader.search(EVERYTHING, Query())
