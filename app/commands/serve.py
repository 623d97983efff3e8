"""haidang serve."""

from __future__ import annotations

import asyncio
from importlib import import_module

import typer

from app.commands.common import SettingsFile, settings_of
from app.services import SERVICES
from core import lifeline
from core.errors import SettingsError

commands = typer.Typer()


@commands.command(hidden=True)
def serve(name: str, settings: SettingsFile = None) -> None:
    """One process of the platform, as the supervisor starts it."""
    if name not in SERVICES:
        raise SettingsError(f"there is no service '{name}': services are {', '.join(SERVICES)}")
    lifeline.hold()
    asyncio.run(import_module(SERVICES[name]).run(settings_of(settings)))
