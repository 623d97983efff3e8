"""Rules and inventory as they now are, as snapshots for the lanes.

Rules come from the settings' folders and from the active packs in the state database, less those switched off.
"""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from app.choice import Chosen, choose
from core.errors import ContentError, HaidangError, NotFoundError
from core.placeholders import read_values
from core.replays import encode_replays, requests
from core.rule_text import pack_of, read_rule_files
from core.settings import Settings
from core.sigma import RuleSet, load_rules
from core.snapshots import Snapshot, snapshot
from core.stores.rules import off_ids, read_packs, rules_mark
from core.stores.state import read_state
from inventory.load import load_inventory
from inventory.records import Inventory
from inventory.snapshot import decode_snapshot, encode_snapshot

Signature = tuple[tuple[str, int, int], ...]
Read = TypeVar("Read")
KINDS = ("rules", "inventory", "replays")


class Watched:
    """A snapshot built from folders, built anew when a file in them or the mark of what else it is of changes.

    What cannot be read at first is an error; what becomes unreadable later is told and the last good one stays.
    Several threads may ask: one builds while the others wait.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        build: Callable[[], bytes],
        say: Callable[[str], None],
        mark: Callable[[], str] = str,
    ) -> None:
        self._folders = folders
        self._build = build
        self._say = say
        self._mark = mark
        self._lock = Lock()
        self._seen = self._look()
        self._current = snapshot(build())

    def current(self) -> Snapshot:
        """The snapshot of what is there now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                try:
                    self._current = snapshot(self._build())
                except HaidangError as error:
                    self._say(f"the last good version stays in use: {error}")
            return self._current

    def _look(self) -> tuple[Signature, str]:
        return _signature(self._folders), self._mark()


class Content:
    """All that lanes pull from the centre; of other ``kinds`` than those wanted nothing is read.

    Raises:
        ContentError: a folder is missing or the inventory cannot be used.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None], kinds: Collection[str] = KINDS) -> None:
        self._decoded: tuple[str, Inventory] | None = None
        self._rules = _Rules(settings, say)
        inventory = [settings.inventory] if settings.inventory else []
        watched = (*settings.rules, *filter(None, (settings.rule_values,)))
        made: dict[str, Callable[[], Watched]] = {
            "rules": lambda: Watched(watched, self._rules.build, say, lambda: _stored(settings, rules_mark, "")),
            "inventory": lambda: Watched(inventory, lambda: encode_snapshot(read_inventory(settings)), say),
            "replays": lambda: Watched([], lambda: _replays(settings), say, lambda: _replays(settings).hex()),
        }
        self._watched = {kind: make() for kind, make in made.items() if kind in kinds}

    def snapshot(self, kind: str) -> Snapshot:
        """The present snapshot of that kind.

        Raises:
            NotFoundError: there is no such kind.
        """
        if kind not in self._watched:
            raise NotFoundError(f"there is no snapshot '{kind}'")
        return self._watched[kind].current()

    def chosen(self) -> Chosen:
        """The present rules, loaded, with what became of every rule; the same object while nothing changes."""
        self.snapshot("rules")
        return self._rules.chosen

    def rules(self) -> RuleSet:
        """The present rules, loaded."""
        return self.chosen().rules

    def inventory(self) -> Inventory:
        """The present inventory; decoded once a version."""
        current = self.snapshot("inventory")
        if self._decoded is None or self._decoded[0] != current.version:
            self._decoded = (current.version, decode_snapshot(current.content))
        return self._decoded[1]


class _Rules:
    """Builds the snapshot of the rules; the same files are never loaded twice."""

    chosen: Chosen

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._good: dict[str, bytes] = {}
        self._loads: dict[str, RuleSet] = {}
        self._told: set[str] = set()

    def build(self) -> bytes:
        """The snapshot of the rules that are now in use.

        Raises:
            ContentError: a folder is missing.
        """
        off: frozenset[str] = _stored(self._settings, off_ids, frozenset())
        packs: dict[str, bytes] = _stored(self._settings, read_packs, {})
        documents = read_rule_files(self._settings.rules) | packs | read_values(self._settings.rule_values)
        loads: dict[str, RuleSet] = {}
        loaded = self._load(documents, loads)
        restored = self._restore(documents, loaded)
        if restored:
            documents |= restored
            loaded = self._load(documents, loads)
        self._loads = loads
        self.chosen = choose(documents, loaded, off)
        self._good = {file: text for file, text in self.chosen.documents.items() if not pack_of(file)}
        self._tell(self.chosen)
        return encode_rules(self.chosen.documents)

    def _load(self, documents: Mapping[str, bytes], loads: dict[str, RuleSet]) -> RuleSet:
        key = hashlib.sha256(msgspec.msgpack.encode(list(documents.items()))).hexdigest()  # their order counts
        found = self._loads.get(key)
        loads[key] = load_rules(documents) if found is None else found
        return loads[key]

    def _restore(self, documents: Mapping[str, bytes], loaded: RuleSet) -> dict[str, bytes]:
        """The last good version of each file of the settings' folders that cannot be used now."""
        found: dict[str, bytes] = {}
        for file, reason in loaded.refused:
            good = self._good.get(file)
            if good is not None and good != documents[file]:
                self._say(f"rule {file}: {reason}: the last good version stays in use")
                found[file] = good
        return found

    def _tell(self, chosen: Chosen) -> None:
        """Says once what is not used; of a pack, only how much."""
        lines = [
            f"rule {file}: {reason}: it is not used" for file, reason in chosen.refused.items() if not pack_of(file)
        ]
        packs = Counter(pack for file in chosen.refused if (pack := pack_of(file)))
        lines += [
            f"pack {pack}: {count} files are not used: see 'haidang rules list --disabled'"
            for pack, count in packs.items()
        ]
        half = "some of its rules are switched off, but not all: it stays in use"
        lines += [f"rule {file}: {half}" for file in chosen.switched_half]
        for line in lines:
            if line not in self._told:
                self._say(line)
        self._told = set(lines)


