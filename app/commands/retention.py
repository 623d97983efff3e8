"""haidang retention: show, set."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, reader_of, settings_of, show, state_of, tell_request
from core.clock import vietnam
from core.retention import classes
from core.stores.retention import days_of, list_settings

commands = typer.Typer(no_args_is_help=True, help="Thời gian lưu dữ liệu / how long data is kept.")

_COLUMNS = {
    "name": "Lớp",
    "days": "Số ngày lưu",
    "minimum": "Ít nhất",
    "clause": "Căn cứ",
    "since": "Đặt lúc",
    "actor": "Người đề nghị",
}


@commands.command("show")
def show_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Số ngày lưu của từng lớp dữ liệu, mức tối thiểu và căn cứ / days by class, the least, and by which clause."""
    own = settings_of(settings)
    reader_of(own).must("inventory.read")
    with state_of(own) as connection:
        days, settings_made = days_of(connection), list_settings(connection)
    rows: list[dict[str, object]] = []
    for name, one in classes().items():
        latest = next((setting for setting in settings_made if setting.name == name), None)
        rows.append(
            {
                "name": name if as_json else f"{one.vi} / {name}",
                "days": days[name],
                "minimum": one.minimum,
                "clause": one.clause,
                "since": (latest.time if as_json else vietnam(latest.time)) if latest else (0 if as_json else "–"),
                "actor": latest.actor if latest else ("" if as_json else "mặc định / default"),
            }
        )
    show(rows, _COLUMNS, as_json=as_json)


@commands.command("set")
def set_(
    name: Annotated[str, typer.Argument(metavar="CLASS", help="Lớp dữ liệu / the class of data: events.")],
    days: Annotated[int, typer.Argument(help="Số ngày / days.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit chain.")],
    settings: SettingsFile = None,
) -> None:
    """Đề nghị số ngày lưu; người khác phải duyệt / ask for it; another person has to approve."""
    tell_request(ask_centre(settings_of(settings), "retention.set", name=name, days=days, reason=reason))
