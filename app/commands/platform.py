"""haidang demo, up, check, lab: running the platform."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.check import check as check_all
from app.commands.common import AsJson, SettingsFile, settings_of, show
from app.demo import run_demo, run_lab
from app.services import SERVICES
from app.supervisor import Supervisor, own_service
from core import lifeline
from core.errors import SettingsError
from core.terminal import say

commands = typer.Typer()


@commands.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("demo-data")) -> None:
    """The platform with a simulated sector of 30 sites and a first night's incidents."""
    if not run_demo(folder, say):
        raise typer.Exit(1)


@commands.command()
def up(
    settings: SettingsFile = None,
    lane: Annotated[str, typer.Option(help="Only this lane, for instance logs.")] = "",
) -> None:
    """The platform: centre, lanes and console; or one lane of it."""
    chosen = settings_of(settings)
    names = [lane] if lane else list(SERVICES)
    if lane and lane not in SERVICES:
        raise SettingsError(f"there is no lane '{lane}': lanes are logs")
    file = _file_of(settings)
    supervisor = Supervisor([own_service(name, *file) for name in names], say)
    scheme = "https" if chosen.console.tls_key else "http"
    address = "" if lane else f" {scheme}://{chosen.console.address}/"
    if not supervisor.run(lambda: typer.echo(f"Hải Đăng đang chạy / is running{address}")):
        raise typer.Exit(1)


@commands.command()
def check(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Builds everything from the settings, says what is wrong or missing, and exits."""
    notes = check_all(settings_of(settings))
    rows = [msgspec.to_builtins(note) for note in notes]
    show(rows, {"level": "Kết quả", "what": "Phần", "text": "Chi tiết"}, as_json=as_json)
    if any(note.level == "error" for note in notes):
        raise typer.Exit(1)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """The simulated sector, a program of its own: lab up, lab scenario, lab sector."""
    raise typer.Exit(run_lab(context.args))


@commands.command(hidden=True)
def serve(name: str, settings: SettingsFile = None) -> None:
    """One process of the platform, as the supervisor starts it."""
    lifeline.hold()
    asyncio.run(SERVICES[name](settings_of(settings)))


def _file_of(settings: Path | None) -> tuple[str, ...]:
    return ("--settings", str(settings)) if settings else ()
