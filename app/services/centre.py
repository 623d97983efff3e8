"""The centre's process: relay and metrics on a loopback port, the API on a Unix socket."""

from __future__ import annotations

import asyncio
import os
import sys
from threading import Lock

from prometheus_client import CollectorRegistry, Gauge

from app.callers import local_caller
from app.centre import FIRST_ADMINISTRATOR, Centre
from app.centre_api import PeerCredentials, Surroundings, people_app, relay_app
from app.content import Content
from app.services.running import run_until_stopped
from app.services.serving import listening, serve, unix_listening
from core.clock import HOUR, SECOND, SystemClock
from core.secrets import token
from core.settings import Settings
from core.snapshots import Snapshot
from core.stores import users
from core.stores.migrate import open_state
from core.terminal import say
from core.vault import Vault

LOOK_SECONDS = 10.0


async def run(settings: Settings) -> None:
    """The centre: relay and metrics on a loopback port, the API on a Unix socket."""
    open_state(settings.state).dispose()  # brought up to date before the rules in it are read
    content = Content(settings, say)
    centre = Centre(settings, content.rules(), SystemClock())
    _tell_first_password(centre)
    in_use = InUse(content, centre)

    def snapshots(kind: str) -> Snapshot:
        if kind == "rules":
            in_use.refresh()
        return content.snapshot(kind)

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
        Surroundings(content.inventory, Vault(settings.secrets), settings.inventory is not None, in_use.refresh),
    )
    relay_socket = listening("relay", settings.centre.relay)
    people_socket = unix_listening(settings.socket, open_to_all=bool(settings.centre.accounts))
    servers = [serve(relay, relay_socket), serve(people, people_socket, http=PeerCredentials)]
    await run_until_stopped([*servers, _anchor_hourly(centre), _keep_accounts(centre), _keep_rules(in_use)])
    settings.socket.unlink(missing_ok=True)
    centre.close()


class InUse:
    """Has the centre correlate by the rules that are now chosen, and publishes their catalogue."""

    def __init__(self, content: Content, centre: Centre) -> None:
        self._content = content
        self._centre = centre
        self._lock = Lock()
        self._chosen = content.chosen()
        centre.publish(self._chosen)

    def refresh(self) -> None:
        """Looks whether other rules are chosen; waits until they are in use."""
        with self._lock:
            chosen = self._content.chosen()
            if chosen is self._chosen:
                return
            if chosen.documents != self._chosen.documents:
                self._centre.set_rules(chosen.rules)
            self._centre.publish(chosen)
            self._chosen = chosen


async def _keep_rules(in_use: InUse) -> None:
    """Notices a changed file also while no lane asks for rules."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(in_use.refresh)


async def _keep_accounts(centre: Centre) -> None:
    """Disables accounts that nobody has used for too long."""
    while True:
        await asyncio.to_thread(centre.change, users.disable_idle)
        await asyncio.sleep(HOUR // SECOND)


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
