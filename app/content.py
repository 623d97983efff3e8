"""Rules and inventory as they are in their folders now, as snapshots for the lanes."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from core.errors import ContentError, HaidangError, NotFoundError
from core.settings import Settings
from core.sigma import RuleSet, load_rules, read_rule_files
from core.snapshots import Snapshot, snapshot
from inventory.load import load_inventory
from inventory.records import Inventory
from inventory.snapshot import decode_snapshot, encode_snapshot

Signature = tuple[tuple[str, int, int], ...]


class Watched:
    """A snapshot built from folders, built anew when a file in them changes.

    What cannot be read at first is an error; what becomes unreadable later is told and the last good one stays.
    """

    def __init__(self, folders: Sequence[Path], build: Callable[[], bytes], say: Callable[[str], None]) -> None:
        self._folders = folders
        self._build = build
        self._say = say
        self._signature = _signature(folders)
        self._current = snapshot(build())

    def current(self) -> Snapshot:
        """The snapshot of the files as they are now."""
        signature = _signature(self._folders)
        if signature != self._signature:
            self._signature = signature
            try:
                self._current = snapshot(self._build())
            except HaidangError as error:
                self._say(f"the last good version stays in use: {error}")
        return self._current


class Content:
    """All that lanes pull from the centre.

    Raises:
        ContentError: a folder is missing or the inventory cannot be used.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._say = say
        self._good: dict[str, bytes] = {}
        self._decoded: tuple[str, Inventory] | None = None
        inventory = [settings.inventory] if settings.inventory else []
        self._watched = {
            "rules": Watched(settings.rules, lambda: self._build_rules(settings.rules), say),
            "inventory": Watched(inventory, lambda: encode_snapshot(read_inventory(settings)), say),
        }

    def _build_rules(self, folders: Sequence[Path]) -> bytes:
        """The rules in the folders; of a file that cannot be used the last good version, if there was one."""
        documents = read_rule_files(folders)
        for file, reason in load_rules(documents).refused:
            if file in self._good:
                self._say(f"rule {file}: {reason}: the last good version stays in use")
                documents[file] = self._good[file]
        for file, reason in load_rules(documents).refused:
            self._say(f"rule {file}: {reason}: it is not used")
            documents.pop(file, None)  # a file may be refused for more than one of its rules
        self._good = documents
        return encode_rules(documents)

    def snapshot(self, kind: str) -> Snapshot:
        """The present snapshot of that kind.

        Raises:
            NotFoundError: there is no such kind.
        """
        if kind not in self._watched:
            raise NotFoundError(f"there is no snapshot '{kind}'")
        return self._watched[kind].current()

    def rules(self) -> RuleSet:
        """The present rules, loaded."""
        return decode_rules(self.snapshot("rules").content)

    def inventory(self) -> Inventory:
        """The present inventory; decoded once a version."""
        current = self.snapshot("inventory")
        if self._decoded is None or self._decoded[0] != current.version:
            self._decoded = (current.version, decode_snapshot(current.content))
        return self._decoded[1]


def read_inventory(settings: Settings) -> Inventory:
    """The inventory in its folder; empty where the settings name none.

    Raises:
        ContentError: file, row and what was expected.
    """
    return load_inventory(settings.inventory) if settings.inventory else Inventory()


def encode_rules(documents: dict[str, bytes]) -> bytes:
    """Rule files as the content of a snapshot."""
    return msgspec.msgpack.encode(documents, order="sorted")


def decode_rules(content: bytes) -> RuleSet:
    """The rules in a snapshot.

    Raises:
        ContentError: the snapshot holds no rules.
    """
    try:
        return load_rules(msgspec.msgpack.decode(content, type=dict[str, bytes]))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"the snapshot of the rules cannot be read: {error}") from error


def _signature(folders: Sequence[Path]) -> Signature:
    files = sorted(path for folder in folders for path in folder.rglob("*"))
    return tuple(found for path in files if (found := _file_signature(path)) is not None)


def _file_signature(path: Path) -> tuple[str, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None  # removed meanwhile
    # ctime as well: correcting a file's rights changes neither its time nor its size.
    return (str(path), status.st_mtime_ns, status.st_ctime_ns) if stat.S_ISREG(status.st_mode) else None
