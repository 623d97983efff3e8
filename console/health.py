"""How a site, a unit or a province is, as far as its log sources, polled devices and open incidents tell. Pure.

What is not watched is unknown, never up. The words are those of the map (``console.map.TileHealth``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from console.map import TileHealth
from core.clock import MINUTE
from core.device_states import DeviceStates, Reach
from core.records import Severity
from core.sources import Sources, SourceState

STALE = 5 * MINUTE
"""What a lane told of its sources or devices longer ago than this says nothing of now. Nanoseconds."""

SERIOUS = Severity.HIGH
"""The least severity with which an open incident degrades its site."""

SHAPES = {TileHealth.UP: "●", TileHealth.DEGRADED: "▲", TileHealth.DOWN: "✖", TileHealth.UNKNOWN: "○"}
"""So that no health is told by colour alone."""

WORST_FIRST = (TileHealth.DOWN, TileHealth.DEGRADED, TileHealth.UNKNOWN, TileHealth.UP)


def site_health(states: Collection[SourceState], reaches: Collection[Reach] = (), *, is_hit: bool) -> TileHealth:
    """How a site is, by the states of its log sources and whether its devices answer SNMP.

    Unknown without either: a device that was not polled yet tells nothing. Down when all sources are silent and all
    devices do not answer. Degraded when some are so, when a device refuses our credential (it is there, and how it
    is cannot be seen), or when a serious incident is open there (``is_hit``); else up.
    """
    polled = [reach for reach in reaches if reach is not Reach.UNKNOWN]
    watched = len(states) + len(polled)
    if not watched:
        return TileHealth.UNKNOWN
    gone = sum(state is SourceState.SILENT for state in states) + polled.count(Reach.DOWN)
    if gone == watched:
        return TileHealth.DOWN
    return TileHealth.DEGRADED if gone or Reach.REFUSED in polled or is_hit else TileHealth.UP


def joint_health(healths: Iterable[TileHealth]) -> TileHealth:
    """How several sites are together: a province's, or those below a unit.

    Unknown if none is watched; of those that are: down if all are down, degraded if any is down or degraded, else up.
    """
    known = set(healths) - {TileHealth.UNKNOWN}
    if not known:
        return TileHealth.UNKNOWN
    if len(known) == 1:
        return known.pop()
    return TileHealth.DEGRADED


def is_serious(severity: Severity) -> bool:
    """Whether an incident of this severity degrades its site."""
    return severity.rank >= SERIOUS.rank


def is_current(told: Sources | DeviceStates, now: int) -> bool:
    """Whether what the lane told still holds (``now`` in nanoseconds UTC); it has not if it never told anything."""
    return bool(told.written) and now - told.written <= STALE
