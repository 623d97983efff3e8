"""What sysUpTime tells: whether the device has restarted, or its 32 bits of hundredths have only run over. Pure."""

from __future__ import annotations

import time

from core.clock import SECOND

TICK = 10_000_000
"""Nanoseconds of one unit of TimeTicks (RFC 2578, 7.1.8)."""

_TURN = 1 << 32
_SLACK = 15 * SECOND
"""How far an agent's uptime may lag: some refresh it every few seconds. No device starts in less."""


def steady() -> int:
    """Nanoseconds on a clock that nobody sets and that goes on while the machine is suspended, as devices do."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def since(before: int, after: int) -> int:
    """Nanoseconds from one uptime to a later one, over the end of its 32 bits (497 days) if need be."""
    return (after - before) % _TURN * TICK


def has_restarted(before: int | None, after: int | None, elapsed: int) -> bool:
    """Whether the agent has started anew between two readings.

    Args:
        before: uptime at the first reading, in hundredths of a second; None if it was not told.
        after: at the second one.
        elapsed: nanoseconds between them by our clock.
    """
    if before is None or after is None:
        return False
    slack = _SLACK + elapsed // 20
    passed = since(before, after)
    return passed + slack < elapsed or (after < before and passed > elapsed + slack)
