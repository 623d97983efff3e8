"""The texts of rule files: which files there are, and what stands in one, within bounds.

Text comes from folders or, as a snapshot, over the network, so it is treated as hostile: size, nesting, aliases and
expansions are bounded before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.errors import ContentError, UnavailableError

MAX_FILE = 512 * 1024  # bytes; the largest public rule file, a list of vulnerable drivers, has 295,078
MAX_DEPTH = 64  # nested lists and maps of a file; deeper ones would exhaust the C stack of the YAML reader
MAX_ALIASES = 16  # YAML aliases of a file: enough to share a list, too few to grow one into a bomb
MAX_DASHES = 6  # dashes of a windash value; each multiplies the value by five

PREFIX = "packs/"
"""What the names of packs' files begin with in a snapshot: ``packs/NAME/PATH``."""


class _Loader(yaml.CSafeLoader):
    """Reads plain data only and refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
        if twice is not None:
            raise ContentError(f"the key '{twice}' is given twice")
        return super().construct_mapping(node, deep)


def read_rule_files(folders: Sequence[Path]) -> dict[str, bytes]:
    """All ``*.yml`` below the folders, by ``<parent>/<folder>/<path below it>``.

    Raises:
        ContentError: a folder is missing, or two files get the same name.
        UnavailableError: a file cannot be read.
    """
    documents: dict[str, bytes] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ContentError(f"{folder}: there is no such folder of rules; create it or correct the setting")
        for path in folder.rglob("*.yml"):
            name = "/".join((folder.parent.name, folder.name, path.relative_to(folder).as_posix()))
            if name in documents:
                raise ContentError(f"{path}: another folder of rules already holds {name}; rename one of them")
            documents[name] = _read(path)
    return documents


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_FILE + 1)  # one more than allowed, so that the loader sees the excess
    except OSError as error:
        raise UnavailableError(f"{path}: the rule cannot be read: {error.strerror}") from error


def pack_of(file: str) -> str:
    """The pack of a rule file by its name in a snapshot; empty for a file of the settings' folders."""
    return file.split("/", 2)[1] if file.startswith(PREFIX) else ""


def in_order(files: Iterable[str]) -> list[str]:
    """The files in the order in which they may claim an id: those of the folders, then pack after pack, as given.

    What is no pack's comes by name, so that no pack can take the place of a rule of the site.
    """
    known = list(files)
    packs = dict.fromkeys(filter(None, map(pack_of, known)))
    places = {"": -1} | {pack: place for place, pack in enumerate(packs)}
    return sorted(known, key=lambda file: (places[pack_of(file)], file))


def read_yaml(text: bytes) -> list[Any]:
    """The documents of a file: plain data, checked before it is built.

    Raises:
        ContentError: the file is too large, nested too deep or has too many aliases, or a key stands twice.
        yaml.YAMLError: it is no YAML.
    """
    if len(text) > MAX_FILE:
        raise ContentError(f"the file is larger than {MAX_FILE} bytes; split it")
    _check_yaml(text)
    return list(yaml.load_all(text, Loader=_Loader))


def _check_yaml(text: bytes) -> None:
    """Walks the reader's events, which needs no recursion, before any object is built."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH:
            raise ContentError(f"lists and maps are nested deeper than {MAX_DEPTH}")
        if aliases > MAX_ALIASES:
            raise ContentError(f"more than {MAX_ALIASES} YAML aliases; write the values out")


def check_windash(node: object, key: str = "") -> None:
    """Refuses values that ``windash`` would multiply beyond measure.

    Raises:
        ContentError: a value has too many dashes.
    """
    if isinstance(node, dict):
        for name, value in node.items():
            check_windash(value, str(name))
    elif isinstance(node, list):
        for value in node:
            check_windash(value, key)
    elif isinstance(node, str) and "|windash" in key and len(re.findall(r"\B[-/]\b", node)) > MAX_DASHES:
        raise ContentError(f"a windash value has more than {MAX_DASHES} dashes; split it with '|all'")
