"""Whose a record is, and what is left of an inventory within a scope."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from core.scope import EVERYTHING, Scope
from inventory.objects import Circuit, Interface, Link, Place, Service, Space
from inventory.records import Device, Inventory, Prefix, Site
from inventory.units import Unit
from inventory.whose import SECTOR, foreign_spaces, is_at_others, narrowed, units_of


def site(name: str) -> Site:
    return Site(id=name, name=name, unit=f"vks-{name}", address_space=f"space-{name}", tier="PROVINCE")


def device(name: str) -> Device:
    return Device(name=f"rt-{name}", site=name, address="10.0.0.1", vendor="x", model="y", role="router")


NAMES = ("tha", "nan")
INVENTORY = Inventory(
    units=(
        Unit(id="tc", name="TC", type="supreme"),
        *(Unit(id=f"vks-{name}", name=name, type="province", parent="tc") for name in NAMES),
    ),
    sites=tuple(site(name) for name in NAMES),
    places=tuple(Place(id=f"p-{name}", site=name, kind="room", name="Phòng máy") for name in NAMES),
    devices=tuple(device(name) for name in NAMES),
    interfaces=tuple(Interface(device=f"rt-{name}", name="Gi0/1") for name in NAMES),
    links=(Link(id="tha-nan", kind="wan", a_device="rt-tha", b_device="rt-nan"),),
    circuits=(Circuit(id="c-tha", site="tha", kind="wan"), Circuit(id="c-nan", site="nan", kind="wan")),
    spaces=tuple(Space(id=f"space-{name}", name=name) for name in NAMES),
    prefixes=tuple(Prefix(space=f"space-{name}", prefix="192.168.1.0/24", site=name) for name in NAMES),
    services=(Service(id="mail", name="Thư", kind="mail", unit="vks-nan", address="10.0.0.9"),),
)
THA = Scope(sites=frozenset({"tha"}), units=frozenset({"vks-tha"}))


def test_within_a_scope_only_what_is_of_its_units_is_left():
    seen = narrowed(INVENTORY, THA)
    assert [one.id for one in seen.sites] == ["tha"]
    assert [one.id for one in seen.places] == ["p-tha"]
    assert [one.name for one in seen.devices] == ["rt-tha"]
    assert [one.device for one in seen.interfaces] == ["rt-tha"]
    assert [one.id for one in seen.circuits] == ["c-tha"]
    assert [one.id for one in seen.spaces] == ["space-tha"]
    assert [one.site for one in seen.prefixes] == ["tha"]
    assert seen.services == ()
    assert [one.id for one in seen.links] == ["tha-nan"]  # a line between two units is seen by both


def test_everything_is_left_as_it_is():
    assert narrowed(INVENTORY, EVERYTHING) is INVENTORY


@pytest.mark.parametrize(
    ("kind", "index", "units"),
    [
        ("sites", 0, {"vks-tha"}),
        ("devices", 1, {"vks-nan"}),
        ("links", 0, {"vks-tha", "vks-nan"}),
        ("services", 0, {"vks-nan"}),
        ("units", 1, SECTOR),
    ],
)
def test_a_record_is_of_the_units_of_its_sites(kind, index, units):
    assert units_of(INVENTORY, kind, getattr(INVENTORY, kind)[index]) == units


def test_who_has_some_units_changes_nothing_of_others_or_of_the_whole_sector():
    assert THA.holds(frozenset({"vks-tha"}))
    assert not THA.holds(frozenset({"vks-tha", "vks-nan"}))
    assert not THA.holds(SECTOR)
    assert EVERYTHING.holds(SECTOR)


def test_a_space_that_holds_a_site_or_a_prefix_of_others_is_foreign():
    assert foreign_spaces(INVENTORY, THA) == {"space-nan"}
    shared = replace(INVENTORY, prefixes=(Prefix(space="space-tha", prefix="10.9.0.0/16", site="nan"),))
    assert foreign_spaces(shared, THA) == {"space-tha", "space-nan"}
    assert units_of(shared, "spaces", Space(id="space-tha", name="x")) == {"vks-tha", "vks-nan"}


@pytest.mark.parametrize(("address", "is_theirs"), [("10.9.0.7", True), ("10.8.0.7", False), ("10.9.1.7", False)])
def test_an_address_is_at_others_by_the_longest_prefix_of_its_space(address, is_theirs):
    prefixes = (("10.9.0.0/16", "nan"), ("10.9.1.0/24", "tha"))
    shared = replace(INVENTORY, prefixes=tuple(Prefix(space="space-tha", prefix=one, site=at) for one, at in prefixes))
    assert is_at_others(shared, THA, msgspec.structs.replace(device("tha"), address=address)) == is_theirs
