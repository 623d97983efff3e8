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
from sqlalchemy import Connection, Engine

from app.choice import Chosen, choose
from core.errors import ContentError, HaidangError, NotFoundError
from core.placeholders import read_values
from core.replays import encode_replays, requests
from core.retention import encode_days
from core.rule_text import pack_of, read_rule_files
from core.sealed import SealedSets, encode_sealed
from core.settings import Settings
from core.sigma import RuleSet, load_rules
from core.snapshots import Snapshot, snapshot
from core.stores.credentials import read_sealed
from core.stores.inventory import inventory_mark, read_records
from core.stores.retention import days_of, default_days
from core.stores.rules import off_ids, read_packs, rules_mark
from core.stores.state import read_state
from inventory.load import load_inventory
from inventory.records import Inventory
from inventory.snapshot import encode_snapshot
from inventory.stored import decode_inventory

Signature = tuple[tuple[str, int, int], ...]
Read = TypeVar("Read")
KINDS = ("rules", "inventory", "replays", "retention", "credentials")
SNMP = ("snmp_v2c", "snmp_v3")
"""Kinds of credential sets that lanes are given, sealed."""


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
        self._inventory = Inventory()
        stored = Stored(settings)
        self._rules = _Rules(settings, stored, say)
        inventory = [settings.inventory] if settings.inventory else []
        watched = (*settings.rules, *filter(None, (settings.rule_values,)))
        made: dict[str, Callable[[], Watched]] = {
            "rules": lambda: Watched(watched, self._rules.build, say, lambda: stored.read(rules_mark, "")),
            "inventory": lambda: Watched(
                inventory, lambda: self._keep(read_inventory(settings, stored)), say, lambda: _mark_of(settings, stored)
            ),
            "replays": lambda: Watched([], lambda: _replays(stored), say, lambda: _replays(stored).hex()),
            "retention": lambda: Watched([], lambda: _retention(stored), say, lambda: _retention(stored).hex()),
            "credentials": lambda: Watched([], lambda: _sealed(stored), say, lambda: snapshot(_sealed(stored)).version),
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
        """The present inventory, whole; the same object while nothing changes."""
        self.snapshot("inventory")
        return self._inventory

    def _keep(self, inventory: Inventory) -> bytes:
        """The snapshot of what lanes need of it; the whole stays here."""
        encoded = encode_snapshot(inventory)
        self._inventory = inventory
        return encoded


class _Rules:
    """Builds the snapshot of the rules; the same files are never loaded twice."""

    chosen: Chosen

    def __init__(self, settings: Settings, stored: Stored, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._stored = stored
        self._say = say
        self._good: dict[str, bytes] = {}
        self._loads: dict[str, RuleSet] = {}
        self._told: set[str] = set()

    def build(self) -> bytes:
        """The snapshot of the rules that are now in use.

        Raises:
            ContentError: a folder is missing.
        """
        off: frozenset[str] = self._stored.read(off_ids, frozenset())
        packs: dict[str, bytes] = self._stored.read(read_packs, {})
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


def _replays(stored: Stored) -> bytes:
    """The requests to read messages in quarantine again, as the content of a snapshot."""
    return encode_replays(stored.read(requests, []))


def _retention(stored: Stored) -> bytes:
    """For how many days each class of data is kept, as the content of a snapshot."""
    return encode_days(stored.read(days_of, default_days()))


def _sealed(stored: Stored) -> bytes:
    """The credential sets of SNMP as they are stored, and what they are for, as the content of a snapshot."""
    return encode_sealed(stored.read(lambda connection: read_sealed(connection, SNMP), SealedSets()))


class Stored:
    """Reads the state database, or gives something else before there is one."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.state
        self._engine: Engine | None = None

    def read(self, work: Callable[[Connection], Read], otherwise: Read) -> Read:
        """What the work finds."""
        if self._engine is None:
            if not self._path.exists():
                return otherwise
            self._engine = read_state(self._path, is_kept=False)
        with self._engine.connect() as connection:
            return work(connection)


def read_inventory(settings: Settings, stored: Stored | None = None) -> Inventory:
    """The inventory: of its folder where the settings name one, else of the state database.

    Raises:
        ContentError: file, row and what was expected.
        IntegrityError: a stored record cannot be read.
    """
    if settings.inventory:
        return load_inventory(settings.inventory)
    return decode_inventory((stored or Stored(settings)).read(read_records, {}))


def _mark_of(settings: Settings, stored: Stored) -> str:
    """Differs once the inventory in the state database has changed."""
    return "" if settings.inventory else stored.read(inventory_mark, "")


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
