"""What polls bring, on its way to disk: rows of series, changes that become events, and the roll of devices."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple, TypeAlias

from app.snmp.devices import Roll
from app.snmp.known import KnownStates
from app.snmp.metrics import SnmpMetrics
from app.snmp.plan import Planned
from app.snmp.rows import RowBatch
from collectors.snmp.failures import Failure
from collectors.snmp.layouts import Layout
from collectors.snmp.readings import Reading, Tally
from core.clock import SECOND, Clock
from core.errors import HaidangError
from core.remote_write import RemoteWrite
from core.stores.series import SeriesStore
from core.terminal import say


class Answered(NamedTuple):
    """A device has answered: what, how it is laid out, where it is, by which credential set, and which it refused."""

    reading: Reading
    layout: Layout
    address: str
    credential: str
    refused: tuple[str, ...]


class Unanswered(NamedTuple):
    """A device has not: which and when, why, and which sets it refused; ``given_up`` if it is only probed from now."""

    polled: Reading
    failure: Failure
    address: str
    refused: tuple[str, ...]
    given_up: bool


Came: TypeAlias = Answered | Unanswered


class Recorder:
    """Writes what came. One thread at a time; others wait.

    Args:
        store: takes rows.
        known: tells changes.
        roll: of the devices.
        metrics: counted in.
        remote: also takes rows, where there is a receiver.
    """

    def __init__(
        self, store: SeriesStore, known: KnownStates, roll: Roll, metrics: SnmpMetrics, remote: RemoteWrite | None
    ) -> None:
        self._store = store
        self._known = known
        self._roll = roll
        self._metrics = metrics
        self._remote = remote
        self._last: dict[str, Reading] = {}
        self._lock = Lock()
        self._said = ""

    def record(self, came: Iterable[Came]) -> None:
        """Writes all of it; what the disk does not take is said, and lost."""
        with self._lock, self._metrics.stored.time():
            batch = RowBatch()
            for one in came:
                if isinstance(one, Answered):
                    self._answered(batch, one)
                else:
                    self._unanswered(batch, one)
            try:
                self._metrics.events.inc(self._known.tell())
                self._store.append_all(batch.tables)
                if self._remote is not None and batch.count:
                    self._remote.append(batch.tables)
            except HaidangError as error:
                self._say(f"what was measured cannot be stored: {error}")
                return
            self._said = ""
            self._metrics.rows.inc(batch.count)

    def keep(self, devices: Iterable[str]) -> None:
        """Writes what was told, so that the next process goes on from there; what is known of other devices goes."""
        wanted = set(devices)
        with self._lock:
            for gone in self._last.keys() - wanted:
                del self._last[gone]
            self._known.keep(wanted)

    def _answered(self, batch: RowBatch, one: Answered) -> None:
        reading = one.reading
        batch.read(self._last.get(reading.device), reading, one.layout.profile)
        self._last[reading.device] = reading
        self._known.read(reading, one.address)
        self._roll.answered(reading, one.layout, one.credential, one.refused)
        self._metrics.polls.inc()
        self._metrics.varbinds.inc(reading.tally.varbinds + reading.tally.walked)
        self._metrics.late.observe(reading.late_ns / SECOND)

    def _unanswered(self, batch: RowBatch, one: Unanswered) -> None:
        batch.failed(one.polled, one.failure)
        if one.given_up:
            self._known.failed(one.polled, one.failure, one.address)
        self._roll.failed(one.polled.device, one.failure, one.refused, one.polled.time_ns)
        self._metrics.failures.labels(str(one.failure)).inc()

    def _say(self, text: str) -> None:
        if text != self._said:
            say(f"snmp lane: {text}")
        self._said = text


def silent_reading(asked: Planned, clock: Clock) -> Reading:
    """Which device was asked and when, as a reading without tables."""
    return Reading(
        device=asked.name,
        site=asked.site,
        unit=asked.unit,
        time_ns=clock.now(),
        steady_ns=0,
        uptime=None,
        tables={},
        tally=Tally(),
    )
