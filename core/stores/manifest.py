"""The manifest: the one file that says which partition files count, swapped whole.

A crash before the swap leaves files nobody reads, which the next run writes again under the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from core.errors import UnavailableError
from core.files import replace_file, sync_file, sync_folder
from core.records import Record
from core.versioned import Versioned, load_versioned

NAME = "manifest.json"

_TRIES = 50


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


class SpooledManifest(Versioned, frozen=True, kw_only=True):
    """What manifests share: the last spool segment that is in the files, and files to remove at the next swap."""

    through: int = 0
    retired: tuple[str, ...] = ()


class Manifest(SpooledManifest, frozen=True, kw_only=True):
    """All partitions of events.

    Attributes:
        removed: files of partitions that were too old, which stay until a search that has begun is over.
    """

    partitions: tuple[Partition, ...] = ()
    removed: tuple[str, ...] = ()


Kind = TypeVar("Kind", bound=SpooledManifest)
Read = TypeVar("Read")


def encode_partition(partition: Partition) -> bytes:
    """A closed partition as the relay carries it to the audit chain."""
    return msgspec.msgpack.encode(partition)


def decode_partition(body: bytes) -> Partition:
    """The partition that a lane has closed."""
    return msgspec.msgpack.decode(body, type=Partition)


def read_manifest(folder: Path) -> Manifest:
    """The present manifest of a store of events; an empty one where there is none yet.

    Raises:
        IntegrityError: the file is broken or of another format.
        UnavailableError: the disk does not give it.
    """
    return load_manifest(folder, Manifest)


def load_manifest(folder: Path, kind: type[Kind]) -> Kind:
    """The present manifest of this kind; an empty one where there is none yet.

    Raises:
        IntegrityError: the file is broken or of another format.
        UnavailableError: the disk does not give it.
    """
    return load_versioned(folder / NAME, kind, "restore it from a backup")


def swap_manifest(folder: Path, manifest: SpooledManifest) -> None:
    """Makes the new manifest the one that counts."""
    replace_file(folder / NAME, msgspec.json.encode(manifest))


def read_together(folder: Path, present: Callable[[Path], Kind], read: Callable[[Kind], Read]) -> Read:
    """What is read while the spool's part and the files' part belong together; ``present`` tells the manifest.

    Raises:
        FileNotFoundError: a file that counts is missing.
        UnavailableError: files kept changing while they were read.
    """
    for _ in range(_TRIES):
        manifest = present(folder)
        try:
            found = read(manifest)
            if present(folder).through == manifest.through:
                return found
        except FileNotFoundError:
            # Files go only after a swap: if there was one, the new manifest says where their rows are.
            if present(folder) == manifest:
                raise
    raise UnavailableError(f"the store in {folder} keeps changing: try again")


def settle_file(temporary: Path, path: Path) -> None:
    """Gives a file that is written its name, so that both survive a loss of power."""
    sync_file(temporary)
    temporary.rename(path)
    sync_folder(path.parent)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
