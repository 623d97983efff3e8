"""Files of syslog messages, one a line, read as the logs lane reads what it receives.

What differs: a line may begin with the sender's address, as receivers write it before messages that name no host; the
message's own time is always believed, since a file may be of any age; and where a time has no year, the year is the
one in which the file was last written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from collectors.files.found import Found
from collectors.files.lines import events
from collectors.files.times import LAST
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.syslog import parse
from core.errors import ContentError, UnavailableError
from core.records import Event
from core.settings import LogsSettings

_RECEIVED = re.compile(rb"((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+) (?=\d{1,20}: |<\d{1,3}>)")
_OF_THE_WIRE = ("observer.ip", "network.transport")


def read(path: Path) -> Iterator[Found]:
    """The events of a file."""
    return events(path, FileDecoder(_written(path), LogsSettings()).decode)


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error.strerror}") from error


class FileDecoder:
    """Makes events of lines; ``written`` is when the file was, in nanoseconds UTC."""

    def __init__(self, written: int, settings: LogsSettings) -> None:
        self._written = written
        self._zone = ZoneInfo(settings.timezone)
        self._decoder = Decoder(settings)

    def decode(self, line: bytes, identity: str) -> Event:
        """The event in a line.

        Raises:
            ContentError: it is no text; the reason is that for which the lane would quarantine it.
        """
        found = _RECEIVED.match(line)
        source, message = (found[1].decode(), line[found.end() :]) if found else ("", line)
        said = parse(message.decode("utf-8", "replace"), self._written, self._zone).time
        seen = self._written if said is None or abs(said) >= LAST else said
        decoded = self._decoder.decode(Frame(source, "udp", message, seen), identity)
        if decoded.quarantined:
            raise ContentError(str(decoded.event.fields["error.message"]))
        fields = {name: value for name, value in decoded.event.fields.items() if name not in _OF_THE_WIRE}
        return msgspec.structs.replace(decoded.event, fields={"observer.ip": source, **fields} if source else fields)
