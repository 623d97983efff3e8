"""The RELP sessions of one source, which may be one sender that came again before we knew it was gone.

A session that begins may be the resend of a connection that broke, or of one that still looks open to us: the sender
knows first. So one session at a time finds out what it is, and only when the others have handed on all they brought:
then the ends of streams are what the sender's resend is compared with.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

_LONGEST_WAIT = 4.0
"""Seconds that others are waited for, then they are strangers: a sender waits longer than this for its answer."""
_ROUNDS = 5
"""Rounds of the event loop in which what the kernel holds for a connection reaches its session."""


class Sibling(Protocol):
    """One session."""

    stream: str
    resting: asyncio.Event

    def begin_anew(self) -> None:
        """Another session carries this one's stream on."""
        ...


class Siblings:
    """The open sessions of one source."""

    def __init__(self) -> None:
        self._sessions: list[Sibling] = []
        self._turn = asyncio.Lock()
        self.waiting = 0

    def join(self, session: Sibling) -> None:
        """A connection was opened."""
        self._sessions.append(session)

    def leave(self, session: Sibling) -> None:
        """A connection has ended."""
        self._sessions.remove(session)

    async def take_turn(self) -> None:
        """Waits until no other session is finding out what it is."""
        self.waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self.waiting -= 1

    def end_turn(self) -> None:
        """The next may find out."""
        self._turn.release()

    async def at_rest(self) -> set[str]:
        """The streams of sessions that have handed on all they brought, after waiting for them."""
        others = [session for session in self._sessions if session.stream]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT):
                await _rest(others)
        return {session.stream for session in others if session.resting.is_set()}

    def carry_on(self, stream: str) -> None:
        """Takes the stream from the session that has it."""
        for session in self._sessions:
            if session.stream == stream:
                session.begin_anew()


async def _rest(sessions: list[Sibling]) -> None:
    busy = sessions
    while busy:
        for session in busy:
            await session.resting.wait()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        busy = [session for session in sessions if not session.resting.is_set()]
