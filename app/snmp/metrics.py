"""The SNMP lane's own figures."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from collectors.snmp.failures import Failure
from core.device_states import Reach

_LATE = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_TOOK = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
"""Seconds."""


class SnmpMetrics:
    """What the lane counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.polls = self._counter("polls", "polls that were answered")
        self.failures = Counter(
            "haidang_snmp_failures", "polls that were not answered, by why", ["kind"], registry=self.registry
        )
        for failure in Failure:
            self.failures.labels(str(failure))
        self.late = Histogram(
            "haidang_snmp_late_seconds", "how late polls began", buckets=_LATE, registry=self.registry
        )
        self.stored = Histogram(
            "haidang_snmp_store_seconds", "how long a batch took to disk", buckets=_TOOK, registry=self.registry
        )
        self.varbinds = self._counter("varbinds", "values that came")
        self.rows = self._counter("rows", "rows handed to the series store")
        self.events = self._counter("events", "changes told as events")
        self.missed = Gauge("haidang_snmp_missed", "polls left out: too late by then", registry=self.registry)
        self.devices = Gauge(
            "haidang_snmp_devices", "devices by what is true of them", ["state"], registry=self.registry
        )
        for reach in Reach:
            self.devices.labels(str(reach))
        self.waiting = Gauge(
            "haidang_snmp_remote_write_waiting", "samples the receiver has not acknowledged", registry=self.registry
        )
        self.lost = Gauge(
            "haidang_snmp_remote_write_lost",
            "samples let go at the disk's bound, damaged there, or refused by the receiver",
            registry=self.registry,
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"haidang_snmp_{name}", text, registry=self.registry)
