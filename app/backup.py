"""Backup and restore: a consistent copy of a running platform, and a start from it in an empty folder.

The centre is copied before its lanes, so a lane's copy is never behind it; whatever the restored centre has not
seen, the lanes send again. Of the logs lane the stored events are copied before the outbox, whose note of how far they
were judged may then only be ahead. What the SNMP lane knows of devices is copied before the logs lane: what it told
since it tells again, perhaps twice, and never not at all; so the files in which it tells are not copied. Of its series
the spool is copied before the files into which it goes: what is in both is known by its number. What waits for a
remote-write receiver is in the series. Secrets are not copied: they are made anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from core import audit
from core.actors import PLATFORM
from core.clock import Clock
from core.errors import ContentError, IntegrityError, RefusedError, UnavailableError
from core.files import make_folder, own_folder, replace_file, sync_file
from core.outbox import renew_epoch
from core.records import Record
from core.settings import Settings
from core.stores.manifest import NAME as MANIFEST
from core.stores.manifest import file_sha256, read_manifest, swap_manifest
from core.stores.migrate import open_state
from core.stores.series_manifest import present
from core.stores.series_tables import TABLES
from core.stores.spool import segment_number, segments
from core.stores.state import copy_state

FORMAT = 1
CONTENTS = "backup.json"
_TRIES = 10
_STATES = {".json", ".msgpack"}
"""What the SNMP lane knows of its devices."""

Part = Literal["all", "centre", "lanes"]
Tell = Callable[[str], None]


class Contents(Record, frozen=True, kw_only=True):
    """What a backup holds: when it was made, and each file's SHA-256. Written last: without it there is no backup."""

    format: int = FORMAT
    time: int
    files: dict[str, str]


def back_up(settings: Settings, target: Path, clock: Clock, tell: Tell) -> Contents:
    """Copies centre and lanes into an empty folder, also while they run.

    Raises:
        RefusedError: the folder is not empty.
        UnavailableError: there is nothing to copy, or the folder cannot be written.
    """
    _must_be_empty(target)
    make_folder(target, mode=0o700)
    tell("centre")
    _copy_centre(settings, target)
    tell("lane logs")
    _copy_known(settings.snmp, target / "lanes" / "snmp")
    _copy_logs(settings.logs, target / "lanes" / "logs")
    tell("lane snmp")
    _copy_steadily(settings.series, lambda: _copy_series(settings.series, target / "lanes" / "snmp" / "series"))
    files = {str(path.relative_to(target)): file_sha256(path) for path in _files(target)}
    contents = Contents(time=clock.now(), files=files)
    replace_file(target / CONTENTS, msgspec.json.encode(contents), mode=0o600)
    return contents


def restore(settings: Settings, source: Path, part: Part, clock: Clock, tell: Tell) -> Contents:
    """Copies a backup into empty folders of these settings, checks every file, and enters it in the audit chain.

    Raises:
        ContentError: the folder holds no whole backup.
        IntegrityError: a file of the backup has changed.
        RefusedError: there is data already.
    """
    contents = read_contents(source)
    held = own_folder(settings.data, "platform")
    try:
        _restore(settings, source, part, contents, tell)
        if part in {"all", "centre"}:
            _enter_restore(settings, contents, clock)
    finally:
        os.close(held)
    return contents


def _restore(settings: Settings, source: Path, part: Part, contents: Contents, tell: Tell) -> None:
    places = {"centre": settings.state.parent, "lanes": settings.logs.parent}
    chosen = {name: place for name, place in places.items() if part in {"all", name}}
    for place in chosen.values():
        _must_be_empty(place)
    for name, digest in contents.files.items():
        if file_sha256(source / name) != digest:
            raise IntegrityError(f"{source / name} is not what was backed up: use another backup")
    for name, place in chosen.items():
        tell(name)
        _put_back(source, contents, {f"{name}/": place, "centre/anchors/": settings.anchors}, name)
    if "lanes" in chosen and (settings.logs / "outbox.db").exists():
        renew_epoch(settings.logs / "outbox.db")


