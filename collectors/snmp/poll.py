"""One device's cycle: what it has of all columns that are due, as one reading; what it is, learnt anew when need be."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import msgspec

from collectors.snmp.failures import Failure
from collectors.snmp.gets import Fetch
from collectors.snmp.layouts import Layout
from collectors.snmp.learn import INTERFACES_CHANGED, Signs, has_same_interfaces, learn, learn_table
from collectors.snmp.profiles import INTERFACES, Profiles
from collectors.snmp.readings import Reading, Tally
from collectors.snmp.session import UPTIME, Session
from collectors.snmp.sizes import Sizes
from collectors.snmp.uptimes import steady
from core.clock import HOUR, MINUTE, SECOND, Clock

QUARTER = 15 * MINUTE
RELEARN = HOUR
"""How often the slow columns are read and interfaces' names compared, and all rows looked for anew; of each device at
another time, or all would be learnt anew in one minute."""

_ATTEMPTS = 3
_SCALARS = 8
"""Among how many of the first questions the system's scalars are."""

_MISSED = 5 * MINUTE
"""How soon a device that lacks what it had is learnt anew again."""


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """Whose the readings are."""

    device: str
    site: str = ""
    unit: str = ""


class DevicePoller:
    """Polls one device over and over.

    Args:
        polled: whose the readings are.
        session: the device's; it is this object's to close.
        profiles: by which it is read.
        clock: the time of readings.
        steady: nanoseconds that no one sets, by which rates are counted.
    """

    def __init__(
        self,
        polled: Polled,
        session: Session,
        profiles: Profiles,
        clock: Clock,
        steady: Callable[[], int] = steady,
    ) -> None:
        self.polled = polled
        self.layout: Layout | None = None
        self.sizes = Sizes()
        self._session = session
        self._profiles = profiles
        self._clock = clock
        self._steady = steady
        self._signs = Signs()
        self._then = 0
        self._spread = 2 * MINUTE + zlib.crc32(polled.device.encode()) * SECOND % (QUARTER - 2 * MINUTE)
        self._first = True
        self._quarter_at = 0
        self._learnt_at = 0
        self._lacks = False
        self._restarted = False

    async def probe(self) -> Failure | None:
        """Asks for the uptime, once: whether the device is there."""
        answer = await self._session.get([UPTIME])
        return answer if isinstance(answer, Failure) else None

    async def poll(self, late_ns: int = 0) -> Reading | Failure:
        """One cycle; ``late_ns`` is how much later than planned it begins."""
        tally = Tally()
        begun = self._steady()
        if self.layout is None or self._must_learn(begun):
            failure = await self._learn(tally)
            if failure is not None:
                return failure
        quarter = begun >= self._quarter_at
        for _ in range(_ATTEMPTS):
            asked_at = self._steady()
            fetch = await self._fetch(tally, quarter=quarter)
            if isinstance(fetch, Failure):
                return fetch
            outcome = await self._keep_up(fetch, tally, quarter=quarter)
            if isinstance(outcome, Failure):
                return outcome
            if outcome is None:
                reading = self._reading(fetch, tally, quarter=quarter)
                return msgspec.structs.replace(reading, late_ns=late_ns, rtt_ns=fetch.started - asked_at)
        return Failure.RESTLESS

    def close(self) -> None:
        """Ends the session."""
        self._session.close()

    def _must_learn(self, now: int) -> bool:
        return now - self._learnt_at > (_MISSED if self._lacks else RELEARN + self._spread)

    async def _learn(self, tally: Tally) -> Failure | None:
        layout = await learn(self._session, self._profiles, tally)
        if isinstance(layout, Failure):
            return layout
        if self.layout is None or not _alike(layout, self.layout):
            self.layout = layout
        self._learnt_at, self._lacks, self._quarter_at = self._steady(), False, 0
        return None

    async def _fetch(self, tally: Tally, *, quarter: bool) -> Fetch | Failure:
        layout = self._known()
        asked = layout.quarter if quarter else layout.minute
        if len(asked) > self.sizes.size and INTERFACES_CHANGED in asked[:_SCALARS]:
            asked = [*asked, INTERFACES_CHANGED]  # asked first and last: rows must not move in between
        fetch = Fetch(self._session, self.sizes, tally, self._steady)
        failure = await fetch.run(asked or [UPTIME])
        return fetch if failure is None else failure

    async def _keep_up(self, fetch: Fetch, tally: Tally, *, quarter: bool) -> Failure | bool | None:
        """None if the values are of the rows they were asked for; True if they must be asked for anew."""
        signs, before = Signs.of(fetch.first), self._signs
        elapsed = fetch.started - self._then
        changed = fetch.first.get(INTERFACES_CHANGED)
        moved = fetch.final.get(INTERFACES_CHANGED, changed) != changed
        self._signs, self._then = signs, fetch.started
        if before == Signs():
            return True if moved else None
        if signs.restarted(before, elapsed):
            self._restarted = True
            if fetch.started - self._learnt_at > _MISSED:
                return await self._learn(tally) or True
            return await self._compare(tally)  # an uptime that is stuck must not cost a learning each time
        if moved or signs.rearranged(before) or quarter:
            return await self._compare(tally)
        return None

    async def _compare(self, tally: Tally) -> Failure | bool | None:
        """Learns the interfaces anew if they are not as they were."""
        layout = self._known()
        same = await has_same_interfaces(self._session, layout, tally)
        if isinstance(same, Failure):
            return same
        if same or INTERFACES not in layout.tables:
            return None
        table = await learn_table(self._session, layout.tables[INTERFACES].table, None, tally)
        if isinstance(table, Failure):
            return table
        if table is None:
            return await self._learn(tally) or True
        self.layout = layout.replaced(table)
        return True

    def _reading(self, fetch: Fetch, tally: Tally, *, quarter: bool) -> Reading:
        now = self._steady()
        if quarter:
            self._quarter_at = now + (self._spread if self._first else QUARTER)
            self._first = False
        self._lacks = tally.missing > 0
        restarted, self._restarted = self._restarted, False
        return Reading(
            device=self.polled.device,
            site=self.polled.site,
            unit=self.polled.unit,
            time_ns=self._clock.now() - (now - fetch.started),
            steady_ns=fetch.started,
            uptime=Signs.of(fetch.first).uptime,
            tables=self._known().read(fetch.came, quarter=quarter),
            tally=tally,
            restarted=restarted,
        )

    def _known(self) -> Layout:
        if self.layout is None:
            raise RuntimeError("polled before it was learnt")
        return self.layout


def _alike(layout: Layout, other: Layout) -> bool:
    """Whether what is asked for, and what it is called, is the same: then the former objects stay."""
    return layout.quarter == other.quarter and _called(layout) == _called(other)


def _called(layout: Layout) -> dict[str, object]:
    return {name: (one.names, one.labels) for name, one in layout.tables.items()}
