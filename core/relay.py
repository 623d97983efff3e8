"""The relay: a lane's outbox delivered to the centre, in order, acknowledged, safe to send twice.

The centre says which number it has last; a lane always goes on from there. So a centre that was restored from a
backup asks, by its first answer, for all it lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec

from core.clock import SECOND, Clock
from core.errors import UnavailableError
from core.outbox import Batch, Outbox, Receipt

HEARTBEAT = 2.0
"""Seconds between two words to the centre when there is nothing to send."""

Send = Callable[[Batch], Awaitable[Receipt]]


class Silence:
    """Says once when the centre has been silent for too long, and once when it is back."""

    def __init__(self, limit_seconds: float, now: int) -> None:
        self._limit = int(limit_seconds * SECOND)
        self._heard = now
        self._told = False

    def heard(self, now: int) -> bool:
        """The centre answered; True if it had been given up."""
        self._heard = now
        back, self._told = self._told, False
        return back

    def lasting(self, now: int) -> int:
        """Nanoseconds since the centre last answered."""
        return now - self._heard

    def exceeded(self, now: int) -> bool:
        """True once, when the limit is passed."""
        if self._told or self.lasting(now) < self._limit:
            return False
        self._told = True
        return True


class Relay:
    """Delivers one lane's outbox.

    Args:
        lane: the lane's name.
        outbox: what to deliver.
        send: hands a batch to the centre; raises UnavailableError when it cannot.
        alarm: the lane's own channel, told when the centre falls silent and when it is back.
    """

    def __init__(self, lane: str, outbox: Outbox, send: Send, silence: Silence, alarm: Callable[[str], None]) -> None:
        self._lane = lane
        self._outbox = outbox
        self._send = send
        self._silence = silence
        self._alarm = alarm
        self._last = -1  # not known yet: the first batch asks
        self._more = asyncio.Event()

    def wake(self) -> None:
        """There are new rows. Call it on the relay's loop."""
        self._more.set()

    def silent(self, now: int) -> int:
        """Nanoseconds since the centre last answered."""
        return self._silence.lasting(now)

    async def run(self, clock: Clock) -> None:
        """Delivers until cancelled."""
        while True:
            self._more.clear()
            try:
                while await self.step():
                    self._answered(clock)
                self._answered(clock)
            except UnavailableError as error:
                if self._silence.exceeded(clock.now()):
                    seconds = self._silence.lasting(clock.now()) // SECOND
                    self._alarm(f"the centre has been silent for {seconds} s ({error}); nothing is lost for 72 h")
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._more.wait()
            except TimeoutError:
                continue

    def _answered(self, clock: Clock) -> None:
        if self._silence.heard(clock.now()):
            self._alarm("the centre answers again")

    async def step(self) -> bool:
        """Delivers one batch; True if there may be more.

        Raises:
            UnavailableError: the centre does not answer.
        """
        rows = tuple(await asyncio.to_thread(self._outbox.after, self._last)) if self._last >= 0 else ()
        batch = Batch(lane=self._lane, epoch=self._outbox.epoch, since=self._last, rows=rows)
        receipt = await self._send(batch)
        before, self._last = self._last, receipt.last
        if receipt.last > before:  # also where the answer to an earlier batch was lost
            await asyncio.to_thread(self._outbox.acknowledge, receipt.last)
        return bool(rows) or not receipt.taken


class CentreLink:
    """A lane's HTTP connection to the centre: batches up, snapshots down."""

    def __init__(self, address: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=f"http://{address}", headers=headers, timeout=30)

    async def send(self, batch: Batch) -> Receipt:
        """Hands over a batch.

        Raises:
            UnavailableError: the centre does not answer, or failed.
        """
        answer = await self._ask("POST", "/relay", msgspec.msgpack.encode(batch), {})
        try:
            return msgspec.msgpack.decode(answer.content, type=Receipt)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnavailableError(f"what answers at {self._http.base_url} is not the centre: {error}") from error

    async def snapshot(self, kind: str, version: str) -> tuple[str, bytes] | None:
        """The snapshot of that kind (``rules``, ``inventory``) with its version, or None if ``version`` is current.

        Raises:
            UnavailableError: the centre does not answer, or has none.
        """
        answer = await self._ask("GET", f"/snapshots/{kind}", None, {"If-None-Match": version})
        return None if answer.status_code == httpx.codes.NOT_MODIFIED else (answer.headers["ETag"], answer.content)

    async def close(self) -> None:
        """Closes the connection."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise UnavailableError(f"no answer at {self._http.base_url}: {type(error).__name__}") from error
        if answer.is_error:
            raise UnavailableError(f"the centre answered {answer.status_code} to {path}")
        return answer
