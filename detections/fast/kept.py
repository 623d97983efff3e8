"""Compiled rules kept in a file, so that a start takes less than a second: plain data, checked, never code.

The file's name is a digest of all that it was made from: the rules' texts, the tables of names, and the versions of
what read and compiled them. A file that is damaged or of another format is made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UnavailableError
from core.files import make_folder, remove_file, replace_file
from core.garbage import collection_paused
from core.records import Record
from core.sigma import Refused, RuleInfo, load_rules
from detections.fast.atoms import Atom
from detections.fast.compiled import CompiledRules, compile_rules
from detections.fast.engine import MEMORY, FastEngine
from detections.fast.expressions import Expression

FORMAT = 2
"""Version of the file and of what the engine means by it."""

_DIGEST = 32  # bytes of SHA-256, before the content
_KEPT = 4
"""Files in the folder; the one that was not used for longest goes."""


class _Kept(Record, frozen=True, kw_only=True):
    infos: tuple[RuleInfo, ...]
    expressions: list[Any]
    watched: tuple[frozenset[int], ...]
    atoms: tuple[Atom, ...]
    refused: tuple[Refused, ...]
    late: dict[int, tuple[int, ...]]


def engine_of(documents: Mapping[str, bytes], folder: Path | None = None, memory: int = MEMORY) -> FastEngine:
    """The engine of these rule files; what was compiled is taken from the folder and kept there.

    Args:
        documents: rule files as `core.sigma.load_rules` takes them; its bounds hold.
        folder: of what was compiled before, for one process alone to write in; None to keep nothing.
        memory: bytes for remembered answers.
    """
    name = fingerprint(documents)
    with collection_paused():
        kept = load(folder, name) if folder else None
    rules = compile_rules(load_rules(documents)) if kept is None else kept
    with collection_paused():
        engine = FastEngine(rules, memory=memory)
    if folder and kept is None:
        keep(folder, name, rules)
    return engine


def fingerprint(documents: Mapping[str, bytes]) -> str:
    """The name under which the compilation of these rule files is kept."""
    digest = hashlib.sha256()
    tables = [files("core").joinpath(name).read_bytes() for name in ("names.toml", "logsources.toml")]
    for part in (str(FORMAT), version("pysigma"), version("google-re2"), version("msgspec")):
        digest.update(part.encode() + b"\0")
    for content in tables:
        digest.update(hashlib.sha256(content).digest())
    for name in sorted(documents):
        digest.update(name.encode() + b"\0" + hashlib.sha256(documents[name]).digest())
    return digest.hexdigest()


def load(folder: Path, name: str) -> CompiledRules | None:
    """What was kept under the name; None if nothing usable is there."""
    path = _path(folder, name)
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        kept = msgspec.msgpack.decode(memoryview(content)[_DIGEST:], type=_Kept)
        path.touch()
    except (OSError, msgspec.DecodeError):
        return None
    return CompiledRules(
        infos=kept.infos,
        expressions=tuple(map(_expression, kept.expressions)),
        watched=kept.watched,
        atoms=kept.atoms,
        refused=kept.refused,
        late=kept.late,
    )


def keep(folder: Path, name: str, rules: CompiledRules) -> None:
    """Keeps the compilation; a folder that cannot be written is no error, for this saves only time."""
    content = msgspec.msgpack.encode(rules)
    try:
        make_folder(folder, mode=0o700)
        replace_file(_path(folder, name), hashlib.sha256(content).digest() + content, mode=0o600)
        for old in sorted(folder.glob("*.rules"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            remove_file(old)
    except (OSError, UnavailableError):
        return


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.rules"


def _expression(node: Any) -> Expression:
    """Lists, as which arrays are read, as the tuples of an expression."""
    if isinstance(node, list):
        operator, *parts = node
        return (str(operator), *map(_expression, parts))
    return bool(node) if isinstance(node, bool) else int(node)
