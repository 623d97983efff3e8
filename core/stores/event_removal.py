"""Removing old events: whole closed partitions, oldest first, in steps that a crash anywhere leaves repeatable.

A partition is taken out of the manifest first, and its file stays for a while: a search that has begun still finds it.
Only the process that owns the store's ``EventWriter`` may do this, and not while that works.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from core.files import remove_file
from core.retention import is_expired
from core.stores.event_index import index_path
from core.stores.manifest import Partition, read_manifest, swap_manifest


def expired(folder: Path, now: int, days: int, most_hours: int) -> list[Partition]:
    """Closed partitions that are older than so many days, of at most so many hours of receipt, the oldest first."""
    closed = [part for part in read_manifest(folder).partitions if part.span == "hour" and part.announced]
    old = sorted((part for part in closed if is_expired(part, now, days)), key=lambda part: (part.hour, part.name))
    hours = sorted({part.hour for part in old})[:most_hours]
    return [part for part in old if part.hour in hours]


def take_out(folder: Path, names: Collection[str]) -> None:
    """Lets these partitions count no longer; their files stay until they are removed."""
    manifest = read_manifest(folder)
    kept = tuple(part for part in manifest.partitions if part.name not in names)
    removed = (*manifest.removed, *(part.name for part in manifest.partitions if part.name in names))
    swap_manifest(folder, msgspec.structs.replace(manifest, partitions=kept, removed=removed))


def taken_out(folder: Path) -> tuple[str, ...]:
    """Files that count no longer and are still to be removed."""
    return read_manifest(folder).removed


def remove(folder: Path, names: Collection[str]) -> None:
    """Removes the files of partitions that were taken out, with their indexes."""
    for name in names:
        remove_file(folder / name)
        remove_file(index_path(folder / name))
    manifest = read_manifest(folder)
    left = tuple(name for name in manifest.removed if name not in names)
    swap_manifest(folder, msgspec.structs.replace(manifest, removed=left))
