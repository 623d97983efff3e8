"""A request's documents on their way to the disk, each once although the request may be sent again.

HTTP acknowledges by its answer, and a sender that got none sends the same request again. So a request is known by its
sender and the SHA-256 of its body, and each stored document notes how many of its request are on disk. The note is let
go when the answer is known to have arrived: at the connection's next request, or when the sender ends it in good order.
A request that comes again before that goes on where the first one stopped, also after a kill.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from collectors.logs.frames import Form, Frame, Inlet
from collectors.logs.marks import Marks
from core.clock import MINUTE, Clock

MAX_DOCUMENT = 1 << 20
_KEPT = 64 << 10
"""Bytes of one document; of a longer one so much goes to quarantine."""

_REMEMBERED = 15 * MINUTE
"""How long an unconfirmed request is taken for a resend when it comes again."""


class Deliveries:
    """All requests of one lane.

    Args:
        inlet: where documents go.
        clock: tells when they came.
        marks: how far requests are on disk, as the lane keeps them.
        form: how documents are read.
    """

    def __init__(self, inlet: Inlet, clock: Clock, marks: Marks, form: Form) -> None:
        self._form = form
        self._inlet = inlet
        self._clock = clock
        self._marks = marks
        self._running: dict[str, asyncio.Future[None]] = {}
        now = clock.now()
        self._doubtful = {stream: now for stream in marks.content() if stream.startswith("http/")}

    async def deliver(self, source: str, body: bytes, documents: Sequence[bytes]) -> str:
        """Returns when all documents are on disk; gives the name under which to `confirm` that the answer arrived."""
        stream = f"http/{source}/{hashlib.sha256(body).hexdigest()[:32]}"
        while stream in self._running:  # the sender lost patience, and its first try is still on its way
            await asyncio.wait([self._running[stream]])
        done = self._running[stream] = asyncio.get_running_loop().create_future()
        try:
            await self._store(source, stream, documents, self._known(stream))
        finally:
            del self._running[stream]
            done.set_result(None)
            self._doubtful[stream] = self._clock.now()
        return stream

    def confirm(self, stream: str) -> None:
        """The sender has the answer: the same body from now on is a new one."""
        if stream not in self._running:
            self._doubtful.pop(stream, None)
            self._marks.forget((stream,))

    def _known(self, stream: str) -> int:
        """How many documents of a request that may have come before are on disk."""
        self._forget_old()
        return self._marks.get(stream) if stream in self._doubtful else 0

    def _forget_old(self) -> None:
        end = self._clock.now() - _REMEMBERED
        old = [stream for stream, since in self._doubtful.items() if since < end and stream not in self._running]
        for stream in old:
            del self._doubtful[stream]
        self._marks.forget(old)

    async def _store(self, source: str, stream: str, documents: Sequence[bytes], known: int) -> None:
        left = len(documents)
        if not left:
            return
        all_stored = asyncio.Event()

        def stored() -> None:
            nonlocal left
            left -= 1
            if not left:
                all_stored.set()

        for place, raw in enumerate(documents):
            too_long = len(raw) > MAX_DOCUMENT
            frame = Frame(
                source,
                "http",
                raw[:_KEPT] if too_long else raw,
                self._clock.now(),
                stream=stream,
                mark=place + 1,
                resent=place < known,
                fault=f"oversized: at most {MAX_DOCUMENT} bytes are taken" if too_long else "",
                form=self._form,
                stored=stored,
            )
            await self._inlet.put(frame)
        await all_stored.wait()
