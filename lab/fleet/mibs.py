"""Which tables a device answers, by its role and family."""

from __future__ import annotations

from functools import cache

from lab.fleet import mib_entities, mib_interfaces, mib_routing
from lab.fleet.families import families
from lab.fleet.mib_hosts import HOST, UCD
from lab.fleet.mib_power import PDU, UPS
from lab.fleet.mib_room import ROOM
from lab.fleet.mib_vendors import ARUBA, CISCO, CISCO_ENVIRONMENT, FORTINET, HUAWEI, JUNIPER, MIKROTIK
from lab.fleet.tables import Table

NAMED: dict[str, tuple[Table, ...]] = {
    "cisco": CISCO,
    "cisco_environment": CISCO_ENVIRONMENT,
    "huawei": HUAWEI,
    "juniper": JUNIPER,
    "fortinet": FORTINET,
    "mikrotik": MIKROTIK,
    "aruba": ARUBA,
    "host": HOST,
    "ucd": UCD,
    "ups": UPS,
    "pdu": PDU,
    "room": ROOM,
}
"""The tables that a family may name."""

_CABLED = ("router", "switch", "firewall", "server")


@cache
def tables_of(family_name: str) -> tuple[Table, ...]:
    """All tables of a family's devices.

    Raises:
        KeyError: there is no such family, or it names a MIB that is not here.
    """
    family = families()[family_name]
    found = [*mib_interfaces.TABLES, *mib_entities.TABLES]
    if family.role in _CABLED:
        found += mib_routing.LLDP_TABLES
    if family.role == "router":
        found += mib_routing.ROUTER_TABLES
    for name in family.mib:
        found += NAMED[name]
    return tuple(found)
