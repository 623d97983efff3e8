"""A console over a real state database, a centre that only records what it is asked, and a browser that signs in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import Engine, insert, update

from console.deps import Console
from console.web import create_app
from core.clock import MINUTE, HeldClock
from core.errors import HaidangError, RefusedError
from core.incident import Incident, TimelineEntry
from core.records import Alert, Event, Evidence, Severity
from core.sources import read_sources
from core.stores.events import LocalEvents
from core.stores.incidents import commit, put_alert
from core.stores.migrate import open_state
from core.stores.state import read_state
from core.stores.tables import users
from core.stores.users import read_user

RULE = "6f1a7c0e-41a1-4b26-9a3f-0c2b7de6f6aa"
GUIDES = {RULE: {"vi": ("Xem địa chỉ nguồn", "Chặn <địa chỉ>"), "en": ("See the source", "Block <it>")}}
NOW = 1_795_300_000_000_000_000
PASSWORD = "right and long enough"


def decode_event(payload: bytes) -> Event:
    return msgspec.msgpack.decode(payload, type=Event)


@dataclass
class FakeCentre:
    """Records the calls; refuses with ``error`` if there is one."""

    state: Engine
    calls: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    error: HaidangError | None = None

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        self.calls.append((action, actor, values))
        if self.error:
            raise self.error
        if action == "session.end":
            return {}
        if action.startswith("session."):
            return self._session(action, str(values["name"]), str(values["password"]))
        return {"id": 7} if action == "incidents.create" else {"id": values.get("id"), "version": 2}

    def _session(self, action: str, name: str, password: str) -> dict[str, Any]:
        if action == "session.begin" and password != PASSWORD:
            raise RefusedError("the centre's own words")
        if action == "session.password":
            self.set_user(name, must_change=0, session=2)
        with self.state.connect() as connection:
            return msgspec.structs.asdict(read_user(connection, name))

    def set_user(self, name: str, **values: object) -> None:
        with self.state.begin() as connection:
            connection.execute(update(users).where(users.c.name == name).values(**values))


@dataclass
class Browser:
    """The test client with what a person at a browser does."""

    client: TestClient[Litestar]

    def get(self, path: str, *, follow: bool = False, **headers: str) -> Response:
        return self.client.get(path, headers=headers, follow_redirects=follow)

    def token(self) -> str:
        page = self.client.get("/sign-in").text
        found = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', page)
        assert found
        return found[1]

    def post(self, path: str, values: dict[str, str] | None = None, **headers: str) -> Response:
        data = {"_csrf_token": self.token(), **(values or {})}
        return self.client.post(path, data=data, headers=headers, follow_redirects=False)

    def sign_in(self, name: str = "an") -> Response:
        return self.post("/sign-in", {"name": name, "password": PASSWORD})


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(tmp_path / "state.db")
    row = {"password": "", "must_change": 0, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1}
    with engine.begin() as connection:
        for name, role in (("an", "analyst"), ("binh", "analyst"), ("xem", "viewer")):
            connection.execute(insert(users).values(name=name, role=role, **row))
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOW)


@pytest.fixture
def centre(state: Engine) -> FakeCentre:
    return FakeCentre(state)


@pytest.fixture
def console(centre: FakeCentre, clock: HeldClock, tmp_path: Path) -> Iterator[Console]:
    reader = read_state(tmp_path / "state.db")
    sites = {"hn": "Viện KSND thành phố Hà Nội", "dn": "Viện KSND thành phố Đà Nẵng"}
    yield Console(
        state=reader,
        centre=centre,
        session_key=b"k" * 32,
        language="vi",
        secure=False,
        clock=clock,
        sites=lambda: sites,
        units=lambda: {"th": "VKSND tỉnh Thanh Hóa"},
        guide=lambda rule: GUIDES.get(rule, {}),
        channels=("telephone", "e-mail", "other"),
        events=LocalEvents(tmp_path / "spool", tmp_path / "events", decode_event),
        sources=lambda: read_sources(tmp_path / "sources.json"),
    )
    reader.dispose()


@pytest.fixture
def browser(console: Console) -> Iterator[Browser]:
    with TestClient(create_app(console)) as client:
        yield Browser(client)


@pytest.fixture
def analyst(browser: Browser) -> Browser:
    assert browser.sign_in("an").status_code == 303
    return browser


def evidence(raw: bytes, count: int = 1) -> tuple[Evidence, ...]:
    return tuple(Evidence(event=f"s/0/{number}", time=NOW, raw=raw, site="hn") for number in range(count))


def alert(**values: Any) -> Alert:
    given = {
        "id": "alert-1",
        "rule": RULE,
        "title": {"vi": "Dò mật khẩu SSH", "en": "SSH brute force"},
        "cause": "bruteforce",
        "object": (("source.ip", "203.0.113.7"),),
        "severity": Severity.HIGH,
        "start": NOW - MINUTE,
        "end": NOW,
        "count": 1,
        "evidence": evidence(b"one raw line"),
        "techniques": ("T1110.001",),
    }
    return Alert(**(given | values))


def store_incident(engine: Engine, /, *alerts: Alert, **values: Any) -> Incident:
    """Commits an incident with these alerts as the centre would."""
    given = {
        "cause": "bruteforce",
        "object": (("source.ip", "203.0.113.7"),),
        "title": {"vi": "Dò mật khẩu SSH", "en": "SSH brute force"},
        "severity": Severity.HIGH,
        "sites": ("hn",),
        "occurred": NOW - 6 * MINUTE,
        "detected": NOW - 5 * MINUTE,
        "updated": NOW - 5 * MINUTE,
    }
    entry = TimelineEntry(time=NOW - 5 * MINUTE, actor="haidang", action="opened", detail="opened by its first alert")
    with engine.begin() as connection:
        stored = commit(connection, None, Incident(**(given | values)), entry)
        for one in alerts:
            put_alert(connection, stored.id, one)
    return stored


@pytest.fixture
def store(state: Engine) -> Any:
    """``store(*alerts, **values)`` commits an incident."""
    return lambda *alerts, **values: store_incident(state, *alerts, **values)


@pytest.fixture
def make_alert() -> Any:
    """``make_alert(**values)`` is an alert; ``raw`` its only line."""

    def make(raw: bytes = b"one raw line", lines: int = 1, **values: Any) -> Alert:
        return alert(**({"evidence": evidence(raw, lines), "count": lines} | values))

    return make
