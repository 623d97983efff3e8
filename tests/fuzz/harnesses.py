"""One small function a parser: bytes in; what it may not do is an exception other than the documented ones."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import seeds

from collectors.files import eve, jsonl, lineforms, syslog, windows, zeek
from collectors.logs.decode import Decoder
from collectors.logs.dialects import DEVICES, FORMATS, audits, linux, understand
from collectors.logs.documents import document_event
from collectors.logs.frames import Form, Frame
from collectors.logs.framing import FramingError, RelpSplitter, SyslogSplitter
from collectors.logs.http import bulk, exchange
from collectors.logs.spooling import decode_event, encode_record
from collectors.logs.syslog import Message, parse
from core.clock import VIETNAM
from core.errors import ContentError, IntegrityError
from core.records import Event
from core.settings import LogsSettings
from core.stores.events import to_table
from core.stores.spool import MAGIC, read_segment
from inventory.enrich import Enricher
from lab.sector import load_sector

SEEN = 1_795_312_267_000_000_000
LIMIT = 64
"""Bytes of the longest message that the splitters take here: what is longer must be met often."""

TEXT, DOCUMENT = 4096, 16384
"""Bytes of the longest input, of messages and of documents."""

MEMORY = os.memfd_create("segment")
SEGMENT = Path(f"/proc/self/fd/{MEMORY}")
"""A file that lies in memory alone; a segment's name is a number."""

DECODER = Decoder(LogsSettings())
ENRICHER = Enricher(load_sector(), "lab")
PROGRAMS = (*linux.PROGRAMS, *audits.PROGRAMS)
CODES = ("", "ASA-6-302013", "ASA-4-106023", "FTD-1-430002", "SEC_LOGIN-4-LOGIN_FAILED", "SYS-5-CONFIG_I", "x")


class Harness(NamedTuple):
    """What is run, what may come out of it, what it begins with, and the longest input."""

    run: Callable[[bytes], Any]
    seeds: Sequence[bytes]
    documented: tuple[type[Exception], ...] = ()
    longest: int = TEXT


def on_its_road(event: Event) -> None:
    """All that the lane does with an event until it is stored must take it."""
    whose = ENRICHER.enrich(event)
    assert decode_event(encode_record(whose, "")) == whose
    msgspec.json.encode(whose.fields).decode()
    if event.logsource.service == "quarantine":
        to_table([whose])


def message(data: bytes) -> None:
    parse(data.decode("utf-8", "replace"), SEEN, VIETNAM)
    on_its_road(DECODER.decode(Frame("127.1.1.10", "udp", data, SEEN), "logs/1/1").event)


def file_line(data: bytes) -> None:
    decoder = syslog.FileDecoder(SEEN, LogsSettings())
    on_its_road(decoder.decode(data, "file/x/1"))


def program_line(data: bytes) -> None:
    program = PROGRAMS[data[0] % len(PROGRAMS)] if data else "sshd"
    on_its_road(lineforms.program_line(program)(data[1:], "file/x/1"))


def split(make: Callable[[], Any], whole: Callable[[Any, bytes], list[Any]], data: bytes) -> None:
    """Parts do not depend on how the bytes were cut, and no more is held than one message."""
    size = data[0] % 7 + 1 if data else 1
    together, apart = make(), make()
    cut = []
    for start in range(0, len(data), size):
        cut += whole(apart, data[start : start + size])
        assert len(apart._buffer) <= LIMIT + size + 64
    assert whole(together, data) == cut


def syslog_parts(splitter: SyslogSplitter, data: bytes) -> list[Any]:
    return list(splitter.feed(data))


def relp_frames(splitter: RelpSplitter, data: bytes) -> list[Any]:
    """The frames until what is no frame; after it a connection ends, and so does this."""
    frames = list[Any]()
    if getattr(splitter, "ended", False):
        return []
    try:
        frames.extend(splitter.feed(data))
    except FramingError:
        splitter.ended = True
    return frames


def said(data: bytes) -> Message:
    """A message that chooses its program and code by its first two bytes."""
    program, code = (data + b"\0\0")[:2]
    known = ("", *PROGRAMS)
    text = data[2:].decode("utf-8", "replace")
    return Message(1, 5, None, "", known[program % len(known)], "", CODES[code % len(CODES)], "", text)


def any_dialect(data: bytes) -> None:
    logsource, fields = understand(said(data))
    assert all(isinstance(value, str | int | list) for value in fields.values()), logsource


