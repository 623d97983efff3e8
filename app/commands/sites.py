"""haidang sites: list, show."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, reader_of, settings_of, show, today
from core.errors import NotFoundError
from inventory.records import Inventory, Site
from inventory.registry import cells_of
from inventory.sorting import matches, vietnamese_key

commands = typer.Typer(no_args_is_help=True, help="Điểm cầu / sites.")

_COLUMNS = {"id": "Mã", "name": "Tên", "unit": "Đơn vị", "tier": "Cấp", "life_cycle": "Trạng thái"}
_FACTS = {
    "id": "Mã",
    "name": "Tên",
    "unit": "Đơn vị",
    "tier": "Cấp",
    "life_cycle": "Trạng thái",
    "province": "Tỉnh, thành phố",
    "location": "Địa chỉ",
    "address_space": "Không gian địa chỉ",
    "calendar": "Lịch làm việc",
    "opened": "Từ ngày",
    "closed": "Đến ngày",
    "owner": "Bộ phận quản lý",
}
_PARTS: dict[str, tuple[str, dict[str, str]]] = {
    "devices": (
        "Thiết bị",
        {"name": "Tên", "address": "Địa chỉ", "vendor": "Hãng", "model": "Model", "role": "Vai trò"},
    ),
    "circuits": (
        "Đường truyền",
        {
            "id": "Mã",
            "kind": "Loại",
            "carrier": "Nhà mạng",
            "hotline": "Điện thoại báo hỏng",
            "contracted_mbps_down": "Mbit/s",
        },
    ),
    "prefixes": ("Mạng", {"prefix": "Mạng", "space": "Không gian"}),
    "places": ("Vị trí", {"id": "Mã", "kind": "Loại", "name": "Tên", "parent": "Trong"}),
    "services": ("Dịch vụ", {"id": "Mã", "name": "Tên", "kind": "Loại", "address": "Địa chỉ"}),
}
"""What a site has, by the inventory's table: its heading, and the columns that are shown."""


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    find: Annotated[str, typer.Option("--find", help="Only with this text; diacritics count only if typed.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Only of this unit and those below it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Các điểm cầu trong phạm vi của mình / the sites within one's scope."""
    seen = reader_of(settings_of(settings)).seen("inventory.read")
    units = seen.org.reach(unit, today()) if unit else None
    found = [
        site
        for site in seen.sites
        if (units is None or site.unit in units) and matches(f"{site.id} {site.name} {site.location}", find)
    ]
    found.sort(key=lambda site: vietnamese_key(site.name))
    show([msgspec.to_builtins(site) if as_json else cells_of(site) for site in found], _COLUMNS, as_json=as_json)


@commands.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="The site's id or name.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Một điểm cầu: thiết bị, đường truyền, mạng / one site with its devices, circuits and networks."""
    seen = reader_of(settings_of(settings)).seen("inventory.read")
    site = _find(seen, name)
    parts = {kind: [one for one in getattr(seen, kind) if one.site == site.id] for kind in _PARTS}
    if as_json:
        show([{**msgspec.to_builtins(site), **msgspec.to_builtins(parts)}], {}, as_json=True)
        return
    cells = cells_of(site) | {"unit": seen.org.name(site.unit, today()) or site.unit}
    facts = [{"what": heading, "value": cells[column]} for column, heading in _FACTS.items() if cells[column]]
    show(facts, {"what": "Mục", "value": "Giá trị"}, as_json=False)
    for kind, (heading, columns) in _PARTS.items():
        if parts[kind]:
            typer.echo(f"\n{heading}")
            show(_rows(parts[kind]), columns, as_json=False)


def _rows(records: list[Any]) -> list[dict[str, str]]:
    return [cells_of(record) for record in records]


def _find(seen: Inventory, name: str) -> Site:
    by_id = seen.site(name)
    found = [by_id] if by_id else [site for site in seen.sites if matches(site.name, name)]
    if len(found) != 1:
        many = f"{len(found)} điểm cầu có tên như vậy / sites have such a name" if found else ""
        none = f"không có điểm cầu '{name}' / there is no site '{name}'"
        raise NotFoundError(f"{many or none}: see 'haidang sites list'")
    return found[0]
