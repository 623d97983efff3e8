"""The platform's own figures, at /metrics in Prometheus' text format."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable


class LaneMetrics:
    """What a lane counts: received = stored + duplicates + quarantined + dropped, by source."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("received", "items taken in, before anything is done with them", "source")
        self.stored = self._counter("stored", "items safely on disk as events", "source")
        self.duplicates = self._counter("duplicates", "items sent again after a reconnect, folded", "source")
        self.quarantined = self._counter("quarantined", "items kept aside with the reason why", "source")
        self.dropped = self._counter("dropped", "items lost: the queue or the kernel's buffer was full", "source")
        self.cut = self._counter("connections_cut", "connections without acknowledgement that broke off", "source")
        self.untrusted_time = self._counter("untrusted_time", "items whose own clock was not believed", "source")
        self.refused = self._counter("refused", "connections and requests that were refused, stored nothing", "source")
        self.lost = self._counter("lost", "items read from a connection and not stored when the process died", "source")
        self.hits = Counter("haidang_hits", "rule hits handed to the relay", registry=self.registry)
        self.outbox = Gauge("haidang_outbox_rows", "rows not yet acknowledged by the centre", registry=self.registry)
        self.centre_silent = Gauge(
            "haidang_centre_silent_seconds", "since the centre last answered", registry=self.registry
        )

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(f"haidang_{name}", text, [label], registry=self.registry)


def serve(registry: CollectorRegistry, host: str, port: int) -> Callable[[], None]:
    """Serves /metrics from a thread of its own; the returned callable stops it.

    Raises:
        UnavailableError: the port is taken.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise UnavailableError(f"metrics: cannot listen on {host}:{port}: {error.strerror}") from error
    return lambda: _stop(server, thread)


def _stop(server: WSGIServer, thread: Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
