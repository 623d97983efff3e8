"""What a port leads to, by the inventory. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from inventory.objects import InterfaceRole
from inventory.records import Inventory, fold_name

SWITCH = "switch"

_LOGICAL = re.compile(
    r"(?:po|vl|lo|tu|ae|trk|bond|irb|mgmt|null|nve)\d"
    r"|port-channel|eth-trunk|bridge-aggregation|vlan|loopback|tunnel|management"
)
"""Ports that are no sockets, by how vendors call them: nobody's machine hangs on one."""

_Key: TypeAlias = tuple[str, str]


class PortRoles:
    """The roles of all ports: as the inventory says of the port, else by the line that it says ends there.

    Names are compared by their first two letters and their numbers: ``GigabitEthernet1/0/48`` is ``Gi1/0/48``. A socket
    of a switch of which it says neither leads to somebody's machine, as most do; but only where it says of some other
    port of that switch that it does not. Of a switch that nobody has described nothing is left out.
    """

    def __init__(self, inventory: Inventory | None = None) -> None:
        known = inventory or Inventory()
        self._roles: dict[_Key, InterfaceRole] = dict(_by_lines(known))
        self._roles |= {_key(port.device, port.name): port.role for port in known.interfaces if port.role}
        described = {device for (device, _), role in self._roles.items() if role != "access"}
        self._switches = described & {fold_name(device.name) for device in known.devices if device.role == SWITCH}

    def of(self, device: str, port: str) -> InterfaceRole:
        """Of one port; empty while unknown."""
        role = self._roles.get(_key(device, port), "")
        if role or fold_name(device) not in self._switches or _LOGICAL.match(port.casefold()):
            return role
        return "access"


def _by_lines(inventory: Inventory) -> Iterator[tuple[_Key, InterfaceRole]]:
    for link in inventory.links:
        role: InterfaceRole = "inter_switch" if link.kind == "local" else "uplink"
        for device, port in ((link.a_device, link.a_interface), (link.b_device, link.b_interface)):
            if port:
                yield _key(device, port), role


def _key(device: str, port: str) -> _Key:
    """Of the port's name, two letters and what follows from the first digit on; all of a name without one."""
    name = port.casefold()
    digit = re.search(r"\d", name)
    return fold_name(device), name[:2] + name[digit.start() :] if digit and digit.start() > 1 else name
