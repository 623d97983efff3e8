"""Events as rows: the columns of the store's tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from core.records import Event, Fields, Logsource

FORMAT = b"1"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("time", pa.int64()),
        ("seen", pa.int64()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("service", pa.string()),
        ("unit", pa.string()),
        ("site", pa.string()),
        ("device", pa.string()),
        ("fields", pa.string()),
        ("raw", pa.binary()),
    ],
    metadata={b"haidang.format": FORMAT},
)

ROWS_IN_GROUP = 20_000
"""A search for what is rare reads whole groups; the smaller they are the less, and the larger the files."""


def to_table(events: Sequence[Event]) -> pa.Table:
    """The events as columns of ``SCHEMA``."""
    columns = {
        "id": [event.id for event in events],
        "time": [event.time for event in events],
        "seen": [event.seen for event in events],
        "product": [event.logsource.product for event in events],
        "category": [event.logsource.category for event in events],
        "service": [event.logsource.service for event in events],
        "unit": [event.unit for event in events],
        "site": [event.site for event in events],
        "device": [event.device for event in events],
        "fields": [msgspec.json.encode(event.fields).decode() for event in events],
        "raw": [event.raw for event in events],
    }
    return pa.table(columns, schema=SCHEMA)


def from_row(row: tuple[Any, ...]) -> Event:
    """The event in a row of ``SCHEMA``."""
    identity, time, seen, product, category, service, unit, site, device, fields, raw = row
    return Event(
        id=identity,
        time=time,
        seen=seen,
        logsource=Logsource(product=product, category=category, service=service),
        fields=msgspec.json.decode(fields, type=Fields),
        raw=raw,
        unit=unit,
        site=site,
        device=device,
    )
