"""What was told of each device, so that every change is told once, also after a kill.

Changes go to a `core.changes.ChangeLog`, each device's with what is known after them. All that is known is written to a
file now and then, with how far the log was when it was; a process that begins reads the file and the log from there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from app.snmp.ports import PortRoles
from collectors.snmp.failures import Failure
from collectors.snmp.readings import Reading
from collectors.snmp.states import Known, State, StateChange, failed_changes, read_changes, to_change
from core.changes import Change, ChangeLog, Place, told_since
from core.files import replace_file
from core.records import Record
from core.versioned import Versioned, load_versioned

_Entries = tuple[tuple[str, str, str, str], ...]
"""Table, row, column and word."""


class _Delta(Record, frozen=True, kw_only=True):
    """What became known of a device; an empty word is none any more."""

    states: _Entries = ()
    beyond: _Entries = ()
    silent: bool = False


class _Kept(Versioned, frozen=True, kw_only=True):
    """The file: all that is known by device, and how far the log was."""

    place: Place = Place()
    devices: dict[str, _Delta] = msgspec.field(default_factory=dict)


class KnownStates:
    """What was told, and telling more. Not for several threads at once.

    Args:
        path: the file.
        log: where changes are told.
        folder: of the log.

    Attributes:
        roles: of ports, told with what changes of them.

    Raises:
        IntegrityError: file or log cannot be read.
    """

    def __init__(self, path: Path, log: ChangeLog, folder: Path) -> None:
        self._path = path
        self._log = log
        kept = load_versioned(path, _Kept, "remove it, and states are learnt anew", msgspec.msgpack.decode)
        self._known = {name: _apply(None, delta) for name, delta in kept.devices.items()}
        for change in told_since(folder, kept.place):
            delta = msgspec.json.decode(change.known, type=_Delta | None)
            if delta is not None:
                self._known[change.device] = _apply(self._known.get(change.device), delta)
        self.roles = PortRoles()
        self._waiting: list[Change] = []
        self._is_dirty = False

    def read(self, reading: Reading, address: str) -> None:
        """Takes a reading in; what has changed waits to be told."""
        before = self._known.get(reading.device)
        after, changes = read_changes(before, reading)
        self._take(before, after, changes, reading, address)

    def failed(self, polled: Reading, failure: Failure, address: str) -> None:
        """Takes in that a device is given up; ``polled`` says which and when, without tables."""
        before = self._known.get(polled.device)
        after, changes = failed_changes(before, polled.device, failure)
        self._take(before, after, changes, polled, address)

    def tell(self) -> int:
        """Tells what waits; returns how many changes.

        Raises:
            UnavailableError: the disk is full or failing; they wait on.
        """
        count = len(self._waiting)
        self._log.append(self._waiting)
        self._waiting = []
        return count

    def keep(self, devices: Collection[str]) -> None:
        """Writes what is known of these devices, if it is not written yet; the others are forgotten."""
        gone = self._known.keys() - set(devices)
        for name in gone:
            del self._known[name]
        if self._waiting or not (self._is_dirty or gone):
            return
        kept = {name: _delta(Known(), known) for name, known in self._known.items()}
        replace_file(self._path, msgspec.msgpack.encode(_Kept(place=self._log.place, devices=kept)))
        self._is_dirty = False

    def _take(
        self, before: Known | None, after: Known, changes: Iterable[StateChange], reading: Reading, address: str
    ) -> None:
        if before == after and not changes:
            return
        self._known[reading.device] = after
        self._is_dirty = True
        lines = [self._with_role(to_change(change, reading, address)) for change in changes]
        if lines:
            known = msgspec.Raw(msgspec.json.encode(_delta(before or Known(), after)))
            self._waiting += [*lines[:-1], msgspec.structs.replace(lines[-1], known=known)]

    def _with_role(self, change: Change) -> Change:
        port = change.fields.get("interface.name")
        role = self.roles.of(change.device, str(port)) if port else ""
        if not role:
            return change
        return msgspec.structs.replace(change, fields={**change.fields, "haidang.interface.role": role})


def _delta(before: Known, after: Known) -> _Delta:
    return _Delta(
        states=_differences(before.states, after.states),
        beyond=_differences(before.beyond, after.beyond),
        silent=after.silent,
    )


def _differences(before: Mapping[State, str], after: Mapping[State, str]) -> _Entries:
    changed = [(*key, word) for key, word in after.items() if before.get(key) != word]
    return (*changed, *((*key, "") for key in before if key not in after))


def _apply(known: Known | None, delta: _Delta) -> Known:
    before = known or Known()
    return Known(
        states=_applied(before.states, delta.states), beyond=_applied(before.beyond, delta.beyond), silent=delta.silent
    )


def _applied(before: Mapping[State, str], entries: _Entries) -> dict[State, str]:
    after = {**before, **{(table, row, column): word for table, row, column, word in entries}}
    return {key: word for key, word in after.items() if word}
