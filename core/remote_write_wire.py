"""Rows of series as Prometheus' remote-write 1.0 takes them: protobuf in a snappy block.

    message WriteRequest { repeated TimeSeries timeseries = 1; }
    message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
    message Label { string name = 1; string value = 2; }
    message Sample { double value = 1; int64 timestamp = 2; }

All that comes before a sample's value is the same each time, so it is made once a series.
Source: Prometheus remote-write specification 1.0.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import cramjam
import pyarrow as pa

from core.clock import MILLISECOND

SAMPLES = 10_000
"""Of a request, at most about."""

MOST_SERIES = 250_000
"""Objects whose labels are remembered; with more, all are made anew."""

_FIRST_TIME, _END_TIME = 1 << 35, 1 << 42
"""Milliseconds that take six bytes: from 1971 to 2109."""

_SAMPLE = b"\x12\x10\x09"
"""Field 2 of a series, 16 bytes: field 1, a double of 8, then field 2, a timestamp of six."""

_pack = struct.Struct("<d").pack


class Metric(NamedTuple):
    """What a column is called, by what it is multiplied, and for text the values that are 1 and not 0."""

    name: str
    factor: float = 1
    ones: tuple[str, ...] = ()


class Exported(NamedTuple):
    """A table of series: the label of its objects, columns that are labels (by label), and columns that are metrics."""

    object: str
    labels: Mapping[str, str]
    metrics: Mapping[str, Metric]


EXPORTED: Mapping[str, Exported] = {
    "interfaces": Exported(
        "interface",
        {},
        {
            "in_bps": Metric("haidang_interface_in_bits_per_second"),
            "out_bps": Metric("haidang_interface_out_bits_per_second"),
            "in_pps": Metric("haidang_interface_in_packets_per_second"),
            "out_pps": Metric("haidang_interface_out_packets_per_second"),
            "in_errors": Metric("haidang_interface_in_errors_per_second"),
            "out_errors": Metric("haidang_interface_out_errors_per_second"),
            "in_discards": Metric("haidang_interface_in_discards_per_second"),
            "out_discards": Metric("haidang_interface_out_discards_per_second"),
            "in_util": Metric("haidang_interface_in_utilization_ratio", 0.01),
            "out_util": Metric("haidang_interface_out_utilization_ratio", 0.01),
            "speed_bps": Metric("haidang_interface_speed_bits_per_second"),
            "oper": Metric("haidang_interface_oper_status"),
            "admin": Metric("haidang_interface_admin_status"),
        },
    ),
    "hosts": Exported(
        "host",
        {},
        {
            "cpu": Metric("haidang_host_cpu_ratio", 0.01),
            "memory_used": Metric("haidang_host_memory_used_bytes"),
            "memory_total": Metric("haidang_host_memory_total_bytes"),
            "load1": Metric("haidang_host_load1"),
            "processes": Metric("haidang_host_processes"),
        },
    ),
    "disks": Exported(
        "disk", {}, {"used": Metric("haidang_disk_used_bytes"), "total": Metric("haidang_disk_total_bytes")}
    ),
    "sensors": Exported("sensor", {"kind": "kind", "measure": "unit"}, {"value": Metric("haidang_sensor_value")}),
    "power": Exported(
        "supply",
        {},
        {
            "on_battery": Metric("haidang_power_on_battery"),
            "minutes_left": Metric("haidang_power_left_seconds", 60),
            "charge": Metric("haidang_power_charge_ratio", 0.01),
            "load": Metric("haidang_power_load_ratio", 0.01),
            "output_watts": Metric("haidang_power_output_watts"),
        },
    ),
    "peers": Exported(
        "peer",
        {"kind": "kind"},
        {
            "state": Metric("haidang_peer_up", ones=("established", "full")),
            "uptime": Metric("haidang_peer_uptime_seconds"),
        },
    ),
    "devices": Exported(
        "",
        {},
        {
            "up": Metric("haidang_device_up"),
            "rtt_ms": Metric("haidang_device_round_trip_seconds", 0.001),
            "late_s": Metric("haidang_device_late_seconds"),
            "varbinds": Metric("haidang_device_varbinds"),
            "errors": Metric("haidang_device_errors"),
        },
    ),
}


class Request(NamedTuple):
    """The body of one request, compressed, and how many samples it holds."""

    body: bytes
    samples: int


class _Series:
    """An object's beginnings of samples by column, and the time of its last ones in milliseconds."""

    __slots__ = ("heads", "last")

    def __init__(self, heads: dict[str, bytes]) -> None:
        self.heads = heads
        self.last = 0


