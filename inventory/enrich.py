"""Whose is it? Gives an event its unit, site and device."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from core.records import Event, FieldValue
    from inventory.records import Device, Inventory, Site

CONFLICT = "haidang.identity.conflict"
"""Field with the name of the device an event claims to come from, where its address says another."""

_REMEMBERED = 65_536
"""Addresses and names whose answer is kept; senders can be forged, so the memory is bounded."""


class Enricher:
    """Answers for one inventory and one address space, the lane's or the exporter's."""

    def __init__(self, inventory: Inventory, space: str) -> None:
        self._inventory = inventory
        self._space = space
        self._device_at = lru_cache(_REMEMBERED)(lambda address: inventory.device_at(space, address))
        self._device_named = lru_cache(_REMEMBERED)(inventory.device_named)
        self._site_of = lru_cache(_REMEMBERED)(lambda address: inventory.site_of(space, address))

    def enrich(self, event: Event) -> Event:
        """The event with the unit, site and device that are known; what is unknown stays as it was.

        1. The device with the address ``observer.ip``; if ``host.name`` names another device, that name is added
           as ``haidang.identity.conflict``.
        2. Else the device that ``host.name`` names.
        3. Else the site of the longest prefix that holds ``observer.ip``.

        An event that names no host gets the device's name as ``host.name`` or, failing that, its address.
        """
        address = _text(event.fields.get("observer.ip"))
        name = _text(event.fields.get("host.name"))
        by_address = self._device_at(address) if address else None
        by_name = self._device_named(name) if name else None
        if by_address is not None and by_name not in {None, by_address}:
            event = msgspec.structs.replace(event, fields={**event.fields, CONFLICT: name})
        device = by_address or by_name
        if not name and address:
            host = device.name if device else address
            event = msgspec.structs.replace(event, fields={**event.fields, "host.name": host})
        if device is not None:
            return self._owned(event, self._inventory.site(device.site), device)
        return self._owned(event, self._site_of(address) if address else None)

    def _owned(self, event: Event, site: Site | None, device: Device | None = None) -> Event:
        if site is None:
            return event
        name = device.name if device else event.device
        return msgspec.structs.replace(event, unit=site.unit, site=site.id, device=name)


def _text(value: FieldValue) -> str:
    return value if isinstance(value, str) else ""
