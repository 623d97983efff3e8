"""Reads one table of a folder, CSV or YAML, into rows of text that know their line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import ContentError
from core.files import read_bounded
from inventory.formats.csv_ import read_csv
from inventory.formats.rows import MAX_BYTES, Row
from inventory.formats.yaml_ import read_yaml

READERS: dict[str, Callable[[str, str], Iterator[Row]]] = {".yml": read_yaml, ".csv": read_csv}
"""By the end of a file's name."""


def read_table(folder: Path, stem: str) -> list[Row]:
    """The rows of ``stem``.yml or ``stem``.csv in ``folder``; none if there is neither.

    Raises:
        ContentError: there are both, or the file is too big, unreadable, not UTF-8 or badly formed.
    """
    found = [path for path in (folder / f"{stem}{suffix}" for suffix in READERS) if path.exists()]
    if len(found) > 1:
        raise ContentError(f"{folder}: both {found[0].name} and {found[1].name}; keep one of them")
    return read_file(found[0]) if found else []


def read_file(path: Path) -> list[Row]:
    """The rows of a file .yml or .csv.

    Raises:
        ContentError: it is too big, unreadable, not UTF-8 or badly formed.
    """
    data = read_bounded(path, MAX_BYTES, "expected an inventory table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContentError(f"{path.name}, line {line}: not UTF-8; save the file as UTF-8") from error
    return list(READERS[path.suffix](path.name, text))
