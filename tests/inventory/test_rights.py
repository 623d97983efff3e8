import pytest

from core.scope import EVERYTHING
from inventory.records import Inventory, Site, Unit
from inventory.rights import ROLES, may, scope_of

SECTOR = Inventory(
    # An area stands before its province on purpose: the order of a file says nothing.
    units=(
        Unit(id="kv1", name="VKSND khu vực 1 - Thanh Hóa", type="area", parent="tha"),
        Unit(id="tha", name="VKSND tỉnh Thanh Hóa", type="province", parent="tc"),
        Unit(id="hn", name="VKSND thành phố Hà Nội", type="province", parent="tc"),
        Unit(id="tc", name="Viện kiểm sát nhân dân tối cao", type="supreme"),
    ),
    sites=tuple(
        Site(id=f"site-{unit}", name=unit, unit=unit, address_space="wan", tier="AREA")
        for unit in ("tc", "hn", "tha", "kv1")
    ),
)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("read", {"viewer", "analyst", "administrator"}),
        ("incident.write", {"analyst", "administrator"}),
        ("users.write", {"administrator"}),
        ("audit.read", {"administrator"}),
        ("delete.everything", set()),
    ],
)
def test_each_action_is_for_its_roles_and_no_other(action, allowed):
    assert {role for role in (*ROLES, "", "root") if may(role, action)} == allowed


def test_a_province_sees_its_own_sites_and_those_of_its_areas():
    assert scope_of(SECTOR, "tha").sites == {"site-tha", "site-kv1"}


def test_an_area_sees_only_itself():
    assert scope_of(SECTOR, "kv1").sites == {"site-kv1"}


def test_the_supreme_unit_sees_everything():
    assert scope_of(SECTOR, "tc") == EVERYTHING


def test_an_unknown_unit_sees_nothing():
    scope = scope_of(SECTOR, "gone")
    assert scope.sites == frozenset()
    assert not scope.allows("")
