"""Lines of a file, none longer than may be held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from collectors.files.found import Found, bad, identity
from core.errors import ContentError, UnavailableError
from core.records import Event

MAX_LINE = 16 << 20
"""Bytes; Windows' own limit of an event is 64 KiB, cloud audit records reach a few MiB."""

TOO_LONG = f"the line is longer than {MAX_LINE} bytes"
_PIECE = 1 << 20
_BOM = b"\xef\xbb\xbf"


def beginning(path: Path) -> bytes:
    """The first 4 KiB of a file, without a mark of byte order and blanks before them.

    Raises:
        UnavailableError: the file cannot be read.
    """
    with _opened(path) as handle:
        return handle.read(4096).removeprefix(_BOM).lstrip()


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnavailableError(f"{path}: the events cannot be read: {error.strerror}") from error


def lines(path: Path) -> Iterator[bytes | None]:
    """The lines without their ends; None for one that is too long, which is passed over unread.

    Raises:
        UnavailableError: the file cannot be read.
    """
    with _opened(path) as handle:
        first = True
        while line := handle.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                _pass_over(handle)
                yield None
            else:
                yield (line.removeprefix(_BOM) if first else line).strip(b"\r\n")
            first = False


def _pass_over(handle: BinaryIO) -> None:
    while (piece := handle.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass


def events(path: Path, decode: Callable[[bytes, str], Event | None]) -> Iterator[Found]:
    """What the lines hold: blank ones, and those of which ``decode`` makes None, hold nothing.

    Args:
        path: the file.
        decode: makes the event of a line under an id, or raises ContentError with the reason why there is none.
    """
    for number, line in enumerate(lines(path)):
        if line is None:
            yield bad(path, number, TOO_LONG)
        elif line.strip():
            try:
                event = decode(line, identity(path, number))
            except ContentError as error:
                yield bad(path, number, str(error))
            else:
                if event is not None:
                    yield event
