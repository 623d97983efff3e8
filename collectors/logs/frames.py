"""What a receiver hands on: the bytes of one message, where they came from, and what to do once they are safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from core.records import Event

Form: TypeAlias = Callable[[bytes, str], Event]
"""Makes the event of a message under an id; raises ContentError with the reason where there is none."""

Transport = Literal["udp", "tcp", "tls", "relp", "http", "file", "replay", "own"]


def nothing() -> None:
    """Does nothing: most transports have no acknowledgement."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message as received.

    Attributes:
        source: the peer's IP address; of a followed file the machine's own.
        transport: how it came; ``own`` is what the platform says itself, as JSON fields unless it has a ``form``.
        raw: its bytes without framing.
        seen: when it was received, nanoseconds UTC.
        stream: the sender's stream, in which resent messages are recognised; a request or a file.
        mark: of a request or a file, how far it is stored with this message; 0 for a stream without marks.
        resent: it is on disk already, from before the connection broke.
        fault: why it cannot be a message; it goes to quarantine with this reason.
        form: how ``raw`` is to be read where it is not syslog.
        origin: of a message that was in quarantine and is read again, the id that it has there.
        stored: called once the message is on disk.
    """

    source: str
    transport: Transport
    raw: bytes
    seen: int
    stream: str = ""
    mark: int = 0
    resent: bool = False
    fault: str = ""
    form: Form | None = None
    origin: str = ""
    stored: Callable[[], None] = nothing


class Inlet(Protocol):
    """Where receivers put frames."""

    async def put(self, frame: Frame) -> None:
        """Waits while the queue is full: the sender is slowed down, nothing is lost."""
        ...

    def offer(self, frames: Sequence[Frame]) -> None:
        """Drops and counts what there is no room for: UDP cannot be slowed down."""
        ...

    def crowded(self) -> bool:
        """Whether so many wait that soon not everyone may come in; for any thread to ask."""
        ...
