"""Whose is it? Gives an event its unit, site and device."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inventory.addresses import pack_address

if TYPE_CHECKING:
    from core.records import Event, FieldValue
    from inventory.records import Device, Inventory, Site

CONFLICT = "haidang.identity.conflict"
"""Field with the name of the device an event claims to come from, where its address says another, or another site."""

_NAMES_REMEMBERED = 16_384
"""Names whose device is kept, for they are compared in any case; senders can be forged, so the memory is bounded."""

_Owner: TypeAlias = "tuple[Site | None, Device | None, bool]"
"""Whose an event is, as far as is known, and whether it claims the name of another device."""


class Enricher:
    """Answers for one inventory and one address space, the lane's or the exporter's."""

    def __init__(self, inventory: Inventory, space: str) -> None:
        self._addresses = inventory.addresses_of(space)
        self._device_named = lru_cache(_NAMES_REMEMBERED)(inventory.device_named)
        self._site = inventory.site

    def enrich(self, event: Event) -> Event:
        """The event with the unit, site and device that are known; what is unknown stays as it was.

        1. The device with the address ``observer.ip``.
        2. Else the device that ``host.name`` names, if it is of the site of the longest prefix that holds
           ``observer.ip``, or if no prefix does.
        3. Else the site of that prefix.

        A name of another device than the one, or at another site than the one, that the address says is added as
        ``haidang.identity.conflict``: anybody can claim a name, and each unit names its devices itself.

        An event that names no host gets the device's name as ``host.name`` or, failing that, its address.
        """
        fields = event.fields
        address, name = _text(fields.get("observer.ip")), _text(fields.get("host.name"))
        site, device, claimed = self._owner(address, name)
        if claimed:
            fields = {**fields, CONFLICT: name}
        elif address and not name:
            fields = {**fields, "host.name": device.name if device else address}
        if site is not None:
            named = device.name if device else event.device
            return msgspec.structs.replace(event, fields=fields, unit=site.unit, site=site.id, device=named)
        return event if fields is event.fields else msgspec.structs.replace(event, fields=fields)

    def _owner(self, address: str, name: str) -> _Owner:
        packed = pack_address(address) if address else None
        device = self._addresses.device_at(packed)
        named = self._device_named(name) if name else None
        if device is not None:
            return self._site(device.site), device, named is not None and named != device
        site = self._addresses.owner_of(packed)
        if named is None:
            return site, None, False
        if site is None or site.id == named.site:
            return self._site(named.site), named, False
        return site, None, True


def _text(value: FieldValue) -> str:
    return value if isinstance(value, str) else ""
