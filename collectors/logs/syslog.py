"""Syslog messages taken apart: RFC 5424, RFC 3164, and what devices send in its place.

Parsing never fails: what has no header is all text. Source: RFC 5424 section 6, RFC 3164 section 4.

What most senders of RFC 3164 write is read at once, by one expression for programs and one for Cisco's devices. All
else is read step by step, and so is what these leave in doubt; where they answer, the steps would say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from core.clock import HOUR, VIETNAM, from_datetime, to_datetime

_DEFAULT_PRIORITY = 13  # user.notice, RFC 3164 section 4.3.3
_HIGHEST_PRIORITY = 191
_LEAP_SECOND = 60
_DAY = 24 * HOUR
_REMEMBERED = 4096
"""Seconds as they are written, of which the time is kept: messages come in the order of time, many in a second."""

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}

_ZONES = {"UTC": UTC, "GMT": UTC, "ICT": VIETNAM}
"""Zone names that devices write and that mean one thing here; any other leaves the source's own zone."""

_CODES = {
    f"{priority:0{width}}": divmod(priority, 8) for priority in range(_HIGHEST_PRIORITY + 1) for width in (1, 2, 3)
}
"""Every priority as it may be written, to facility and severity."""

_TO_NANOSECONDS: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
"""What a fraction of so many digits is multiplied by."""

_PRI = r"<([0-9]{1,3})>"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_BSD_SECOND = f"[A-Z][a-z]{{2}} [ 0-9][0-9] {_CLOCK}"
_CISCO_SECOND = f"[A-Z][a-z]{{2}} [ 0-9][0-9] (?:[0-9]{{4}} )?{_CLOCK}"
_ISO_SECOND = rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK})(?:\.([0-9]{{1,9}}))?(Z|[+-][0-9]{{2}}:[0-9]{{2}})"
_YEAR = " [0-9]{4}(?=:? )"
_ZONE = " (?:UTC|GMT|ICT|[A-Z]{3,4}(?=: ?%)|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])(?=:)"
"""A name that is none of ours is a zone's only before a mnemonic; else it is a program's: CRON."""

_LEAD = r"(?:[0-9]{1,20}: )?(?:([A-Za-z0-9_.-]{1,255}): )?[*.]?"
_NAME = "[A-Za-z0-9_.-]{1,255}"
_PROGRAM = r"([^\s:\[]{1,128})(?:\[([^\]\s]{0,32})\])?:"
_CODE = r"%([A-Z0-9_]{1,64}(?:-[A-Z0-9_]{1,64}){0,3}-[0-7]-[A-Z0-9_]{1,64})(?:\[[^\]]*\])?: ?"

# A text that begins with a percent sign is left to the steps: what stands before it may be a host.
_PROGRAM_AT_ONCE = re.compile(
    rf"{_PRI}(?:({_BSD_SECOND})(?!{_YEAR})|{_ISO_SECOND})(?!{_ZONE}) (?:({_NAME}) )?(?!%){_PROGRAM} (?!%)"
)
_DEVICE_AT_ONCE = re.compile(
    rf"{_PRI}{_LEAD}({_CISCO_SECOND})(?:\.([0-9]{{1,9}}))?(?!{_YEAR})({_ZONE})?+:? (?:({_NAME})(?: ?: ?| ))?{_CODE}"
)

