"""Makes a record of a row of text, in canonical form; what is wrong with the row alone is found here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from core.records import Record
from inventory.addresses import parse_address, parse_network
from inventory.calendars import days_of, parse_hours, parse_weekdays
from inventory.formats.rows import Row
from inventory.objects import Calendar, CalendarDay, Circuit, Link, Policy
from inventory.records import Device, Prefix
from inventory.registry import TABLES

CIPHER_GATEWAY = "cipher_gateway"
"""The role of a device of the Government Cipher Committee (Ban Cơ yếu Chính phủ), which is never written to."""

_DATES = ("valid_from", "valid_to", "opened", "closed", "in_service", "warranty_end", "support_end", "day")
_PERIODS = (("valid_from", "valid_to"), ("opened", "closed"))
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_HIDDEN_LETTERS = frozenset("\ufeff\ufffe\uffff")
_MAC = re.compile(r"(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}")
_FIELD = re.compile(r"`\$\.(\w+)`$")


class Problem(Record, frozen=True, kw_only=True):
    """A row that cannot be used: where it stands and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def read_record(kind: str, row: Row, present: Mapping[str, str] | None = None) -> Record | Problem:
    """The record that the row makes of what is ``present`` (cells by column); columns that it lacks stay so."""
    table = TABLES[kind]
    unknown = row.cells.keys() - set(table.columns)
    reason = row.fault or (f"unknown column {min(unknown)!r}; expected {', '.join(table.columns)}" if unknown else "")
    reason = reason or next(_hidden(row.cells), "")
    if reason:
        return Problem(place=row.place, reason=reason)
    try:
        return canonical(kind, _converted(table.record, {**(present or {}), **row.cells}))
    except ValueError as error:  # msgspec's ValidationError is one
        return Problem(place=row.place, reason=_told(error, table.record))


def canonical(kind: str, record: Record) -> Record:
    """The record with its addresses in one spelling.

    Raises:
        ValueError: an address, a date or another value is none; says what was expected.
    """
    for column in _dates(type(record)):
        _need_date(getattr(record, column))
    for first, last in _PERIODS:
        _need_order(getattr(record, first, ""), getattr(record, last, ""))
    make = _CANONICAL.get(kind)
    return record if make is None else make(record)


def _hidden(cells: Mapping[str, str]) -> Iterator[str]:
    for column, cell in cells.items():
        if not cell.isprintable() and any(map(_is_hidden, cell)):
            yield f"column {column!r} holds a control character; expected one line of text"


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _HIDDEN or letter in _HIDDEN_LETTERS


def _converted(record: type[Record], cells: Mapping[str, str]) -> Record:
    """An empty cell of a column that may be left out means that there is no value."""
    optional = _optional(record)
    given = {column: cell for column, cell in cells.items() if cell or column not in optional}
    if record is Device and given.get("role") == CIPHER_GATEWAY:
        given.setdefault("access", "read_only")
    return msgspec.convert(given, record, strict=False)


@cache
def _optional(record: type[Record]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(record) if not field.required)


@cache
def _dates(record: type[Record]) -> tuple[str, ...]:
    return tuple(column for column in _DATES if column in record.__struct_fields__)


def _told(error: ValueError, record: type[Record]) -> str:
    if not isinstance(error, msgspec.ValidationError):
        return str(error)
    found = _FIELD.search(str(error))
    choices = _choices(record).get(found[1], "") if found else ""
    return f"{error}; expected {choices or ', '.join(record.__struct_fields__)}"


@cache
def _choices(record: type[Record]) -> dict[str, str]:
    """What may stand in each column that holds one of a few words."""
    hints = get_type_hints(record)
    words = {column: get_args(hint) for column, hint in hints.items() if get_origin(hint) is Literal}
    return {column: f"{column} to be one of {', '.join(filter(None, found))}" for column, found in words.items()}


def _need_date(day: str) -> None:
    try:
        date.fromisoformat(day or "2000-01-01")
    except ValueError as error:
        raise ValueError(f"bad date {day!r}; expected a day of the calendar such as 2026-02-17") from error


def _need_order(first: str, last: str) -> None:
    if first and last and first > last:
        raise ValueError(f"{first} is after {last}; expected the first day before the last")


def _device(device: Device) -> Device:
    if device.role == CIPHER_GATEWAY and device.access != "read_only":
        raise ValueError(f"access {device.access!r} for a cipher gateway; expected read_only, since none may change it")
    if device.timezone:
        _need_zone(device.timezone)
    try:
        address = str(parse_address(device.address))
    except ValueError as error:
        raise ValueError(f"bad address {device.address!r}; expected IPv4 or IPv6") from error
    return msgspec.structs.replace(device, address=address, mac=_mac(device.mac))


def _mac(text: str) -> str:
    """A MAC address as ``00:1b:54:aa:00:01`` (IEEE 802, in the order it is sent), from any usual spelling."""
    if text and not _MAC.fullmatch(text.lower()):
        raise ValueError(f"bad MAC address {text!r}; expected 00:1b:54:aa:00:01")
    digits = re.sub("[^0-9a-f]", "", text.lower())
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _need_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown timezone {zone!r}; expected an IANA name: Asia/Ho_Chi_Minh") from error


def _prefix(prefix: Prefix) -> Prefix:
    try:
        network = parse_network(prefix.prefix)
    except ValueError as error:
        raise ValueError(f"bad prefix {prefix.prefix!r}; expected a network such as 10.1.0.0/24") from error
    return msgspec.structs.replace(prefix, prefix=str(network))


def _link(link: Link) -> Link:
    if (link.a_device, link.a_interface) == (link.b_device, link.b_interface):
        raise ValueError(f"both ends are {link.a_device!r}; expected two devices or two of its interfaces")
    if link.kind == "local" and link.circuit:
        raise ValueError(f"a local link over circuit {link.circuit!r}; expected the circuit's kind or no circuit")
    return link


def _calendar(calendar: Calendar) -> Calendar:
    parse_weekdays(calendar.weekdays)
    parse_hours(calendar.hours)
    return calendar


def _calendar_day(day: CalendarDay) -> CalendarDay:
    days_of(day)
    return day


def _circuit(circuit: Circuit) -> Circuit:
    if circuit.far_site == circuit.site:
        raise ValueError(f"both ends are site {circuit.site!r}; expected another far_site or none")
    return circuit


def _policy(policy: Policy) -> Policy:
    if (policy.what == "circuit") != (policy.role in {"state", "wan", "internet", "leased"}):
        raise ValueError(f"role {policy.role!r} of {policy.what!r}; expected an interface's role or a circuit's kind")
    return policy


_CANONICAL: dict[str, Callable[[Any], Record]] = {
    "devices": _device,
    "prefixes": _prefix,
    "links": _link,
    "circuits": _circuit,
    "calendars": _calendar,
    "calendar_days": _calendar_day,
    "policies": _policy,
}
