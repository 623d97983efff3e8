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
    """Adds a user and prints the one-time password, this once."""
    _tell(ask_centre(settings_of(settings), "users.add", name=name, role=role))


@commands.command()
def reset(name: Name, settings: SettingsFile = None) -> None:
    """Gives a user a new one-time password, ends all sessions, and enables the account."""
    _tell(ask_centre(settings_of(settings), "users.reset", name=name))


@commands.command()
def disable(name: Name, settings: SettingsFile = None) -> None:
    """Ends a user's sessions and refuses new ones."""
    ask_centre(settings_of(settings), "users.disable", name=name)


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """All users."""
    answer = ask_centre(settings_of(settings), "users.list")
    rows = answer["users"]
    assert isinstance(rows, list)  # noqa: S101 - tells the type checker what the centre answers
    show(rows, _COLUMNS, as_json=as_json)


def _tell(answer: Mapping[str, object]) -> None:
    typer.echo(f"Mật khẩu dùng một lần của / one-time password of {answer['name']}: {answer['password']}")
