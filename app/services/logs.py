"""The logs lane's process."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable

from app.lane_logs import LogsLane
from app.services.running import run_until_stopped
from core import metrics
from core.clock import SystemClock
from core.relay import CentreLink
from core.secrets import token
from core.settings import Settings, split_address
from core.terminal import say


async def run(settings: Settings) -> None:
    """The logs lane."""
    own = settings.lane.logs
    link = CentreLink(settings.centre.relay, token(settings.secrets, "relay.token"))
    lane = LogsLane(settings, link, SystemClock(), alarm_channel(own.alarm))
    stop_metrics = metrics.serve(lane.metrics.registry, *split_address(own.metrics))
    await lane.start()
    await run_until_stopped(lane.tasks())
    await lane.stop()
    await link.close()
    stop_metrics()


def alarm_channel(address: str) -> Callable[[str], None]:
    """The lane's own channel: the terminal or journal and, if an address is set, a syslog message to it by UDP."""

    def alarm(text: str) -> None:
        say(f"logs lane: {text}")
        if address:
            host, port = split_address(address)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            message = f"<138>1 {stamp} {socket.gethostname()} haidang {os.getpid()} - - {text}"  # local1, critical
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
                sender.sendto(message.encode(), (host, port))

    return alarm
