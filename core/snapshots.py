"""Versioned snapshots that lanes pull from the centre (rules, inventory), with the last good one kept on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from core.errors import IntegrityError
from core.files import make_folder, replace_file
from core.records import Record

FORMAT = 1


class Snapshot(Record, frozen=True, kw_only=True):
    """Some content under its version, which is the content's SHA-256."""

    version: str
    content: bytes
    format: int = FORMAT


def snapshot(content: bytes) -> Snapshot:
    """A snapshot of this content."""
    return Snapshot(version=hashlib.sha256(content).hexdigest(), content=content)


def keep_snapshot(folder: Path, kind: str, kept: Snapshot) -> None:
    """Makes this the last good one."""
    replace_file(make_folder(folder) / f"{kind}.snapshot", msgspec.msgpack.encode(kept))


def last_snapshot(folder: Path, kind: str) -> Snapshot | None:
    """The last good one, or None.

    Raises:
        IntegrityError: it is broken or of another format: remove it, the centre has it.
    """
    path = folder / f"{kind}.snapshot"
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path} is broken: remove it, the centre has it ({error})") from error
    if kept.format != FORMAT or snapshot(kept.content).version != kept.version:
        raise IntegrityError(f"{path} is broken or of another format: remove it, the centre has it")
    return kept
