"""haidang check."""

from __future__ import annotations

import msgspec
import typer

from app.check import check as check_all
from app.commands.common import AsJson, SettingsFile, settings_of, show

commands = typer.Typer()


@commands.command()
def check(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Dựng thử mọi thành phần, nói rõ chỗ sai hoặc thiếu / build everything, say what is wrong or missing."""
    notes = check_all(settings_of(settings))
    rows = [msgspec.to_builtins(note) for note in notes]
    show(rows, {"level": "Kết quả", "what": "Phần", "text": "Chi tiết"}, as_json=as_json)
    if any(note.level == "error" for note in notes):
        raise typer.Exit(1)
