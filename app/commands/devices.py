"""haidang devices: list."""

from __future__ import annotations

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, settings_of, show
from app.content import read_inventory

commands = typer.Typer(no_args_is_help=True, help="Thiết bị / devices.")


@commands.callback()
def _group() -> None:
    """Thiết bị / devices."""


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Tất cả thiết bị / all devices."""
    rows = [msgspec.to_builtins(device) for device in read_inventory(settings_of(settings)).devices]
    columns = {"name": "Tên", "site": "Điểm cầu", "address": "Địa chỉ", "vendor": "Hãng", "role": "Vai trò"}
    show(rows, columns, as_json=as_json)
