"""Writing files so that a reader sees the old content or the new, never a part, whatever dies when."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from core.errors import ContentError, UnavailableError


def sync_folder(folder: Path) -> None:
    """Makes renames and new names in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Makes the file's content survive a loss of power."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Writes under a temporary name, syncs, and renames over ``path``."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path, mode: int = 0o755) -> Path:
    """Creates the folder and its parents if absent, and checks that it can be written.

    Raises:
        UnavailableError: the folder cannot be made or written; says which and why.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)  # another thread may have been here
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnavailableError(f"cannot write in folder {folder}: {reason}") from error
    return folder


def read_bounded(path: Path, most: int, wanted: str) -> bytes:
    """The bytes of a file of content that may hold at most ``most``; ``wanted`` says what it should be.

    Raises:
        ContentError: the file cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ContentError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise ContentError(f"{path}: larger than {most} bytes; {wanted}")
    return data


def own_folder(folder: Path, name: str, *, shared: bool = False) -> int:
    """Takes the folder's lock of this name for as long as this process lives; returns the descriptor that holds it.

    Several may hold it ``shared``, and then nobody alone.

    Raises:
        UnavailableError: another process has it.
    """
    descriptor = os.open(make_folder(folder) / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UnavailableError(f"another haidang runs with the data in {folder}: stop it first") from None
    return descriptor


def remove_file(path: Path) -> None:
    """Removes the file; one already gone is no error."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
