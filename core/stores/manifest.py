"""The manifest: the one file that says which partition files count, swapped whole.

A crash before the swap leaves files nobody reads, which the next run writes again under the same names.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import IntegrityError
from core.files import replace_file
from core.records import Record

FORMAT = 1
NAME = "manifest.json"


class Partition(Record, frozen=True, kw_only=True):
    """One Parquet file of events.

    Attributes:
        name: file name below the store's folder.
        hour: hours since 1970 UTC in which the events were received.
        span: ``minute`` for a converted spool segment, ``hour`` for a closed partition that never changes.
        count: events in it.
        first: earliest event time in it, nanoseconds.
        last: latest event time in it, nanoseconds.
        sha256: of the file's bytes, hexadecimal.
        announced: whether the centre was told to enter it in the audit chain.
    """

    name: str
    hour: int
    span: Literal["minute", "hour"]
    count: int
    first: int
    last: int
    sha256: str
    announced: bool = False


class Manifest(Record, frozen=True, kw_only=True):
    """All partitions, the last spool segment they contain, and files to remove at the next swap."""

    format: int = FORMAT
    through: int = 0
    partitions: tuple[Partition, ...] = ()
    retired: tuple[str, ...] = ()


def encode_partition(partition: Partition) -> bytes:
    """A closed partition as the relay carries it to the audit chain."""
    return msgspec.msgpack.encode(partition)


def decode_partition(body: bytes) -> Partition:
    """The partition that a lane has closed."""
    return msgspec.msgpack.decode(body, type=Partition)


def read_manifest(folder: Path) -> Manifest:
    """The present manifest; an empty one where there is none yet.

    Raises:
        IntegrityError: the file is broken or of another format.
    """
    path = folder / NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path} cannot be read: restore it from a backup ({error})") from error
    if manifest.format != FORMAT:
        raise IntegrityError(f"{path} has format {manifest.format}, this version reads {FORMAT}")
    return manifest


def swap_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes the new manifest the one that counts."""
    replace_file(folder / NAME, msgspec.json.encode(manifest))


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
