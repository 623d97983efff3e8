"""What the console is given: it makes no connection and reads no setting itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from litestar.connection import ASGIConnection
from sqlalchemy import Engine

from core.accesses import Accesses
from core.clock import Clock
from core.device_states import DeviceStates
from core.scope import Scope
from core.settings_oidc import OidcSettings
from core.sources import Sources
from core.stores.events import EventStore
from core.stores.series import SeriesReader
from core.stores.series_read import SeriesQuery, SeriesRows
from core.stores.series_tables import KEYS
from core.vault import Secret
from inventory.records import Inventory


class Centre(Protocol):
    """The centre's API, as ``core.centre.CentreClient`` offers it."""

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        """Does one action for the actor and returns its answer; refusals are raised."""
        ...


class NoSeries:
    """Where nothing is measured: every answer is empty."""

    def read(self, _scope: Scope, query: SeriesQuery) -> SeriesRows:
        """No rows."""
        return SeriesRows((*KEYS, "time", *query.columns), [], more=False)


@dataclass(frozen=True)
class Provider:
    """An OpenID provider that vouches for people.

    Attributes:
        http: reaches it; bounds the time that each step may take, and follows no redirect.
    """

    settings: OidcSettings
    secret: Secret
    http: httpx.Client


@dataclass(frozen=True)
class Console:
    """The console's surroundings.

    Attributes:
        state: the state database, for reading only.
        centre: where every change goes.
        session_key: 32 bytes that encrypt the session cookies; a new key ends all sessions.
        language: ``vi`` or ``en``, for who has not chosen one.
        secure: whether people come by TLS; cookies are then sent by TLS only.
        inventory: as it now is.
        guide: gives a rule's triage guide by the rule's id, ``{"vi": (...), "en": (...)}``; empty for an unknown rule.
        events: the stored events.
        sources: reads what the logs lane tells of its sources.
        accesses: notes who looks at what.
        series: what was measured; nothing where there is no SNMP lane, as the next.
        device_states: reads what the SNMP lane tells of the devices that it polls.
        oidc: who may vouch for people, if anyone.
        seen: the last sign of life of each session by its id, nanoseconds UTC; kept by ``console.sessions``.
        channels: by which a person may say that an incident came (``telephone`` ...), in the order of the form.
    """

    state: Engine
    centre: Centre
    session_key: bytes
    language: str
    secure: bool
    clock: Clock
    inventory: Callable[[], Inventory]
    guide: Callable[[str], Mapping[str, Sequence[str]]]
    channels: Sequence[str]
    events: EventStore
    sources: Callable[[], Sources]
    accesses: Accesses
    series: SeriesReader = field(default_factory=NoSeries)
    device_states: Callable[[], DeviceStates] = DeviceStates
    oidc: Provider | None = None
    seen: dict[str, int] = field(default_factory=dict)

    def sites(self) -> Mapping[str, str]:
        """The names of all sites by their ids."""
        return self.inventory().site_names

    def units(self) -> Mapping[str, str]:
        """The names of all units by their ids."""
        return self.inventory().unit_names


def console_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Console:
    """The surroundings of the application that this request came to."""
    console: Console = connection.app.state["console"]
    return console
