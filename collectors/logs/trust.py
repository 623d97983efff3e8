"""Whether a sender's clock is believed."""

from __future__ import annotations

from core.clock import HOUR, MINUTE

AHEAD = 10 * MINUTE
BEHIND = 72 * HOUR
"""A clock further ahead or behind than this is not believed (docs/design.md)."""


def trusted(time: int, seen: int) -> bool:
    """Whether an event's own time may stand, given when it was received; both in nanoseconds."""
    return seen - BEHIND <= time <= seen + AHEAD
