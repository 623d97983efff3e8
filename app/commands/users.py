"""haidang users: add, grant, revoke, reset, disable, enable, signout, list, review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.commands import reviews
from app.commands.common import AsJson, SettingsFile, ask_centre, settings_of, show, tell_request
from core.clock import vietnam

commands = typer.Typer(no_args_is_help=True, help="Người dùng / users.")
commands.add_typer(reviews.commands, name="review")

Name = Annotated[str, typer.Argument(help="The user's name.")]
Role = Annotated[
    str, typer.Option(help="viewer, analyst, engineer, approver, leader, administrator, auditor or wallboard.")
]
Unit = Annotated[str, typer.Option(help="The unit, with all below it; default the whole sector.")]
Address = Annotated[str, typer.Option(help="Of a wallboard's screen: the only one from which it may sign in.")]

_FACTORS = {"": "chưa có", "pending": "đang đặt", "on": "có"}
_COLUMNS = {
    "name": "Tên",
    "roles": "Vai trò (đơn vị)",
    "factor": "Yếu tố xác thực thứ hai",
    "seen": "Đăng nhập lần cuối",
    "disabled": "Đã khóa",
}


@commands.command()
def add(
    name: Name, settings: SettingsFile = None, role: Role = "analyst", unit: Unit = "", address: Address = ""
) -> None:
    """Thêm người dùng, in mật khẩu dùng một lần / add a user, print the one-time password once."""
    answer = ask_centre(settings_of(settings), "users.add", name=name, role=role, unit=unit, address=address)
    _tell(answer)
    tell_request(answer)


@commands.command()
def grant(name: Name, role: Role, settings: SettingsFile = None, unit: Unit = "") -> None:
    """Giao vai trò tại một đơn vị / give a role at a unit."""
    answer = ask_centre(settings_of(settings), "users.grant", name=name, role=role, unit=unit)
    if "request" in answer:
        tell_request(answer)
    else:
        typer.echo("Đã giao / given" if answer["changed"] else "Đã có từ trước / it was so already")


@commands.command()
def revoke(name: Name, role: Role, settings: SettingsFile = None, unit: Unit = "") -> None:
    """Thu lại vai trò tại một đơn vị, kết thúc mọi phiên / take a role at a unit away, end sessions."""
    ask_centre(settings_of(settings), "users.revoke", name=name, role=role, unit=unit)


@commands.command()
def reset(name: Name, settings: SettingsFile = None) -> None:
    """Cấp lại mật khẩu dùng một lần, mở khóa / new one-time password, end sessions, unlock, drop the second factor."""
    _tell(ask_centre(settings_of(settings), "users.reset", name=name))


@commands.command()
def disable(name: Name, settings: SettingsFile = None) -> None:
    """Khóa tài khoản, kết thúc mọi phiên / end sessions and refuse new ones."""
    ask_centre(settings_of(settings), "users.disable", name=name)


@commands.command()
def enable(name: Name, settings: SettingsFile = None) -> None:
    """Mở khóa tài khoản đăng nhập qua OpenID; tài khoản tại chỗ dùng reset / enable an OpenID account again."""
    ask_centre(settings_of(settings), "users.enable", name=name)


@commands.command()
def signout(name: Name, settings: SettingsFile = None) -> None:
    """Kết thúc mọi phiên của một tài khoản / end all sessions of an account."""
    ask_centre(settings_of(settings), "users.signout", name=name)


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Tất cả người dùng / all users."""
    rows: Any = ask_centre(settings_of(settings), "users.list")["users"]
    show(rows if as_json else [_row(one) for one in rows], _COLUMNS, as_json=as_json)


def _row(user: Mapping[str, Any]) -> dict[str, object]:
    return {
        "name": user["name"],
        "roles": user["roles"] or "–",
        "factor": user["issuer"] or user["address"] or _FACTORS[user["factor"]],
        "seen": vietnam(user["seen"]) if user["seen"] else "–",
        "disabled": "có" if user["disabled"] else "",
    }


def _tell(answer: Mapping[str, object]) -> None:
    typer.echo(f"Mật khẩu dùng một lần của / one-time password of {answer['name']}: {answer['password']}")
