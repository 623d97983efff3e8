"""haidang requests: list, approve, refuse, withdraw."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, settings_of, show
from core.clock import vietnam

commands = typer.Typer(no_args_is_help=True, help="Đề nghị cần người thứ hai duyệt / what needs a second person.")

Number = Annotated[int, typer.Argument(min=1, max=(1 << 63) - 1, help="The request's number.")]

_STATES = {"open": "chờ duyệt", "lapsed": "hết hạn", "approved": "đã duyệt", "refused": "đã từ chối"}
_COLUMNS = {
    "id": "Số",
    "state": "Trạng thái",
    "time": "Lúc",
    "actor": "Người đề nghị",
    "action": "Việc",
    "values": "Nội dung",
    "reason": "Lý do",
    "decided_by": "Người quyết định",
    "answer": "Trả lời",
}


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Các đề nghị, đang chờ trước / requests, open ones first: all for who approves, else one's own."""
    rows: Any = ask_centre(settings_of(settings), "requests.list")["requests"]
    show(rows if as_json else [_row(one) for one in rows], _COLUMNS, as_json=as_json)


@commands.command()
def approve(
    number: Number,
    settings: SettingsFile = None,
    text: Annotated[str, typer.Option("--text", help="Words for who asked.")] = "",
) -> None:
    """Duyệt và thực hiện, nhân danh người đề nghị / approve it and have it done in the name of who asked."""
    ask_centre(settings_of(settings), "requests.approve", id=number, text=text)
    typer.echo(f"Đã duyệt và thực hiện đề nghị / approved and done: {number}")


@commands.command()
def refuse(
    number: Number, text: Annotated[str, typer.Option("--text", help="Why not.")], settings: SettingsFile = None
) -> None:
    """Từ chối, kèm lý do / refuse it and say why."""
    if not text.strip():
        raise typer.BadParameter("say why with --text")
    ask_centre(settings_of(settings), "requests.refuse", id=number, text=text)
    typer.echo(f"Đã từ chối đề nghị / refused: {number}")


@commands.command()
def withdraw(number: Number, settings: SettingsFile = None) -> None:
    """Rút lại đề nghị của mình / take one's own request back."""
    ask_centre(settings_of(settings), "requests.withdraw", id=number)
    typer.echo(f"Đã rút đề nghị / withdrawn: {number}")


def _row(request: dict[str, Any]) -> dict[str, object]:
    values = ", ".join(f"{name}: {value}" for name, value in request["values"].items() if value and name != "reason")
    return request | {
        "state": _STATES[request["state"]],
        "time": vietnam(request["time"]),
        "values": values,
    }
