"""haidang devices: list, show."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, reader_of, settings_of, show
from app.content import read_inventory
from core.errors import NotFoundError
from core.settings import Settings
from inventory.records import Inventory, fold_name
from inventory.registry import cells_of
from inventory.sorting import matches, vietnamese_key
from inventory.stocktake import COLUMNS
from inventory.whose import narrowed

commands = typer.Typer(no_args_is_help=True, help="Thiết bị / devices.")

_SHOWN = {"name": "Tên", "site": "Điểm cầu", "address": "Địa chỉ", "vendor": "Hãng", "role": "Vai trò"}
_MORE = {
    "access": "Quyền truy cập",
    "family": "Dòng thiết bị",
    "timezone": "Múi giờ",
    "in_service": "Đưa vào sử dụng",
}
_PORTS = {"name": "Cổng", "role": "Vai trò", "speed_mbps": "Mbit/s", "description": "Mô tả"}


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    find: Annotated[str, typer.Option("--find", help="Only with this text; diacritics count only if typed.")] = "",
    site: Annotated[str, typer.Option("--site", help="Only at this site.")] = "",
    as_json: AsJson = False,
) -> None:
    """Các thiết bị trong phạm vi của mình / the devices within one's scope."""
    found = [
        device
        for device in _seen(settings_of(settings)).devices
        if site in {"", device.site}
        and matches(f"{device.name} {device.address} {device.vendor} {device.model} {device.purpose}", find)
    ]
    found.sort(key=lambda device: vietnamese_key(device.name))
    show([msgspec.to_builtins(device) if as_json else cells_of(device) for device in found], _SHOWN, as_json=as_json)


@commands.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="The device's name.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Một thiết bị với các cổng / one device with its interfaces."""
    seen = _seen(settings_of(settings))
    device = seen.device_named(name)
    if device is None:
        raise NotFoundError(f"không có thiết bị '{name}' / there is no device '{name}': see 'haidang devices list'")
    ports = [port for port in seen.interfaces if fold_name(port.device) == fold_name(device.name)]
    if as_json:
        show([{**msgspec.to_builtins(device), "interfaces": msgspec.to_builtins(ports)}], {}, as_json=True)
        return
    cells = cells_of(device)
    headings = {column: heading for column, heading in (COLUMNS | _MORE).items() if cells.get(column)}
    facts = [{"what": heading, "value": cells[column]} for column, heading in headings.items()]
    show(facts, {"what": "Mục", "value": "Giá trị"}, as_json=False)
    if ports:
        typer.echo("\nCổng / interfaces")
        show([cells_of(port) for port in ports], _PORTS, as_json=False)


def _seen(settings: Settings) -> Inventory:
    return narrowed(read_inventory(settings), reader_of(settings).scope("inventory.read"))
