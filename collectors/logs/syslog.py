"""Syslog messages taken apart: RFC 5424, RFC 3164, and what devices send in its place.

Parsing never fails: what has no header is all text. Source: RFC 5424 section 6, RFC 3164 section 4.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.clock import VIETNAM, from_datetime, to_datetime

_DEFAULT_PRIORITY = 13  # user.notice, RFC 3164 section 4.3.3
_HIGHEST_PRIORITY = 191
_LEAP_SECOND = 60
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}

_ZONES = {"UTC": UTC, "GMT": UTC, "ICT": VIETNAM}
"""Zone names that devices write and that mean one thing here; any other leaves the source's own zone."""

_PRIORITY = re.compile(r"<(\d{1,3})>", re.ASCII)
_RFC5424 = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) (-|\[)")
_ELEMENT = re.compile(r'\[[^\]"]*+(?:"(?:[^"\\]|\\.)*+"[^\]"]*+)*+\]', re.DOTALL)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:)(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_BSD = re.compile(
    r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (\d{4})(?=:? ))?",
    re.ASCII,
)
_CISCO_LEAD = re.compile(r"(?:\d{1,20}: )?(?:([\w.-]{1,255}): )?[*.]?(?=[A-Z][a-z]{2} {1,2}\d)", re.ASCII)
_ZONE_NAME = re.compile(r" ([A-Z]{3,4}|[+-](?:0\d|1[0-4]):?[0-5]\d)(?=:)", re.ASCII)
_HOST = re.compile(r"([A-Za-z0-9_.:-]{1,255}?)(?: ?: ?(?=%)| )")
_MNEMONIC = re.compile(r"%([A-Z0-9_]{1,64}(?:-[A-Z0-9_]{1,64}){0,3}-[0-7]-[A-Z0-9_]{1,64})(?:\[[^\]]*\])?: ?")
_TAG = re.compile(r"([^\s:\[\]]{1,48})(?:\[([^\]\s]{1,32})\])?: ?")


class Message(NamedTuple):
    """A message's parts; ``time`` is nanoseconds UTC or None where it has none, absent texts are empty."""

    facility: int
    severity: int
    time: int | None
    host: str
    program: str
    pid: str
    code: str
    structured: str
    text: str


def parse(text: str, seen: int, zone: ZoneInfo) -> Message:
    """Takes a message apart.

    Args:
        text: the message, without framing.
        seen: when it was received; gives the year where the message has none.
        zone: the sender's zone, for times that name none.
    """
    priority, rest = _split_priority(text)
    found = _RFC5424.match(rest)
    if found:
        return _rfc5424(priority, rest, found, zone)
    return _rfc3164(priority, rest, seen, zone)


def _split_priority(text: str) -> tuple[int, str]:
    found = _PRIORITY.match(text)
    if found and int(found[1]) <= _HIGHEST_PRIORITY:
        return int(found[1]), text[found.end() :]
    return _DEFAULT_PRIORITY, text


def _rfc5424(priority: int, rest: str, found: re.Match[str], zone: ZoneInfo) -> Message:
    stamp, host, program, pid, code, mark = found.groups()
    end = found.end()
    structured = ""
    if mark == "[":
        start = end = end - 1
        while element := _ELEMENT.match(rest, end):
            end = element.end()
        structured = rest[start:end]
    text = rest[end:].removeprefix(" ").removeprefix("\ufeff")
    time, _ = _iso_time(stamp, zone) or (None, 0)
    host, program, pid, code = ("" if value == "-" else value for value in (host, program, pid, code))
    return Message(priority >> 3, priority & 7, time, host, program, pid, code, structured, text)


def _rfc3164(priority: int, rest: str, seen: int, zone: ZoneInfo) -> Message:
    host, rest = _device_lead(rest)
    time, rest = _leading_time(rest, seen, zone)
    if time is not None and not host:
        host, rest = _leading_host(rest)
    mnemonic = _MNEMONIC.match(rest)
    if mnemonic:
        return Message(priority >> 3, priority & 7, time, host, "", "", mnemonic[1], "", rest[mnemonic.end() :])
    tag = _TAG.match(rest)
    program, pid, text = (tag[1], tag[2] or "", rest[tag.end() :]) if tag else ("", "", rest)
    return Message(priority >> 3, priority & 7, time, host, program, pid, "", "", text)


def _device_lead(rest: str) -> tuple[str, str]:
    """Cisco puts a sequence number, perhaps its name, and a mark of clock doubt before the time."""
    found = _CISCO_LEAD.match(rest)
    return (found[1] or "", rest[found.end() :]) if found else ("", rest)


def _leading_time(rest: str, seen: int, zone: ZoneInfo) -> tuple[int | None, str]:
    parsed = _iso_time(rest, zone) or _bsd_time(rest, seen, zone)
    if parsed is None:
        return None, rest
    time, end = parsed
    return time, rest[end:].removeprefix(":").lstrip(" ")


def _zone_after(text: str, end: int, zone: tzinfo) -> tuple[tzinfo, int]:
    """The zone named after a time, else the source's own, and where the text goes on."""
    found = _ZONE_NAME.match(text, end)
    if not found:
        return zone, end
    if found[1][0] in "+-":
        return datetime.strptime(found[1], "%z").tzinfo or zone, found.end()
    return _ZONES.get(found[1], zone), found.end()


def _leading_host(rest: str) -> tuple[str, str]:
    found = _HOST.match(rest)
    if not found or found[1].endswith(":"):
        return "", rest
    return found[1], rest[found.end() :]


def _iso_time(text: str, zone: tzinfo) -> tuple[int, int] | None:
    found = _ISO.match(text)
    if not found:
        return None
    date, minute, second, fraction, offset = found.groups()
    stated, end = _zone_after(text, found.end(), zone)
    try:
        start = datetime.fromisoformat(f"{date}T{minute}00{offset or ''}")
        moment = (start if offset else start.replace(tzinfo=stated)) + _seconds(int(second))
        return _nanoseconds(moment, fraction), end
    except (ValueError, OverflowError):
        return None


def _bsd_time(text: str, seen: int, zone: tzinfo) -> tuple[int, int] | None:
    found = _BSD.match(text)
    if not found or found[1] not in _MONTHS:
        return None
    month, day, year, hour, minute, second, fraction, year_after = found.groups()
    stated = year or year_after
    years = [int(stated)] if stated else _years_around(seen)
    zone, end = _zone_after(text, found.end(), zone)
    parts = (_MONTHS[month], int(day), int(hour), int(minute), int(second))
    moments = [moment for year in years if (moment := _moment(year, parts, zone)) is not None]
    if not moments:
        return None
    nearest = min(moments, key=lambda moment: abs(from_datetime(moment) - seen))
    return _nanoseconds(nearest, fraction), end


def _years_around(seen: int) -> list[int]:
    year = to_datetime(seen).year
    return [year - 1, year, year + 1]


def _moment(year: int, parts: tuple[int, int, int, int, int], zone: tzinfo) -> datetime | None:
    month, day, hour, minute, second = parts
    try:
        moment = datetime(year, month, day, hour, minute, tzinfo=zone) + _seconds(second)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _seconds(second: int) -> timedelta:
    """A leap second, 60, is the next one (RFC 5424 forbids it, RFC 3164 senders have it).

    Raises:
        ValueError: there is no such second.
    """
    if second > _LEAP_SECOND:
        raise ValueError("a minute has at most 61 seconds")
    return timedelta(seconds=second)


def _nanoseconds(moment: datetime, fraction: str | None) -> int:
    return from_datetime(moment.astimezone(UTC)) + int((fraction or "0").ljust(9, "0"))
