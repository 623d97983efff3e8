"""What a port leads to, by the inventory. Pure."""

from __future__ import annotations

from inventory.objects import InterfaceRole
from inventory.records import Inventory, fold_name

SWITCH = "switch"


class PortRoles:
    """The roles of all ports: as the inventory says of the port, else by the line that it says ends there.

    A switch's port of which it says neither leads to somebody's machine, as most of its ports do.
    """

    def __init__(self, inventory: Inventory | None = None) -> None:
        known = inventory or Inventory()
        self._switches = frozenset(fold_name(device.name) for device in known.devices if device.role == SWITCH)
        self._roles: dict[tuple[str, str], InterfaceRole] = {}
        for link in known.links:
            role: InterfaceRole = "inter_switch" if link.kind == "local" else "uplink"
            for device, port in ((link.a_device, link.a_interface), (link.b_device, link.b_interface)):
                self._roles[fold_name(device), fold_name(port)] = role
        for named in known.interfaces:
            if named.role:
                self._roles[fold_name(named.device), fold_name(named.name)] = named.role

    def of(self, device: str, port: str) -> InterfaceRole:
        """Of one port; empty while unknown."""
        found = self._roles.get((fold_name(device), fold_name(port)), "")
        return found or ("access" if fold_name(device) in self._switches else "")
