"""Recognising what a RELP sender sends again after a connection broke.

RELP numbers messages anew in each session, so a resend carries no identity. But a sender keeps what was not
acknowledged in order and sends all of it, in order, before anything new. So the beginning of a new session is a
resend exactly as far as it equals the end of what was stored of one of that sender's broken streams.

Frames are compared by digest. While more than one reading is possible they are held back, unacknowledged; the
longest overlap wins. Where messages differ, as they do with a time of milliseconds in them, this is exact. Where the
same line repeats at the very end of what was stored, nobody can tell its resend from its return: as many of them as
fit are folded and counted as duplicates. Source: RELP specification 1, "Session" and the sender's window.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping

WINDOW = 256
"""Messages remembered per stream: twice the window of 128 that rsyslog's sender has by default."""
MOST_STREAMS = 4096
MOST_BROKEN = 32
"""Broken streams remembered per source, so that one whose line is bad does not make us forget the others'."""


def digest(raw: bytes) -> bytes:
    """What stands for a message when messages are compared, 8 bytes."""
    return hashlib.blake2b(raw, digest_size=8).digest()


class Tails:
    """The ends of streams: the digests of each one's last messages, in order."""

    def __init__(self, content: Mapping[str, Iterable[bytes]] | None = None) -> None:
        self._tails = {stream: deque(tail, maxlen=WINDOW) for stream, tail in (content or {}).items()}

    def add(self, stream: str, seen: bytes) -> None:
        """One more message at the end of the stream; the longest silent streams go when there are too many."""
        tail = self._tails.pop(stream, None) or deque(maxlen=WINDOW)
        tail.append(seen)
        self._tails[stream] = tail
        while len(self._tails) > MOST_STREAMS:
            self._tails.pop(next(iter(self._tails)))

    def forget(self, stream: str) -> None:
        """The stream will not be taken up again."""
        self._tails.pop(stream, None)

    def keep(self, streams: Iterable[str]) -> None:
        """Forgets all but these."""
        wanted = set(streams)
        self._tails = {stream: tail for stream, tail in self._tails.items() if stream in wanted}

    def content(self) -> dict[str, list[bytes]]:
        """All ends."""
        return {stream: list(tail) for stream, tail in self._tails.items()}

    def streams(self) -> set[str]:
        """All streams."""
        return set(self._tails)

    def of(self, source: str) -> Iterator[tuple[str, list[bytes]]]:
        """The source's streams and their ends, the longest silent first."""
        start = f"{source}#"
        for stream, tail in self._tails.items():
            if stream.startswith(start):
                yield stream, list(tail)


class Streams:
    """Which streams there are, and which of them are broken and may be taken up again."""

    def __init__(self, tails: Mapping[str, Iterable[bytes]] | None = None) -> None:
        self._tails = Tails(tails)
        self._live: set[str] = set()
        self._last = max((int(stream.rpartition("#")[2]) for stream in tails or ()), default=0)

    def start(self, source: str) -> str:
        """A new stream of this source."""
        self._last += 1
        stream = f"{source}#{self._last}"
        self._live.add(stream)
        return stream

    def take_up(self, stream: str) -> None:
        """A new session carries this broken stream on."""
        self._live.add(stream)

    def remember(self, stream: str, raw: bytes) -> None:
        """A message of the stream is on its way to the disk."""
        self._tails.add(stream, digest(raw))

    def finish(self, stream: str) -> None:
        """The sender closed the stream in good order: nothing of it will come again."""
        self._live.discard(stream)
        self._tails.forget(stream)

    def leave(self, stream: str) -> None:
        """The connection broke: the stream may be taken up again."""
        self._live.discard(stream)
        for old in list(self.ends(stream.rpartition("#")[0]))[:-MOST_BROKEN]:
            self._tails.forget(old)

    def known(self) -> set[str]:
        """All streams that are live or may be taken up again."""
        return self._live | self._tails.streams()

    def ends(self, source: str, resting: Collection[str] = ()) -> dict[str, list[bytes]]:
        """The ends of this source's broken streams and of those live ones that are ``resting``.

        The connection of a resting stream is open as far as we know; its sender may know better and come again.
        """
        return {
            stream: tail for stream, tail in self._tails.of(source) if stream not in self._live or stream in resting
        }


class Overlap:
    """Decides, at the beginning of one session, which messages are a resend.

    Feed messages with ``push`` until ``decided``; then the first ``folded`` of them are duplicates and the session
    carries ``stream`` on, or, where that is empty, a new one. Of equal overlaps the last stream's counts.
    """

    def __init__(self, tails: Mapping[str, list[bytes]]) -> None:
        self._readings = [(stream, tail, start) for stream, tail in tails.items() for start in range(len(tail))]
        self._count = 0
        self.folded = 0
        self.stream = ""
        self.decided = not self._readings

    def push(self, raw: bytes) -> None:
        """One more message from the beginning of the session."""
        seen, at = digest(raw), self._count
        self._count += 1
        self._readings = [
            (stream, tail, start)
            for stream, tail, start in self._readings
            if start + at < len(tail) and tail[start + at] == seen
        ]
        for stream, tail, start in self._readings:
            if len(tail) - start == self._count:
                self.folded, self.stream = self._count, stream
        self.decided = all(len(tail) - start <= self._count for _, tail, start in self._readings)

    def settle(self) -> None:
        """The sender has nothing more to say for now: decides by what is known."""
        self.decided = True
