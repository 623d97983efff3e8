from __future__ import annotations

import socket

import httpx
import pytest
from prometheus_client import generate_latest

from core.errors import UnavailableError
from core.metrics import LaneMetrics, serve


def value(metrics, name, source):
    return metrics.registry.get_sample_value(f"haidang_{name}_total", {"source": source})


def test_two_lanes_count_apart():
    one, other = LaneMetrics(), LaneMetrics()
    one.received.labels("10.0.0.1").inc()
    assert value(other, "received", "10.0.0.1") is None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_figures_are_served_until_stopped():
    metrics, port = LaneMetrics(), free_port()
    metrics.received.labels("10.0.0.1").inc(3)
    stop = serve(metrics.registry, "127.0.0.1", port)
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
    finally:
        stop()
    assert 'haidang_received_total{source="10.0.0.1"} 3.0' in answer.text
    assert b"haidang_outbox_rows 0.0" in generate_latest(metrics.registry)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"metrics: cannot listen on 127.0.0.1:{port}: Address already"):
            serve(LaneMetrics().registry, "127.0.0.1", port)
