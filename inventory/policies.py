"""Least speeds by tier: which interfaces and circuits are slower than the policy that holds on a day.

Source: the sector's IT master plan (decision 359 of 2 December 2022), as dated rows in ``data/policies.csv``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from core.errors import ContentError
from core.records import Record
from inventory.load import check_rows, inventory_of
from inventory.objects import Policy
from inventory.records import Inventory
from inventory.registry import key_of
from inventory.shipped import SHIPPED
from inventory.tables import read_table


class Violation(Record, frozen=True, kw_only=True):
    """What is slower than it has to be.

    Attributes:
        kind: the table: ``interfaces`` or ``circuits``.
        key: as ``key_of`` gives it.
        site: id of the site.
        name: what to call it.
        known_mbps: its speed, Mbit/s; of a circuit the slower direction that is known.
        policy: which it does not meet.
    """

    kind: str
    key: str
    site: str
    name: str
    known_mbps: float
    policy: Policy


class Judgement(Record, frozen=True, kw_only=True):
    """What came of comparing all that a policy of the day concerns.

    Attributes:
        met: how many are fast enough.
        unknown: table and key of those whose speed is not known; neither violators nor fine.
        unjudged: how many no policy of the day concerns, for their tier, role or kind.
    """

    violations: tuple[Violation, ...]
    unknown: tuple[tuple[str, str], ...]
    met: int
    unjudged: int


class _Judged(NamedTuple):
    kind: str
    record: Record
    site: str
    name: str
    role: str
    mbps: float | None


@cache
def shipped_policies() -> tuple[Policy, ...]:
    """The policies of the sector's master plan.

    Raises:
        ContentError: the shipped file was changed and is wrong; names the line.
    """
    checked = check_rows({"policies": read_table(SHIPPED, "policies")})
    if checked.problems:
        raise ContentError(str(checked.problems[0]))
    return inventory_of(checked.records).policies


def judge(inventory: Inventory, day: str) -> Judgement:
    """Compares interfaces and circuits with the policies of the day (ISO date); the inventory's own, else the shipped.

    What stands at a site that is not in service, or is a circuit that is not, is left out.
    """
    found = _policies_of(inventory, day)
    violations: list[Violation] = []
    unknown: list[tuple[str, str]] = []
    met = unjudged = 0
    for one in (*_interfaces(inventory), *_circuits(inventory)):
        policy = found.get((_tier(inventory, one.site), one.role))
        if policy is None:
            unjudged += 1
        elif one.mbps is None:
            unknown.append((one.kind, key_of(one.kind, one.record)))
        elif one.mbps < policy.minimum_mbps:
            violations.append(_violation(one, one.mbps, policy))
        else:
            met += 1
    return Judgement(violations=tuple(violations), unknown=tuple(unknown), met=met, unjudged=unjudged)


def _policies_of(inventory: Inventory, day: str) -> dict[tuple[str, str], Policy]:
    """By tier and role; roles of interfaces and kinds of circuits share no word."""
    policies = inventory.policies or shipped_policies()
    return {(one.tier, one.role): one for one in policies if one.valid_from <= day <= (one.valid_to or "9")}


def _violation(one: _Judged, mbps: float, policy: Policy) -> Violation:
    key = key_of(one.kind, one.record)
    return Violation(kind=one.kind, key=key, site=one.site, name=one.name, known_mbps=mbps, policy=policy)


def _tier(inventory: Inventory, site_id: str) -> str:
    site = inventory.site(site_id)
    return site.tier if site else ""


def _in_service(inventory: Inventory, site_id: str) -> bool:
    site = inventory.site(site_id)
    return site is not None and site.life_cycle == "in_service"


def _interfaces(inventory: Inventory) -> Iterator[_Judged]:
    for port in inventory.interfaces:
        device = inventory.device_named(port.device)
        if device and device.life_cycle == "in_service" and _in_service(inventory, device.site):
            name = f"{device.name} {port.name}"
            yield _Judged("interfaces", port, device.site, name, port.role, port.speed_mbps)


def _circuits(inventory: Inventory) -> Iterator[_Judged]:
    for circuit in inventory.circuits:
        if circuit.life_cycle == "in_service" and _in_service(inventory, circuit.site):
            known = [circuit.contracted_mbps_down, circuit.contracted_mbps_up]
            slower = min((mbps for mbps in known if mbps is not None), default=None)
            yield _Judged("circuits", circuit, circuit.site, circuit.id, circuit.kind, slower)
