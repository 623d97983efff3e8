"""Credential sets on their way to a lane: sealed, and only those of the wanted kinds."""

from __future__ import annotations

import pytest

from core.errors import ContentError
from core.sealed import SealedSet, SealedSets, decode_sealed, encode_sealed
from core.stores import credentials
from core.stores.credentials import Target, read_sealed
from core.stores.migrate import open_state


def test_sets_travel_as_they_are_sealed_with_what_they_are_for():
    sets = SealedSets(
        sets=(SealedSet(name="core", kind="snmp_v3", body=b"\x01sealed"),), targets=(("site", "tha", "core"),)
    )
    assert decode_sealed(encode_sealed(sets)) == sets


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x81\xa6format\x09"])
def test_another_form_is_refused_and_nothing_of_it_repeated(content):
    with pytest.raises(ContentError, match="snapshot of the credential sets"):
        decode_sealed(content)


def test_only_the_sets_of_the_wanted_kinds_are_read_and_only_their_targets(tmp_path):
    engine = open_state(tmp_path / "state.db")
    with engine.begin() as connection:
        for name, kind in (("core", "snmp_v3"), ("shell", "ssh_key")):
            credentials.add_set(connection, 1, "test", name, kind, b"sealed")
            credentials.assign(connection, 1, "test", Target("site", "tha", name))
        found = read_sealed(connection, ("snmp_v2c", "snmp_v3"))
    engine.dispose()
    assert [(one.name, one.kind, one.body) for one in found.sets] == [("core", "snmp_v3", b"sealed")]
    assert found.targets == (("site", "tha", "core"),)
