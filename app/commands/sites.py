"""haidang sites: list."""

from __future__ import annotations

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, settings_of, show
from app.content import read_inventory

commands = typer.Typer(no_args_is_help=True, help="Điểm cầu / sites.")


@commands.callback()
def _group() -> None:
    """Điểm cầu / sites."""


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Tất cả điểm cầu / all sites."""
    rows = [msgspec.to_builtins(site) for site in read_inventory(settings_of(settings)).sites]
    show(rows, {"id": "Mã", "name": "Tên", "unit": "Đơn vị", "tier": "Cấp"}, as_json=as_json)
