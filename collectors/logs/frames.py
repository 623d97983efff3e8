"""What a receiver hands on: the bytes of one message, where they came from, and what to do once they are safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Transport = Literal["udp", "tcp", "relp", "own"]


def nothing() -> None:
    """Does nothing: most transports have no acknowledgement."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as received.

    Attributes:
        source: the peer's IP address.
        transport: how it came; ``own`` is what the lane has to say itself, as JSON fields.
        raw: its bytes without framing.
        seen: when it was received, nanoseconds UTC.
        stream: for RELP, the sender's stream, in which resent messages are recognised.
        resent: it is on disk already, from before the connection broke.
        fault: why it cannot be a message; it goes to quarantine with this reason.
        stored: called once the message is on disk.
    """

    source: str
    transport: Transport
    raw: bytes
    seen: int
    stream: str = ""
    resent: bool = False
    fault: str = ""
    stored: Callable[[], None] = nothing


class Inlet(Protocol):
    """Where receivers put frames."""

    async def put(self, frame: Frame) -> None:
        """Waits while the queue is full: the sender is slowed down, nothing is lost."""
        ...

    def offer(self, frame: Frame) -> None:
        """Drops and counts the frame if the queue is full: UDP cannot be slowed down."""
        ...
