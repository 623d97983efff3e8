"""The deadlines for telling of an incident, as dated data (``clocks.toml``), and which have gone by. Pure.

A clock runs from the detection until the incident is closed: that it was told of is not recorded anywhere yet.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec

from core.clock import HOUR, vietnam_day
from core.incident import Incident, State
from core.records import Record, Severity
from inventory.units import LAST_DAY, Day


class Clock(Record, frozen=True, kw_only=True):
    """Within how many hours of its detection an incident has to be told of.

    Attributes:
        least_severity: of the incidents that it concerns.
        valid_from: the first day of detection for which it holds.
        valid_to: the last; empty while it holds.
        source: where it is written.
    """

    least_severity: Severity
    hours: Annotated[int, msgspec.Meta(gt=0)]
    valid_from: Day
    valid_to: Day = ""
    source: str

    def holds_on(self, day: str) -> bool:
        """Whether it runs for what is detected on this day (ISO date)."""
        return self.valid_from <= day <= (self.valid_to or LAST_DAY)

    def concerns(self, incident: Incident) -> bool:
        """Whether it runs, or ran, for this incident."""
        return self.holds_on(vietnam_day(incident.detected)) and incident.severity.rank >= self.least_severity.rank


@cache
def clocks() -> tuple[Clock, ...]:
    """All clocks, the shortest first."""
    content = tomllib.loads(files("console").joinpath("clocks.toml").read_text("utf-8"))
    return tuple(sorted(msgspec.convert(content["clock"], list[Clock]), key=lambda clock: clock.hours))


def clocks_of_day(day: str) -> list[Clock]:
    """Those that hold for what is detected on this day (ISO date)."""
    return [clock for clock in clocks() if clock.holds_on(day)]


def deadline(incident: Incident) -> int:
    """When the first of its clocks ends, nanoseconds UTC; 0 where none runs, as for what is closed."""
    if incident.state is State.CLOSED:
        return 0
    return min((incident.detected + one.hours * HOUR for one in clocks() if one.concerns(incident)), default=0)


def overdue(incidents: Iterable[Incident], now: int) -> list[Incident]:
    """Those of which a clock has ended before now (nanoseconds UTC), the longest ago first."""
    late = [(ends, one) for one in incidents if 0 < (ends := deadline(one)) < now]
    return [one for _, one in sorted(late, key=lambda pair: (pair[0], pair[1].id))]
