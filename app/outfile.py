"""A file for results that has its name only when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import RefusedError, UnavailableError
from core.files import remove_file, sync_folder


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of the one of this name at the end; after a failure that one stays.

    What is no plain file, a pipe for instance, is written as it is.

    Raises:
        UnavailableError: it cannot be written.
    """
    try:
        with path.open("wb") if path.exists() and not path.is_file() else _replacing(path.resolve()) as handle:
            yield handle
    except OSError as error:
        raise UnavailableError(f"{path}: the hits cannot be written: {error.strerror}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        remove_file(temporary)


def check_apart(out: Path, read: Iterable[Path]) -> None:
    """Refuses to write over what is read.

    Raises:
        RefusedError: it is the same file, under whatever name.
    """
    for path in read:
        if out.exists() and path.exists() and out.samefile(path):
            raise RefusedError(f"--out {out} is the file {path}, which is read: name another")
