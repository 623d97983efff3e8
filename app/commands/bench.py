"""haidang bench: measurements against peers, started as a program of its own."""

from __future__ import annotations

import typer

from app.demo import run_lab

commands = typer.Typer()


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Đo so với phần mềm khác: bench sigma, syslog, snmp / measurements against peers in one run."""
    raise typer.Exit(run_lab(["bench", *context.args]))
