"""Files in which notes of looks wait: each is locked for as long as its look goes on, or while it is handed over."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.files import make_folder, remove_file, sync_folder

ASIDE = "aside"
"""The folder of notes that entered the chain in short form."""
_LAST = "r"
"""Before the name of a note that was refused: it comes after those that begin with their time."""


def keep(path: Path, content: bytes) -> int:
    """Writes the note; returns the descriptor whose lock says that its look goes on."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, content)
    os.fsync(descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before it has the name under which others look for it
    temporary.rename(path)
    sync_folder(path.parent)
    return descriptor


def own(path: Path) -> tuple[int, bytes] | None:
    """The note in this file, locked; None where its look goes on, or another has it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor, path.read_bytes()
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        return None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else adds to the folder meanwhile: no other thread, and no other process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put_last(path: Path) -> None:
    """It comes after those that were never refused."""
    with suppress(FileNotFoundError):
        path.rename(path.with_name(_LAST + path.name.removeprefix(_LAST)))


def put_aside(path: Path, most: int) -> None:
    """Keeps it for who asks what it was; of more than ``most`` the oldest go, for the chain has their short form."""
    folder = make_folder(path.parent / ASIDE, mode=0o700)
    with suppress(FileNotFoundError):
        path.rename(folder / path.name)
    for old in sorted(folder.iterdir())[:-most]:
        remove_file(old)
