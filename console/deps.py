"""What the console is given: it makes no connection and reads no setting itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from litestar.connection import ASGIConnection
from sqlalchemy import Engine

from core.clock import Clock
from core.sources import Sources
from core.stores.events import EventStore


class Centre(Protocol):
    """The centre's API, as ``core.centre.CentreClient`` offers it."""

    def call(self, action: str, actor: str = "", **values: object) -> Any:
        """Does one action for the actor and returns its answer; refusals are raised."""
        ...


@dataclass(frozen=True)
class Console:
    """The console's surroundings.

    Attributes:
        state: the state database, for reading only.
        centre: where every change goes.
        session_key: 32 bytes that encrypt the session cookies; a new key ends all sessions.
        language: ``vi`` or ``en``, for who has not chosen one.
        secure: whether people come by TLS; cookies are then sent by TLS only.
        sites: gives the names of all sites by their ids, as the inventory now is.
        units: the same for units.
        guide: gives a rule's triage guide by the rule's id, ``{"vi": (...), "en": (...)}``; empty for an unknown rule.
        events: the stored events.
        sources: reads what the logs lane tells of its sources.
        channels: by which a person may say that an incident came (``telephone`` ...), in the order of the form.
    """

    state: Engine
    centre: Centre
    session_key: bytes
    language: str
    secure: bool
    clock: Clock
    sites: Callable[[], Mapping[str, str]]
    units: Callable[[], Mapping[str, str]]
    guide: Callable[[str], Mapping[str, Sequence[str]]]
    channels: Sequence[str]
    events: EventStore
    sources: Callable[[], Sources]


def console_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Console:
    """The surroundings of the application that this request came to."""
    console: Console = connection.app.state["console"]
    return console