def _put_back(source: Path, contents: Contents, places: dict[str, Path], part: str) -> None:
    """Copies the files that the contents name, and no other, each below the longest place that fits its name."""
    for name in contents.files:
        if name.startswith(f"{part}/"):
            start = max((start for start in places if name.startswith(start)), key=len)
            target = places[start] / name.removeprefix(start)
            if not target.exists():  # of anchors kept elsewhere the present ones are the better proof
                make_folder(target.parent)
                _copy_file(source / name, target)


def read_contents(source: Path) -> Contents:
    """What the backup in this folder holds.

    Raises:
        ContentError: there is no whole backup, or one of another format.
    """
    try:
        contents = msgspec.json.decode((source / CONTENTS).read_bytes(), type=Contents)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"{source} holds no whole backup: {error}") from error
    if contents.format != FORMAT:
        raise ContentError(f"{source} has format {contents.format}, this version reads {FORMAT}")
    outside = [
        name for name in contents.files if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
    ]
    if outside:
        raise ContentError(f"{source} names a file outside of it, {outside[0]}: this is no backup of ours")
    missing = [name for name in contents.files if not (source / name).is_file()]
    if missing:
        raise ContentError(f"{source} is not whole: {missing[0]} is missing")
    return contents


def _copy_centre(settings: Settings, target: Path) -> None:
    if not settings.state.exists():
        raise UnavailableError(f"there is no state database at {settings.state}: has 'haidang up' run?")
    centre = make_folder(target / "centre")
    copy_state(settings.state, centre / settings.state.name)
    _copy_tree(settings.anchors, centre / "anchors")


def _copy_logs(lane: Path, target: Path) -> None:
    make_folder(target)
    _copy_steadily(lane, lambda: _copy_events(lane, target))
    if (lane / "outbox.db").exists():
        copy_state(lane / "outbox.db", target / "outbox.db")
    _copy_tree(lane / "snapshots", target / "snapshots")


def _copy_known(lane: Path, target: Path) -> None:
    make_folder(target)
    for path in lane.glob("*"):
        if path.suffix in _STATES:
            _copy_file(path, target / path.name)
    _copy_tree(lane / "snapshots", target / "snapshots")


def _copy_steadily(source: Path, copy: Callable[[], None]) -> None:
    """Copies, again if a file became another one meanwhile."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return copy()
    raise UnavailableError(f"{source} keeps changing: try again")


def _copy_events(lane: Path, target: Path) -> None:
    manifest = read_manifest(lane / "events")
    _copy_files((lane / "events" / part.name for part in manifest.partitions), target / "events")
    waiting = [path for path in segments(lane / "spool") if segment_number(path) > manifest.through]
    _copy_files(waiting, target / "spool")
    if manifest.partitions or manifest.through:
        swap_manifest(target / "events", msgspec.structs.replace(manifest, retired=(), removed=()))
    if read_manifest(lane / "events") != manifest:
        raise FileNotFoundError(f"{lane}: segments became partitions meanwhile")


def _copy_series(series: Path, target: Path) -> None:
    _copy_files(segments(series / "spool"), target / "spool")
    for table in TABLES:
        manifest = present(series / table)
        _copy_files((series / table / part.name for part in manifest.partitions), target / table)
        if manifest.partitions or manifest.through:
            swap_manifest(target / table, msgspec.structs.replace(manifest, retired=()))


def _copy_files(paths: Iterable[Path], target: Path) -> None:
    make_folder(target)
    kept = set()
    for path in paths:
        copy = target / path.name
        kept.add(copy)
        if path.suffix == ".parquet" and copy.exists():
            continue  # partitions never change: a second try keeps what the first has copied
        _copy_file(path, copy)
    for stale in set(target.iterdir()) - kept:
        if stale.name != MANIFEST:
            stale.unlink()


def _copy_file(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    sync_file(target)


def _copy_tree(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _must_be_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RefusedError(f"{folder} is not empty: name an empty folder, or move what is there away")


def _enter_restore(settings: Settings, contents: Contents, clock: Clock) -> None:
    engine = open_state(settings.state)
    with engine.begin() as connection:
        detail = msgspec.json.encode({"backup_of": contents.time}).decode()
        audit.append(connection, clock.now(), PLATFORM, "platform.restore", "platform", detail)
    engine.dispose()
