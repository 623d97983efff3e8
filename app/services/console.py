"""The web console's process."""

from __future__ import annotations

from app.content import Content
from app.services.running import run_until_stopped
from app.services.serving import check_tls, listening, serve
from console.deps import Console
from console.web import create_app, end_streams
from core.centre import CentreClient
from core.clock import SystemClock
from core.secrets import secret, token
from core.settings import Settings
from core.sigma import LoadedCorrelation, LoadedRule, RuleSet
from core.stores.state import read_state
from core.terminal import say
from correlation.incidents import CHANNELS


async def run(settings: Settings) -> None:
    """The web console."""
    content = Content(settings, say)
    own = settings.console
    guides = {rule.info.id: rule.info.guide for rule in _all_rules(content.rules())}
    console = Console(
        state=read_state(settings.state),
        centre=CentreClient(settings.socket, token(settings.secrets, "console.token")),
        session_key=secret(settings.secrets, "session.key"),
        language=own.language,
        secure=own.tls_key is not None,
        clock=SystemClock(),
        sites=lambda: {site.id: site.name for site in content.inventory().sites},
        guide=lambda rule: guides.get(rule, {}),
        channels=CHANNELS,
        units=lambda: {unit.id: unit.name for unit in content.inventory().units},
    )
    app = create_app(console)
    bound = listening("console", own.address)
    tls = (own.tls_certificate, own.tls_key)
    check_tls(*tls)
    await run_until_stopped([serve(app, bound, tls=tls, ending=lambda: end_streams(app))])


def _all_rules(rules: RuleSet) -> tuple[LoadedRule | LoadedCorrelation, ...]:
    return (*rules.rules, *rules.correlations)
