"""A centre over a database of its own, and what lanes send to it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from httpx import Response
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send
from running import free_ports
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from app.callers import Caller
from app.centre import Centre
from app.centre_api import Surroundings, people_app
from app.cli import build as build_commands
from app.commands import common
from core.centre import ACTOR_HEADER
from core.clock import SECOND, HeldClock
from core.errors import NotFoundError, RefusedError
from core.incident import Incident
from core.outbox import Batch, Row
from core.records import Alert, Event, Logsource
from core.rule_text import read_rule_files
from core.scope import EVERYTHING, Grant
from core.settings import HOME, Settings
from core.sigma import RuleSet, load_rules
from core.stores import users
from core.stores.incidents import list_incidents
from core.stores.migrate import open_state
from core.stores.state import read_state
from core.stores.tables import users as users_table
from core.stores.users import NewUser
from core.vault import Vault
from detections.detect import detect
from detections.engine import ClosureEngine
from inventory.records import Inventory, Site
from inventory.rights import SECOND_FACTOR
from inventory.units import Unit

NOW = 1_795_312_267 * SECOND  # 22/11/2026 08:51:07 in Vietnam
ATTACKER = "203.0.113.45"
RULES = (HOME / "detections" / "rules", HOME / "correlation" / "rules")


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """The same argon2id with little memory: what is tested here is not its slowness."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        users._decoy.cache_clear()
        yield
    users._decoy.cache_clear()


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    """The rules that are shipped."""
    return load_rules(read_rule_files(RULES))


@pytest.fixture(scope="session")
def matcher(rules: RuleSet) -> ClosureEngine:
    return ClosureEngine(rules)


def ssh_event(number: int, *, at: float | None = None, outcome: str = "failure", source: str = ATTACKER) -> Event:
    """An SSH login on sv-tha, by default a wrong password a second after the one before."""
    time = NOW + int((number if at is None else at) * SECOND)
    return Event(
        id=f"logs/7/{number}",
        time=time,
        seen=time,
        logsource=Logsource(product="linux", service="sshd"),
        fields={
            "event.action": "ssh_login",
            "event.outcome": outcome,
            "source.ip": source,
            "host.name": "sv-tha",
            "message": f"ssh login {number}: {outcome}",
        },
        raw=b"<38>sshd[9]: %s %d" % (outcome.encode(), number),
        unit="vks-tha",
        site="tha",
        device="sv-tha",
    )


def cut_event(number: int, *, at: float) -> Event:
    """A log connection that broke off: a rule that opens an incident by itself."""
    time = NOW + int(at * SECOND)
    return Event(
        id=f"logs/8/{number}",
        time=time,
        seen=time,
        logsource=Logsource(product="haidang", service="source"),
        fields={"event.action": "connection_cut", "source.ip": ATTACKER, "host.name": ATTACKER, "message": "cut"},
        raw=b"{}",
    )


@pytest.fixture(scope="session")
def event() -> Callable[..., Event]:
    return ssh_event


@pytest.fixture(scope="session")
def cut() -> Callable[..., Event]:
    return cut_event


@pytest.fixture
def hits(matcher: ClosureEngine) -> Callable[[Sequence[Event]], list[Alert]]:
    """What the shipped rules say of these events."""
    return lambda events: [hit for event in events for hit in detect(matcher, event)]


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOW + 30 * SECOND)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new state database's file, made once."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    open_state(path).dispose()
    return path


def make_settings(folder: Path, **changed: object) -> Settings:
    """Settings over a folder, with ports that nobody uses."""
    console, relay, logs, relp, metrics, snmp = (f"127.0.0.1:{port}" for port in free_ports(6))
    values = {
        "data": folder / "data",
        "console": {"address": console},
        "centre": {"relay": relay},
        "lane": {
            "logs": {"udp": logs, "tcp": logs, "relp": relp, "metrics": metrics, "receive_buffer": 65536},
            "snmp": {"metrics": snmp},
        },
    }
    return Settings.model_validate(values | changed)


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    """Settings over an empty platform whose database is there already."""
    made = make_settings(tmp_path)
    made.state.parent.mkdir(parents=True)
    shutil.copyfile(migrated, made.state)
    return made


@pytest.fixture
def centre(settings: Settings, rules: RuleSet, clock: HeldClock) -> Iterator[Centre]:
    made = Centre(settings, rules, clock)
    yield made
    made.close()


@pytest.fixture
def reading(settings: Settings) -> Iterator[Engine]:
    """A reader of the centre's database."""
    engine = read_state(settings.state)
    yield engine
    engine.dispose()


@pytest.fixture
def all_incidents(reading: Engine) -> Callable[[], list[Incident]]:
    def look() -> list[Incident]:
        with reading.connect() as connection:
            return list_incidents(connection, EVERYTHING)

    return look


