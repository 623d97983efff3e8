"""haidang demo, lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.demo import run_demo, run_lab
from core.terminal import say

commands = typer.Typer()


@commands.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("demo-data")) -> None:
    """Chạy thử với ngành mô phỏng 30 điểm cầu / the platform with a simulated sector of 30 sites."""
    if not run_demo(folder, say):
        raise typer.Exit(1)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Ngành mô phỏng / the simulated sector: lab up, scenario, sector, fleet, fault, bench."""
    raise typer.Exit(run_lab(context.args))