def one_dialect(understands: Callable[[Message], Any], data: bytes) -> None:
    """As its messages come on the wire, and as if the text were all."""
    text = data.decode("utf-8", "replace")
    understands(parse(text, SEEN, VIETNAM))
    understands(Message(1, 5, None, "", "", "", "", "", text))


def document(form: Form, data: bytes) -> None:
    on_its_road(document_event(Frame("127.1.1.10", "http", data, SEEN), form, "logs/1/1")[0])


def windows_record(data: bytes) -> None:
    found = jsonl.json_object(data)
    record = found if windows.is_record(found) else {"Event": dict.fromkeys(("System", "EventData", "UserData"), found)}
    fields = windows.record_fields(record)
    on_its_road(jsonl.decode_json(json.dumps(record).encode(), "file/x/1"))
    assert isinstance(fields, dict)


def zeek_lines(data: bytes) -> None:
    decoder = zeek.Decoder("conn")
    for line in data.split(b"\n"):
        with suppress(ContentError):
            event = decoder.decode(line, "file/x/1")
            if event is not None:
                on_its_road(event)


def followed_zeek(data: bytes) -> None:
    """As the follower of files reads them."""
    forms = lineforms.line_forms("zeek", "", Path("conn.log"))
    for line in data.split(b"\n"):
        with suppress(ContentError):
            if forms.takes(line) and forms.form is not None:
                document(forms.form, line)


def body(data: bytes) -> None:
    coding = {"content-encoding": "gzip"} if data.startswith(b"\x1f\x8b") else {}
    content = exchange._unpacked(data, coding)
    request = exchange.Request("POST", "/logs/_bulk", coding, content)
    taken = bulk.documents(request)
    answer = bulk.stored(taken, "http/x", 1)
    assert answer.status == HTTPStatus.OK
    json.dumps(answer.content)
    for one in taken:
        frame = Frame("127.1.1.10", "http", one.raw, SEEN, stream="http/x", mark=1, form=jsonl.decode_json)
        on_its_road(DECODER.decode(frame, "logs/1/1").event)


def segment(data: bytes) -> None:
    """Bytes as they are; and as payloads whose checks are right, told apart by 0xff."""
    frames = b"".join(
        len(one).to_bytes(4, "little") + zlib.crc32(one).to_bytes(4, "little") + one for one in data.split(b"\xff")
    )
    for content in (data, MAGIC + frames):
        os.ftruncate(MEMORY, 0)
        os.pwrite(MEMORY, content, 0)
        with suppress(IntegrityError):
            found = read_segment(SEGMENT)
            for payload in found.payloads:
                with suppress(IntegrityError):
                    decode_event(payload)


REFUSED = (ContentError,)

HARNESSES: dict[str, Harness] = {
    "syslog": Harness(message, (*seeds.SYSLOG, *seeds.every_dialect())),
    "syslog_file": Harness(file_line, seeds.SYSLOG, REFUSED),
    "program_file": Harness(program_line, seeds.every_dialect()),
    "syslog_splitter": Harness(partial(split, lambda: SyslogSplitter(LIMIT), syslog_parts), seeds.TCP),
    "relp_splitter": Harness(partial(split, lambda: RelpSplitter(LIMIT), relp_frames), seeds.RELP),
    "dialects": Harness(any_dialect, [b"\0\0" + line for line in seeds.every_dialect()]),
    **{
        f"dialect_{reader.__module__.rpartition('.')[2]}": Harness(
            partial(one_dialect, reader), seeds.dialect(reader.__module__.rpartition(".")[2])
        )
        for reader in (*DEVICES, *FORMATS)
    },
    "json": Harness(partial(document, jsonl.decode_json), seeds.JSON, REFUSED, DOCUMENT),
    "eve": Harness(partial(document, eve.decode), seeds.EVE, REFUSED, DOCUMENT),
    "zeek": Harness(zeek_lines, seeds.ZEEK, (), DOCUMENT),
    "zeek_followed": Harness(followed_zeek, seeds.ZEEK, (), DOCUMENT),
    "windows": Harness(windows_record, seeds.WINDOWS, REFUSED, DOCUMENT),
    "http_bulk": Harness(body, seeds.BULK, (exchange.RefusedError,), DOCUMENT),
    "spool_segment": Harness(segment, seeds.SEGMENTS, (), DOCUMENT),
}
"""Every parser by its name."""
