"""haidang sources: list, show."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, reader_of, settings_of, show
from core.clock import vietnam
from core.errors import NotFoundError
from core.scope import Scope
from core.sources import Source, Sources, SourceState, read_sources
from core.stores.source_list import Choice, Order, WantedSources, find_source, list_sources
from core.terminal import say

commands = typer.Typer(no_args_is_help=True, help="Nguồn nhật ký / sources of logs.")

_COLUMNS = {
    "state": "Trạng thái",
    "address": "Địa chỉ",
    "device": "Thiết bị",
    "site": "Điểm cầu",
    "rate": "Bản ghi/s",
    "usual": "Thường",
    "last": "Nghe lần cuối",
    "dropped": "Mất",
    "quarantined": "Cách ly",
    "kinds": "Loại",
}
_STATES = {
    SourceState.LEARNING: "đang học",
    SourceState.ALIVE: "đang gửi",
    SourceState.SILENT: "im lặng",
    SourceState.SURGING: "tăng đột biến",
}
_NAMES = {
    "address": "Địa chỉ / address",
    "device": "Thiết bị / device",
    "site": "Điểm cầu / site",
    "known": "Có trong danh mục / known",
    "kinds": "Loại / kinds",
    "ways": "Cách gửi / ways",
    "first": "Nghe lần đầu / first",
    "last": "Nghe lần cuối / last",
    "state": "Trạng thái / state",
    "since": "Từ / since",
    "rate": "Bản ghi/s / rate",
    "usual": "Thường / usual",
    "received": "Nhận / received",
    "stored": "Lưu / stored",
    "duplicates": "Trùng / duplicates",
    "quarantined": "Cách ly / quarantined",
    "dropped": "Mất / dropped",
    "understood": "Hiểu được / understood",
    "untrusted": "Không tin giờ / untrusted",
    "lag": "Trễ (giây) / lag (s)",
    "offset": "Lệch giờ (giây) / offset (s)",
    "zone": "Múi giờ / zone",
    "zone_from": "Múi giờ lấy từ / zone_from",
    "limit": "Im lặng tối đa (giây) / limit (s)",
    "limit_from": "Giới hạn lấy từ / limit_from",
}
"""All that a source has, by the names that JSON gives it."""
_TIMES = frozenset({"first", "last", "since"})


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    state: Annotated[Choice | None, typer.Option(help="Only these; 'unknown' are those not in the inventory.")] = None,
    search: Annotated[str, typer.Option(help="Words of address, name, site, kind or way.")] = "",
    order: Annotated[Order, typer.Option("--sort", help="What stands first.")] = Order.STATE,
    as_json: AsJson = False,
) -> None:
    """Các nguồn nhật ký, đáng chú ý nhất trước / sources of logs, the most noteworthy first."""
    own = settings_of(settings)
    scope, sources = reader_of(own).scope("sources.read"), read_sources(own.sources)
    found = list_sources(sources, scope, WantedSources(text=search, choice=state, order=order))
    show([_whole(one) if as_json else _row(one) for one in found], _COLUMNS, as_json=as_json)
    if sources.unlisted and scope.is_everything:
        say(f"còn {sources.unlisted} nguồn không tách riêng / {sources.unlisted} more sources are not kept apart")


@commands.command("show")
def show_(
    address: Annotated[str, typer.Argument(help="The source's address.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Mọi số liệu của một nguồn / all figures of one source."""
    own = settings_of(settings)
    scope = reader_of(own).scope("sources.read")
    source = _found(read_sources(own.sources), scope, address)
    if as_json:
        show([_whole(source)], {}, as_json=True)
        return
    told = [{"name": _NAMES[name], "value": _told(name, value)} for name, value in _whole(source).items()]
    show(told, {"name": "Mục", "value": "Giá trị"}, as_json=False)


def _found(sources: Sources, scope: Scope, address: str) -> Source:
    try:
        return find_source(sources, scope, address)
    except NotFoundError:
        text = f"không có nguồn '{address}' / there is no source '{address}': see 'haidang sources list'"
        raise NotFoundError(text) from None


def _whole(source: Source) -> dict[str, object]:
    """All that is known of it, also what equals its default."""
    return {name: msgspec.to_builtins(getattr(source, name)) for name in source.__struct_fields__}


def _row(source: Source) -> dict[str, object]:
    return _whole(source) | {
        "state": _STATES[source.state],
        "device": source.device if source.known else f"{source.device} (chưa có trong danh mục)".strip(),
        "rate": f"{source.rate:.1f}",
        "usual": f"{source.usual:.1f}",
        "last": vietnam(source.last),
        "kinds": ", ".join(source.kinds),
    }


def _told(name: str, value: object) -> str:
    if isinstance(value, int) and name in _TIMES:
        return vietnam(value) if value else "–"
    if isinstance(value, bool):
        return "có / yes" if value else "không / no"
    if name == "state":
        return f"{_STATES[SourceState(str(value))]} / {value}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
