"""From a frame to an event."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from collectors.logs.book import Told
from collectors.logs.dialects import understand
from collectors.logs.documents import document_event
from collectors.logs.frames import Form, Frame
from collectors.logs.ledger import Interrupted
from collectors.logs.syslog import Message, parse
from collectors.logs.trust import trusted
from core.clock import iso
from core.errors import ContentError
from core.records import Event, Fields, Logsource
from core.settings import LogsSettings

QUARANTINE = Logsource(product="haidang", service="quarantine")
SOURCE = Logsource(product="haidang", service="source")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\ufffd]")
_MOST_CONTROL = 0.1
"""A message of which more than this share is control characters or not UTF-8 is no text."""

LANE = "logs"
OURSELVES = "haidang"
"""The lane's name, and the source of what it says itself."""

_LONGEST_REASON = 300  # characters


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """An event and what the lane counts of it."""

    event: Event
    quarantined: bool = False
    untrusted_time: bool = False


class Decoder:
    """Makes events of frames. Pure: the same frame, id and known zones give the same event."""

    def __init__(self, settings: LogsSettings) -> None:
        self._zone = ZoneInfo(settings.timezone)
        self._set: Mapping[str, ZoneInfo] = {
            source: ZoneInfo(known.timezone) for source, known in settings.sources.items() if known.timezone
        }
        self._zones = self._set

    def know_zones(self, zones: Mapping[str, str]) -> None:
        """Takes the IANA zones of devices by address, in place of those known before; an empty name is none.

        What the settings say of a source goes before these, the lane's own zone after them.

        Raises:
            ContentError: a zone is unknown here; those known before stay.
        """
        known = {address: _zone(address, zone) for address, zone in zones.items() if zone}
        self._zones = {**known, **self._set}  # at once: another thread may be decoding

    def zone_of(self, address: str) -> tuple[str, str]:
        """The zone in which a source's times are read, and whether settings, inventory or lane say so."""
        said = "settings" if address in self._set else "inventory" if address in self._zones else "lane"
        return self._zones.get(address, self._zone).key, said

    def refused(self, frame: Frame, identity: str, error: Exception) -> Decoded:
        """What goes to quarantine because something that reads messages failed on this one, which it should not."""
        return _quarantine(frame, identity, f"defect: {type(error).__name__}: {error}"[:_LONGEST_REASON])

    def decode(self, frame: Frame, identity: str) -> Decoded:
        """The event in the frame, under this id; or, where there is none, what goes to quarantine and why."""
        if frame.fault:
            return _quarantine(frame, identity, frame.fault)
        if frame.transport == "own":
            return _own(frame, identity)
        if frame.form is not None:
            return _document(frame, frame.form, identity)
        text = frame.raw.decode("utf-8", "replace").rstrip("\r\n\x00")
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if not text or text.isspace():
            return _quarantine(frame, identity, "empty")
        if _is_binary(text):
            return _quarantine(frame, identity, "binary: not text in UTF-8")
        message = parse(text, frame.seen, self._zones.get(frame.source, self._zone))
        return _event(frame, identity, message)


def _is_binary(text: str) -> bool:
    if text.isprintable() and "\ufffd" not in text:  # nearly all text, and cheaper than to count
        return False
    return len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text)


def _zone(address: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ContentError(f"{address}: unknown timezone {name!r}; expected an IANA name: Asia/Ho_Chi_Minh") from error


def _event(frame: Frame, identity: str, message: Message) -> Decoded:
    logsource, said = understand(message)
    fields = _header_fields(frame, message)
    if said:
        fields.update(said)
    time, seen = message.time, frame.seen
    believed = time is None or trusted(time, seen)
    if time is not None and not believed:
        fields["haidang.time.original"] = iso(time) if _shown(time) else str(time)
    if time is None or not believed:
        time = seen
    event = Event(id=identity, time=time, seen=seen, logsource=logsource, fields=fields, raw=frame.raw)
    return Decoded(event, untrusted_time=not believed)


def _header_fields(frame: Frame, message: Message) -> Fields:
    fields: Fields = {
        "observer.ip": frame.source,
        "network.transport": frame.transport,
        "message": message.text,
        "log.syslog.facility.code": message.facility,
        "log.syslog.severity.code": message.severity,
    }
    if message.host:
        fields["host.name"] = message.host
    if message.program:
        fields["process.name"] = message.program
    if message.pid:
        fields["process.pid"] = message.pid
    if message.code:
        fields["event.code"] = message.code
    if frame.origin:
        fields["haidang.replayed.from"] = frame.origin
    if message.structured:
        fields["log.syslog.structured_data"] = message.structured
    return fields


def connection_cut(interrupted: Interrupted, now: int) -> Frame:
    """What the lane says of a connection that was open when its last process ended."""
    source, received, stored, _ = interrupted
    text = (
        f"TCP connection of {source} broke off: {received} messages received, {received - stored} of them not stored; "
        "what the kernel had taken besides is lost and cannot be counted"
    )
    fields = {"event.action": "connection_cut", "source.ip": source, "host.name": source, "message": text}
    return Frame(OURSELVES, "own", msgspec.json.encode(fields), now)


def source_changed(told: Told, now: int) -> Frame:
    """What the lane says of a source whose state has changed."""
    address = told.source.address
    fields = {"event.action": str(told.change), "source.ip": address, "observer.ip": address, "message": told.text}
    fields["host.name"] = told.source.device or address
    fields["haidang.lane"] = LANE
    return Frame(OURSELVES, "own", msgspec.json.encode(fields), now)


def _own(frame: Frame, identity: str) -> Decoded:
    """What the platform says itself: the lane's words as JSON fields, or another lane's in a form of its own."""
    if frame.form is not None:
        try:
            return Decoded(msgspec.structs.replace(frame.form(frame.raw, identity), seen=frame.seen))
        except ContentError as error:
            return _quarantine(frame, identity, str(error))
    fields = msgspec.json.decode(frame.raw, type=Fields)
    return Decoded(Event(id=identity, time=frame.seen, seen=frame.seen, logsource=SOURCE, fields=fields, raw=frame.raw))


def _document(frame: Frame, form: Form, identity: str) -> Decoded:
    try:
        event, believed = document_event(frame, form, identity)
    except ContentError as error:
        return _quarantine(frame, identity, str(error))
    return Decoded(event, untrusted_time=not believed)


def _quarantine(frame: Frame, identity: str, reason: str) -> Decoded:
    fields: Fields = {"observer.ip": frame.source, "network.transport": frame.transport, "error.message": reason}
    event = Event(id=identity, time=frame.seen, seen=frame.seen, logsource=QUARANTINE, fields=fields, raw=frame.raw)
    return Decoded(event, quarantined=True)


def _shown(time: int) -> bool:
    return 0 <= time < 253_402_300_800 * 1_000_000_000  # the end of year 9999
