"""A console over a real state database, a centre that only records what it is asked, and a browser that signs in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from httpx import Response
from inventory_pages import opener
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import Connection, Engine, delete, insert, update
from vouching import CLIENT_SECRET, SETTINGS, FakeProvider

from console.deps import Console, Provider
from console.web import create_app
from core.accesses import Accesses
from core.clock import MINUTE, HeldClock
from core.device_states import read_device_states
from core.errors import HaidangError, RefusedError
from core.incident import Incident, TimelineEntry
from core.records import Alert, Event, Evidence, Severity
from core.scope import Grant
from core.settings_oidc import OidcSettings
from core.sources import read_sources
from core.stores.events import LocalEvents
from core.stores.incidents import commit, put_alert
from core.stores.migrate import open_state
from core.stores.series_read import LocalSeries
from core.stores.state import read_state
from core.stores.tables import grants, users
from core.stores.users import PENDING, read_user
from core.vault import Secret
from inventory.records import Inventory, Site
from inventory.rights import needs_second_factor
from inventory.units import Unit

RULE = "6f1a7c0e-41a1-4b26-9a3f-0c2b7de6f6aa"
GUIDES = {RULE: {"vi": ("Xem địa chỉ nguồn", "Chặn <địa chỉ>"), "en": ("See the source", "Block <it>")}}
NOW = 1_795_300_000_000_000_000
PASSWORD = "right and long enough"
CODE = "123456"
VOUCHED = "an"
"""Whom the centre knows by every provider."""
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

SECTOR = "vksndtc"
INVENTORY = Inventory(
    units=(
        Unit(id=SECTOR, name="Viện kiểm sát nhân dân tối cao", type="supreme"),
        Unit(id="th", name="VKSND tỉnh Thanh Hóa", type="province", parent=SECTOR),
        Unit(id="hnoi", name="VKSND thành phố Hà Nội", type="province", parent=SECTOR),
        Unit(id="dnang", name="VKSND thành phố Đà Nẵng", type="province", parent=SECTOR),
    ),
    sites=(
        Site(id="hn", name="Viện KSND thành phố Hà Nội", unit="hnoi", address_space="hn", tier="PROVINCE"),
        Site(id="dn", name="Viện KSND thành phố Đà Nẵng", unit="dnang", address_space="dn", tier="PROVINCE"),
    ),
)
USERS = {
    "an": "analyst",
    "binh": "analyst",
    "xem": "viewer",
    "quantri": "administrator",
    "kysu": "engineer",
    "duyet": "approver",
    "lanhdao": "leader",
    "kiemtoan": "auditor",
}
"""Accounts by name: a role each, for the whole sector. Those whose role needs a second factor have one."""


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
            return self._session(action, actor, values)
        return {"id": 7} if action == "incidents.create" else {"id": values.get("id"), "version": 2}

    def _session(self, action: str, actor: str, values: dict[str, object]) -> dict[str, Any]:
        if action == "session.factor":
            self.set_user(actor, totp=b"sealed", totp_used=PENDING)
            return {"secret": SECRET}
        if action == "session.begin" and values["password"] != PASSWORD:
            raise RefusedError("the centre's own words")
        if action == "session.vouched":
            actor = VOUCHED
        if action in {"session.code", "session.confirm"}:
            self._take(actor, str(values["code"]))
        if action == "session.password":
            self.set_user(actor, must_change=0, session=2)
        with self.state.connect() as connection:
            return msgspec.structs.asdict(read_user(connection, actor or str(values["name"])))

    def _take(self, name: str, code: str) -> None:
        if code != CODE:
            raise RefusedError("wrong code")
        self.set_user(name, totp_used=1)

    def set_user(self, name: str, **values: object) -> None:
        with self.state.begin() as connection:
            connection.execute(update(users).where(users.c.name == name).values(**values))

    def set_grants(self, name: str, *given: Grant) -> None:
        with self.state.begin() as connection:
            connection.execute(delete(grants).where(grants.c.user == name))
            put_grants(connection, name, *given)


def put_grants(connection: Connection, name: str, *given: Grant) -> None:
    for one in given:
        connection.execute(insert(grants).values(user=name, role=one.role, unit=one.unit, time=NOW, actor="test"))


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
        """By password, and by the code where it is asked for."""
        answer = self.post("/sign-in", {"name": name, "password": PASSWORD})
        awaits_code = answer.headers.get("location", "").startswith("/sign-in/code")
        return self.post("/sign-in/code", {"code": CODE}) if awaits_code else answer


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(tmp_path / "state.db")
    row = {"password": "", "must_change": 0, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1}
    with engine.begin() as connection:
        for name, role in USERS.items():
            factor = {"totp": b"sealed", "totp_used": 1} if needs_second_factor([Grant(role)]) else {}
            connection.execute(insert(users).values(name=name, **row, **factor))
            put_grants(connection, name, Grant(role))
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
    yield Console(
        state=reader,
        centre=centre,
        session_key=b"k" * 32,
        language="vi",
        secure=False,
        clock=clock,
        inventory=lambda: INVENTORY,
        guide=lambda rule: GUIDES.get(rule, {}),
        channels=("telephone", "e-mail", "other"),
        events=LocalEvents(tmp_path / "spool", tmp_path / "events", decode_event),
        sources=lambda: read_sources(tmp_path / "sources.json"),
        accesses=Accesses(centre.call, tmp_path / "accesses", clock),
        series=LocalSeries(tmp_path / "series"),
        device_states=lambda: read_device_states(tmp_path / "devices.json"),
    )
    reader.dispose()


@pytest.fixture
def browse() -> Iterator[Callable[[Console], Browser]]:
    """``browse(console)`` is a browser at that console."""
    with ExitStack() as opened:
        yield lambda console: Browser(opened.enter_context(TestClient(create_app(console))))


@pytest.fixture
def browser(console: Console, browse: Callable[[Console], Browser]) -> Browser:
    return browse(console)


@pytest.fixture
def at(console: Console, browse: Callable[[Console], Browser], centre: FakeCentre) -> Callable[..., Browser]:
    """``at(*grants, inventory=..., told=...)`` is a browser at a console that knows the small sector."""
    return opener(console, browse, centre)


@pytest.fixture
def fake(clock: HeldClock) -> FakeProvider:
    return FakeProvider(clock.now)


@pytest.fixture
def signing(console: Console, fake: FakeProvider, browse: Callable[[Console], Browser]) -> Callable[..., Browser]:
    """``signing(**settings)`` is a browser at a console with this provider."""

    def make(**changed: Any) -> Browser:
        settings = OidcSettings.model_validate(SETTINGS | changed)
        http = httpx.Client(transport=httpx.MockTransport(fake))
        provider = Provider(settings=settings, secret=Secret(CLIENT_SECRET), http=http)
        return browse(replace(console, oidc=provider))

    return make


def _signed_in(browser: Browser, name: str) -> Browser:
    assert browser.sign_in(name).status_code == 303
    return browser


@pytest.fixture
def analyst(browser: Browser) -> Browser:
    return _signed_in(browser, "an")


@pytest.fixture
def viewer(browser: Browser) -> Browser:
    return _signed_in(browser, "xem")


@pytest.fixture
def engineer(browser: Browser) -> Browser:
    return _signed_in(browser, "kysu")


@pytest.fixture
def approver(browser: Browser) -> Browser:
    return _signed_in(browser, "duyet")


@pytest.fixture
def administrator(browser: Browser) -> Browser:
    return _signed_in(browser, "quantri")


def evidence(raw: bytes, count: int = 1, site: str = "hn") -> tuple[Evidence, ...]:
    return tuple(Evidence(event=f"s/0/{number}", time=NOW, raw=raw, site=site) for number in range(count))


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
        return alert(**({"evidence": evidence(raw, lines, str(values.get("site", "hn"))), "count": lines} | values))

    return make
