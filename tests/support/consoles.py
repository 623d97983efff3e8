"""A console over a large made-up sector, served to a real browser; a centre that lets in whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from playwright.sync_api import Page
from running import eventually, free_ports
from sectors import large_sector, large_sources, large_states
from sqlalchemy import Engine, insert

from collectors.logs.spooling import decode_event
from console.deps import Console
from console.web import create_app, end_streams
from core.accesses import Accesses
from core.clock import HOUR, SystemClock
from core.incident import Incident, TimelineEntry
from core.records import Severity
from core.stores.events import LocalEvents
from core.stores.incidents import commit
from core.stores.migrate import open_state
from core.stores.series import SeriesReader
from core.stores.series_read import LocalSeries
from core.stores.state import read_state
from core.stores.tables import grants, users
from core.stores.users import read_user

ROLES = {
    "lanhdao": ("leader", ""),
    "an": ("analyst", ""),
    "tuong": ("wallboard", ""),
    "tinh": ("analyst", "vks-lao-cai"),
}
"""Accounts of the console by name: a role and where it holds. Any password is right."""


class _Centre:
    def __init__(self, state: Engine) -> None:
        self._state = state

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        if action != "session.begin":
            return {}
        with self._state.connect() as connection:
            return msgspec.structs.asdict(read_user(connection, actor or str(values["name"])))


@contextmanager
def large_console(
    folder: Path, sites: int = 800, devices: int = 3200, series: SeriesReader | None = None
) -> Iterator[str]:
    """The address of a console that knows so many sites and devices, and some open incidents."""
    folder.mkdir(parents=True, exist_ok=True)
    state, clock = open_state(folder / "state.db"), SystemClock()
    _fill(state, clock.now())
    inventory = large_sector(sites, devices)
    states = large_states(inventory, clock.now())
    told, centre, reader = large_sources(inventory, clock.now()), _Centre(state), read_state(folder / "state.db")
    console = Console(
        state=reader,
        centre=centre,
        session_key=b"k" * 32,
        language="vi",
        secure=False,
        clock=clock,
        inventory=lambda: inventory,
        guide=lambda _: {},
        channels=("telephone",),
        events=LocalEvents(folder / "spool", folder / "events", decode_event),
        sources=lambda: msgspec.structs.replace(told, written=clock.now()),
        accesses=Accesses(centre.call, folder / "accesses", clock),
        series=series or LocalSeries(folder / "series"),
        device_states=lambda: msgspec.structs.replace(states, written=clock.now()),
    )
    with _served(console) as address:
        yield address
    reader.dispose()
    state.dispose()


def enter(page: Page, address: str, name: str) -> None:
    """Signs in as that account."""
    page.goto(f"{address}/sign-in")
    page.fill("#name", name)
    page.fill("#password", "anything at all")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)


@contextmanager
def _served(console: Console) -> Iterator[str]:
    app, (port,) = create_app(console), free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        end_streams(app)
        thread.join(30)


def _fill(state: Engine, now: int) -> None:
    row = {"password": "", "must_change": 0, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1}
    with state.begin() as connection:
        for name, (role, unit) in ROLES.items():
            address = "127.0.0.1" if role == "wallboard" else ""
            connection.execute(insert(users).values(name=name, address=address, **row))
            connection.execute(insert(grants).values(user=name, role=role, unit=unit, time=now, actor="test"))
        for number in range(40):
            entry = TimelineEntry(time=now, actor="haidang", action="opened")
            commit(connection, None, _incident(number, now), entry)


def _incident(number: int, now: int) -> Incident:
    severity = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)[min(number % 10, 3)]
    detected = now - (80 - 2 * number) * HOUR
    return Incident(
        cause=f"cause-{number}",
        object=(("source.ip", f"203.0.113.{number}"),),
        title={"vi": "Dò mật khẩu SSH", "en": "SSH brute force"},
        severity=severity,
        sites=(f"s{number * 7}",),
        devices=(f"router-s{number * 7}-0",),
        occurred=detected,
        detected=detected,
        updated=detected,
    )
