"""The web console's process."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine

from app.content import Content
from app.openid import openid_provider
from app.services.running import run_until_stopped
from app.services.serving import check_tls, listening, serve
from collectors.logs.spooling import decode_event
from console.deps import Console
from console.web import create_app, end_streams
from core.accesses import Accesses
from core.centre import CentreClient
from core.clock import SystemClock
from core.device_states import read_device_states
from core.secrets import secret, token
from core.settings import Settings
from core.sources import read_sources
from core.stores.catalogue import guide_of
from core.stores.events import LocalEvents
from core.stores.series_read import LocalSeries
from core.stores.state import read_state
from core.terminal import say
from correlation.incidents import CHANNELS


async def run(settings: Settings) -> None:
    """The web console."""
    content = Content(settings, say, kinds=("inventory",))
    state = read_state(settings.state)
    own = settings.console
    centre = CentreClient(settings.socket, token(settings.secrets, "console.token"))
    accesses = Accesses(centre.call, settings.accesses("console"), SystemClock())
    console = Console(
        state=state,
        centre=centre,
        session_key=secret(settings.secrets, "session.key"),
        language=own.language,
        secure=own.tls_key is not None,
        clock=SystemClock(),
        inventory=content.inventory,
        guide=lambda rule: _guide(state, rule),
        channels=CHANNELS,
        events=LocalEvents(settings.logs / "spool", settings.logs / "events", decode_event),
        sources=lambda: read_sources(settings.sources),
        accesses=accesses,
        series=LocalSeries(settings.series),
        device_states=lambda: read_device_states(settings.device_states),
        oidc=openid_provider(own.oidc),
    )
    app = create_app(console)
    bound = listening("console", own.address)
    tls = (own.tls_certificate, own.tls_key)
    check_tls(*tls)
    await asyncio.to_thread(accesses.deliver)  # what the process before could not
    await run_until_stopped([serve(app, bound, tls=tls, ending=lambda: end_streams(app))])


def _guide(state: Engine, rule: str) -> dict[str, tuple[str, ...]]:
    with state.connect() as connection:
        return guide_of(connection, rule)
