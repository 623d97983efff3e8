"""Files that are one record each and name the version of their format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.errors import IntegrityError, UnavailableError
from core.records import Record


class Versioned(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A record that is a file by itself; a kind whose form changes gives ``format`` another default.

    Defaults are written out, unlike other records': a format that is left out would be taken for the reader's own.
    """

    format: int = 1


File = TypeVar("File", bound=Versioned)


def load_versioned(path: Path, kind: type[File], advice: str, decode: Callable[..., Any] = msgspec.json.decode) -> File:
    """The record in the file, or an empty one where there is no file; ``advice`` is for who finds it broken.

    Raises:
        IntegrityError: the file is broken or of another format.
        UnavailableError: the disk does not give it.
    """
    empty = kind()
    try:
        record: File = decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return empty
    except (IsADirectoryError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path} cannot be read: {advice} ({error})") from error
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
    if record.format != empty.format:
        raise IntegrityError(f"{path} has format {record.format}, this version reads {empty.format}: {advice}")
    return record
