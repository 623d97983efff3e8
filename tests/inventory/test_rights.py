"""Who may do what, and where: one table, and the tree of units as it is today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scope import EVERYTHING, Grant
from core.stores.users import User
from inventory.records import Inventory, Site
from inventory.rights import MACHINE, ROLES, SECTOR_WIDE, granted, is_settled, may, scope_of, sole_role
from inventory.units import Succession, Unit

TODAY = "2026-11-25"
TABLE = {
    "inventory.read": set(ROLES) - {"wallboard"},
    "incident.read": {"viewer", "analyst", "engineer", "approver", "leader"},
    "event.read": {"analyst", "engineer"},
    "rules.read": {"viewer", "analyst", "engineer", "approver"},
    "sources.read": {"viewer", "analyst", "engineer", "approver", "leader"},
    "figures.read": {"viewer", "analyst", "engineer", "approver", "leader", "wallboard"},
    "incident.write": {"analyst"},
    "rules.write": {"engineer"},
    "logs.write": {"engineer"},
    "inventory.write": {"engineer"},
    "credentials.write": {"engineer"},
    "users.read": {"administrator", "auditor"},
    "users.write": {"administrator"},
    "retention.write": {"administrator"},
    "audit.read": {"auditor"},
    "approve": {"approver"},
    "delete.everything": set(),
}


def unit(name: str, parent: str = "", **dates: str) -> Unit:
    return Unit(id=name, name=name, type="province" if parent else "supreme", parent=parent, **dates)


def site(name: str, of: str) -> Site:
    return Site(id=name, name=name, unit=of, address_space=name, tier="AREA")


SECTOR = Inventory(
    units=(
        unit("tc"),
        unit("lca-2014", "tc", valid_to="2025-06-30"),
        unit("yba", "tc", valid_to="2025-06-30"),
        unit("lca", "tc", valid_from="2025-07-01"),
        unit("lca-kv1", "lca", valid_from="2025-07-01"),
        unit("hn", "tc"),
    ),
    successions=(
        Succession(predecessor="lca-2014", successor="lca", day="2025-07-01"),
        Succession(predecessor="yba", successor="lca", day="2025-07-01"),
    ),
    sites=(site("cu", "yba"), site("moi", "lca"), site("kv", "lca-kv1"), site("thu-do", "hn"), site("dc", "tc")),
)


def scope(action: str, *grants: Grant, day: str = TODAY):
    return scope_of(grants, action, SECTOR, day)


@pytest.mark.parametrize(("action", "roles"), TABLE.items(), ids=TABLE)
def test_each_action_is_for_its_roles_and_no_other(action, roles):
    assert {role for role in (*ROLES, "", "root") if may((Grant(role),), action)} == roles


def test_who_administers_sees_no_events_no_incidents_and_approves_nothing():
    own = (Grant("administrator"),)
    assert not any(may(own, action) for action in ("event.read", "incident.read", "sources.read", "approve"))
    assert sole_role(["administrator", "approver"]) == "administrator"
    assert sole_role(["auditor", "analyst"]) == "auditor"
    assert sole_role(["analyst", "engineer", "approver", "leader"]) == ""
    assert sole_role(["administrator", "administrator"]) == ""


@pytest.mark.parametrize("action", SECTOR_WIDE)
def test_what_belongs_to_no_single_unit_is_done_by_grants_for_the_whole_sector_only(action):
    (role, *_) = TABLE[action]
    assert may((Grant(role),), action)
    assert not may((Grant(role, "lca"),), action)


def test_the_machines_own_account_may_all_but_approve():
    assert {action for action in TABLE if not may(MACHINE, action)} == {"approve", "delete.everything"}
    assert scope_of(MACHINE, "event.read", SECTOR, TODAY) == EVERYTHING


def test_a_grant_reaches_its_units_subtree_and_what_the_unit_took_over():
    found = scope("incident.read", Grant("viewer", "lca"))
    assert found.sites == {"cu", "moi", "kv"}
    assert found.units == {"lca", "lca-kv1", "lca-2014", "yba"}
    assert not found.allows("")  # what belongs to no known site is not theirs


def test_before_the_merger_a_grant_reaches_what_was_there_then():
    assert scope("incident.read", Grant("viewer", "lca-2014"), day="2025-06-30").sites == set()
    assert scope("incident.read", Grant("viewer", "yba"), day="2025-06-30").sites == {"cu"}


def test_a_grant_at_the_root_or_without_a_unit_reaches_everything():
    assert scope("incident.read", Grant("viewer")) == EVERYTHING
    assert scope("incident.read", Grant("viewer", "tc")) == EVERYTHING


@pytest.mark.parametrize(
    "units",
    [
        (unit("tc", valid_to="2025-12-31"), unit("hn", "tc"), unit("dn", "tc")),  # what stood above all has ended
        (unit("tc"), unit("hn", "tc"), Unit(id="x", name="x", type="province"), unit("dn", "tc")),
        (unit("tc"), Unit(id="x", name="x", type="supreme"), unit("hn", "tc"), unit("dn", "x")),
        (Unit(id="x", name="x", type="province"), unit("hn", "gone"), unit("dn", "x")),
    ],
    ids=["ended", "two roots", "two supreme ones", "a root that is not supreme"],
)
def test_records_without_one_unit_above_all_widen_nobodys_scope(units):
    sector = Inventory(units=units, sites=tuple(site(f"at-{one.id}", one.id) for one in units))
    for one in units:
        found = scope_of((Grant("viewer", one.id),), "incident.read", sector, TODAY)
        below = {other.id for other in units if is_below(sector, other.id, one.id)} if not one.valid_to else {one.id}
        assert not found.is_everything
        assert found.units == below
    assert scope_of((Grant("viewer"),), "incident.read", sector, TODAY) == EVERYTHING


def test_history_that_nobody_took_over_is_nobodys_where_none_stands_above_all():
    two = (unit("tc"), Unit(id="tc2", name="x", type="supreme"), unit("old", "gone", valid_to="2025-06-30"))
    sector = Inventory(units=two, sites=(site("cu", "old"),))
    assert scope_of((Grant("viewer", "tc"),), "incident.read", sector, TODAY).sites == set()


def test_whose_grant_reaches_into_a_scope_is_known_by_the_units_above_it():
    assert scope("incident.read", Grant("viewer", "lca-kv1")).over == {"tc", "lca", "lca-kv1"}
    assert scope("incident.read", Grant("viewer")).over is None


def test_a_scope_told_in_words_is_short_however_many_units_it_has():
    many = [Grant("analyst", f"vks-khu-vuc-{number:03d}" + "x" * 280) for number in range(130)]
    told = granted(many, "event.read")
    assert told.startswith("vks-khu-vuc-000")
    assert told.endswith("… (130 units)")
    assert len(told) < 2_000
    assert granted([Grant("analyst", "b"), Grant("analyst", "a"), Grant("viewer", "c")], "event.read") == "a, b"


def test_each_action_reaches_where_its_own_roles_are_granted():
    grants = (Grant("viewer", "lca"), Grant("analyst", "hn"))
    assert scope("event.read", *grants).sites == {"thu-do"}
    assert scope("incident.read", *grants).sites == {"cu", "moi", "kv", "thu-do"}


@pytest.mark.parametrize("grants", [(), (Grant("viewer", "gone"),), (Grant("leader", "lca"),)])
def test_without_a_grant_that_allows_it_nothing_is_reached(grants):
    found = scope("event.read", *grants)
    assert (found.sites, found.units) == (frozenset(), frozenset())
    assert not found.is_everything


@pytest.mark.parametrize(
    ("role", "factor", "issuer", "settled"),
    [
        ("analyst", "", "", True),
        ("engineer", "", "", False),
        ("engineer", "pending", "", False),
        ("engineer", "on", "", True),
        ("approver", "", "https://id.example", True),
        ("administrator", "", "", False),
    ],
)
def test_some_roles_ask_for_a_second_factor(role, factor, issuer, settled):
    made = User(
        name="an", grants=(Grant(role),), must_change=False, disabled=False, session=1, factor=factor, issuer=issuer
    )
    assert is_settled(made) is settled


@st.composite
def sectors(draw):
    """A tree of units, each with a site, and some former units that others took over."""
    count = draw(st.integers(1, 12))
    units = [unit("u0")]
    units += [unit(f"u{n}", f"u{draw(st.integers(0, n - 1))}") for n in range(1, count)]
    former = [unit(f"f{n}", "u0", valid_to="2025-06-30") for n in range(draw(st.integers(0, 4)))]
    heirs = [draw(st.integers(0, count - 1)) for _ in former]
    passed = [
        Succession(predecessor=one.id, successor=f"u{heir}", day="2025-07-01")
        for one, heir in zip(former, heirs, strict=True)
    ]
    sites = [site(f"at-{one.id}", one.id) for one in (*units, *former)]
    return Inventory(units=(*units, *former), successions=tuple(passed), sites=tuple(sites))


def is_below(sector: Inventory, name: str, above: str) -> bool:
    while name and name != above:
        found = sector.unit(name)
        name = found.parent if found else ""
    return name == above


@given(sector=sectors(), data=st.data())
def test_over_any_tree_a_grant_reaches_its_subtree_with_its_history_and_nothing_else(sector, data):
    living = [one.id for one in sector.units if not one.valid_to]
    at = data.draw(st.sampled_from(living))
    found = scope_of((Grant("viewer", at),), "incident.read", sector, TODAY)
    expected = {name for name in living if is_below(sector, name, at)}
    expected |= {one.predecessor for one in sector.successions if one.successor in expected}
    if at == "u0":
        assert found == EVERYTHING
    else:
        assert found.units == expected
        assert found.sites == {f"at-{name}" for name in expected}


@given(sector=sectors())
def test_over_any_tree_the_children_of_the_root_share_nothing(sector):
    children = [one.id for one in sector.units if one.parent == "u0" and not one.valid_to]
    scopes = [scope_of((Grant("viewer", name),), "incident.read", sector, TODAY).sites for name in children]
    assert sum(map(len, scopes)) == len(frozenset().union(*scopes))
