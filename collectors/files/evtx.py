"""EVTX, the file format of Windows' event log; read by the library of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from evtx import PyEvtxParser

from collectors.files.found import Bad, Found, identity
from collectors.files.jsonl import decode_json
from core.errors import ContentError, UnavailableError

MAGIC = b"ElfFile\0"
_SHOWN = 200


def read(path: Path) -> Iterator[Found]:
    """The events of a file; a broken chunk or record is one bad record, and the next is read.

    Raises:
        UnavailableError: the file cannot be read or is no EVTX file.
    """
    try:
        records = PyEvtxParser(str(path)).records_json()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error}") from error
    for number in count():
        try:
            record = next(records, None)
            if record is None:
                return
            yield decode_json(record["data"].encode(), identity(path, number))
        except (RuntimeError, OSError, ValueError, ContentError) as error:
            yield Bad(str(path), number, str(error)[:_SHOWN])