def make_batch(alerts: Sequence[Alert], since: int = 0, epoch: str = "first") -> Batch:
    """A lane's batch of these hits, numbered from ``since``."""
    rows = tuple(
        Row(seq=since + number, key=f"alert/{hit.id}", kind="alert", body=msgspec.msgpack.encode(hit))
        for number, hit in enumerate(alerts, start=1)
    )
    return Batch(lane="logs", epoch=epoch, since=since, rows=rows)


@pytest.fixture(scope="session")
def batch() -> Callable[..., Batch]:
    return make_batch


CALLER_UID = 4711

SECTOR = Inventory(
    units=(
        Unit(id="tc", name="VKSND tối cao", type="supreme"),
        Unit(id="vks-tha", name="VKSND tỉnh Thanh Hóa", type="province", parent="tc"),
        Unit(id="vks-nan", name="VKSND tỉnh Nghệ An", type="province", parent="tc"),
    ),
    sites=tuple(
        Site(id=name, name=name, unit=f"vks-{name}", address_space=name, tier="PROVINCE") for name in ("tha", "nan")
    ),
)
"""What this centre knows of the sector."""


def surroundings_of(centre: Centre) -> Surroundings:
    return Surroundings(lambda: SECTOR, Vault(centre.settings.secrets))


@pytest.fixture(scope="session")
def surroundings() -> Callable[[Centre], Surroundings]:
    return surroundings_of


def build(make: Callable[[], Litestar]) -> Litestar:
    """The application that is made, also while its handlers declare ``body`` as Litestar 3 will not have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        return make()


@pytest.fixture(scope="session")
def built() -> Callable[[Callable[[], Litestar]], Litestar]:
    return build


class Door:
    """The API for people, asked over a connection of the local account 4711.

    ``caller`` is whom that account is mapped to, None for nobody. ``token`` is the console's.
    """

    token = "c0" * 32

    def __init__(self, centre: Centre, surroundings: Surroundings | None = None) -> None:
        self.caller: Caller | None = Caller("local:test", "local")
        given = surroundings or surroundings_of(centre)
        self._app = build(lambda: people_app(centre, self.token, self._identify, given))
        self.client = TestClient(self._with_credentials)

    def ask(
        self, name: str, values: object, *, console: bool = False, token: str | None = None, actor: str = ""
    ) -> Response:
        """Has an action done: by the console or whoever gives a token, else by the local account."""
        given = self.token if console else token
        headers = {} if given is None else {"Authorization": f"Bearer {given}".encode("latin-1")}
        if actor:
            headers[ACTOR_HEADER] = actor.encode()
        return self.client.post(f"/api/{name}", content=msgspec.json.encode(values), headers=headers)

    def _identify(self, uid: int) -> Caller:
        assert uid == CALLER_UID
        if self.caller is None:
            raise RefusedError("the local account is mapped to no user")
        return self.caller

    async def _with_credentials(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"peer_uid": CALLER_UID}
        await self._app(scope, receive, send)


class DoorClient:
    """Calls the centre as ``CentreClient`` does, without a socket between."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def __call__(self, *_: object) -> DoorClient:
        return self

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        answer = self._door.ask(action, values, actor=actor)
        if answer.is_error:
            raise (NotFoundError if answer.status_code == 404 else RefusedError)(answer.json()["reason"])
        return answer.json()

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def command_line(tmp_path: Path, settings: Settings, door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command against the centre behind the door; an error of ours comes as it was raised."""
    monkeypatch.setattr(common, "CentreClient", DoorClient(door))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    file = tmp_path / "haidang.toml"
    file.write_text(f'format = 1\ndata = "{settings.data.name}"\n')

    def command(*words: str, piped: str = "", status: int = 0) -> str:
        ran = CliRunner().invoke(build_commands(words[0]), [*words, "--settings", str(file)], input=piped)
        if isinstance(ran.exception, Exception):
            raise ran.exception
        assert ran.exit_code == status, ran.output
        return ran.output

    return command


@contextmanager
def open_door(centre: Centre, surroundings: Surroundings | None = None) -> Iterator[Door]:
    door = Door(centre, surroundings)
    with door.client:
        yield door


@pytest.fixture(scope="session")
def opened() -> Callable[[Centre], AbstractContextManager[Door]]:
    """Opens the API of a centre."""
    return open_door


@pytest.fixture
def door(centre: Centre) -> Iterator[Door]:
    with open_door(centre) as made:
        yield made


def put_user(centre: Centre, name: str, role: str, unit: str = "", **columns: Any) -> str:
    """A user who has settled in, unless the columns say otherwise; returns the password."""

    def work(connection: Any, now: int) -> str:
        password = users.add_user(connection, now, "test", NewUser(name=name, grant=Grant(role, unit)))
        factor = {"totp": b"sealed", "totp_used": 1} if role in SECOND_FACTOR else {}
        values = {"must_change": 0, **factor, **columns}
        connection.execute(update(users_table).where(users_table.c.name == name).values(values))
        return password

    return centre.change(work)


@pytest.fixture(scope="session")
def add_user() -> Callable[..., str]:
    return put_user