def _replays(settings: Settings) -> bytes:
    """The requests to read messages in quarantine again, as the content of a snapshot."""
    return encode_replays(_stored(settings, requests, []))


def _stored(settings: Settings, read: Callable[[Connection], Read], otherwise: Read) -> Read:
    """What is read from the state database, or something else before there is one."""
    if not settings.state.exists():
        return otherwise
    engine = read_state(settings.state)
    try:
        with engine.connect() as connection:
            return read(connection)
    finally:
        engine.dispose()


def read_inventory(settings: Settings) -> Inventory:
    """The inventory in its folder; empty where the settings name none.

    Raises:
        ContentError: file, row and what was expected.
    """
    return load_inventory(settings.inventory) if settings.inventory else Inventory()


def encode_rules(documents: dict[str, bytes]) -> bytes:
    """Rule files as the content of a snapshot."""
    return msgspec.msgpack.encode(documents, order="sorted")


def decode_rules(content: bytes) -> dict[str, bytes]:
    """The rule files in a snapshot.

    Raises:
        ContentError: the snapshot holds no rules.
    """
    try:
        return msgspec.msgpack.decode(content, type=dict[str, bytes])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"the snapshot of the rules cannot be read: {error}") from error


def _signature(folders: Sequence[Path]) -> Signature:
    files = sorted(path for folder in folders for path in (folder, *folder.rglob("*")))
    return tuple(found for path in files if (found := _file_signature(path)) is not None)


def _file_signature(path: Path) -> tuple[str, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None  # removed meanwhile
    # ctime as well: correcting a file's rights changes neither its time nor its size.
    return (str(path), status.st_mtime_ns, status.st_ctime_ns) if stat.S_ISREG(status.st_mode) else None