_NIL = "-(?= )"
_RFC5424 = re.compile(
    rf"(?:{_PRI})?1 (?:{_ISO_SECOND}|{_NIL}|(\S{{1,64}})) (?:{_NIL}|(\S{{1,255}})) (?:{_NIL}|(\S{{1,48}})) "
    rf"(?:{_NIL}|(\S{{1,128}})) (?:{_NIL}|(\S{{1,32}})) (?:- ?\ufeff?|(?=(\[)))"
)
_ELEMENT = re.compile(r'\[[^\]"]*+(?:"(?:[^"\\]|\\.)*+"[^\]"]*+)*+\]', re.DOTALL)
_PRIORITY = re.compile(f"{_PRI}(?: (?=[A-Z][a-z]{{2}} {{1,2}}[0-9]|[0-9]{{4}}-))?")  # some put a space before the time
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_BSD = re.compile(
    rf"([A-Z][a-z]{{2}}) {{1,2}}(\d{{1,2}}) (?:(\d{{4}}) )?({_CLOCK})(?:\.(\d{{1,9}}))?({_YEAR})?", re.ASCII
)
_CISCO_LEAD = re.compile(f"{_LEAD}(?=[A-Z][a-z]{{2}} {{1,2}}[0-9])")
_ZONE_NAME = re.compile(_ZONE)
_HOST = re.compile(rf"({_NAME}|[0-9A-Fa-f:.]{{1,45}}?(?:%[A-Za-z0-9_.-]{{1,15}})?)(?: ?: ?(?=%)| )")
_MNEMONIC = re.compile(_CODE)
_TAG = re.compile(f"{_PROGRAM} ?")


class Message(msgspec.Struct, frozen=True, gc=False):
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
    return (
        _program_at_once(text, seen, zone)
        or _rfc5424(text, zone)
        or _device_at_once(text, seen, zone)
        or _step_by_step(text, seen, zone)
    )


