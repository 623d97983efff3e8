"""What a lane does about the age of its events: takes old partitions out, tells the centre, then removes their files.

The row for the centre is in the outbox before the manifest changes, and a file is removed only once the centre has the
row: nothing is gone that the audit chain does not know to have been removed by right.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.clock import HOUR, Clock
from core.outbox import Outbox, Row
from core.retention import EVENTS, Removal, keep_days
from core.stores.event_removal import expired, remove, take_out, taken_out

KIND = "removal"
"""Of an outbox row whose body is a ``Removal``."""

MOST_HOURS = 24
"""Hours of receipt whose partitions are taken out in one go: a clock that runs ahead costs a day of events an hour."""
PAUSE = HOUR
"""Between two goes, so long also between taking out and removing: no search takes longer. Nanoseconds."""


class Retainer:
    """Keeps one lane's store of events to its age.

    Until ``use`` has said for how long events are kept, nothing is removed.

    Args:
        folder: of the store's partitions.
    """

    def __init__(self, folder: Path, outbox: Outbox, clock: Clock) -> None:
        self._folder = folder
        self._outbox = outbox
        self._clock = clock
        self._days: int | None = None
        self._last = -PAUSE

    def use(self, said: Mapping[str, int]) -> None:
        """Takes over for how many days each class is kept."""
        self._days = keep_days(EVENTS, said)

    def step(self) -> int:
        """Removes what was taken out the last time and takes out what is too old, once an hour; returns how many."""
        now = self._clock.now()
        if self._days is None or now - self._last < PAUSE:
            return 0
        self._last = now
        self._remove()
        return self._take_out(now, self._days)

    def _remove(self) -> None:
        waiting = self._outbox.waiting_of(KIND)
        told = [name for name in taken_out(self._folder) if _key(name) not in waiting]
        if told:
            remove(self._folder, told)

    def _take_out(self, now: int, days: int) -> int:
        old = expired(self._folder, now, days, MOST_HOURS)
        if old:
            removals = [Removal(partition=part, days=days) for part in old]
            rows = [Row(key=_key(one.partition.name), kind=KIND, body=msgspec.msgpack.encode(one)) for one in removals]
            self._outbox.put(rows)
            take_out(self._folder, {part.name for part in old})
        return len(old)


def _key(name: str) -> str:
    return f"{KIND}/{name}"


def decode_removal(body: bytes) -> Removal:
    """The partition that a lane takes out."""
    return msgspec.msgpack.decode(body, type=Removal)
