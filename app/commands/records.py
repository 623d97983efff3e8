"""haidang events search, sites list, devices list: what is known and what was stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, settings_of, show
from app.content import read_inventory
from collectors.logs.spooling import decode_event
from core.clock import VIETNAM, from_datetime, vietnam
from core.errors import ContentError
from core.records import Event
from core.scope import EVERYTHING
from core.stores.events import LocalEvents, Query

events = typer.Typer(no_args_is_help=True, help="Nhật ký đã lưu / stored events.")
sites = typer.Typer(no_args_is_help=True, help="Điểm cầu / sites.")
devices = typer.Typer(no_args_is_help=True, help="Thiết bị / devices.")

_EVENT_COLUMNS = {"time": "Thời gian", "site": "Điểm cầu", "device": "Thiết bị", "message": "Nội dung"}


@events.command()
def search(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    text: Annotated[str, typer.Argument(help="Text to look for in the fields; empty for all.")] = "",
    settings: SettingsFile = None,
    since: Annotated[str, typer.Option(help="From this time on, ISO 8601; without a zone Vietnam's.")] = "",
    until: Annotated[str, typer.Option(help="Before this time.")] = "",
    site: Annotated[str, typer.Option(help="Only this site.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 1000,
    quarantined: Annotated[bool, typer.Option(help="What could not be taken apart, with the reason.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stored events, latest first."""
    folder = settings_of(settings).logs
    query = Query(
        since=_time(since) if since else 0,
        until=_time(until) if until else 1 << 62,
        text=text,
        site=site,
        quarantined=quarantined,
        limit=limit,
    )
    found = LocalEvents(folder / "spool", folder / "events", decode_event).search(EVERYTHING, query)
    show([_plain(one) if as_json else _row(one) for one in found], _EVENT_COLUMNS, as_json=as_json)


@sites.command("list")
def list_sites(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """All sites of the inventory."""
    rows = [msgspec.to_builtins(site) for site in read_inventory(settings_of(settings)).sites]
    show(rows, {"id": "Mã", "name": "Tên", "unit": "Đơn vị", "tier": "Cấp"}, as_json=as_json)


@devices.command("list")
def list_devices(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """All devices of the inventory."""
    rows = [msgspec.to_builtins(device) for device in read_inventory(settings_of(settings)).devices]
    columns = {"name": "Tên", "site": "Điểm cầu", "address": "Địa chỉ", "vendor": "Hãng", "role": "Vai trò"}
    show(rows, columns, as_json=as_json)


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ContentError(f"'{text}' is no time: write 2026-11-22T13:30 or 2026-11-22T13:30:00+07:00") from None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM))


def _row(event: Event) -> dict[str, object]:
    message = event.fields.get("error.message") or event.fields.get("message") or ""
    return {"time": vietnam(event.time), "site": event.site, "device": event.device, "message": message}


def _plain(event: Event) -> dict[str, object]:
    return {**msgspec.to_builtins(event), "raw": event.raw.decode("utf-8", "replace")}
