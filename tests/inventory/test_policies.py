from collections import Counter

import pytest

from inventory.objects import Circuit, Interface, Policy
from inventory.policies import judge, shipped_policies
from inventory.records import Device, Inventory, Site

TODAY = "2026-11-22"


def site(tier, **more):
    return Site(id=tier.lower(), name=tier, unit="tc", address_space="wan", tier=tier, **more)


def device(tier, **more):
    name = f"sw-{tier.lower()}"
    octet = len(tier)
    return Device(name=name, site=tier.lower(), address=f"10.0.0.{octet}", vendor="c", model="m", role="switch", **more)


def port(tier, role, speed, name="p"):
    return Interface(device=f"sw-{tier.lower()}", name=f"{name}-{role}-{speed}", role=role, speed_mbps=speed)


def sector(*interfaces, **more):
    tiers = ("DC", "PROVINCE", "AREA")
    parts = {"sites": tuple(map(site, tiers)), "devices": tuple(map(device, tiers)), "interfaces": interfaces}
    return Inventory(**(parts | more))


@pytest.mark.parametrize(
    ("tier", "role", "least"),
    [
        ("DC", "inter_switch", 10_000),
        ("DC", "uplink", 1_000),
        ("DC", "access", 1_000),
        ("PROVINCE", "inter_switch", 1_000),
        ("PROVINCE", "access", 1_000),
        ("AREA", "inter_switch", 1_000),
        ("AREA", "server", 1_000),
        ("AREA", "access", 100),
    ],
)
def test_the_master_plan_asks_for_this_speed_and_no_more(tier, role, least):
    found = judge(sector(port(tier, role, least), port(tier, role, least - 1)), TODAY)
    (violation,) = found.violations
    assert (violation.site, violation.known_mbps, violation.policy.minimum_mbps) == (tier.lower(), least - 1, least)
    assert violation.policy.source.startswith("QĐ 359 ngày 02/12/2022")
    assert (found.met, found.unknown, found.unjudged) == (1, (), 0)


def test_an_unknown_speed_is_neither_a_violation_nor_fine():
    found = judge(sector(port("DC", "access", None)), TODAY)
    assert (found.violations, found.met) == ((), 0)
    assert found.unknown == (("interfaces", "sw-dc|p-access-None"),)


def test_before_the_plan_was_decided_nothing_is_judged():
    inventory = sector(port("DC", "access", 10))
    assert judge(inventory, "2022-12-01").violations == ()
    assert [one.name for one in judge(inventory, "2022-12-02").violations] == ["sw-dc p-access-10"]
    assert judge(inventory, "2022-12-01").unjudged == 1


def test_what_is_not_in_service_or_has_no_role_is_not_judged():
    slow = port("AREA", "access", 10)
    assert judge(sector(port("AREA", "", 10)), TODAY).unjudged == 1
    assert judge(sector(slow, sites=(site("AREA", life_cycle="planned"),)), TODAY).violations == ()
    assert judge(sector(slow, devices=(device("AREA", life_cycle="retired"),)), TODAY).violations == ()
    assert judge(sector(slow, devices=()), TODAY).violations == ()


def test_policies_of_one_s_own_replace_the_shipped_ones_and_may_judge_circuits():
    def circuit(name, down, up, **more):
        return Circuit(id=name, site="area", kind="state", contracted_mbps_down=down, contracted_mbps_up=up, **more)

    policies = (Policy(tier="AREA", what="circuit", role="state", minimum_mbps=50, valid_to="2027-12-31"),)
    circuits = (
        circuit("slow", 100, 20),
        circuit("half", None, 60),
        circuit("none", None, None),
        circuit("ended", 1, 1, life_cycle="retired"),
    )
    inventory = sector(port("AREA", "access", 1), circuits=circuits, policies=policies)
    found = judge(inventory, TODAY)
    assert [(one.kind, one.key, one.known_mbps) for one in found.violations] == [("circuits", "slow", 20)]
    assert (found.met, found.unknown, found.unjudged) == (1, (("circuits", "none"),), 1)
    assert judge(inventory, "2028-01-01").violations == ()


def test_the_shipped_policies_hold_from_the_day_of_the_decision_and_name_it():
    shipped = shipped_policies()
    assert Counter(policy.tier for policy in shipped) == {"DC": 4, "PROVINCE": 2, "AREA": 4}
    assert {policy.valid_from for policy in shipped} == {"2022-12-02"}
