"""How the logs lane writes its spool.

Each record is an event with the RELP stream it came in; the head of a segment holds the ends of all streams.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from collectors.logs.marks import Marks
from collectors.logs.resend import Tails, digest
from core.errors import IntegrityError
from core.records import FORMAT, Event, Record
from core.stores.spool import Position, read_segment, segment_number, segments


class Stored(Record, frozen=True, kw_only=True):
    """One record of the spool."""

    event: Event
    stream: str = ""
    mark: int = 0


class Head(Record, frozen=True, kw_only=True):
    """What a segment begins with."""

    format: int = FORMAT
    streams: dict[str, list[bytes]]
    marks: dict[str, int] = msgspec.field(default_factory=dict)


class Ends(NamedTuple):
    """How far what can be sent or read again is on disk: streams by their last messages, the others by a mark."""

    tails: Tails
    marks: Marks


_encoder = msgspec.msgpack.Encoder()
_records = msgspec.msgpack.Decoder(Stored)
_heads = msgspec.msgpack.Decoder(Head)


def encode_record(event: Event, stream: str, mark: int = 0) -> bytes:
    """The event as a spool payload."""
    return _encoder.encode(Stored(event=event, stream=stream, mark=mark))


def encode_head(ends: Ends) -> bytes:
    """The head of a new segment."""
    return _encoder.encode(Head(streams=ends.tails.content(), marks=ends.marks.content()))


def decode_event(payload: bytes) -> Event:
    """The event in a spool payload.

    Raises:
        IntegrityError: the payload is not a record of this format.
    """
    return _decode(payload).event


def restore_ends(folder: Path) -> Ends:
    """The ends as the last process left them on disk, from the newest segment."""
    newest = segments(folder)[-1:]
    if not newest:
        return Ends(Tails(), Marks())
    segment = read_segment(newest[0])
    head = _heads.decode(segment.head)
    ends = Ends(Tails(head.streams), Marks(head.marks))
    for record in map(_decode, segment.payloads):
        if record.mark:
            ends.marks.set(record.stream, record.mark)
        elif record.stream:
            ends.tails.add(record.stream, digest(record.event.raw))
    return ends


def unjudged(folder: Path, position: Position) -> tuple[list[Event], Position]:
    """The spooled events at and after a position, which a crash kept from being judged, and where they end."""
    found: list[Event] = []
    end = position
    for path in segments(folder):
        number = segment_number(path)
        if number >= position.segment:
            payloads = read_segment(path).payloads
            start = position.offset if number == position.segment else 0
            found += [decode_event(payload) for payload in payloads[start:]]
            end = Position(number, len(payloads))
    return found, end


def _decode(payload: bytes) -> Stored:
    try:
        return _records.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"a spool record cannot be read by this version: {error}") from error
