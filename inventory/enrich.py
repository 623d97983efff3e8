"""Whose is it? Gives an event its unit, site and device."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from core.records import Event, FieldValue
    from inventory.records import Inventory, Site

CONFLICT = "haidang.identity.conflict"
"""Field with the name of the device an event claims to come from, where its address says another."""

_REMEMBERED = 65_536
"""Addresses whose answer is kept; senders can be forged, so the memory is bounded."""

_CLAIMS_REMEMBERED = 16_384
"""Pairs of an address and the name that is claimed with it, whose answer is kept."""


class _Owner(NamedTuple):
    """Whose an event is: what is known, and the field that it gets besides."""

    site: Site | None
    device: str
    field: tuple[str, str] | None


class Enricher:
    """Answers for one inventory and one address space, the lane's or the exporter's."""

    def __init__(self, inventory: Inventory, space: str) -> None:
        self._inventory = inventory
        self._device_at = lru_cache(_REMEMBERED)(lambda address: inventory.device_at(space, address))
        self._site_of = lru_cache(_REMEMBERED)(lambda address: inventory.site_of(space, address))
        self._owner = lru_cache(_CLAIMS_REMEMBERED)(self._find_owner)

    def enrich(self, event: Event) -> Event:
        """The event with the unit, site and device that are known; what is unknown stays as it was.

        1. The device with the address ``observer.ip``; if ``host.name`` names another device, that name is added
           as ``haidang.identity.conflict``.
        2. Else the device that ``host.name`` names.
        3. Else the site of the longest prefix that holds ``observer.ip``.

        An event that names no host gets the device's name as ``host.name`` or, failing that, its address.
        """
        fields = event.fields
        site, device, field = self._owner(_text(fields.get("observer.ip")), _text(fields.get("host.name")))
        if field is not None:
            fields = {**fields, field[0]: field[1]}
        if site is not None:
            return msgspec.structs.replace(
                event, fields=fields, unit=site.unit, site=site.id, device=device or event.device
            )
        return event if field is None else msgspec.structs.replace(event, fields=fields)

    def _find_owner(self, address: str, name: str) -> _Owner:
        by_address = self._device_at(address) if address else None
        by_name = self._inventory.device_named(name) if name else None
        device = by_address or by_name
        field = None
        if by_address is not None and by_name not in {None, by_address}:
            field = (CONFLICT, name)
        elif not name and address:
            field = ("host.name", device.name if device else address)
        if device is not None:
            return _Owner(self._inventory.site(device.site), device.name, field)
        return _Owner(self._site_of(address) if address else None, "", field)


def _text(value: FieldValue) -> str:
    return value if isinstance(value, str) else ""
