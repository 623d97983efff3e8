"""The command ``haidang``: exit status 0 done, 1 found wrong or failed, 2 bad usage."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import typer

from core.errors import HaidangError
from core.guard import check_layout
from core.terminal import say

GROUPS = {
    "incidents": "app.commands.incidents",
    "events": "app.commands.events",
    "sites": "app.commands.sites",
    "sources": "app.commands.sources",
    "devices": "app.commands.devices",
    "users": "app.commands.users",
    "units": "app.commands.units",
    "inventory": "app.commands.inventory",
    "credentials": "app.commands.credentials",
    "requests": "app.commands.requests",
    "retention": "app.commands.retention",
    "audit": "app.commands.audit",
    "rules": "app.commands.rules",
}
"""Groups of commands by their name, and the module that is loaded when one is asked for."""

TOP = {
    "demo": "app.commands.demo",
    "up": "app.commands.up",
    "check": "app.commands.check",
    "lab": "app.commands.demo",
    "serve": "app.commands.serve",
    "backup": "app.commands.keeping",
    "restore": "app.commands.keeping",
    "detect": "app.commands.detect",
    "hunt": "app.commands.hunt",
    "bench": "app.commands.bench",
    "replay": "app.commands.replay",
}
"""Commands that stand alone, likewise."""

HELP = "Hải Đăng: trung tâm giám sát mạng và an toàn thông tin / network and security operations."


def build(wanted: str | None) -> typer.Typer:
    """The command line with the module that holds the wanted command or, if none is wanted, with all."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=HELP)
    app.callback()(lambda: None)
    for module in dict.fromkeys(module for name, module in TOP.items() if wanted in {None, name}):
        app.add_typer(import_module(module).commands)
    for name, module in GROUPS.items():
        if wanted in {None, name}:
            app.add_typer(import_module(module).commands, name=name)
    return app


def main() -> None:
    """Runs the command line: an error of ours is one line, anything else a defect with its traceback."""
    os.umask(0o077)  # what we keep is for our account alone
    asked = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        check_layout()
        build(asked if asked in GROUPS or asked in TOP else None)()
    except HaidangError as error:
        say(str(error))
        sys.exit(1)
