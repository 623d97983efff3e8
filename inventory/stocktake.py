"""The stock-take of a level-4 system: what its rule asks of every device, as one table.

Source: TCVN 14423:2026, 6.2.1 to 6.2.2.1: name, static address, MAC address or serial number, end of the vendor's
support, where it stands on the map and in the network, purpose, state, owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from inventory.addresses import pack_address
from inventory.formats.rows import Sheet
from inventory.lookup import AddressTable
from inventory.objects import Place
from inventory.records import Device, Inventory
from inventory.registry import cells_of

_Networks: TypeAlias = AddressTable[Any, str]
"""One address space's, each its own text."""

_NOWHERE: _Networks = AddressTable()

COLUMNS = {
    "name": "Tên thiết bị",
    "address": "Địa chỉ IP tĩnh",
    "mac": "Địa chỉ MAC",
    "serial": "Số sê-ri",
    "vendor": "Hãng",
    "model": "Model",
    "role": "Vai trò",
    "os_version": "Phiên bản phần mềm",
    "support_end": "Hết hỗ trợ của hãng",
    "warranty_end": "Hết bảo hành",
    "unit": "Đơn vị",
    "site": "Điểm cầu",
    "location": "Vị trí địa lý",
    "latitude": "Vĩ độ",
    "longitude": "Kinh độ",
    "place": "Vị trí lắp đặt",
    "position": "Vị trí trong tủ (U)",
    "space": "Không gian địa chỉ",
    "network": "Vùng mạng",
    "purpose": "Mục đích sử dụng",
    "life_cycle": "Trạng thái",
    "owner": "Bộ phận quản lý",
}
"""Columns with their Vietnamese headings."""

REQUIRED = ("address", "support_end", "location", "network", "purpose", "life_cycle", "owner")
"""Columns that the rule asks to be filled, besides one of MAC address and serial number."""


def stock_take(inventory: Inventory, day: str) -> Sheet:
    """A row for every device; units by their name on the day (ISO date)."""
    places = {place.id: place for place in inventory.places}
    networks = _networks(inventory)
    return tuple(COLUMNS), [_row(inventory, device, places, networks, day) for device in inventory.devices]


def gaps(row: dict[str, str]) -> list[str]:
    """The columns that the rule asks for and that this row leaves empty."""
    empty = [column for column in REQUIRED if not row[column]]
    return empty if row["mac"] or row["serial"] else [*empty, "serial"]


def _networks(inventory: Inventory) -> dict[str, _Networks]:
    prefixes = defaultdict[str, list[tuple[str, str]]](list)
    for row in inventory.prefixes:
        prefixes[row.space].append((row.prefix, row.prefix))
    return {space: AddressTable(prefixes=found) for space, found in prefixes.items()}


def _row(
    inventory: Inventory, device: Device, places: dict[str, Place], networks: dict[str, _Networks], day: str
) -> dict[str, str]:
    site = inventory.site(device.site)
    at = cells_of(site) if site else {}
    unit, space = at.get("unit", ""), at.get("address_space", "")
    told = cells_of(device) | {column: at.get(column, "") for column in ("location", "latitude", "longitude")}
    told |= {
        "unit": inventory.org.name(unit, day) or unit,
        "site": at.get("name", device.site),
        "place": " / ".join(reversed(list(_around(places, device.place)))),
        "space": space,
        "network": networks.get(space, _NOWHERE).owner_of(pack_address(device.address)) or "",
    }
    return {column: told[column] for column in COLUMNS}


def _around(places: dict[str, Place], place_id: str) -> Iterator[str]:
    """The names of the place and those around it, the smallest first."""
    for _ in places:
        place = places.get(place_id)
        if place is None:
            return
        yield place.name
        place_id = place.parent
