"""haidang up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import SettingsFile, settings_of
from app.services import LANES, SERVICES
from app.supervisor import Supervisor, own_service
from core.errors import SettingsError
from core.files import own_folder
from core.terminal import say

commands = typer.Typer()


@commands.command()
def up(
    settings: SettingsFile = None,
    lane: Annotated[str, typer.Option(help="Only this lane, for instance logs.")] = "",
) -> None:
    """Chạy hệ thống: trung tâm, các làn thu thập, bảng điều khiển / run the platform, or one lane of it."""
    chosen = settings_of(settings)
    names = [lane] if lane else list(SERVICES)
    if lane and lane not in LANES:
        raise SettingsError(f"there is no lane '{lane}': lanes are {', '.join(LANES)}")
    own_folder(chosen.data, "platform", shared=bool(lane))
    if lane:
        own_folder(chosen.data, lane)
    file = _file_of(settings)
    supervisor = Supervisor([own_service(name, *file) for name in names], say)
    scheme = "https" if chosen.console.tls_key else "http"
    address = "" if lane else f" {scheme}://{chosen.console.address}/"
    if not supervisor.run(lambda: typer.echo(f"Hải Đăng đang chạy / is running{address}")):
        raise typer.Exit(1)


def _file_of(settings: Path | None) -> tuple[str, ...]:
    return ("--settings", str(settings)) if settings else ()
