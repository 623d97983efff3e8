import json
from dataclasses import replace

import pytest

from core.errors import IntegrityError
from inventory.objects import Interface, Link, Policy
from inventory.records import Device, Inventory, Prefix, Site
from inventory.snapshot import decode_snapshot, encode_snapshot
from inventory.units import Unit

INVENTORY = Inventory(
    units=(Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),),
    sites=(Site(id="dc", name="Trung tâm dữ liệu", unit="tc", address_space="wan", tier="DC"),),
    devices=(Device(name="rt-dc", site="dc", address="10.0.0.1", vendor="cisco", model="ISR", role="router"),),
    interfaces=(Interface(device="rt-dc", name="Gi0/0", role="uplink"),),
    links=(Link(id="wan-1", a_device="rt-dc", a_interface="Gi0/0", b_device="rt-tha", kind="wan"),),
    prefixes=(Prefix(space="wan", prefix="10.0.0.0/24", site="dc"),),
)


def test_a_snapshot_gives_the_inventory_back():
    assert decode_snapshot(encode_snapshot(INVENTORY)) == INVENTORY


def test_a_snapshot_says_its_format():
    assert json.loads(encode_snapshot(INVENTORY))["format"] == 2


def damaged(**changed):
    return json.dumps(json.loads(encode_snapshot(INVENTORY)) | changed).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (damaged(format=1, units="another form"), "format 1, expected 2"),
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


def test_only_what_lanes_need_travels():
    more = replace(
        INVENTORY,
        interfaces=(Interface(device="rt-dc", name="Gi0/1"), *INVENTORY.interfaces),
        policies=(Policy(tier="DC", what="access", role="access", minimum_mbps=1000),),
    )
    assert encode_snapshot(more) == encode_snapshot(INVENTORY)
