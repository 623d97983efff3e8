"""haidang backup, restore: keeping a copy, and coming back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.backup import Part, back_up
from app.backup import restore as restore_backup
from app.commands.common import SettingsFile, reader_of, settings_of
from core.clock import SystemClock, vietnam
from core.terminal import say

commands = typer.Typer()


@commands.command()
def backup(folder: Annotated[Path, typer.Argument(help="An empty folder.")], settings: SettingsFile = None) -> None:
    """Sao lưu toàn bộ dữ liệu, cả khi đang chạy / copy all data, also while running; no secrets."""
    own = settings_of(settings)
    contents = back_up(own, folder, SystemClock(), say)
    reader_of(own).note("export", "backup", str(folder), len(contents.files))
    typer.echo(f"Đã sao lưu {len(contents.files)} tệp / backed up {len(contents.files)} files: {folder}")


@commands.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    settings: SettingsFile = None,
    part: Annotated[Part, typer.Option(help="all, or only the centre or the lanes.")] = "all",
) -> None:
    """Khôi phục vào thư mục trống / put a backup into an empty data folder."""
    contents = restore_backup(settings_of(settings), folder, part, SystemClock(), say)
    typer.echo(f"Đã khôi phục bản sao lúc / restored the backup of {vietnam(contents.time)}")