class Encoder:
    """Makes requests of rows, in each of which a series has at most one sample, and each series' times only grow.

    A request that is sent again whole thereby changes nothing. ``late`` counts samples that came behind a later one of
    their series and were left out. ``unit_of`` tells whose a site is.
    """

    def __init__(self, unit_of: Callable[[str], str]) -> None:
        self._unit_of = unit_of
        self._known: dict[tuple[str | None, ...], _Series] = {}
        self.late = 0

    def encode(self, batches: Mapping[str, pa.Table | Mapping[str, Sequence[Any]]]) -> Iterator[Request]:
        """The rows of these tables, in the form in which they are given to the series store, as requests."""
        chunk = _Chunk()
        for table, rows in batches.items():
            columns = rows.to_pydict() if isinstance(rows, pa.Table) else rows
            for series, stamp, values in self._samples(table, columns):
                if series in chunk.taken or chunk.samples >= SAMPLES:
                    yield chunk.request()
                    chunk = _Chunk()
                chunk.add(series, stamp, values)
        if chunk.samples:
            yield chunk.request()

    def _samples(
        self, table: str, columns: Mapping[str, Sequence[Any]]
    ) -> Iterator[tuple[_Series, bytes, list[tuple[str, float]]]]:
        exported = EXPORTED[table]
        metrics = [(name, metric, columns[name]) for name, metric in exported.metrics.items() if name in columns]
        for number, (series, time) in enumerate(zip(self._series(table, columns), columns["time"], strict=True)):
            values = [
                (name, value)
                for name, metric, given in metrics
                if given[number] is not None and isfinite(value := _value(metric, given[number]))
            ]
            milliseconds = time // MILLISECOND
            if not series.last < milliseconds or not _FIRST_TIME <= milliseconds < _END_TIME:
                self.late += len(values)
            elif values:
                series.last = milliseconds
                yield series, b"\x10" + varint(milliseconds), values

    def _series(self, table: str, columns: Mapping[str, Sequence[Any]]) -> Iterator[_Series]:
        exported = EXPORTED[table]
        nothing = [""] * len(columns["time"])
        told = [columns.get(name, nothing) for name in exported.labels.values()]
        units = map(self._unit_of, columns["site"])
        for key in zip(columns["site"], columns["device"], columns["object"], units, *told, strict=True):
            known = self._known.get((table, *key))
            if known is None:
                if len(self._known) >= MOST_SERIES:
                    self._known.clear()
                known = self._known[table, *key] = _Series(_heads(exported, key))
            yield known


class _Chunk:
    """A request that is being made."""

    def __init__(self) -> None:
        self.taken: set[_Series] = set()
        self.samples = 0
        self._parts: list[bytes] = []

    def add(self, series: _Series, stamp: bytes, values: list[tuple[str, float]]) -> None:
        heads, parts = series.heads, self._parts
        for name, value in values:
            parts += (heads[name], _pack(value), stamp)
        self.taken.add(series)
        self.samples += len(values)

    def request(self) -> Request:
        return Request(bytes(cramjam.snappy.compress_raw(b"".join(self._parts))), self.samples)


def varint(number: int) -> bytes:
    """A number from 0 on, in groups of seven bits, the lowest first."""
    found = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*found, number))


def _value(metric: Metric, given: float | str) -> float:
    if isinstance(given, str):
        return 1.0 if given.lower() in metric.ones else 0.0
    return float(given) * metric.factor


def _heads(exported: Exported, key: tuple[str | None, ...]) -> dict[str, bytes]:
    """For each metric all of its TimeSeries up to a sample's value."""
    labels = dict(zip(("site", "device", exported.object, "unit", *exported.labels), key, strict=True))
    heads: dict[str, bytes] = {}
    for column, metric in exported.metrics.items():
        named = {"__name__": metric.name} | {name: value for name, value in labels.items() if name and value}
        body = b"".join(_label(name, value) for name, value in sorted(named.items()))
        heads[column] = b"\x0a" + varint(len(body) + 18) + body + _SAMPLE
    return heads


def _label(name: str, value: str) -> bytes:
    body = _text(b"\x0a", name) + _text(b"\x12", value)
    return b"\x0a" + varint(len(body)) + body


def _text(tag: bytes, text: str) -> bytes:
    content = text.encode(errors="replace")
    return tag + varint(len(content)) + content
