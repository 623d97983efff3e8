import json

import pytest

from core.errors import IntegrityError
from inventory.records import Device, Inventory, Prefix, Site, Unit
from inventory.snapshot import decode_snapshot, encode_snapshot

INVENTORY = Inventory(
    units=(Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),),
    sites=(Site(id="dc", name="Trung tâm dữ liệu", unit="tc", address_space="wan", tier="DC"),),
    devices=(Device(name="rt-dc", site="dc", address="10.0.0.1", vendor="cisco", model="ISR", role="router"),),
    prefixes=(Prefix(space="wan", prefix="10.0.0.0/24", site="dc"),),
)


def test_a_snapshot_gives_the_inventory_back():
    assert decode_snapshot(encode_snapshot(INVENTORY)) == INVENTORY


def test_a_snapshot_says_its_format():
    assert json.loads(encode_snapshot(INVENTORY))["format"] == 1


def damaged(**changed):
    return json.dumps(json.loads(encode_snapshot(INVENTORY)) | changed).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (damaged(format=2, units="another form"), "format 2, expected 1"),
        (b"{}", "damaged"),
        (encode_snapshot(INVENTORY)[:-2], "damaged"),
        (b"\xff\xfe", "damaged"),
        (damaged(sites=[]), "no record of 'dc'"),
        (damaged(units=[]), "no record of 'tc'"),
        (damaged(prefixes=[{"space": "wan", "prefix": "10.0.0.1/24", "site": "dc"}]), "host bits"),
    ],
)
def test_a_snapshot_of_another_version_or_damaged_is_refused(data, message):
    with pytest.raises(IntegrityError, match=message):
        decode_snapshot(data)
