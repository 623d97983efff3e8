"""The centre's process: relay and metrics on a loopback port, the API on a Unix socket."""

from __future__ import annotations

import asyncio
import os
import sys

from prometheus_client import CollectorRegistry, Gauge

from app.centre import FIRST_ADMINISTRATOR, Centre
from app.centre_api import PeerCredentials, local_caller, people_app, relay_app
from app.content import Content
from app.services.running import run_until_stopped
from app.services.serving import listening, serve, unix_listening
from core.clock import SystemClock
from core.secrets import token
from core.settings import Settings
from core.snapshots import Snapshot
from core.terminal import say


async def run(settings: Settings) -> None:
    """The centre: relay and metrics on a loopback port, the API on a Unix socket."""
    content = Content(settings, say)
    centre = Centre(settings, content.rules(), SystemClock())
    _tell_first_password(centre)
    known = content.snapshot("rules").version

    def snapshots(kind: str) -> Snapshot:
        nonlocal known
        current = content.snapshot(kind)
        if kind == "rules" and current.version != known:
            known = current.version
            centre.set_rules(content.rules())
        return current

    registry = CollectorRegistry()
    used = Gauge("haidang_rules", "detection and correlation rules in use", registry=registry)
    used.set_function(lambda: len(centre.rules))
    evicted = Gauge("haidang_correlation_evicted", "cases given up for want of room", registry=registry)
    evicted.set_function(lambda: centre.evicted)
    relay = relay_app(centre, token(settings.secrets, "relay.token"), snapshots, registry)
    people = people_app(
        centre,
        token(settings.secrets, "console.token"),
        local_caller(os.getuid(), settings.centre.accounts),
        lambda name: _unit_of(content, name),
    )
    relay_socket = listening("relay", settings.centre.relay)
    people_socket = unix_listening(settings.socket, open_to_all=bool(settings.centre.accounts))
    servers = [serve(relay, relay_socket), serve(people, people_socket, http=PeerCredentials), _anchor_hourly(centre)]
    await run_until_stopped(servers)
    settings.socket.unlink(missing_ok=True)
    centre.close()


async def _anchor_hourly(centre: Centre) -> None:
    while True:
        await asyncio.to_thread(centre.anchor)
        await asyncio.sleep(60)


def _tell_first_password(centre: Centre) -> None:
    password = centre.first_administrator()
    if password is not None:
        sys.stdout.write(
            f"Quản trị viên đầu tiên / first administrator: {FIRST_ADMINISTRATOR}\n"
            f"Mật khẩu dùng một lần / one-time password: {password}\n"
        )
        sys.stdout.flush()


def _unit_of(content: Content, site: str) -> str | None:
    found = content.inventory().site(site)
    return found.unit if found else None
