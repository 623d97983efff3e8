"""When an event of a file happened, by the fields in which sources say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from core.clock import SECOND, VIETNAM, from_datetime
from core.records import FieldValue

NAMES = (
    "@timestamp",
    "TimeCreated_SystemTime",
    "UtcTime",
    "TimeCreated",
    "timestamp",
    "ts",
    "eventTime",
    "time",
    "published",
    "CreationTime",
    "ts.$date",
    "t.$date",
    "audit_record.timestamp",
    "EVENT_TIMESTAMP",
    "event_time",
    "EventTime",
)
"""In this order: collectors in general, Windows, Sysmon, Suricata, Zeek, AWS, Azure, Okta, Microsoft 365; databases:
MongoDB, MySQL, Oracle, SQL Server; NXLog."""

_LOCAL = frozenset(("EventTime",))
"""Fields whose text, without a zone, is in Vietnam's and not in UTC."""

_UNITS = ((1e11, SECOND), (1e14, 1_000_000), (1e17, 1_000), (1e19, 1))
"""Below which number a time counts seconds, milliseconds, microseconds and nanoseconds, and how many ns those are."""

LAST = 1 << 63
"""The first time that no event can have: the 11th of April 2262."""


def time_of(fields: Mapping[str, FieldValue]) -> int | None:
    """Nanoseconds UTC from the first field that tells a time; text without a zone is UTC, as Sysmon writes it."""
    for name in NAMES:
        zone = VIETNAM if name in _LOCAL else UTC
        time = _time(fields[name], zone) if name in fields else None
        if time is not None:
            return time
    return None


def _time(value: FieldValue, zone: tzinfo) -> int | None:
    if isinstance(value, str):
        return _written(value, zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    return None


def _written(text: str, zone: tzinfo) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        time = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None
    return time if abs(time) < LAST else None


def _counted(number: float) -> int | None:
    for limit, unit in _UNITS:
        if 0 <= number < limit:
            time = int(number * unit)
            return time if time < LAST else None
    return None
