"""The SNMP lane's process."""

from __future__ import annotations

import gc
import resource

from app.lane_snmp import SnmpLane
from app.services.running import run_until_stopped
from core import metrics
from core.clock import SystemClock
from core.relay import CentreLink
from core.secrets import token
from core.settings import Settings, split_address

_RARELY = 100_000
"""New objects after which garbage is looked for: hardly any is in cycles, and looking costs more than polling."""


async def run(settings: Settings) -> None:
    """The SNMP lane."""
    _allow_sockets()
    gc.set_threshold(_RARELY)
    link = CentreLink(settings.centre.relay, token(settings.secrets, "relay.token"))
    lane = SnmpLane(settings, link, SystemClock())
    stop_metrics = metrics.serve(lane.metrics.registry, *split_address(settings.lane.snmp.metrics))
    await lane.start()
    await run_until_stopped(lane.tasks())
    await lane.stop()
    await link.close()
    stop_metrics()


def _allow_sockets() -> None:
    """Each device has a socket of its own: as many files as this process may open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