def _program_at_once(text: str, seen: int, zone: ZoneInfo) -> Message | None:
    """A time, perhaps a host, and a program's tag; None if these are not all there is to the head."""
    found = _PROGRAM_AT_ONCE.match(text)
    if not found:
        return None
    priority, bsd, iso, fraction, offset, host, program, pid = found.groups("")
    code = _CODES.get(priority)
    time = _bsd_second(bsd, seen // _DAY, zone) if bsd else _iso_second(iso, offset, UTC)
    if code is None or time is None:
        return None
    if fraction:
        time += _fraction(fraction)
    return Message(code[0], code[1], time, host, program, pid, "", "", text[found.end() :])


def _device_at_once(text: str, seen: int, zone: ZoneInfo) -> Message | None:
    """Cisco's head: perhaps a number and a name, a time, perhaps a name here, a mnemonic; None of any other."""
    found = _DEVICE_AT_ONCE.match(text)
    if not found:
        return None
    priority, lead, stamp, fraction, stated, host, mnemonic = found.groups("")
    code = _CODES.get(priority)
    time = _bsd_second(f"{stamp}{stated}:", seen // _DAY, zone)
    if code is None or time is None or (lead and host):
        return None
    return Message(
        code[0], code[1], time + _fraction(fraction), lead or host, "", "", mnemonic, "", text[found.end() :]
    )


def _rfc5424(text: str, zone: ZoneInfo) -> Message | None:
    found = _RFC5424.match(text)
    if not found:
        return None
    priority, iso, fraction, offset, stamp, host, program, pid, mnemonic, bracket = found.groups("")
    code = _CODES.get(priority or str(_DEFAULT_PRIORITY))
    if code is None:
        return None
    time = _iso_second(iso, offset, UTC) if iso else _stamped(stamp, zone)
    if fraction and time is not None:
        time += _fraction(fraction)
    structured, said = _structured(text, found.end()) if bracket else ("", text[found.end() :])
    return Message(code[0], code[1], time, host, program, pid, mnemonic, structured, said)


def _structured(text: str, start: int) -> tuple[str, str]:
    """Elements in brackets, and the text after them."""
    end = start
    while element := _ELEMENT.match(text, end):
        end = element.end()
    return text[start:end], text[end:].removeprefix(" ").removeprefix("\ufeff")


def _stamped(stamp: str, zone: ZoneInfo) -> int | None:
    parsed = _iso_time(stamp, zone) if stamp else None
    return parsed[0] if parsed else None


def _step_by_step(text: str, seen: int, zone: ZoneInfo) -> Message:
    (facility, severity), rest = _split_priority(text)
    host, rest = _device_lead(rest)
    time, rest = _leading_time(rest, seen, zone)
    if time is not None and not host:
        host, rest = _leading_host(rest)
    mnemonic = _MNEMONIC.match(rest)
    if mnemonic:
        return Message(facility, severity, time, host, "", "", mnemonic[1], "", rest[mnemonic.end() :])
    tag = _TAG.match(rest)
    program, pid, said = (tag[1], tag[2] or "", rest[tag.end() :]) if tag else ("", "", rest)
    return Message(facility, severity, time, host, program, pid, "", "", said)


def _split_priority(text: str) -> tuple[tuple[int, int], str]:
    found = _PRIORITY.match(text)
    code = _CODES.get(found[1]) if found else None
    if found and code:
        return code, text[found.end() :]
    return divmod(_DEFAULT_PRIORITY, 8), text


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
    name = found[0].lstrip()
    if name[0] in "+-":
        return datetime.strptime(name, "%z").tzinfo or zone, found.end()
    return _ZONES.get(name, zone), found.end()


def _leading_host(rest: str) -> tuple[str, str]:
    found = _HOST.match(rest)
    if not found or found[1].endswith(":"):
        return "", rest
    return found[1], rest[found.end() :]


@lru_cache(_REMEMBERED)
def _bsd_second(stamp: str, day: int, zone: tzinfo) -> int | None:
    """The time of a whole second that is seen on this day; None if there is none such.

    None too where the year follows only from when it is seen within the day: it does not if both ends say the same.
    """
    moments, _, _ = _bsd_moments(stamp, day, zone)
    if not moments:
        return None
    first, last = _nearest(moments, day * _DAY), _nearest(moments, (day + 1) * _DAY - 1)
    return first if first == last else None


def _bsd_time(text: str, seen: int, zone: tzinfo) -> tuple[int, int] | None:
    moments, fraction, end = _bsd_moments(text, seen // _DAY, zone)
    return (_nearest(moments, seen) + _fraction(fraction), end) if moments else None


def _bsd_moments(text: str, day: int, zone: tzinfo) -> tuple[Sequence[int], str, int]:
    """The whole second in each year that may be meant; the fraction's digits; where the text goes on."""
    found = _BSD.match(text)
    if not found:
        return (), "", 0
    month, number, year, clock, fraction, year_after = found.groups("")
    stated = year or year_after
    years = (int(stated),) if stated else _years_around(day)
    zone, end = _zone_after(text, found.end(), zone)
    moments = [moment for one in years if (moment := _moment(one, month, number, clock, zone)) is not None]
    return moments, fraction, end


def _nearest(moments: Sequence[int], seen: int) -> int:
    return min(moments, key=lambda moment: abs(moment - seen))


@lru_cache(2)
def _years_around(day: int) -> tuple[int, ...]:
    year = to_datetime(day * _DAY).year
    return year - 1, year, year + 1


@lru_cache(_REMEMBERED)
def _moment(year: int, month: str, day: str, clock: str, zone: tzinfo) -> int | None:
    """The time of a whole second in this year, or None if there is none such."""
    hour, minute, second = map(int, clock.split(":"))
    try:
        minute_began = datetime(year, _MONTHS.get(month, 0), int(day), hour, minute, tzinfo=zone)
        return _nanoseconds(minute_began + _seconds(second))
    except (ValueError, OverflowError):
        return None


def _iso_time(text: str, zone: tzinfo) -> tuple[int, int] | None:
    found = _ISO.match(text)
    if not found:
        return None
    stamp, fraction, offset = found.groups("")
    zone, end = _zone_after(text, found.end(), zone)
    time = _iso_second(stamp, offset, zone)
    return None if time is None else (time + _fraction(fraction), end)


@lru_cache(_REMEMBERED)
def _iso_second(stamp: str, offset: str, zone: tzinfo) -> int | None:
    """The time of a whole second, in the zone if it has no offset, or None if there is none such."""
    try:
        minute_began = datetime.fromisoformat(f"{stamp[:17]}00{offset}")
        return _nanoseconds((minute_began if offset else minute_began.replace(tzinfo=zone)) + _seconds(int(stamp[17:])))
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


def _nanoseconds(moment: datetime) -> int:
    return from_datetime(moment.astimezone(UTC))


def _fraction(digits: str) -> int:
    return int(digits or "0") * _TO_NANOSECONDS[len(digits)]
