"""Every way in, three times as much as in the tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from delivering import WAYS, deliver_by_elastic, deliver_by_rsyslogd
from peers import made_keys

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

LINES = 60_000


@pytest.mark.parametrize("way", [*WAYS, "elastic"])
def test_all_of_60000_messages_are_stored_once(tmp_path: Path, way: str):
    keys = made_keys(tmp_path / "keys")
    if way == "elastic":
        deliver_by_elastic(tmp_path, keys, LINES)
    else:
        deliver_by_rsyslogd(tmp_path, keys, way, LINES)
    print(f"\n{way}: {LINES:,} of {LINES:,} stored once")
