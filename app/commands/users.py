"""haidang users: add, reset, disable, list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, settings_of, show

commands = typer.Typer(no_args_is_help=True, help="Người dùng / users.")

Name = Annotated[str, typer.Argument(help="The user's name.")]

_COLUMNS = {"name": "Tên", "role": "Vai trò", "must_change": "Phải đổi mật khẩu", "disabled": "Đã khóa"}


@commands.command()
def add(name: Name, settings: SettingsFile = None, role: str = "analyst") -> None:
    """Thêm người dùng, in mật khẩu dùng một lần / add a user, print the one-time password once."""
    _tell(ask_centre(settings_of(settings), "users.add", name=name, role=role))


@commands.command()
def reset(name: Name, settings: SettingsFile = None) -> None:
    """Cấp lại mật khẩu dùng một lần, mở khóa / new one-time password, end sessions, unlock."""
    _tell(ask_centre(settings_of(settings), "users.reset", name=name))


@commands.command()
def disable(name: Name, settings: SettingsFile = None) -> None:
    """Khóa tài khoản, kết thúc mọi phiên / end sessions and refuse new ones."""
    ask_centre(settings_of(settings), "users.disable", name=name)


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Tất cả người dùng / all users."""
    answer = ask_centre(settings_of(settings), "users.list")
    rows = answer["users"]
    assert isinstance(rows, list)  # noqa: S101 - tells the type checker what the centre answers
    show(rows, _COLUMNS, as_json=as_json)


def _tell(answer: Mapping[str, object]) -> None:
    typer.echo(f"Mật khẩu dùng một lần của / one-time password of {answer['name']}: {answer['password']}")
