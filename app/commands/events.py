"""haidang events: search, quarantined."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, logs_of, moment, settings_of, show
from app.content import read_inventory
from collectors.logs.spooling import decode_event
from core.clock import vietnam
from core.errors import ContentError, NotFoundError
from core.records import Event
from core.scope import EVERYTHING
from core.settings import Settings
from core.stores.events import LocalEvents, Query
from core.terminal import say

commands = typer.Typer(no_args_is_help=True, help="Nhật ký đã lưu / stored events.")

_EVENT_COLUMNS = {"time": "Thời gian", "site": "Điểm cầu", "device": "Thiết bị", "message": "Nội dung"}


Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")]


@commands.command()
def search(
    text: Annotated[str, typer.Argument(help="Text to look for in the fields; empty for all.")] = "",
    settings: SettingsFile = None,
    time: Annotated[str, typer.Option(help="FROM or FROM/TO in ISO 8601; Vietnam's time where no zone is given.")] = "",
    site: Annotated[str, typer.Option(help="Only this site.")] = "",
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """Tìm trong nhật ký đã lưu, mới nhất trước / stored events, latest first."""
    since, until = _interval(time)
    _show(settings, Query(since=since, until=until, text=text, site=site, limit=limit), as_json=as_json)


@commands.command()
def quarantined(settings: SettingsFile = None, limit: Limit = 1000, as_json: AsJson = False) -> None:
    """Bản tin không đọc được và lý do / what could not be taken for a message, and why."""
    _show(settings, Query(quarantined=True, limit=limit), as_json=as_json)


def _show(settings: Path | None, query: Query, *, as_json: bool) -> None:
    own = settings_of(settings)
    folder = logs_of(own)
    one_more = msgspec.structs.replace(query, limit=query.limit + 1)
    found = LocalEvents(folder / "spool", folder / "events", decode_event).search(EVERYTHING, one_more)
    if not found and query.site:
        _check_site(own, query.site)
    shown = found[: query.limit]
    show([_plain(one) if as_json else _row(one) for one in shown], _EVENT_COLUMNS, as_json=as_json)
    if len(found) > query.limit:
        say(f"chỉ hiện {query.limit} bản ghi mới nhất / only the latest {query.limit} are shown: see --limit")


def _check_site(settings: Settings, site: str) -> None:
    """A site without events must at least be one: old events may be of a site that is none any more."""
    if read_inventory(settings).site(site) is None:
        raise NotFoundError(f"không có điểm cầu '{site}' / there is no site '{site}': see 'haidang sites list'")


def _interval(text: str) -> tuple[int, int]:
    """An ISO 8601 interval, or its beginning alone, as nanoseconds."""
    since, _, until = text.partition("/")
    start, end = moment(since) if since else 0, moment(until) if until else (1 << 63) - 1
    if start >= end:
        raise ContentError(f"'{text}' ends before it begins")
    return start, end


def _row(event: Event) -> dict[str, object]:
    message = event.fields.get("error.message") or event.fields.get("message") or ""
    return {"time": vietnam(event.time), "site": event.site, "device": event.device, "message": message}


def _plain(event: Event) -> dict[str, object]:
    return {**msgspec.to_builtins(event), "raw": event.raw.decode("utf-8", "replace")}
