"""The logs lane's ways in: every receiver that the settings open, started together and stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import NamedTuple, Protocol, TypeAlias

from collectors.files.jsonl import decode_json
from collectors.files.lineforms import change_lines, line_forms
from collectors.logs.decode import OURSELVES
from collectors.logs.following import Follower, Watched
from collectors.logs.http.deliveries import Deliveries
from collectors.logs.http.receiver import HttpReceiver
from collectors.logs.intake import Intake
from collectors.logs.ledger import Ledger
from collectors.logs.marks import Marks
from collectors.logs.relp import RelpReceiver
from collectors.logs.resend import Streams
from collectors.logs.streams import StreamServer
from collectors.logs.tcp import TcpReceiver
from collectors.logs.udp import UdpReceiver
from core.changes import PATTERN
from core.clock import Clock
from core.errors import ContentError
from core.files import read_bounded
from core.settings import LogsSettings, split_address
from core.tls import server_context

_LONGEST_TOKEN = 4096


class Receiver(Protocol):
    """What listens for streams."""

    def server(self, address: tuple[str, int], tls: SSLContext | None) -> StreamServer:
        """The server for this address, to be started."""
        ...


Serving: TypeAlias = Callable[[], Receiver]


class Carried(NamedTuple):
    """What receivers need of the lane: where frames go, and what is known of those that came before."""

    intake: Intake
    ledger: Ledger
    streams: Streams
    marks: Marks
    cut: Callable[[str], None]
    refused: Callable[[str], None]


def http_token(settings: LogsSettings) -> str:
    """The token that senders by HTTP must show; empty where the settings name none.

    Raises:
        ContentError: its file cannot be read, or holds none.
    """
    path = settings.http_token
    if path is None:
        return ""
    token = read_bounded(path, _LONGEST_TOKEN, "the token for HTTP").decode("utf-8", "replace").strip()
    if not token:
        raise ContentError(f"{path}: the token for HTTP is empty; write one, or take http_token out of the settings")
    return token


class WaysIn:
    """All receivers of one lane.

    Args:
        settings: which there are, and where.
        changes: the folder in which another lane of this machine tells of changes.
        lane: what they need.
        clock: the time.
    """

    def __init__(self, settings: LogsSettings, changes: Path, lane: Carried, clock: Clock) -> None:
        self._own = settings
        self._changes = changes
        self._lane = lane
        self._clock = clock
        self._udp: UdpReceiver | None = None
        self._servers: list[StreamServer] = []

    async def open(self) -> None:
        """Opens each way in that has an address.

        Raises:
            UnavailableError: a port is taken, or a key cannot be used.
        """
        tls = self._tls()
        if self._own.udp:
            self._udp = UdpReceiver(
                split_address(self._own.udp), self._own.receive_buffer, self._lane.intake, self._clock
            )
            self._udp.start(asyncio.get_running_loop())
        for server in self._prepared(tls):
            await server.start()
            self._servers.append(server)

    def follower(self) -> Follower:
        """What follows the files of the settings, and the changes of which another lane tells."""
        watched = [
            Watched(one.path.parent, one.path.name, one.source, partial(line_forms, one.format, one.program))
            for one in self._own.files
        ]
        watched.append(Watched(self._changes, PATTERN, OURSELVES, change_lines, transport="own"))
        return Follower(watched, self._lane.intake, self._clock, self._lane.marks)

    def dropped(self) -> dict[str, int]:
        """Datagrams that the kernel dropped since the last call, by source."""
        return {} if self._udp is None else self._udp.dropped()

    async def close(self) -> None:
        """Closes all; what they hold is handed on meanwhile."""
        if self._udp is not None:
            await asyncio.to_thread(self._udp.stop)
        for server in self._servers:
            await server.stop()

    def _tls(self) -> SSLContext | None:
        own = self._own
        if own.tls_certificate is None or own.tls_key is None:
            return None
        return server_context(own.tls_certificate, own.tls_key, own.tls_clients)

    def _prepared(self, tls: SSLContext | None) -> list[StreamServer]:
        own = self._own
        wanted: list[tuple[str, Serving, SSLContext | None]] = [
            (own.tcp, self._tcp, None),
            (own.tls, self._tcp, tls),
            (own.relp, self._relp, None),
            (own.relp_tls, self._relp, tls),
            (own.http, self._http, tls),
        ]
        return [make().server(split_address(address), keys) for address, make, keys in wanted if address]

    def _tcp(self) -> TcpReceiver:
        return TcpReceiver(self._own.max_message, self._lane.intake, self._clock, self._lane.ledger, self._lane.cut)

    def _relp(self) -> RelpReceiver:
        lane = self._lane
        return RelpReceiver(self._own.max_message, lane.intake, self._clock, lane.streams, refused=lane.refused)

    def _http(self) -> HttpReceiver:
        deliveries = Deliveries(self._lane.intake, self._clock, self._lane.marks, decode_json)
        return HttpReceiver(deliveries, self._clock, http_token(self._own), self._lane.refused)
