"""The command ``haidang``: exit status 0 done, 1 found wrong or failed, 2 bad usage."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.backup import Part, back_up
from app.backup import restore as restore_backup
from app.check import check as check_all
from app.commands import audit, incidents, people, records
from app.commands.common import AsJson, SettingsFile, settings_of, show
from app.demo import run_demo, run_lab
from app.services import SERVICES, say
from app.supervisor import Supervisor, own_service
from core import lifeline
from core.clock import SystemClock, vietnam
from core.errors import HaidangError, SettingsError
from core.guard import check_layout

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Hải Đăng: trung tâm giám sát mạng và an toàn thông tin / network and security operations.",
)
app.add_typer(incidents.commands, name="incidents")
app.add_typer(records.events, name="events")
app.add_typer(records.sites, name="sites")
app.add_typer(records.devices, name="devices")
app.add_typer(people.commands, name="users")
app.add_typer(audit.commands, name="audit")


@app.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("demo-data")) -> None:
    """The platform with a simulated sector of 30 sites and a first night's incidents."""
    if not run_demo(folder, say):
        raise typer.Exit(1)


@app.command()
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


@app.command()
def check(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Builds everything from the settings, says what is wrong or missing, and exits."""
    notes = check_all(settings_of(settings))
    rows = [msgspec.to_builtins(note) for note in notes]
    show(rows, {"level": "Kết quả", "what": "Phần", "text": "Chi tiết"}, as_json=as_json)
    if any(note.level == "error" for note in notes):
        raise typer.Exit(1)


@app.command()
def backup(folder: Annotated[Path, typer.Argument(help="An empty folder.")], settings: SettingsFile = None) -> None:
    """Copies all data, also while the platform runs; secrets are left out."""
    contents = back_up(settings_of(settings), folder, SystemClock(), say)
    typer.echo(f"Đã sao lưu {len(contents.files)} tệp / backed up {len(contents.files)} files: {folder}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    settings: SettingsFile = None,
    part: Annotated[Part, typer.Option(help="all, or only the centre or the lanes.")] = "all",
) -> None:
    """Puts a backup into the empty data folder of the settings; lanes then send again what the centre lacks."""
    contents = restore_backup(settings_of(settings), folder, part, SystemClock(), say)
    typer.echo(f"Đã khôi phục bản sao lúc / restored the backup of {vietnam(contents.time)}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """The simulated sector, a program of its own: lab up, lab scenario, lab sector."""
    raise typer.Exit(run_lab(context.args))


@app.command(hidden=True)
def serve(name: str, settings: SettingsFile = None) -> None:
    """One process of the platform, as the supervisor starts it."""
    lifeline.hold()
    asyncio.run(SERVICES[name](settings_of(settings)))


def main() -> None:
    """Runs the command line: an error of ours is one line, anything else a defect with its traceback."""
    try:
        check_layout()
        app()
    except HaidangError as error:
        say(str(error))
        sys.exit(1)


def _file_of(settings: Path | None) -> tuple[str, ...]:
    return ("--settings", str(settings)) if settings else ()
