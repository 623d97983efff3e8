"""Asks one device for many values, whatever it makes of that: too many, cut short, lost, not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collectors.snmp.failures import Failure
from collectors.snmp.layouts import Came
from collectors.snmp.readings import Tally
from collectors.snmp.session import UPTIME, Session, Values
from collectors.snmp.sizes import Sizes

_PATIENCE = 12
"""Questions without an answer before a device that has answered in between is given up."""

_PROBES = 2


class Fetch:
    """One list of object identifiers, asked for piece by piece.

    A device that is silent to a piece is asked for its uptime alone: if it is silent to that as well it is gone, and if
    it answers, the piece was lost or is too big, and is asked for again, then by halves.

    Args:
        session: the device's.
        sizes: how many it takes at once; learns.
        tally: counts what happens.
        now: nanoseconds on a steady clock.

    Attributes:
        came: what has come.
        first: the first answer alone; ``final`` the last one.
        started: when it came; 0 before.
    """

    def __init__(self, session: Session, sizes: Sizes, tally: Tally, now: Callable[[], int]) -> None:
        self.came = Came(())
        self.first: Values = {}
        self.final: Values = {}
        self.started = 0
        self._session = session
        self._sizes = sizes
        self._tally = tally
        self._now = now
        self._patience = _PATIENCE

    @property
    def values(self) -> Values:
        """What has come, by identifier."""
        return self.came.values

    async def run(self, oids: Sequence[str]) -> Failure | None:
        """Asks for all of them; what is not there is only counted."""
        self.came = Came(oids)
        at = 0
        while at < len(oids):
            part = oids[at : at + self._sizes.size]
            failure = await self._part(part)
            if failure is not None:
                return failure
            at += len(part)
        return None

    async def _part(self, part: Sequence[str]) -> Failure | None:
        answer = await self._ask(part)
        if answer is Failure.SILENT:
            answer = await self._ask(part) if await self._is_there() else Failure.SILENT
            if answer is Failure.SILENT and self.started and self._patience > 0:
                answer = Failure.TOO_BIG
        if answer is Failure.TOO_BIG:
            return await self._halve(part)
        if isinstance(answer, Failure):
            return answer
        if len(answer) >= len(part):
            self._sizes.answered(len(part))
            return None
        return await self._rest(part, answer)

    async def _ask(self, part: Sequence[str], *, take: bool = True) -> Values | Failure:
        self._tally.requests += 1
        answer = await self._session.get(part)
        if isinstance(answer, Failure):
            if answer is Failure.SILENT:
                self._tally.timeouts += 1
                self._patience -= 1
            return answer
        if not self.started:
            self.started = self._now()
        self._tally.varbinds += len(answer)
        if take:
            self.first, self.final = self.first or answer, answer
            self.came.take(part, answer)
        return answer

    async def _is_there(self) -> bool:
        """Whether the device answers the smallest question."""
        for _ in range(_PROBES):
            if self._patience <= 0:
                return False
            if not isinstance(await self._ask([UPTIME], take=False), Failure):
                return True
        return False

    async def _halve(self, part: Sequence[str]) -> Failure | None:
        """Asks by halves; SNMPv1 answers nothing at all if one of many is missing, which says nothing of the size."""
        if len(part) == 1:
            self._tally.missing += 1
            return None
        self._tally.too_big += 1
        missing = self._tally.missing
        middle = len(part) // 2
        for half in (part[:middle], part[middle:]):
            failure = await self._part(half)
            if failure is not None:
                return failure
        if self._tally.missing == missing:
            self._sizes.failed(len(part))
        return None

    async def _rest(self, part: Sequence[str], answer: Values) -> Failure | None:
        """What is missing at the end of an answer may have been cut off: it is asked for once more."""
        left = [oid for oid in part if oid not in answer]
        if not answer or list(part[len(part) - len(left) :]) != left:
            self._tally.missing += len(left)
            return None
        again = await self._ask(left)
        if isinstance(again, Failure):
            self._tally.missing += len(left)
            return None if again in {Failure.TOO_BIG, Failure.SILENT} else again
        if not again:
            self._tally.missing += len(left)
            return None
        self._tally.truncated += 1
        self._sizes.truncated(len(answer))
        return await self._rest(left, again) if len(again) < len(left) else None
