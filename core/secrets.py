"""Secrets of this installation: made at first need, kept in files that only their owner reads, never logged."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from core.errors import UnavailableError
from core.files import make_folder, sync_folder


def secret(folder: Path, name: str, length: int = 32) -> bytes:
    """The secret of that name, ``length`` random bytes; made on the first call.

    Two processes that ask at once get the same one: the file is created exclusively.

    Raises:
        UnavailableError: the file cannot be read, or others can read it.
    """
    make_folder(folder, mode=0o700)
    path = folder / name
    try:
        return _read(path)
    except FileNotFoundError:
        return _create(path, secrets.token_bytes(length))


def token(folder: Path, name: str) -> str:
    """The secret of that name as hexadecimal text, for an HTTP header."""
    return secret(folder, name).hex()


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise UnavailableError(f"{path} can be read by others: run chmod 600 {path}")
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise UnavailableError(f"cannot read {path}: permission denied") from error


def _create(path: Path, value: bytes) -> bytes:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(value)
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(temporary, path)  # fails if another process was first, unlike rename
    except FileExistsError:
        return _read(path)
    finally:
        Path(temporary).unlink()
    sync_folder(path.parent)
    return value
