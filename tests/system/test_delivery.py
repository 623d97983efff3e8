"""Every way in, from the programs that sectors run: all of what they send is stored, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from delivering import WAYS, deliver_by_elastic, deliver_by_rsyslogd
from peers import made_keys
from running import Keys

LINES = 20_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Keys:
    return made_keys(tmp_path_factory.mktemp("keys"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_all_of_20000_lines_from_rsyslogd_are_stored_once(tmp_path: Path, keys: Keys, way: str):
    deliver_by_rsyslogd(tmp_path, keys, way, LINES)


@pytest.mark.timeout(300)
def test_all_of_20000_documents_from_the_elastic_client_are_stored_once(tmp_path: Path, keys: Keys):
    deliver_by_elastic(tmp_path, keys, LINES)
