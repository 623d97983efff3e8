"""EVTX, the file format of Windows' event log; read by the library of the same name."""

from __future__ import annotations

from collections.abc import Iterator
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
    for number, record in enumerate(_records(path)):
        try:
            yield decode_json(_content(record), identity(path, number))
        except (RuntimeError, OSError, ValueError, ContentError) as error:
            yield Bad(str(path), number, str(error)[:_SHOWN])


def records(path: Path) -> Iterator[bytes]:
    """Each record as JSON; of one that is broken what is said of it.

    Raises:
        UnavailableError: the file cannot be read or is no EVTX file.
    """
    for record in _records(path):
        try:
            yield _content(record)
        except (RuntimeError, OSError, ValueError) as error:
            yield str(error)[:_SHOWN].encode()


def _records(path: Path) -> Iterator[dict[str, str] | Exception]:
    try:
        found = PyEvtxParser(str(path)).records_json()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error}") from error
    while True:
        try:
            record = next(found, None)
        except (RuntimeError, OSError, ValueError) as error:
            yield error
            continue
        if record is None:
            return
        yield record


def _content(record: dict[str, str] | Exception) -> bytes:
    if isinstance(record, Exception):
        raise record
    return record["data"].encode()
